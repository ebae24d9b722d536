package dev.postroad.security;

/** Something about who may come in can't be read, changed or used. The message says what and what to do, and holds no secrets. */
public final class AccessException extends RuntimeException {
    private static final long serialVersionUID = 1;

    AccessException(String message) {
        super(message);
    }

    AccessException(String message, Throwable cause) {
        super(message, cause);
    }
}
