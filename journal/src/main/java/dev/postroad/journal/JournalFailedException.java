package dev.postroad.journal;

/**
 * A write or a sync failed, now or earlier. Nobody knows what is on the disk behind the durable position, so the journal
 * takes no more writes until it has been opened again and has read what is there. Never retried.
 */
public final class JournalFailedException extends JournalException {
    private static final long serialVersionUID = 1L;

    JournalFailedException(String message, Throwable cause) {
        super(message, cause);
    }
}
