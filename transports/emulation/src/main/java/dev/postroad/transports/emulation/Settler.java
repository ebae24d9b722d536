package dev.postroad.transports.emulation;

import dev.postroad.api.DeadLetter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Carries out on the broker what becomes of deliveries. Called on any thread, once for each delivery; must not block for long. */
public interface Settler {

    /** Done: not to be delivered again. */
    CompletableFuture<Void> acknowledge(Held held);

    /** All of these are done, at the cost of one where the broker can do that. */
    default CompletableFuture<Void> acknowledge(List<Held> held) {
        return CompletableFuture.allOf(held.stream().map(this::acknowledge).toArray(CompletableFuture[]::new));
    }

    /** Back to the broker, to come no earlier than after the delay and counted as delivered {@link Held#attempt} times. */
    CompletableFuture<Void> retry(Held held, Duration delay);

    /** Back to the broker, this delivery not counted; never asked for where the receiver keeps what comes again. */
    default CompletableFuture<Void> giveBack(Held held) {
        return retry(held, Duration.ZERO);
    }

    /** The receiver keeps a failed delivery for its next attempt; a place to note the count durably. */
    default void kept(Held held) {}

    /** To the dead-letter channel, where there is one; then done. */
    CompletableFuture<Void> bury(Held held, DeadLetter letter);

    /**
     * A lease ran out: the consumer seems not to work. No more is to come, and what nobody saw goes back, until {@link #resume}.
     *
     * @param fetched deliveries that nobody saw; they don't count
     */
    default void pause(List<Held> fetched) {}

    /** The consumer asks for deliveries again. */
    default void resume() {}

    /** The receiver closes: returns when no more comes. */
    default void stop() {}

    /**
     * The receiver has closed, and what it holds goes back. Returns when that is done, or can't be.
     *
     * @param handedOut deliveries the consumer had; they count
     * @param fetched deliveries that nobody saw; they don't
     */
    void close(List<Held> handedOut, List<Held> fetched);
}
