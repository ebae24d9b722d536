package dev.postroad.transports.emulation;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * How far a group has come in one partition, exactly: the first offset that is not done, which later ones are done, and how often
 * those that are not were tried. As text it fits what brokers take beside an offset. Safe for use by many threads.
 *
 * <pre>
 *   next: 7      done beyond: 9-11, 14      tried: 7 twice
 *   "7;2,3,2,1;0:2"  — gaps and runs in turn from next on; tries by their distance from next; all in base 36
 * </pre>
 */
public final class PartitionTracker {
    private static final int RADIX = 36;
    private static final int MOST_TRIES_KEPT = 200;

    private long next;

    /** Runs that are done beyond next: first offset, and the one behind the last. */
    private final TreeMap<Long, Long> done = new TreeMap<>();

    private final Map<Long, Integer> tries = new HashMap<>();

    /** @param next the first offset that is not done */
    public PartitionTracker(long next) {
        this.next = next;
    }

    /** @throws IllegalArgumentException if the text is none of {@link #text} */
    public static PartitionTracker read(String text) {
        String[] parts = text.split(";", -1);
        if (parts.length != 3) {
            throw new IllegalArgumentException("'" + text + "' is no position of a group");
        }
        PartitionTracker tracker = new PartitionTracker(number(parts[0]));
        long at = tracker.next;
        boolean gap = true;
        if (!parts[1].isEmpty()) {
            for (String length : parts[1].split(",", -1)) {
                long end = at + number(length);
                if (!gap) {
                    tracker.done.put(at, end);
                }
                at = end;
                gap = !gap;
            }
        }
        if (!parts[2].isEmpty()) {
            for (String tried : parts[2].split(",", -1)) {
                int colon = tried.indexOf(':');
                tracker.tries.put(tracker.next + number(tried.substring(0, Math.max(0, colon))), (int)
                        number(tried.substring(colon + 1)));
            }
        }
        return tracker;
    }

    private static long number(String text) {
        return Long.parseLong(text, RADIX);
    }

    /** This position as text, the same for the same position. */
    public synchronized String text() {
        StringBuilder text = new StringBuilder(Long.toString(next, RADIX)).append(';');
        long at = next;
        String separator = "";
        for (Map.Entry<Long, Long> run : done.entrySet()) {
            text.append(separator)
                    .append(Long.toString(run.getKey() - at, RADIX))
                    .append(',')
                    .append(Long.toString(run.getValue() - run.getKey(), RADIX));
            at = run.getValue();
            separator = ",";
        }
        text.append(';');
        separator = "";
        int kept = 0;
        for (Map.Entry<Long, Integer> tried : new TreeMap<>(tries).entrySet()) {
            if (kept++ == MOST_TRIES_KEPT) {
                break;
            }
            text.append(separator)
                    .append(Long.toString(tried.getKey() - next, RADIX))
                    .append(':')
                    .append(Integer.toString(tried.getValue(), RADIX));
            separator = ",";
        }
        return text.toString();
    }

    /** The first offset that is not done. */
    public synchronized long next() {
        return next;
    }

    /** How many offsets beyond the first that is not done are done. */
    public synchronized long doneBeyond() {
        long sum = 0;
        for (Map.Entry<Long, Long> run : done.entrySet()) {
            sum += run.getValue() - run.getKey();
        }
        return sum;
    }

    /** How many gaps there are among what is done: what {@link #text} grows with. */
    public synchronized int runs() {
        return done.size();
    }

    /** True if the offset needs no delivery. */
    public synchronized boolean isDone(long offset) {
        if (offset < next || done.isEmpty()) {
            return offset < next;
        }
        Map.Entry<Long, Long> run = done.floorEntry(offset);
        return run != null && offset < run.getValue();
    }

    /** True if neither this offset nor any behind it is done or was tried: there is nothing to be asked of any of them. */
    public synchronized boolean isFreshFrom(long offset) {
        return offset >= next
                && tries.isEmpty()
                && (done.isEmpty() || done.lastEntry().getValue() <= offset);
    }

    /** All offsets from one to another, exclusive, are settled. */
    public synchronized void done(long from, long to) {
        if (from == next && to > from && done.isEmpty() && tries.isEmpty()) {
            next = to;
            return;
        }
        for (long offset = from; offset < to; offset++) {
            done(offset);
        }
    }

    /** The offset is settled. */
    public synchronized void done(long offset) {
        if (!tries.isEmpty()) {
            tries.remove(offset);
        }
        if (offset == next && done.isEmpty()) {
            // Most of what is settled is settled in turn.
            next++;
            return;
        }
        if (isDone(offset)) {
            return;
        }
        long from = offset;
        long to = offset + 1;
        Map.Entry<Long, Long> before = done.floorEntry(offset);
        if (before != null && before.getValue() == offset) {
            from = before.getKey();
        }
        Long after = done.remove(to);
        if (after != null) {
            to = after;
        }
        done.put(from, to);
        Map.Entry<Long, Long> first = done.firstEntry();
        if (first.getKey() == next) {
            next = first.getValue();
            done.remove(first.getKey());
        }
    }

    /** Offsets up to this one, exclusive, hold nothing any more, or never did. */
    public synchronized void skipTo(long offset) {
        if (offset <= next) {
            return;
        }
        next = offset;
        tries.keySet().removeIf(tried -> tried < offset);
        for (var first = done.firstEntry(); first != null && first.getKey() <= next; first = done.firstEntry()) {
            next = Math.max(next, first.getValue());
            done.remove(first.getKey());
        }
    }

    /** How often the offset was tried. */
    public synchronized int tries(long offset) {
        return tries.isEmpty() ? 0 : tries.getOrDefault(offset, 0);
    }

    /** The offset was tried so often, in vain. */
    public synchronized void tried(long offset, int times) {
        if (!isDone(offset)) {
            tries.put(offset, times);
        }
    }
}
