package dev.postroad.patterns.deadletters;

import java.time.Duration;

/**
 * How dead letters are tried.
 *
 * @param filter which
 * @param max at most so many, 1 to 10,000,000; what is known of each is kept in memory
 * @param concurrency handlers at work at once, 1 to 10,000
 * @param maxAttempts a letter that fails so often fails, also where its channel would go on; 1 or more
 * @param timeout how long it may take in all; past it nothing is predicted, and it fails
 */
public record WhatIfSettings(LetterFilter filter, int max, int concurrency, int maxAttempts, Duration timeout) {

    /** All letters, 1,000,000 at most, one at a time, 100 attempts, one hour. */
    public static final WhatIfSettings DEFAULT =
            new WhatIfSettings(LetterFilter.ALL, 1_000_000, 1, 100, Duration.ofHours(1));

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public WhatIfSettings {
        check(max >= 1 && max <= 10_000_000, "max", max, "1 to 10,000,000");
        check(concurrency >= 1 && concurrency <= 10_000, "concurrency", concurrency, "1 to 10,000");
        check(maxAttempts >= 1, "maxAttempts", maxAttempts, "1 or more");
        check(timeout.toMillis() >= 1, "timeout", timeout, "1 ms or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** These settings for other letters. */
    public WhatIfSettings withFilter(LetterFilter newFilter) {
        return new WhatIfSettings(newFilter, max, concurrency, maxAttempts, timeout);
    }

    /** These settings with another bound on how many. */
    public WhatIfSettings withMax(int newMax) {
        return new WhatIfSettings(filter, newMax, concurrency, maxAttempts, timeout);
    }

    /** These settings with so many handlers at once. */
    public WhatIfSettings withConcurrency(int newConcurrency) {
        return new WhatIfSettings(filter, max, newConcurrency, maxAttempts, timeout);
    }

    /** These settings with another bound on attempts. */
    public WhatIfSettings withMaxAttempts(int newMaxAttempts) {
        return new WhatIfSettings(filter, max, concurrency, newMaxAttempts, timeout);
    }

    /** These settings with another time for all of it. */
    public WhatIfSettings withTimeout(Duration newTimeout) {
        return new WhatIfSettings(filter, max, concurrency, maxAttempts, newTimeout);
    }
}
