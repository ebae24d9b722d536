package dev.postroad.engine;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A map from longs to objects: open addressing, linear probing, deletion by shifting back. Iterates in the order of its
 * keys, sorted, so that what is done in that order does not depend on the map's history.
 */
final class LongMap<V> {
    private static final int SMALLEST = 16;

    private long[] keys = new long[SMALLEST];
    private @Nullable Object[] values = new Object[SMALLEST];
    private int size;

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** Bytes of heap that the map itself takes. */
    long heapBytes() {
        return 12L * keys.length;
    }

    @SuppressWarnings("unchecked")
    @Nullable
    V get(long key) {
        int mask = keys.length - 1;
        for (int i = slot(key, mask); values[i] != null; i = (i + 1) & mask) {
            if (keys[i] == key) {
                return (V) values[i];
            }
        }
        return null;
    }

    @SuppressWarnings("unchecked")
    @Nullable
    V put(long key, V value) {
        if (2 * (size + 1) > keys.length) {
            resize(2 * keys.length);
        }
        int mask = keys.length - 1;
        int i = slot(key, mask);
        while (values[i] != null) {
            if (keys[i] == key) {
                V before = (V) values[i];
                values[i] = value;
                return before;
            }
            i = (i + 1) & mask;
        }
        keys[i] = key;
        values[i] = value;
        size++;
        return null;
    }

    @SuppressWarnings("unchecked")
    @Nullable
    V remove(long key) {
        int mask = keys.length - 1;
        for (int i = slot(key, mask); values[i] != null; i = (i + 1) & mask) {
            if (keys[i] == key) {
                V before = (V) values[i];
                closeGap(i, mask);
                size--;
                if (keys.length > SMALLEST && 8 * size < keys.length) {
                    resize(keys.length / 2);
                }
                return before;
            }
        }
        return null;
    }

    void clear() {
        keys = new long[SMALLEST];
        values = new Object[SMALLEST];
        size = 0;
    }

    /** All keys, ascending. */
    long[] sortedKeys() {
        long[] all = new long[size];
        int n = 0;
        for (int i = 0; i < keys.length; i++) {
            if (values[i] != null) {
                all[n++] = keys[i];
            }
        }
        Arrays.sort(all);
        return all;
    }

    private void closeGap(int hole, int mask) {
        int gap = hole;
        for (int i = (gap + 1) & mask; values[i] != null; i = (i + 1) & mask) {
            int home = slot(keys[i], mask);
            if (((i - home) & mask) >= ((i - gap) & mask)) {
                keys[gap] = keys[i];
                values[gap] = values[i];
                gap = i;
            }
        }
        values[gap] = null;
    }

    private void resize(int capacity) {
        long[] oldKeys = keys;
        @Nullable Object[] oldValues = values;
        keys = new long[capacity];
        values = new Object[capacity];
        int mask = capacity - 1;
        for (int j = 0; j < oldKeys.length; j++) {
            if (oldValues[j] != null) {
                int i = slot(oldKeys[j], mask);
                while (values[i] != null) {
                    i = (i + 1) & mask;
                }
                keys[i] = oldKeys[j];
                values[i] = oldValues[j];
            }
        }
    }

    private static int slot(long key, int mask) {
        long h = key * 0x9E3779B97F4A7C15L;
        return (int) (h >>> 32) & mask;
    }
}
