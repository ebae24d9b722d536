package dev.postroad.engine;

import dev.postroad.engine.routing.Rule;
import org.jspecify.annotations.Nullable;

/** A consumer of a queue. Nothing of it outlives the engine: what it holds unsettled goes back when it goes. */
final class ConsumerState {
    final long id;
    final QueueState queue;
    final Command.ConsumerSettings settings;
    final DeliverySink sink;
    int credit;
    int inFlight;
    boolean touched;

    /** Its sink said that it takes nothing for now. */
    boolean paused;

    /** It takes nothing more, but may settle what it holds. */
    boolean leaving;

    /** Who takes messages one by one, if this is not a consumer but what holds them; null for a consumer. */
    @Nullable
    Object taker;

    /** It is gone. */
    boolean ended;

    ConsumerState(long id, QueueState queue, Command.ConsumerSettings settings, DeliverySink sink) {
        this.id = id;
        this.queue = queue;
        this.settings = settings;
        this.sink = sink;
        this.credit = settings.credit();
    }

    boolean canTake() {
        return credit > 0 && !paused;
    }

    @Nullable
    Rule filter() {
        return settings.filter();
    }

    long leaseMillis() {
        long own = settings.leaseMillis();
        return own == 0 ? queue.definition().leaseMillis() : Math.max(own, 0);
    }
}
