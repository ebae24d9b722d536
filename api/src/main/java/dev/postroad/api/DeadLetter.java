package dev.postroad.api;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the headers of a dead letter tell: where the message came from, how often it was tried, and why it was given up.
 * The message itself is as it was sent, id and properties included.
 *
 * @param origin channel where it was given up
 * @param group by which consumer group of a stream; null for a queue
 * @param cause what led to it; null where the transport does not tell
 * @param reason why, in words, at most {@value #MAX_REASON_LENGTH} characters; of an exception, its class and message
 * @param attempts how often it had been delivered
 * @param time when it was given up, which is when it failed last, in milliseconds' resolution
 * @param exception class of the exception it was given up for; null where there was none, or the transport does not tell
 * @param firstFailure when it failed first; null where it did not fail, or the transport does not tell
 */
public record DeadLetter(
        String origin,
        @Nullable String group,
        @Nullable Cause cause,
        String reason,
        int attempts,
        Instant time,
        @Nullable String exception,
        @Nullable Instant firstFailure) {

    /** What all these headers begin with; no other header of a dead letter does. */
    public static final String HEADER_PREFIX = "postroad-dead-letter-";

    /** Header with the origin. */
    public static final String ORIGIN_HEADER = HEADER_PREFIX + "origin";

    /** Header with the group; only for streams. */
    public static final String GROUP_HEADER = HEADER_PREFIX + "group";

    /** Header with the cause, {@code delivery-limit} for example. */
    public static final String CAUSE_HEADER = HEADER_PREFIX + "cause";

    /** Header with the reason. */
    public static final String REASON_HEADER = HEADER_PREFIX + "reason";

    /** Header with the number of deliveries. */
    public static final String ATTEMPTS_HEADER = HEADER_PREFIX + "attempts";

    /** Header with the time, in milliseconds since 1970. */
    public static final String TIME_HEADER = HEADER_PREFIX + "time";

    /** Header with the exception's class. */
    public static final String EXCEPTION_HEADER = HEADER_PREFIX + "exception";

    /** Header with the time of the first failure, in milliseconds since 1970. */
    public static final String FIRST_FAILURE_HEADER = HEADER_PREFIX + "first-failure";

    /** What led to a message's being given up. */
    public enum Cause {
        /** A consumer said so. */
        REJECTED,
        /** Its last attempt failed. */
        DELIVERY_LIMIT,
        /** Its time to live ran out. */
        EXPIRED,
        /** Its queue was full, and it the oldest. */
        OVERFLOW,
        /** An earlier message of its key had been given up. */
        KEY_ORDER;

        /** As it stands in the header: {@code delivery-limit}. */
        public String header() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        private static @Nullable Cause of(@Nullable String header) {
            for (Cause cause : values()) {
                if (cause.header().equals(header)) {
                    return cause;
                }
            }
            return null;
        }
    }

    /** Characters kept of a reason. */
    public static final int MAX_REASON_LENGTH = 1_000;

    public DeadLetter {
        if (reason.length() > MAX_REASON_LENGTH) {
            int end = Character.isHighSurrogate(reason.charAt(MAX_REASON_LENGTH - 1))
                    ? MAX_REASON_LENGTH - 1
                    : MAX_REASON_LENGTH;
            reason = reason.substring(0, end);
        }
    }

    /** Without an exception and the time of the first failure. */
    public DeadLetter(
            String origin, @Nullable String group, @Nullable Cause cause, String reason, int attempts, Instant time) {
        this(origin, group, cause, reason, attempts, time, null, null);
    }

    /** What a message tells about its being given up; empty if it is no dead letter. */
    public static Optional<DeadLetter> of(Message<?, ?> message) {
        Map<String, String> headers = message.headers();
        String origin = headers.get(ORIGIN_HEADER);
        if (origin == null) {
            return Optional.empty();
        }
        long firstFailure = number(headers.get(FIRST_FAILURE_HEADER), 0);
        return Optional.of(new DeadLetter(
                origin,
                headers.get(GROUP_HEADER),
                Cause.of(headers.get(CAUSE_HEADER)),
                headers.getOrDefault(REASON_HEADER, ""),
                (int) number(headers.get(ATTEMPTS_HEADER), 0),
                Instant.ofEpochMilli(
                        number(headers.get(TIME_HEADER), message.timestamp().toEpochMilli())),
                headers.get(EXCEPTION_HEADER),
                firstFailure == 0 ? null : Instant.ofEpochMilli(firstFailure)));
    }

    /** The headers of a message with these of a dead letter added, for transports to write. */
    public Map<String, String> addedTo(Map<String, String> headers) {
        Map<String, String> more = removedFrom(headers);
        more.put(ORIGIN_HEADER, origin);
        if (group != null) {
            more.put(GROUP_HEADER, group);
        }
        if (cause != null) {
            more.put(CAUSE_HEADER, cause.header());
        }
        more.put(REASON_HEADER, reason);
        more.put(ATTEMPTS_HEADER, Integer.toString(attempts));
        more.put(TIME_HEADER, Long.toString(time.toEpochMilli()));
        if (exception != null) {
            more.put(EXCEPTION_HEADER, exception);
        }
        if (firstFailure != null) {
            more.put(FIRST_FAILURE_HEADER, Long.toString(firstFailure.toEpochMilli()));
        }
        return more;
    }

    /** The headers of a dead letter without these, as they were sent, for transports to put it back. */
    public static Map<String, String> removedFrom(Map<String, String> headers) {
        Map<String, String> fewer = new LinkedHashMap<>(headers);
        fewer.keySet().removeIf(name -> name.startsWith(HEADER_PREFIX));
        return fewer;
    }

    private static long number(@Nullable String header, long otherwise) {
        try {
            return header == null ? otherwise : Long.parseLong(header);
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }
}
