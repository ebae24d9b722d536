package dev.postroad.proof;

import dev.postroad.proof.Chapter.Kind;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Shares time out by weight: first side by side to what computes, in lanes, and to what judges processes, one after the other;
 * then to what measures, alone.
 *
 * <pre>
 *   computing  ├──────┬───────────┬─────┤
 *   computing  ├──────────┬─────┬───────┤
 *   judging    ├────┬────────┬──────────┤
 *   measuring                           ├──────┬────────┤
 * </pre>
 *
 * What one leaves over, or takes too much of, goes to or comes from those behind it; each gets a second at least. But who judges
 * gets no more than its weight says: what is left over there is the processor's, for those that compute. For one thread at a time.
 */
final class Shares {
    private static final Duration LEAST = Duration.ofSeconds(1);

    private final long wholeNanos;
    private final long besideNanos;

    /** The time for each of a weight. */
    private final double nanosForOne;

    private final int lanes;
    private final Map<Kind, Long> left = new EnumMap<>(Kind.class);

    /** @param lanes how many of those that compute do so at once; positive */
    Shares(Duration whole, List<Chapter> chapters, int lanes) {
        for (Kind kind : Kind.values()) {
            left.put(kind, 0L);
        }
        chapters.forEach(chapter -> left.merge(chapter.kind(), (long) chapter.weight(), Long::sum));
        this.lanes = lanes;
        wholeNanos = whole.toNanos();
        double beside = Math.max((double) left(Kind.COMPUTING) / lanes, left(Kind.JUDGING));
        nanosForOne = wholeNanos / (beside + left(Kind.MEASURING));
        besideNanos = beside == 0 ? 0 : (long) (nanosForOne * beside);
    }

    /**
     * The share of the next one of its kind.
     *
     * @param usedNanos since the beginning
     * @param takenNanos that those of its kind which run now may still use; 0 if none does
     */
    Duration next(Chapter chapter, long usedNanos, long takenNanos) {
        long end = chapter.kind() == Kind.MEASURING ? wholeNanos : besideNanos;
        long rest = Math.max(0, end - usedNanos);
        double all = chapter.kind() == Kind.COMPUTING ? (double) lanes * rest - takenNanos : rest;
        long share = (long) Math.min(rest, all * chapter.weight() / taken(chapter));
        if (chapter.kind() == Kind.JUDGING) {
            share = Math.min(share, (long) (nanosForOne * chapter.weight()));
        }
        return share < LEAST.toNanos() ? LEAST : Duration.ofNanos(share);
    }

    private long left(Kind kind) {
        return left.getOrDefault(kind, 0L);
    }

    /** What was left when this one was still to come. */
    private long taken(Chapter chapter) {
        long before = left(chapter.kind());
        if (chapter.weight() > before) {
            throw new IllegalStateException("a share of weight " + chapter.weight() + " where " + before + " is left");
        }
        left.put(chapter.kind(), before - chapter.weight());
        return before;
    }
}
