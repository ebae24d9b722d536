package dev.postroad.patterns.claimcheck;

import java.time.Duration;

/**
 * What is checked in, and for how long.
 *
 * @param threshold values of more bytes than this go to the blob store, 0 or more
 * @param lifetime what is older is deleted, 1 ms or more: more than a message may wait, be a dead letter, and be put back
 * @param cleanupInterval how often that is looked for, 1 ms or more
 */
public record ClaimSettings(int threshold, Duration lifetime, Duration cleanupInterval) {
    /** Over 256 KiB, thirty days, looked for each hour. */
    public static final ClaimSettings DEFAULT = new ClaimSettings(256 * 1024, Duration.ofDays(30), Duration.ofHours(1));

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public ClaimSettings {
        check(threshold >= 0, "threshold", threshold, "0 or more");
        check(lifetime.toMillis() >= 1, "lifetime", lifetime, "1 ms or more");
        check(cleanupInterval.toMillis() >= 1, "cleanupInterval", cleanupInterval, "1 ms or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** These settings with another size from which values are checked in. */
    public ClaimSettings withThreshold(int newThreshold) {
        return new ClaimSettings(newThreshold, lifetime, cleanupInterval);
    }

    /** These settings with another lifetime. */
    public ClaimSettings withLifetime(Duration newLifetime) {
        return new ClaimSettings(threshold, newLifetime, cleanupInterval);
    }

    /** These settings with another interval of cleaning up. */
    public ClaimSettings withCleanupInterval(Duration newCleanupInterval) {
        return new ClaimSettings(threshold, lifetime, newCleanupInterval);
    }
}
