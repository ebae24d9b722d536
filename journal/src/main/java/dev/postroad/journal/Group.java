package dev.postroad.journal;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The group buffer: batches that ended and wait to be written, behind them the one that is being built. Its first byte
 * has a journal position; all of it belongs to one segment. Lays out and checksums, does no input or output, and
 * allocates nothing as long as batches fit the buffer.
 *
 * <pre>
 *   0             ended          start = ended    at              recordAt           capacity
 *   | batch batch |              | batch header   | record record | record being put |
 * </pre>
 */
final class Group {
    private final CRC32C crc = new CRC32C();
    /** After so many groups that did not need it, a buffer for a large batch is let go. */
    private static final int KEEP_LARGE = 256;

    private final ByteBuffer standard;
    private @Nullable ByteBuffer large;
    private int unneeded;
    private ByteBuffer buffer;
    private ByteBuffer crcView;
    private ByteBuffer payload;
    private ByteBuffer output;

    private long origin = Long.MAX_VALUE; // until the tail is known nothing is in the buffer
    private long key;
    private int ended;

    private boolean open;
    private int at;
    private int records;
    private int digest;
    private long timeMillis;
    private int recordAt = -1;
    private byte recordType;

    Group(int bytes) {
        standard = ByteBuffer.allocateDirect(bytes);
        buffer = standard;
        crcView = buffer.duplicate();
        payload = buffer.duplicate();
        output = buffer.duplicate();
    }

    /** Says which position the first byte of the (empty) buffer has from now on. An open batch without records moves. */
    void moveTo(long position, long segmentKey) {
        origin = position;
        key = segmentKey;
        if (open) {
            at = ended + Format.BATCH_HEADER;
        }
    }

    /** The position behind the last ended batch. */
    long end() {
        return origin + ended;
    }

    long origin() {
        return origin;
    }

    int ended() {
        return ended;
    }

    boolean open() {
        return open;
    }

    boolean recordOpen() {
        return recordAt >= 0;
    }

    int records() {
        return records;
    }

    /** The bytes of the open batch so far. */
    int batchBytes() {
        return at - ended;
    }

    void begin(long time) {
        open = true;
        timeMillis = time;
        records = 0;
        digest = 0;
        at = ended + Format.BATCH_HEADER;
    }

    /** How many bytes of the buffer are free behind the open batch, or behind the ended ones if none is open. */
    int room() {
        return buffer.capacity() - (open ? at : ended);
    }

    /**
     * Makes sure that so many bytes follow what is there. Ended batches must have been written before if the standard
     * buffer is too small.
     */
    void grow(int bytes) {
        int used = open ? at : ended;
        if (buffer.capacity() - used < bytes) {
            long needed = (long) used + bytes;
            ByteBuffer larger = large;
            if (larger == null || larger.capacity() < needed) {
                long size = Math.min(Math.max(needed, 2L * buffer.capacity()), Integer.MAX_VALUE - 8);
                larger = ByteBuffer.allocateDirect((int) size);
                large = larger;
            }
            unneeded = 0;
            larger.put(0, buffer, 0, used);
            use(larger);
        }
    }

    private void use(ByteBuffer other) {
        buffer = other;
        crcView = other.duplicate();
        payload = other.duplicate();
        output = other.duplicate();
    }

    ByteBuffer record(byte type, int maxPayloadBytes) {
        recordAt = at;
        recordType = type;
        int from = at + Format.RECORD_HEADER;
        payload.limit(from + maxPayloadBytes).position(from);
        return payload;
    }

    long endRecord() {
        int index = recordAt;
        int end = payload.position();
        int length = end - index - Format.RECORD_HEADER;
        if (length < 0) {
            throw new IllegalStateException(
                    "The payload buffer was moved to before its beginning: by " + -length + " bytes");
        }
        int padded = Format.align(end - index) + index;
        for (int i = end; i < padded; i++) {
            buffer.put(i, (byte) 0);
        }
        buffer.putInt(index + Format.RECORD_LENGTH, length).put(index + Format.RECORD_TYPE, recordType);
        long position = origin + index;
        int sum = Format.crc(crc, crcView, index + 4, padded) ^ Format.seed(key, position);
        buffer.putInt(index + Format.RECORD_CRC, sum);
        digest = Format.digest(digest, sum);
        records++;
        at = padded;
        recordAt = -1;
        return position;
    }

    void end(long durable, int term) {
        int length = at - ended;
        open = false;
        if (records > 0) {
            header(length, durable, timeMillis, term, Format.KIND_DATA);
            ended = at;
        }
    }

    void abandon() {
        open = false;
        recordAt = -1;
    }

    /** Appends a batch without records; one that is open and still empty moves behind it. */
    void mark(int kind, long durable, long time, int term) {
        int wereRecords = records;
        int wasDigest = digest;
        records = 0;
        digest = 0;
        header(Format.BATCH_HEADER, durable, time, term, kind);
        ended += Format.BATCH_HEADER;
        records = wereRecords;
        digest = wasDigest;
    }

    private void header(int length, long durable, long time, int term, int kind) {
        putHeader(buffer, crcView, crc, ended, key, origin + ended, length, durable, time, term, records, digest, kind);
    }

    /** Writes a batch header into a buffer; {@code crcView} is another view of the same bytes. */
    static void putHeader(
            ByteBuffer buffer,
            ByteBuffer crcView,
            CRC32C crc,
            int index,
            long key,
            long position,
            int length,
            long durable,
            long time,
            int term,
            int records,
            int digest,
            int kind) {
        buffer.putInt(index + Format.BATCH_LENGTH, length)
                .putLong(index + Format.BATCH_POSITION, position)
                .putLong(index + Format.BATCH_DURABLE, durable)
                .putLong(index + Format.BATCH_TIME, time)
                .putInt(index + Format.BATCH_TERM, term)
                .putInt(index + Format.BATCH_RECORDS, records)
                .putInt(index + Format.BATCH_DIGEST, digest)
                .putInt(index + Format.BATCH_KIND, kind << 24);
        int sum = Format.crc(crc, crcView, index + 4, index + Format.BATCH_HEADER);
        buffer.putInt(index + Format.BATCH_CRC, sum ^ Format.seed(key, position));
    }

    /** The ended batches, to be written. */
    ByteBuffer output() {
        return output.limit(ended).position(0);
    }

    /** The ended batches have been written: what is open moves to the front. */
    void written() {
        int rest = open ? at - ended : 0;
        if (rest > 0 && ended > 0) {
            int recordOffset = recordAt - ended;
            buffer.put(0, buffer, ended, rest);
            recordAt = recordAt >= 0 ? recordOffset : -1;
        }
        origin += ended;
        ended = 0;
        at = rest;
        if (buffer != standard && rest <= standard.capacity() && recordAt < 0) {
            standard.put(0, buffer, 0, rest);
            use(standard);
        } else if (large != null && ++unneeded > KEEP_LARGE && buffer == standard) {
            large = null;
        }
    }

    /** The index in {@link #buffer()} of an ended record that is not written yet, or -1. */
    int indexOf(long position) {
        return position >= origin && position < origin + (open ? at : ended) ? (int) (position - origin) : -1;
    }

    ByteBuffer buffer() {
        return buffer;
    }

    long key() {
        return key;
    }
}
