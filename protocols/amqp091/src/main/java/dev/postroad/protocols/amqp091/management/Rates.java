package dev.postroad.protocols.amqp091.management;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** How fast counters grow: since the look before, which is five seconds old or older. */
final class Rates {
    private static final long INTERVAL = TimeUnit.SECONDS.toNanos(5);

    private final LongSupplier nanoTime;
    private Sample older;
    private Sample newer;

    private record Sample(long at, Map<String, Long> values) {}

    Rates(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.older = new Sample(nanoTime.getAsLong(), Map.of());
        this.newer = older;
    }

    /** Takes in what all counters say now, and returns what tells the rate of each. */
    synchronized Rate observe(Map<String, Long> values) {
        long now = nanoTime.getAsLong();
        if (now - newer.at >= INTERVAL) {
            older = newer;
            newer = new Sample(now, new HashMap<>(values));
        }
        Sample basis = now == newer.at ? older : newer;
        double seconds = (now - basis.at) / 1e9;
        return (name, value) -> {
            Long before = basis.values.get(name);
            return before == null || seconds <= 0 ? 0.0 : Math.max(0, value - before) / seconds;
        };
    }

    /** Per second. */
    interface Rate {
        double of(String name, long value);
    }
}
