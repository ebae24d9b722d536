package dev.postroad.server;

import org.jspecify.annotations.Nullable;

/** A server that can't start. The message says why and what to do. */
public final class ServerException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ServerException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
