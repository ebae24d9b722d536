package dev.postroad.patterns.saga;

import dev.postroad.api.RetryPolicy;
import java.time.Clock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How sagas are run.
 *
 * @param clock what timeouts and time stamps are made with
 * @param concurrency answers and timeouts handled at once by this instance, 1 to 10,000
 * @param overdue how long after its deadline a saga without progress counts as stuck
 * @param retention how long a saga that has ended is remembered, at least; looked after at most once a minute, when one ends.
 *     Starting it again later runs it again, and what is still to come for it then is passed over. Null for ever
 * @param retry of what the orchestrator itself handles: a store or a channel that is away
 */
public record SagaSettings(
        Clock clock,
        int concurrency,
        Duration overdue,
        @Nullable Duration retention,
        RetryPolicy retry) {
    /** The system's clock, four at once, overdue after five minutes, remembered for ever, 20 attempts 100 ms to 30 s apart. */
    public static final SagaSettings DEFAULT = new SagaSettings(
            Clock.systemUTC(),
            4,
            Duration.ofMinutes(5),
            null,
            RetryPolicy.DEFAULT.withMaxAttempts(20).withDelays(Duration.ofMillis(100), Duration.ofSeconds(30)));

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public SagaSettings {
        if (retention != null && retention.toMillis() < 1) {
            throw new IllegalArgumentException("retention is " + retention + "; it must be 1 ms or more, or null");
        }
    }

    /** These settings with another clock. */
    public SagaSettings withClock(Clock newClock) {
        return new SagaSettings(newClock, concurrency, overdue, retention, retry);
    }

    /** These settings with so many at once. */
    public SagaSettings withConcurrency(int newConcurrency) {
        return new SagaSettings(clock, newConcurrency, overdue, retention, retry);
    }

    /** These settings with another time after which a saga counts as stuck. */
    public SagaSettings withOverdue(Duration newOverdue) {
        return new SagaSettings(clock, concurrency, newOverdue, retention, retry);
    }

    /** These settings with another time to remember sagas that have ended, or null for ever. */
    public SagaSettings withRetention(@Nullable Duration newRetention) {
        return new SagaSettings(clock, concurrency, overdue, newRetention, retry);
    }

    /** These settings with another way to try again. */
    public SagaSettings withRetry(RetryPolicy newRetry) {
        return new SagaSettings(clock, concurrency, overdue, retention, newRetry);
    }
}
