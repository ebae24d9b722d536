package dev.postroad.engine;

import org.jspecify.annotations.Nullable;

/** A command that the engine refused or could not carry out; nothing of it took effect. */
public final class EngineException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Reason reason;

    /** As the other constructor, without a cause. */
    public EngineException(Reason reason, String message) {
        this(reason, message, null);
    }

    /**
     * @param reason what a program can decide by
     * @param message what was wrong, with which value, and what to do
     * @param cause what lies below, or null
     */
    public EngineException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause, false, cause != null);
        this.reason = reason;
    }

    /** Why. */
    public Reason reason() {
        return reason;
    }

    /** What a program can decide by. */
    public enum Reason {
        /** An argument is out of bounds, or contradicts another. */
        INVALID,
        /** No channel, topic, group, consumer or message of this name. */
        NOT_FOUND,
        /** It exists, otherwise than declared. */
        MISMATCH,
        /** Somebody else holds it, or it is not empty or not unused as demanded. */
        IN_USE,
        /** Over a limit of size. */
        TOO_LARGE,
        /** At a bound: length, memory, disk. */
        FULL,
        /** The message was routed nowhere and must not be. */
        UNROUTABLE,
        /** The delivery is not (or no longer) this consumer's. */
        NOT_DELIVERED,
        /** A stale producer epoch, sequence, group generation or member. */
        FENCED,
        /** A message of an idempotent producer is missing between its last and this one. */
        OUT_OF_SEQUENCE,
        /** The message's bytes on the disk are damaged. */
        DAMAGED,
        /** The journal failed; the engine accepts nothing more until it is opened again. */
        STORAGE_FAILED,
        /** The engine is closed. */
        CLOSED
    }
}
