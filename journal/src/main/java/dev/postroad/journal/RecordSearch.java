package dev.postroad.journal;

import java.util.Arrays;

/**
 * Finds the good records of a damaged batch. Behind a bad record it looks at every place where one may begin; a record
 * found so is certain, since its checksum is tied to its position. The work is bounded: a batch that is hopeless, or made
 * to look promising everywhere, is given up.
 */
final class RecordSearch {
    private static final long WORK_PER_BYTE = 64;

    private final BatchView batch;
    private final long key;
    private final int length;
    private int[] offsets = new int[16];
    private int count;
    private int badFrom;
    private int badTo;

    RecordSearch(BatchView batch, long key, int length) {
        this.batch = batch;
        this.key = key;
        this.length = length;
    }

    /** Whether good records stand one behind the other from the header to the end. */
    boolean unbroken() {
        int offset = Format.BATCH_HEADER;
        while (offset < length) {
            int size = batch.recordAt(offset, key);
            if (size < 0) {
                return false;
            }
            add(offset);
            offset += size;
        }
        return offset == length;
    }

    /** Looks for good records of a batch whose header is good. */
    void run() {
        anywhere();
        if (badFrom == length) {
            // Each record is good alone, but they are not the ones this header was written with.
            count = 0;
            badFrom = Format.BATCH_HEADER;
            badTo = length;
        }
    }

    /** Looks for good records where the header of their batch, or of several, is gone. */
    void anywhere() {
        long work = WORK_PER_BYTE * length;
        int offset = Format.BATCH_HEADER;
        badFrom = -1;
        badTo = length;
        while (offset + Format.RECORD_HEADER <= length && work > 0) {
            int size = batch.recordAt(offset, key);
            if (size > 0) {
                add(offset);
                work -= size;
                offset += size;
                continue;
            }
            if (badFrom < 0) {
                badFrom = offset;
            }
            work -= batch.claimedSize(offset);
            offset += 8;
            badTo = offset;
        }
        if (badFrom < 0) {
            badFrom = length;
        }
        if (work <= 0 || badFrom == length) {
            badTo = length;
        }
    }

    private void add(int offset) {
        if (count == offsets.length) {
            offsets = Arrays.copyOf(offsets, count * 2);
        }
        offsets[count++] = offset;
    }

    int[] offsets() {
        return offsets;
    }

    int count() {
        return count;
    }

    /** The first byte of the batch that belongs to no good record. */
    int badFrom() {
        return badFrom;
    }

    /** Behind the last byte of the batch that belongs to no good record. */
    int badTo() {
        return badTo;
    }
}
