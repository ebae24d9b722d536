package dev.postroad.simulation.broker;

import dev.postroad.engine.Command;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A consumer as the model knows it. */
final class ModelConsumer {
    long id = -1;
    ModelQueue queue;
    final Command.ConsumerSettings settings;
    final @Nullable Filter filter;
    final TreeMap<Long, Copy> held = new TreeMap<>();
    int credit;
    boolean leaving;

    /** Under which name it takes single messages; null for one that is given them. */
    @Nullable
    String holder;

    boolean gone;

    ModelConsumer(ModelQueue queue, Command.ConsumerSettings settings, @Nullable Filter filter) {
        this.queue = queue;
        this.settings = settings;
        this.filter = filter;
        credit = settings.credit();
    }

    long leaseMillis() {
        long own = settings.leaseMillis();
        return own == 0 ? queue.definition.leaseMillis() : Math.max(0, own);
    }

    boolean takes(Copy copy) {
        return filter == null || filter.takes(copy.body);
    }
}
