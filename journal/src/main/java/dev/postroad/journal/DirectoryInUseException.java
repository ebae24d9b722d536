package dev.postroad.journal;

/** A data directory that this or another process has open already. */
public final class DirectoryInUseException extends JournalException {
    private static final long serialVersionUID = 1L;

    DirectoryInUseException(String message) {
        super(message);
    }
}
