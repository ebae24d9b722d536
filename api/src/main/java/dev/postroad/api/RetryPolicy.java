package dev.postroad.api;

import java.time.Duration;

/**
 * How often a message is tried and how long each attempt waits: exponential backoff with jitter.
 *
 * <p>Before attempt {@code n+1} it waits {@code min(maxDelay, initialDelay * multiplier^(n-1))}, spread by the jitter: with
 * jitter 0.2, anything from 0.8 to 1.0 of it.
 *
 * @param maxAttempts deliveries in all, 1 to 1,000,000; after the last failure the message becomes a dead letter
 * @param initialDelay before the second attempt
 * @param maxDelay no wait is longer
 * @param multiplier growth per attempt, 1.0 to 100
 * @param jitter the share of each wait that is random, 0.0 to 1.0
 */
public record RetryPolicy(int maxAttempts, Duration initialDelay, Duration maxDelay, double multiplier, double jitter) {

    /** Five attempts, waiting about 1, 2, 4 and 8 seconds, 30 at most, jitter 0.2. */
    public static final RetryPolicy DEFAULT =
            new RetryPolicy(5, Duration.ofSeconds(1), Duration.ofSeconds(30), 2.0, 0.2);

    /** One attempt. */
    public static final RetryPolicy NONE = new RetryPolicy(1, Duration.ZERO, Duration.ZERO, 1.0, 0.0);

    /** @throws IllegalArgumentException naming the value that is out of its bounds */
    public RetryPolicy {
        check(maxAttempts >= 1 && maxAttempts <= 1_000_000, "maxAttempts", maxAttempts, "1 to 1,000,000");
        check(!initialDelay.isNegative(), "initialDelay", initialDelay, "zero or more");
        check(maxDelay.compareTo(initialDelay) >= 0, "maxDelay", maxDelay, "at least initialDelay, " + initialDelay);
        check(multiplier >= 1.0 && multiplier <= 100, "multiplier", multiplier, "1.0 to 100");
        check(jitter >= 0.0 && jitter <= 1.0, "jitter", jitter, "0.0 to 1.0");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /**
     * The wait after a failed attempt. Pure: asking does not change anything.
     *
     * @param attempt the attempt that failed, from 1
     * @param random a number in [0, 1) that places the wait within the jitter
     */
    public Duration delayAfter(int attempt, double random) {
        double millis = initialDelay.toMillis() * Math.pow(multiplier, Math.max(0, attempt - 1));
        double capped = Math.min(millis, (double) maxDelay.toMillis());
        return Duration.ofMillis(Math.round(capped * (1.0 - jitter * random)));
    }

    /** This policy with another number of attempts. */
    public RetryPolicy withMaxAttempts(int attempts) {
        return new RetryPolicy(attempts, initialDelay, maxDelay, multiplier, jitter);
    }

    /** This policy with other bounds of the wait. */
    public RetryPolicy withDelays(Duration initial, Duration max) {
        return new RetryPolicy(maxAttempts, initial, max, multiplier, jitter);
    }

    /** This policy with another growth per attempt. */
    public RetryPolicy withMultiplier(double newMultiplier) {
        return new RetryPolicy(maxAttempts, initialDelay, maxDelay, newMultiplier, jitter);
    }

    /** This policy with another jitter. */
    public RetryPolicy withJitter(double newJitter) {
        return new RetryPolicy(maxAttempts, initialDelay, maxDelay, multiplier, newJitter);
    }
}
