package dev.postroad.patterns.saga;

import dev.postroad.api.RetryPolicy;
import java.time.Clock;
import java.time.Duration;

/**
 * How sagas are run.
 *
 * @param clock what timeouts and time stamps are made with
 * @param concurrency answers and timeouts handled at once by this instance, 1 to 10,000
 * @param overdue how long after its deadline a saga without progress counts as stuck
 * @param retry of what the orchestrator itself handles: a store or a channel that is away
 */
public record SagaSettings(Clock clock, int concurrency, Duration overdue, RetryPolicy retry) {
    /** The system's clock, four at once, overdue after five minutes, 20 attempts from 100 ms to 30 s apart. */
    public static final SagaSettings DEFAULT = new SagaSettings(
            Clock.systemUTC(),
            4,
            Duration.ofMinutes(5),
            RetryPolicy.DEFAULT.withMaxAttempts(20).withDelays(Duration.ofMillis(100), Duration.ofSeconds(30)));

    /** These settings with another clock. */
    public SagaSettings withClock(Clock newClock) {
        return new SagaSettings(newClock, concurrency, overdue, retry);
    }

    /** These settings with so many at once. */
    public SagaSettings withConcurrency(int newConcurrency) {
        return new SagaSettings(clock, newConcurrency, overdue, retry);
    }

    /** These settings with another time after which a saga counts as stuck. */
    public SagaSettings withOverdue(Duration newOverdue) {
        return new SagaSettings(clock, concurrency, newOverdue, retry);
    }

    /** These settings with another way to try again. */
    public SagaSettings withRetry(RetryPolicy newRetry) {
        return new SagaSettings(clock, concurrency, overdue, newRetry);
    }
}
