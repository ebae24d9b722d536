package dev.postroad.api;

import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How often a message is tried and how long each attempt waits: exponential backoff with jitter.
 *
 * <p>Before attempt {@code n+1} it waits {@code min(maxDelay, initialDelay * multiplier^(n-1))}, spread by the jitter: with
 * jitter 0.2, anything from 0.8 to 1.0 of it. Jitter 1.0 is known as full, 0.5 as equal. With decorrelated jitter each wait
 * is anything from {@code initialDelay} to {@code multiplier} times the wait before it, {@code maxDelay} at most; it is then
 * random as a whole, and its jitter is 1.0.
 *
 * @param maxAttempts deliveries in all, 1 to 1,000,000; after the last failure the message becomes a dead letter
 * @param initialDelay before the second attempt
 * @param maxDelay no wait is longer
 * @param multiplier growth per attempt, 1.0 to 100
 * @param jitter the share of each wait that is random, 0.0 to 1.0
 * @param decorrelated true if each wait grows from the one before it; with jitter 1.0 only
 * @param maxElapsed from the first failure, no attempt begins later; at least 1 ms, or null for no bound. Where a transport
 *     does not tell when a message failed first ({@link Delivery#firstFailure}), from the message's time stamp
 */
public record RetryPolicy(
        int maxAttempts,
        Duration initialDelay,
        Duration maxDelay,
        double multiplier,
        double jitter,
        boolean decorrelated,
        @Nullable Duration maxElapsed) {

    /** The jitter of a wait that is anything from nothing to the whole. */
    public static final double FULL_JITTER = 1.0;

    /** The jitter of a wait that is anything from half to the whole. */
    public static final double EQUAL_JITTER = 0.5;

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
        check(!decorrelated || jitter == FULL_JITTER, "jitter", jitter, "1.0 where it is decorrelated");
        check(
                maxElapsed == null || maxElapsed.toMillis() >= 1,
                "maxElapsed",
                String.valueOf(maxElapsed),
                "at least 1 ms");
    }

    /** Not decorrelated, for as long as there are attempts. */
    public RetryPolicy(int maxAttempts, Duration initialDelay, Duration maxDelay, double multiplier, double jitter) {
        this(maxAttempts, initialDelay, maxDelay, multiplier, jitter, false, null);
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
     * @param random a number in [0, 1) that places the wait within the jitter; with decorrelated jitter, also those before it
     */
    public Duration delayAfter(int attempt, double random) {
        if (decorrelated) {
            return decorrelatedAfter(attempt, () -> random);
        }
        double millis = initialDelay.toMillis() * Math.pow(multiplier, Math.max(0, attempt - 1));
        double capped = Math.min(millis, (double) maxDelay.toMillis());
        return Duration.ofMillis(Math.round(capped * (1.0 - jitter * random)));
    }

    /**
     * The wait of a message after a failed attempt: the same whenever and wherever it is asked for. Messages of different
     * seeds wait differently within the jitter.
     *
     * @param attempt the attempt that failed, from 1
     * @param seed what randomness comes from: the message's id, as a rule
     */
    public Duration delayAfter(int attempt, String seed) {
        SplittableRandom random = new SplittableRandom(mixed(seed));
        if (decorrelated) {
            return decorrelatedAfter(attempt, random::nextDouble);
        }
        return delayAfter(attempt, new SplittableRandom(random.nextLong() + attempt).nextDouble());
    }

    private static long mixed(String seed) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < seed.length(); i++) {
            hash = (hash ^ seed.charAt(i)) * 0x100000001b3L;
        }
        return hash;
    }

    private Duration decorrelatedAfter(int attempt, DoubleSupplier random) {
        double first = initialDelay.toMillis();
        double longest = maxDelay.toMillis();
        double wait = first;
        for (int n = 1; n <= Math.max(1, attempt); n++) {
            wait = Math.min(longest, first + random.getAsDouble() * (wait * multiplier - first));
        }
        return Duration.ofMillis(Math.round(wait));
    }

    /**
     * Whether another attempt may begin after this wait.
     *
     * @param firstFailure when the message failed first
     * @param now the present time
     * @param delay before the attempt
     */
    public boolean allows(Instant firstFailure, Instant now, Duration delay) {
        return maxElapsed == null
                || Duration.between(firstFailure, now).plus(delay).compareTo(maxElapsed) <= 0;
    }

    /** This policy with another number of attempts. */
    public RetryPolicy withMaxAttempts(int attempts) {
        return new RetryPolicy(attempts, initialDelay, maxDelay, multiplier, jitter, decorrelated, maxElapsed);
    }

    /** This policy with other bounds of the wait. */
    public RetryPolicy withDelays(Duration initial, Duration max) {
        return new RetryPolicy(maxAttempts, initial, max, multiplier, jitter, decorrelated, maxElapsed);
    }

    /** This policy with another growth per attempt. */
    public RetryPolicy withMultiplier(double newMultiplier) {
        return new RetryPolicy(maxAttempts, initialDelay, maxDelay, newMultiplier, jitter, decorrelated, maxElapsed);
    }

    /** This policy with this share of each wait random, and not decorrelated. */
    public RetryPolicy withJitter(double newJitter) {
        return new RetryPolicy(maxAttempts, initialDelay, maxDelay, multiplier, newJitter, false, maxElapsed);
    }

    /** This policy with decorrelated jitter. A multiplier of 3 is usual with it. */
    public RetryPolicy withDecorrelatedJitter() {
        return new RetryPolicy(maxAttempts, initialDelay, maxDelay, multiplier, FULL_JITTER, true, maxElapsed);
    }

    /** This policy with another bound on the time from the first failure on, or null for none. */
    public RetryPolicy withMaxElapsed(@Nullable Duration newMaxElapsed) {
        return new RetryPolicy(maxAttempts, initialDelay, maxDelay, multiplier, jitter, decorrelated, newMaxElapsed);
    }
}
