package dev.postroad.proof;

import java.time.Duration;
import java.util.List;

/**
 * Shares time out by weight. What one leaves over, or takes too much of, goes to or comes from those behind it; each gets a
 * second at least.
 */
final class Shares {
    private static final Duration LEAST = Duration.ofSeconds(1);

    private final long wholeNanos;
    private long weightsLeft;

    Shares(Duration whole, List<Chapter> chapters) {
        this.wholeNanos = whole.toNanos();
        this.weightsLeft = chapters.stream().mapToLong(Chapter::weight).sum();
    }

    /**
     * The next one's share.
     *
     * @param weight of it
     * @param usedNanos by those before it
     */
    Duration next(int weight, long usedNanos) {
        if (weight > weightsLeft) {
            throw new IllegalStateException("a share of weight " + weight + " where " + weightsLeft + " is left");
        }
        double share = (double) Math.max(0, wholeNanos - usedNanos) * weight / weightsLeft;
        weightsLeft -= weight;
        return share < LEAST.toNanos() ? LEAST : Duration.ofNanos((long) share);
    }
}
