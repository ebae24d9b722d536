package dev.postroad.patterns.overload;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long a handler may take.
 *
 * @param limit for one delivery, from 1 ms
 * @param grace how long an interrupted handler has to end, zero or more
 * @param lease the delivery's lease is extended by this, each third of it, while its handler is at work within its limit; at
 *     least 30 ms, or null to extend nothing, which is right for channels without a lease
 * @param maxAbandoned handlers that heed no interrupt and are left to themselves, 1 or more; with so many, no other begins
 *     until one has ended
 * @param giveUp true for a dead letter when the time is up, false for another attempt
 */
public record TimeLimitSettings(
        Duration limit, Duration grace, @Nullable Duration lease, int maxAbandoned, boolean giveUp) {
    private static final Duration SHORTEST_LEASE = Duration.ofMillis(30);

    /** Thirty seconds, one second of grace, no lease to extend, 16 left to themselves, another attempt. */
    public static final TimeLimitSettings DEFAULT =
            new TimeLimitSettings(Duration.ofSeconds(30), Duration.ofSeconds(1), null, 16, false);

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public TimeLimitSettings {
        check(limit.toMillis() >= 1, "limit", limit, "1 ms or more");
        check(!grace.isNegative(), "grace", grace, "zero or more");
        check(
                lease == null || lease.compareTo(SHORTEST_LEASE) >= 0,
                "lease",
                String.valueOf(lease),
                "at least " + SHORTEST_LEASE);
        check(maxAbandoned >= 1, "maxAbandoned", maxAbandoned, "1 or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** These settings with another limit. */
    public TimeLimitSettings withLimit(Duration newLimit) {
        return new TimeLimitSettings(newLimit, grace, lease, maxAbandoned, giveUp);
    }

    /** These settings with another time to end after the interrupt. */
    public TimeLimitSettings withGrace(Duration newGrace) {
        return new TimeLimitSettings(limit, newGrace, lease, maxAbandoned, giveUp);
    }

    /** These settings with a lease to extend, or null for none. */
    public TimeLimitSettings withLease(@Nullable Duration newLease) {
        return new TimeLimitSettings(limit, grace, newLease, maxAbandoned, giveUp);
    }

    /** These settings with another bound on handlers that are left to themselves. */
    public TimeLimitSettings withMaxAbandoned(int newMaxAbandoned) {
        return new TimeLimitSettings(limit, grace, lease, newMaxAbandoned, giveUp);
    }

    /** These settings with a dead letter when the time is up, or with another attempt. */
    public TimeLimitSettings withGiveUp(boolean newGiveUp) {
        return new TimeLimitSettings(limit, grace, lease, maxAbandoned, newGiveUp);
    }
}
