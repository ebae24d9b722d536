package dev.postroad.proof;

import java.time.Duration;
import java.util.List;

/**
 * Shares time out by weight, first to the chapters that run side by side, then to those that run alone. What one leaves over,
 * or takes too much of, goes to or comes from those behind it; each gets a second at least. For one thread at a time.
 */
final class Shares {
    private static final Duration LEAST = Duration.ofSeconds(1);

    private final long wholeNanos;
    private final long sideBySideNanos;
    private final int lanes;
    private long sideBySideLeft;
    private long aloneLeft;

    /** @param lanes how many of those that can run side by side do so; positive */
    Shares(Duration whole, List<Chapter> chapters, int lanes) {
        for (Chapter chapter : chapters) {
            if (chapter.sideBySide()) {
                sideBySideLeft += chapter.weight();
            } else {
                aloneLeft += chapter.weight();
            }
        }
        this.lanes = lanes;
        wholeNanos = whole.toNanos();
        double sideBySide = (double) sideBySideLeft / lanes;
        sideBySideNanos = sideBySideLeft == 0 ? 0 : (long) (wholeNanos * sideBySide / (sideBySide + aloneLeft));
    }

    /**
     * The share of the next one that runs beside others.
     *
     * @param weight of it
     * @param usedNanos since the beginning
     * @param takenNanos of processor time that those which run now may still use
     */
    Duration sideBySide(int weight, long usedNanos, long takenNanos) {
        long left = sideBySideNanos - usedNanos;
        long share =
                (long) Math.min(left, ((double) lanes * left - takenNanos) * weight / taken(weight, sideBySideLeft));
        sideBySideLeft -= weight;
        return atLeast(share);
    }

    /**
     * The share of the next one that runs alone.
     *
     * @param weight of it
     * @param usedNanos since the beginning
     */
    Duration alone(int weight, long usedNanos) {
        double share = (double) Math.max(0, wholeNanos - usedNanos) * weight / taken(weight, aloneLeft);
        aloneLeft -= weight;
        return atLeast((long) share);
    }

    private static long taken(int weight, long left) {
        if (weight > left) {
            throw new IllegalStateException("a share of weight " + weight + " where " + left + " is left");
        }
        return left;
    }

    private static Duration atLeast(long nanos) {
        return nanos < LEAST.toNanos() ? LEAST : Duration.ofNanos(nanos);
    }
}
