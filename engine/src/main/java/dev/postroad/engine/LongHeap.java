package dev.postroad.engine;

import java.util.Arrays;

/** A min-heap of pairs of longs, ordered by the first and, where equal, by the second. */
final class LongHeap {
    private static final long[] NONE = {};

    private long[] pairs = NONE;
    private int size;

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    long heapBytes() {
        return 8L * pairs.length;
    }

    void add(long first, long second) {
        if (2 * size == pairs.length) {
            pairs = Arrays.copyOf(pairs, Math.max(32, 2 * pairs.length));
        }
        int i = size++;
        while (i > 0) {
            int parent = (i - 1) >>> 1;
            if (!less(first, second, pairs[2 * parent], pairs[2 * parent + 1])) {
                break;
            }
            pairs[2 * i] = pairs[2 * parent];
            pairs[2 * i + 1] = pairs[2 * parent + 1];
            i = parent;
        }
        pairs[2 * i] = first;
        pairs[2 * i + 1] = second;
    }

    long first() {
        return pairs[0];
    }

    long second() {
        return pairs[1];
    }

    void removeFirst() {
        size--;
        long first = pairs[2 * size];
        long second = pairs[2 * size + 1];
        int i = 0;
        for (int child = 1; child < size; child = 2 * i + 1) {
            if (child + 1 < size
                    && less(pairs[2 * child + 2], pairs[2 * child + 3], pairs[2 * child], pairs[2 * child + 1])) {
                child++;
            }
            if (!less(pairs[2 * child], pairs[2 * child + 1], first, second)) {
                break;
            }
            pairs[2 * i] = pairs[2 * child];
            pairs[2 * i + 1] = pairs[2 * child + 1];
            i = child;
        }
        if (size > 0) {
            pairs[2 * i] = first;
            pairs[2 * i + 1] = second;
        }
        if (pairs.length > 1024 && 8 * size < pairs.length) {
            pairs = Arrays.copyOf(pairs, pairs.length / 2);
        }
    }

    void clear() {
        pairs = NONE;
        size = 0;
    }

    private static boolean less(long a1, long a2, long b1, long b2) {
        return a1 < b1 || (a1 == b1 && a2 < b2);
    }
}
