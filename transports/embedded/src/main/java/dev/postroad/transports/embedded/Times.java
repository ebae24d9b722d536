package dev.postroad.transports.embedded;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Durations and moments as the engine counts them. */
final class Times {
    private Times() {}

    /** In milliseconds, a fraction counting as a whole one; null if that is more than a long holds. */
    static @Nullable Long millisUp(Duration duration) {
        try {
            long millis = duration.toMillis();
            return duration.getNano() % 1_000_000 == 0 ? millis : Math.addExact(millis, 1);
        } catch (ArithmeticException e) {
            return null;
        }
    }

    /** In milliseconds since 1970, the nearest that a long holds. */
    static long millis(Instant instant) {
        try {
            return instant.toEpochMilli();
        } catch (ArithmeticException e) {
            return instant.isBefore(Instant.EPOCH) ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }

    /** In nanoseconds, as many as a long holds. */
    static long nanos(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return duration.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }
}
