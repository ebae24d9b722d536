package dev.postroad.engine;

/** Headers that a dead letter has beyond its own; they go when it is put back. */
public final class DeadLetterHeaders {
    /** Why it was given up, in words. String. */
    public static final String REASON = "postroad-dead-letter-reason";

    /** Why it was given up: rejected, delivery-limit, expired, overflow or key-order. String. */
    public static final String CAUSE = "postroad-dead-letter-cause";

    /** The queue, or the stream, it came from. String. */
    public static final String ORIGIN = "postroad-dead-letter-origin";

    /** The shared group it came from, where the origin is a stream. String. */
    public static final String GROUP = "postroad-dead-letter-group";

    /** How often it had been delivered. Long. */
    public static final String ATTEMPTS = "postroad-dead-letter-attempts";

    /** When it was given up, in milliseconds since 1970. Long. */
    public static final String TIME = "postroad-dead-letter-time";

    /** When it failed first, in milliseconds since 1970. Long; only where it failed. */
    public static final String FIRST_FAILURE = "postroad-dead-letter-first-failure";

    /** Class of the exception it was given up for. String; only where its consumer told. */
    public static final String EXCEPTION = "postroad-dead-letter-exception";

    private DeadLetterHeaders() {}

    static boolean isOne(String header) {
        return header.startsWith("postroad-dead-letter-");
    }
}
