package dev.postroad.engine;

import org.jspecify.annotations.Nullable;

/**
 * The newest messages, kept in memory up to a bound in bytes, by the position of their record. They come in order of their
 * positions and mostly leave in that order too, so they lie in a ring: what is asked for is as a rule the neighbour of what was
 * asked for before, and else is found by halving.
 */
final class MessageCache {
    private static final int SMALLEST = 64;

    /** Heap of an entry beside its message's own bytes: what the objects take, and its place here. */
    private static final int OVERHEAD_BYTES = 100;

    private final long limitBytes;

    private long[] positions = new long[SMALLEST];
    private @Nullable Stored[] messages = new Stored[SMALLEST];
    private int[] sizes = new int[SMALLEST];
    private int head;
    private int count;
    private long bytes;
    private int read;
    private int removed;

    MessageCache(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    long bytes() {
        return bytes;
    }

    /** Keeps a message; its position is beyond that of every message before it. The oldest make room. */
    void add(long position, Stored message, int sizeBytes) {
        if (sizeBytes > limitBytes / 8) {
            return;
        }
        if (count > 0 && position <= positions[at(count - 1)]) {
            throw new IllegalArgumentException(
                    "position " + position + " came after position " + positions[at(count - 1)]);
        }
        if (count == positions.length) {
            makeRoom();
        }
        int slot = at(count);
        positions[slot] = position;
        messages[slot] = message;
        sizes[slot] = sizeBytes + OVERHEAD_BYTES;
        count++;
        bytes += sizeBytes + OVERHEAD_BYTES;
        while (bytes > limitBytes) {
            drop(0);
            dropEmptyHead();
        }
    }

    @Nullable
    Stored get(long position) {
        int index = find(position, read);
        if (index < 0) {
            return null;
        }
        read = index;
        return messages[at(index)];
    }

    void remove(long position) {
        int index = find(position, removed);
        if (index >= 0) {
            removed = index;
            drop(index);
            dropEmptyHead();
        }
    }

    private int at(int index) {
        return (head + index) & (positions.length - 1);
    }

    /** Index of the position, counted from the head; negative if it is not here. Looks at the hint and behind it first. */
    private int find(long position, int hint) {
        if (hint < count) {
            long there = positions[at(hint)];
            if (there == position) {
                return hint;
            }
            if (there < position && hint + 1 < count && positions[at(hint + 1)] == position) {
                return hint + 1;
            }
        }
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            long there = positions[at(middle)];
            if (there < position) {
                low = middle + 1;
            } else if (there > position) {
                high = middle - 1;
            } else {
                return middle;
            }
        }
        return -1;
    }

    private void drop(int index) {
        int slot = at(index);
        if (messages[slot] != null) {
            messages[slot] = null;
            bytes -= sizes[slot];
        }
    }

    private void dropEmptyHead() {
        int gone = 0;
        while (count > 0 && messages[head] == null) {
            head = (head + 1) & (positions.length - 1);
            count--;
            gone++;
        }
        read = Math.max(0, read - gone);
        removed = Math.max(0, removed - gone);
    }

    /** Closes the gaps that removed messages have left; where that gives back less than half, the ring grows. */
    private void makeRoom() {
        int live = 0;
        for (int i = 0; i < count; i++) {
            if (messages[at(i)] != null) {
                live++;
            }
        }
        int capacity = 2 * live > positions.length ? 2 * positions.length : positions.length;
        long[] newPositions = new long[capacity];
        @Nullable Stored[] newMessages = new Stored[capacity];
        int[] newSizes = new int[capacity];
        int n = 0;
        for (int i = 0; i < count; i++) {
            int slot = at(i);
            if (messages[slot] != null) {
                newPositions[n] = positions[slot];
                newMessages[n] = messages[slot];
                newSizes[n] = sizes[slot];
                n++;
            }
        }
        positions = newPositions;
        messages = newMessages;
        sizes = newSizes;
        head = 0;
        count = n;
        read = 0;
        removed = 0;
    }
}
