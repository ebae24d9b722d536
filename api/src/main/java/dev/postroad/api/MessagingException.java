package dev.postroad.api;

import org.jspecify.annotations.Nullable;

/** Something a transport refused or failed to do. The message says what, with which value, where, and what to do. */
public class MessagingException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final Reason reason;

    /** As the other constructor, without a cause. */
    public MessagingException(Reason reason, String message) {
        this(reason, message, null);
    }

    /**
     * @param reason what a program can decide by
     * @param message what a person can act on
     * @param cause the transport's own exception, kept
     */
    public MessagingException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    /** Why. */
    public Reason reason() {
        return reason;
    }

    /** What a program can decide by. */
    public enum Reason {
        /** An argument, option or name is out of its bounds; do not repeat unchanged. */
        INVALID(false),
        /** No such channel, group or message. */
        NOT_FOUND(false),
        /** Declared before, otherwise; the message names the difference. */
        CHANNEL_MISMATCH(false),
        /** The transport can't do what the channel needs. */
        IMPOSSIBLE_NEED(false),
        /** Over a limit of size; the limit is named. */
        TOO_LARGE(false),
        /** At a bound (length, memory, disk): refused for now. */
        FULL(true),
        /** Somebody else holds it: an exclusive channel, a data directory. */
        IN_USE(true),
        /** The delivery was settled before. */
        ALREADY_SETTLED(false),
        /** The delivery's lease ran out and it went to another consumer, or its consumer closed. */
        LEASE_LOST(false),
        /** A key or value could not be turned into bytes or back. */
        SERDE(false),
        /** No answer in time; the outcome is unknown. */
        TIMEOUT(true),
        /** The broker can't be reached. */
        UNREACHABLE(true),
        /** The broker's disk failed; it accepts nothing until it was looked at. */
        STORAGE_FAILED(false),
        /** Not allowed. */
        DENIED(false),
        /** This object, or the transport below it, is closed. */
        CLOSED(false),
        /** Anything else; see the cause. */
        FAILED(false);

        private final boolean repeatable;

        Reason(boolean repeatable) {
            this.repeatable = repeatable;
        }

        /** True if the same call may succeed later. */
        public boolean repeatable() {
            return repeatable;
        }
    }
}
