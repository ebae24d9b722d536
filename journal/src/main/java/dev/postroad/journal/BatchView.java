package dev.postroad.journal;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * A whole batch during recovery: its time and position, and a cursor over its records. Call {@link #next} before each
 * record. Valid during the call that hands it over; one view is used for all batches.
 */
public final class BatchView {
    private final CRC32C crc = new CRC32C();
    private ByteBuffer bytes = ByteBuffer.allocate(0);
    private ByteBuffer crcView = bytes;
    private int start;
    private long position;
    private long timeMillis;
    private long durable;
    private int term;
    private int kind;
    private int length;
    private int records;
    private int digest;

    /** Offsets from the batch's begin of the records to show, if not simply one behind the other. */
    private int[] offsets = new int[0];

    private boolean listed;
    private int shown;
    private int at;
    private int next;

    BatchView() {}

    /** The position of the batch. */
    public long position() {
        return position;
    }

    /** The time given to {@link Journal#begin}, in milliseconds since 1970. */
    public long timeMillis() {
        return timeMillis;
    }

    /** In which opening of the journal it was written, counted from 1. */
    public int term() {
        return term;
    }

    /** How many records it has, those that a salvage could not save included. */
    public int records() {
        return records;
    }

    /** Goes to the next record; false behind the last. */
    public boolean next() {
        while (shown < records) {
            at = listed ? start + offsets[shown] : next;
            next = at + (int) Format.recordBytes(bytes.getInt(at + Format.RECORD_LENGTH));
            shown++;
            if (bytes.get(at + Format.RECORD_TYPE) != Format.TYPE_VOID) {
                return true;
            }
        }
        return false;
    }

    /** The type of the record under the cursor. */
    public byte type() {
        return bytes.get(at + Format.RECORD_TYPE);
    }

    /** The position of the record under the cursor. */
    public long recordPosition() {
        return position + (at - start);
    }

    /** The payload of the record under the cursor, read-only, big-endian. */
    public ByteBuffer payload() {
        int from = at + Format.RECORD_HEADER;
        return bytes.slice(from, bytes.getInt(at + Format.RECORD_LENGTH)).asReadOnlyBuffer();
    }

    int kind() {
        return kind;
    }

    int length() {
        return length;
    }

    long durable() {
        return durable;
    }

    /**
     * Reads a batch header. Cheap where there is none: the position is compared first.
     *
     * @param index where it is in the buffer
     * @param room how far the batch may reach at most, in bytes
     * @return whether there is a batch header that was written for this very place
     */
    boolean header(ByteBuffer buffer, int index, long key, long expectedPosition, long room) {
        if (buffer.getLong(index + Format.BATCH_POSITION) != expectedPosition) {
            return false;
        }
        int size = buffer.getInt(index + Format.BATCH_LENGTH);
        if (size < Format.BATCH_HEADER || size > room || (size & 7) != 0) {
            return false;
        }
        use(buffer);
        int sum = Format.crc(crc, crcView, index + 4, index + Format.BATCH_HEADER);
        if ((sum ^ Format.seed(key, expectedPosition)) != buffer.getInt(index + Format.BATCH_CRC)) {
            return false;
        }
        kind = buffer.get(index + Format.BATCH_KIND);
        if (kind < Format.KIND_DATA || kind > Format.KIND_OPEN) {
            return false;
        }
        if (buffer.getLong(index + Format.BATCH_DURABLE) > expectedPosition) {
            return false; // it would say that what is behind it had been synced before it was written
        }
        start = index;
        position = expectedPosition;
        length = size;
        durable = buffer.getLong(index + Format.BATCH_DURABLE);
        timeMillis = buffer.getLong(index + Format.BATCH_TIME);
        term = buffer.getInt(index + Format.BATCH_TERM);
        records = buffer.getInt(index + Format.BATCH_RECORDS);
        digest = buffer.getInt(index + Format.BATCH_DIGEST);
        rewind();
        return true;
    }

    /** Whether all records of the batch are there and good. The whole batch must be in the buffer given before. */
    boolean wholeAndGood(long key) {
        int offset = Format.BATCH_HEADER;
        int sum = 0;
        for (int i = 0; i < records; i++) {
            int size = recordAt(offset, key);
            if (size < 0) {
                return false;
            }
            sum = Format.digest(sum, bytes.getInt(start + offset + Format.RECORD_CRC));
            offset += size;
        }
        return offset == length && sum == digest;
    }

    /** The space of the record at that offset of the batch if it is good, else -1. */
    int recordAt(int offset, long key) {
        if (offset + Format.RECORD_HEADER > length) {
            return -1;
        }
        int index = start + offset;
        int payload = bytes.getInt(index + Format.RECORD_LENGTH);
        if (payload < 0 || Format.recordBytes(payload) > length - offset) {
            return -1;
        }
        int size = (int) Format.recordBytes(payload);
        int sum = Format.crc(crc, crcView, index + 4, index + size);
        return (sum ^ Format.seed(key, position + offset)) == bytes.getInt(index + Format.RECORD_CRC) ? size : -1;
    }

    /** The space that the record at that offset of the batch says it takes, 0 if that is impossible. */
    int claimedSize(int offset) {
        int payload = bytes.getInt(start + offset + Format.RECORD_LENGTH);
        long size = payload < 0 ? 0 : Format.recordBytes(payload);
        return size <= length - offset ? (int) size : 0;
    }

    /** Takes the header of a batch from elsewhere: its own is gone, its records are not. */
    void assume(ByteBuffer buffer, int index, long atPosition, int size, long time, int inTerm) {
        use(buffer);
        start = index;
        position = atPosition;
        length = size;
        timeMillis = time;
        term = inTerm;
        kind = Format.KIND_DATA;
        records = 0;
        rewind();
    }

    /** Shows only the records at those offsets. */
    void only(int[] goodOffsets, int count) {
        offsets = goodOffsets;
        listed = true;
        records = count;
        shown = 0;
    }

    private void rewind() {
        listed = false;
        shown = 0;
        next = start + Format.BATCH_HEADER;
    }

    private void use(ByteBuffer buffer) {
        if (bytes != buffer) {
            bytes = buffer;
            crcView = buffer.duplicate();
        }
    }
}
