package dev.postroad.api;

import java.time.Duration;

/** A handler at work on a channel. Safe for use by many threads. */
public interface Subscription extends AutoCloseable {

    /** True until closed or failed for good. */
    boolean active();

    /** Deliveries handled so far, by outcome. */
    Counts counts();

    /**
     * Takes no more deliveries, waits for the handlers that are at work, and gives the rest back.
     *
     * @param timeout how long to wait; handlers still at work then are interrupted
     * @return true if all had ended in time
     */
    boolean close(Duration timeout);

    /** As {@link #close(Duration)} with 30 seconds. Idempotent. */
    @Override
    void close();

    /**
     * Deliveries by outcome.
     *
     * @param acknowledged handled well
     * @param retried given back for another attempt
     * @param deadLettered given up
     */
    record Counts(long acknowledged, long retried, long deadLettered) {}
}
