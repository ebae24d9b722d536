package dev.postroad.journal;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The journal could not do what it was asked to. The message says what, where, and what to do. */
public class JournalException extends IOException {
    private static final long serialVersionUID = 1L;

    public JournalException(String message) {
        super(message);
    }

    public JournalException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
