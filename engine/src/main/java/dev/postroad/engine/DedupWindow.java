package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The message ids a channel has seen within a window of time: as 128-bit hashes, about 50 bytes of heap each. An id leaves
 * when its time is over, oldest first; a repetition does not renew it. Where the clock was set back, ids that came in what is
 * now the future count from now on: each is known for as long as was asked for at least, and none for ever.
 */
final class DedupWindow {
    /** Ids that have room from the beginning; a power of two. */
    private static final int RING = 64;

    private final long windowMillis;
    private final int limit;

    /** Slots of three longs: first hash (0 for empty), second hash, acceptance. Open addressing, linear probing. */
    private long[] table = new long[3 * RING];

    private int size;

    /** First hashes in order of acceptance, as a ring. */
    private long[] ring = new long[RING];

    private int ringHead;

    DedupWindow(long windowMillis, int limit) {
        this.windowMillis = windowMillis;
        this.limit = limit;
    }

    boolean contains(String id, long now) {
        int slot = find(Hash.of(id, 0), Hash.of(id, Hash.OTHER_SEED));
        return slot >= 0 && Times.after(table[slot + 2], windowMillis) > now;
    }

    /** True if as many ids as may be are remembered now, or more: the last ones to come may have come together. */
    boolean full(long now) {
        return size >= limit && Times.after(time(size - limit), windowMillis) > now;
    }

    int limit() {
        return limit;
    }

    void add(String id, long now) {
        setBack(now);
        expire(now);
        add(Hash.of(id, 0), Hash.of(id, Hash.OTHER_SEED), now);
    }

    private void add(long first, long second, long time) {
        int known = find(first);
        if (known >= 0) {
            table[known + 1] = second;
            return;
        }
        if (4 * (size + 1) > table.length) {
            rehash(2 * table.length);
        }
        insert(first, second, time);
        if (size == ring.length) {
            moveRing(2 * ring.length);
        }
        ring[(ringHead + size) & (ring.length - 1)] = first;
        size++;
    }

    /** Times stay in order, so that the oldest is first, whatever the clock did. */
    private void setBack(long now) {
        for (int i = size - 1; i >= 0; i--) {
            int slot = find(ring[(ringHead + i) & (ring.length - 1)]);
            if (table[slot + 2] <= now) {
                return;
            }
            table[slot + 2] = now;
        }
    }

    private void expire(long now) {
        while (size > 0 && Times.after(oldest(), windowMillis) <= now) {
            removeOldest();
        }
    }

    /** Lets go of the ids whose time is over, and of the memory that they took; by itself only {@link #add} does. */
    void shrink(long now) {
        setBack(now);
        expire(now);
        int length = RING;
        while (length < 2 * size) {
            length *= 2;
        }
        if (length < ring.length) {
            moveRing(length);
            rehash(3 * length);
        }
    }

    private void moveRing(int length) {
        long[] moved = new long[length];
        for (int i = 0; i < size; i++) {
            moved[i] = ring[(ringHead + i) & (ring.length - 1)];
        }
        ring = moved;
        ringHead = 0;
    }

    private long oldest() {
        return time(0);
    }

    /** When the id in this place from the oldest on came. */
    private long time(int place) {
        return table[find(ring[(ringHead + place) & (ring.length - 1)]) + 2];
    }

    private void removeOldest() {
        int slot = find(ring[ringHead]);
        ringHead = (ringHead + 1) & (ring.length - 1);
        size--;
        int slots = table.length / 3;
        int gap = slot / 3;
        for (int i = (gap + 1) % slots; table[3 * i] != 0; i = (i + 1) % slots) {
            int home = home(table[3 * i], slots);
            if (Math.floorMod(i - home, slots) >= Math.floorMod(i - gap, slots)) {
                System.arraycopy(table, 3 * i, table, 3 * gap, 3);
                gap = i;
            }
        }
        Arrays.fill(table, 3 * gap, 3 * gap + 3, 0);
        if (size == 0 && ring.length > RING) {
            table = new long[3 * RING];
            ring = new long[RING];
            ringHead = 0;
        }
    }

    private int find(long first, long second) {
        int slot = find(first);
        return slot >= 0 && table[slot + 1] == second ? slot : -1;
    }

    private int find(long first) {
        int slots = table.length / 3;
        for (int i = home(first, slots); table[3 * i] != 0; i = (i + 1) % slots) {
            if (table[3 * i] == first) {
                return 3 * i;
            }
        }
        return -1;
    }

    private void insert(long first, long second, long time) {
        int slots = table.length / 3;
        int i = home(first, slots);
        while (table[3 * i] != 0) {
            i = (i + 1) % slots;
        }
        table[3 * i] = first;
        table[3 * i + 1] = second;
        table[3 * i + 2] = time;
    }

    private void rehash(int length) {
        long[] old = table;
        table = new long[length];
        for (int i = 0; i < old.length; i += 3) {
            if (old[i] != 0) {
                insert(old[i], old[i + 1], old[i + 2]);
            }
        }
    }

    private static int home(long hash, int slots) {
        return (int) Long.remainderUnsigned(hash, slots);
    }

    long heapBytes() {
        return 8L * (table.length + ring.length);
    }

    void write(Snapshot snapshot) {
        ByteBuffer out = snapshot.room(16 + 24 * size);
        Bytes.putVarint(out, size);
        for (int i = 0; i < size; i++) {
            int slot = find(ring[(ringHead + i) & (ring.length - 1)]);
            out.putLong(table[slot]).putLong(table[slot + 1]).putLong(table[slot + 2]);
        }
    }

    void read(ByteBuffer in) {
        long count = Bytes.getVarint(in);
        for (long i = 0; i < count; i++) {
            add(in.getLong(), in.getLong(), in.getLong());
        }
    }
}
