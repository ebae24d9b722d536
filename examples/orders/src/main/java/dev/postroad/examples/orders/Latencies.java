package dev.postroad.examples.orders;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLongArray;

/** How long things took, in steps of about 4 % from a microsecond to an hour. Safe for use by many threads. */
public final class Latencies {
    private static final double STEPS_PER_DOUBLING = 16;
    private static final int STEPS = 32 * (int) STEPS_PER_DOUBLING;

    private final AtomicLongArray counts = new AtomicLongArray(STEPS);

    Latencies() {}

    void add(Duration time) {
        double micros = Math.max(1, time.toNanos() / 1e3);
        int step = (int) Math.min(STEPS - 1, Math.log(micros) / Math.log(2) * STEPS_PER_DOUBLING);
        counts.incrementAndGet(step);
    }

    /**
     * The time that so many were not slower than.
     *
     * @param share 0.5 for the median, 0.99
     * @return zero if there were none
     */
    public Duration percentile(double share) {
        long all = 0;
        for (int i = 0; i < STEPS; i++) {
            all += counts.get(i);
        }
        long wanted = (long) Math.ceil(all * share);
        long seen = 0;
        for (int i = 0; i < STEPS && all > 0; i++) {
            seen += counts.get(i);
            if (seen >= wanted) {
                return Duration.ofNanos(Math.round(Math.pow(2, (i + 0.5) / STEPS_PER_DOUBLING) * 1e3));
            }
        }
        return Duration.ZERO;
    }
}
