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
     * True if later messages of a key follow one that was given up to the dead letters: {@link #buryKey} carries out then what
     * {@link #bury} does elsewhere.
     */
    default boolean keepsDeadKeys() {
        return false;
    }

    /**
     * A message came. True if it is not to be delivered, since its key is dead for example: what becomes of it is seen to then.
     * Called under the receiver's lock, in order of arrival: at once where dead keys are kept, elsewhere when somebody asks for
     * messages; must not block.
     */
    default boolean diverts(Held held) {
        return false;
    }

    /**
     * True if the message's key may die.
     *
     * @return false if there are as many dead keys as there may be: the message stays, and its key waits
     */
    default boolean roomForDeadKey(Held held) {
        return true;
    }

    /**
     * To the dead-letter channel, and behind it in this order the later messages of its key that came already. Called under the
     * receiver's lock; must not block.
     */
    default CompletableFuture<Void> buryKey(Held held, DeadLetter letter, List<Held> later) {
        throw new IllegalStateException("this transport keeps no dead keys");
    }

    /**
     * A lease ran out: the consumer seems not to work. Returns when no more comes, until {@link #resume}; what nobody saw is given
     * back then. This and {@code resume} come in turn, one at a time.
     */
    default void pause() {}

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
