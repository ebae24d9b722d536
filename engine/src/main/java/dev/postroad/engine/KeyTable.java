package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The last message of each key in a compacted partition. A key is known by two independent 64-bit hashes of it; the place of
 * its message is kept with it, so that the message can go without reading the index page it is in.
 *
 * <p>It costs 48 to 96 bytes of heap for each distinct key, about 64 on average, whatever the key's length: 36 bytes in a
 * slot, and between three eighths and three quarters of the slots taken.
 */
final class KeyTable {
    private static final int SMALLEST = 16;
    private static final int WORDS = 4;
    private static final int CHUNK = 1024;

    /** Slots of: first hash (0 for empty), second hash, offset twice (plus one for a tombstone), position of the record. */
    private long[] slots = new long[WORDS * SMALLEST];

    private int[] sizes = new int[SMALLEST];
    private int count;

    int size() {
        return count;
    }

    long heapBytes() {
        return 8L * slots.length + 4L * sizes.length;
    }

    /** Where the key is, or -1. The number is good until the next change. */
    int find(long firstHash, long secondHash) {
        int mask = sizes.length - 1;
        for (int i = home(firstHash, mask); slots[WORDS * i] != 0; i = (i + 1) & mask) {
            if (slots[WORDS * i] == firstHash && slots[WORDS * i + 1] == secondHash) {
                return i;
            }
        }
        return -1;
    }

    long offset(int slot) {
        return slots[WORDS * slot + 2] >>> 1;
    }

    boolean tombstone(int slot) {
        return (slots[WORDS * slot + 2] & 1) != 0;
    }

    long position(int slot) {
        return slots[WORDS * slot + 3];
    }

    int messageSize(int slot) {
        return sizes[slot];
    }

    /** Replaces what a slot from {@link #find} says. */
    void replace(int slot, long offset, boolean tombstone, long position, int sizeBytes) {
        slots[WORDS * slot + 2] = offset << 1 | (tombstone ? 1 : 0);
        slots[WORDS * slot + 3] = position;
        sizes[slot] = sizeBytes;
    }

    /** Adds a key that is not there. */
    void add(long firstHash, long secondHash, long offset, boolean tombstone, long position, int sizeBytes) {
        if (4 * (count + 1) > 3 * sizes.length) {
            resize(2 * sizes.length);
        }
        int mask = sizes.length - 1;
        int i = home(firstHash, mask);
        while (slots[WORDS * i] != 0) {
            i = (i + 1) & mask;
        }
        slots[WORDS * i] = firstHash;
        slots[WORDS * i + 1] = secondHash;
        replace(i, offset, tombstone, position, sizeBytes);
        count++;
    }

    /** Where the key with this first hash is whose last message has this offset, or -1. */
    int findOffset(long firstHash, long offset) {
        int mask = sizes.length - 1;
        for (int i = home(firstHash, mask); slots[WORDS * i] != 0; i = (i + 1) & mask) {
            if (slots[WORDS * i] == firstHash && offset(i) == offset) {
                return i;
            }
        }
        return -1;
    }

    /** Removes a slot from {@link #find} or {@link #findOffset}. */
    void remove(int slot) {
        int mask = sizes.length - 1;
        int gap = slot;
        for (int i = (gap + 1) & mask; slots[WORDS * i] != 0; i = (i + 1) & mask) {
            int home = home(slots[WORDS * i], mask);
            if (((i - home) & mask) >= ((i - gap) & mask)) {
                System.arraycopy(slots, WORDS * i, slots, WORDS * gap, WORDS);
                sizes[gap] = sizes[i];
                gap = i;
            }
        }
        Arrays.fill(slots, WORDS * gap, WORDS * gap + WORDS, 0);
        sizes[gap] = 0;
        count--;
        if (sizes.length > SMALLEST && 8 * count < sizes.length) {
            resize(sizes.length / 2);
        }
    }

    private void resize(int capacity) {
        long[] oldSlots = slots;
        int[] oldSizes = sizes;
        slots = new long[Math.multiplyExact(WORDS, capacity)];
        sizes = new int[capacity];
        int mask = capacity - 1;
        for (int j = 0; j < oldSizes.length; j++) {
            if (oldSlots[WORDS * j] != 0) {
                int i = home(oldSlots[WORDS * j], mask);
                while (slots[WORDS * i] != 0) {
                    i = (i + 1) & mask;
                }
                System.arraycopy(oldSlots, WORDS * j, slots, WORDS * i, WORDS);
                sizes[i] = oldSizes[j];
            }
        }
    }

    private static int home(long hash, int mask) {
        return (int) (hash >>> 32) & mask;
    }

    void write(Snapshot snapshot) {
        Bytes.putVarint(snapshot.room(10), count);
        ByteBuffer out = snapshot.room(0);
        int left = 0;
        for (int i = 0; i < sizes.length; i++) {
            if (slots[WORDS * i] != 0) {
                if (left == 0) {
                    out = snapshot.room(CHUNK * 40);
                    left = CHUNK;
                }
                left--;
                out.putLong(slots[WORDS * i]).putLong(slots[WORDS * i + 1]);
                Bytes.putVarint(out, slots[WORDS * i + 2]);
                out.putLong(slots[WORDS * i + 3]);
                Bytes.putVarint(out, sizes[i]);
            }
        }
    }

    void read(ByteBuffer in) {
        for (long left = Bytes.getVarint(in); left > 0; left--) {
            long firstHash = in.getLong();
            long secondHash = in.getLong();
            long offset = Bytes.getVarint(in);
            long position = in.getLong();
            add(firstHash, secondHash, offset >>> 1, (offset & 1) != 0, position, (int) Bytes.getVarint(in));
        }
    }
}
