package dev.postroad.patterns.breaker;

import java.time.Duration;

/**
 * How often handlers may be called.
 *
 * @param permits calls within each period, 1 to 1,000,000,000
 * @param period 1 µs or more; spread evenly, one call each {@code period / permits}
 * @param burst calls that may follow each other at once after a quiet time, 1 or more
 * @param lease for which deliveries are kept, and kept again, while they wait; the channel's own, if it has one
 */
public record RateSettings(int permits, Duration period, int burst, Duration lease) {
    private static final int MOST = 1_000_000_000;

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public RateSettings {
        check(permits >= 1 && permits <= MOST, "permits", permits, "1 to " + MOST);
        check(period.toNanos() >= 1_000, "period", period, "1 µs or more");
        check(burst >= 1, "burst", burst, "1 or more");
        check(lease.toMillis() >= 1, "lease", lease, "1 ms or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** So many in each period, one at a time, a lease of a minute. */
    public static RateSettings of(int permits, Duration period) {
        return new RateSettings(permits, period, 1, Duration.ofMinutes(1));
    }

    /** These settings with another burst. */
    public RateSettings withBurst(int newBurst) {
        return new RateSettings(permits, period, newBurst, lease);
    }

    /** These settings with another lease of what waits. */
    public RateSettings withLease(Duration newLease) {
        return new RateSettings(permits, period, burst, newLease);
    }

    /** Nanoseconds from one call to the next, 1 or more. */
    long interval() {
        return Math.max(1, period.toNanos() / permits);
    }
}
