package dev.postroad.patterns.breaker;

import dev.postroad.api.Handler;
import java.time.Duration;
import java.util.function.Predicate;

/**
 * When a circuit breaker opens, and how it closes again.
 *
 * @param window how many of the last calls are looked at, 1 to 100,000
 * @param minCalls so many of them must be there before it opens, 1 to the window
 * @param failureRate the share of failed ones at which it opens, over 0.0 to 1.0
 * @param openFor how long it stays open before the first probe, 1 ms or more; twice as long after each probe that failed
 * @param maxOpenFor and no longer than this, {@code openFor} or more
 * @param probes calls that must succeed, one after the other, before it closes, 1 or more
 * @param triesPerMessage how often one message may be tried while the circuit is open before it counts as failed itself, 1 or
 *     more
 * @param failures which of what a handler throws is a failure of what it calls; the rest is the message's own trouble
 * @param lease for which deliveries are kept, and kept again, while they are held; the channel's own, if it has one
 */
public record BreakerSettings(
        int window,
        int minCalls,
        double failureRate,
        Duration openFor,
        Duration maxOpenFor,
        int probes,
        int triesPerMessage,
        Predicate<Throwable> failures,
        Duration lease) {

    /**
     * Opens when half of the last 20 calls have failed (and 10 were made), for 5 seconds, up to a minute; closes after 3
     * probes; 10 tries for each message; everything is a failure but a message's dead letter, a retry at a time that the handler
     * chose, and an interrupt; a lease of a minute.
     */
    public static final BreakerSettings DEFAULT = new BreakerSettings(
            20,
            10,
            0.5,
            Duration.ofSeconds(5),
            Duration.ofMinutes(1),
            3,
            10,
            BreakerSettings::isOutage,
            Duration.ofMinutes(1));

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public BreakerSettings {
        check(window >= 1 && window <= 100_000, "window", window, "1 to 100,000");
        check(minCalls >= 1 && minCalls <= window, "minCalls", minCalls, "1 to the window, " + window);
        check(failureRate > 0.0 && failureRate <= 1.0, "failureRate", failureRate, "over 0.0 to 1.0");
        check(openFor.toMillis() >= 1, "openFor", openFor, "1 ms or more");
        check(maxOpenFor.compareTo(openFor) >= 0, "maxOpenFor", maxOpenFor, "at least openFor, " + openFor);
        check(probes >= 1, "probes", probes, "1 or more");
        check(triesPerMessage >= 1, "triesPerMessage", triesPerMessage, "1 or more");
        check(lease.toMillis() >= 1, "lease", lease, "1 ms or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    private static boolean isOutage(Throwable failure) {
        return !(failure instanceof Handler.DeadLetterException
                || failure instanceof Handler.RetryAfterException
                || failure instanceof InterruptedException);
    }

    /** These settings with another window, and another number of calls that must be in it. */
    public BreakerSettings withWindow(int newWindow, int newMinCalls) {
        return new BreakerSettings(
                newWindow, newMinCalls, failureRate, openFor, maxOpenFor, probes, triesPerMessage, failures, lease);
    }

    /** These settings with another share of failures. */
    public BreakerSettings withFailureRate(double newFailureRate) {
        return new BreakerSettings(
                window, minCalls, newFailureRate, openFor, maxOpenFor, probes, triesPerMessage, failures, lease);
    }

    /** These settings with other times between probes. */
    public BreakerSettings withOpenFor(Duration newOpenFor, Duration newMaxOpenFor) {
        return new BreakerSettings(
                window, minCalls, failureRate, newOpenFor, newMaxOpenFor, probes, triesPerMessage, failures, lease);
    }

    /** These settings with another number of probes. */
    public BreakerSettings withProbes(int newProbes) {
        return new BreakerSettings(
                window, minCalls, failureRate, openFor, maxOpenFor, newProbes, triesPerMessage, failures, lease);
    }

    /** These settings with another number of tries for each message. */
    public BreakerSettings withTriesPerMessage(int newTriesPerMessage) {
        return new BreakerSettings(
                window, minCalls, failureRate, openFor, maxOpenFor, probes, newTriesPerMessage, failures, lease);
    }

    /** These settings with another meaning of a failure. */
    public BreakerSettings withFailures(Predicate<Throwable> newFailures) {
        return new BreakerSettings(
                window, minCalls, failureRate, openFor, maxOpenFor, probes, triesPerMessage, newFailures, lease);
    }

    /** These settings with another lease of what is held. */
    public BreakerSettings withLease(Duration newLease) {
        return new BreakerSettings(
                window, minCalls, failureRate, openFor, maxOpenFor, probes, triesPerMessage, failures, newLease);
    }
}
