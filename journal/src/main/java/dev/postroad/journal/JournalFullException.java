package dev.postroad.journal;

import org.jspecify.annotations.Nullable;

/**
 * There is no space for another segment. Nothing was written or half applied: batches that ended before can still be
 * committed, reading goes on, and appending works again as soon as there is space.
 */
public final class JournalFullException extends JournalException {
    private static final long serialVersionUID = 1L;

    JournalFullException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
