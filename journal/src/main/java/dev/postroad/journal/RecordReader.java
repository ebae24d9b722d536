package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Reads records by position, each verified by its checksum. For one thread at a time; make one per reading thread. Reads
 * ahead when records are read in order: one read of the file per 256 KiB.
 *
 * <p>Only positions that {@link Journal#endRecord} returned (or recovery showed) are meaningful, and only as long as
 * something is retained in their segment: a segment that nobody retains is used again.
 */
public final class RecordReader {
    static final int WINDOW_BYTES = 256 << 10;

    private final Journal journal;
    private final boolean unwritten;
    private final CRC32C crc = new CRC32C();
    private final ReadWindow window = new ReadWindow(WINDOW_BYTES);
    private ByteBuffer bytes;
    private ByteBuffer crcView;
    private ByteBuffer payload;
    private byte type;
    private int length;
    private long nextPosition;

    RecordReader(Journal journal, boolean unwritten) {
        this.journal = journal;
        this.unwritten = unwritten;
        this.bytes = window.buffer();
        this.crcView = bytes.duplicate();
        this.payload = bytes.duplicate();
    }

    /**
     * Reads one record.
     *
     * @return the payload, big-endian, from its position to its limit; valid until the next read of this reader, and in
     *     a reader of the writer thread until the next call that writes. Not to be written to
     * @throws CorruptRecordException if the record at that position is damaged, or no record begins there
     * @throws JournalException if the file cannot be read
     */
    public ByteBuffer read(long position) throws JournalException {
        Group group = journal.group();
        if (unwritten && position >= group.origin()) {
            int index = group.indexOf(position);
            if (index < 0) {
                throw notThere(position, "nothing has been appended there yet");
            }
            return verify(
                    group.buffer(), index, group.key(), position, group.buffer().capacity() - index);
        }
        Segments segments = journal.segmentTable();
        Segment segment = segments.at(position);
        long offset = segments.offsetOf(position);
        if (segment == null || offset < Format.SEGMENT_HEADER || (offset & 7) != 0) {
            throw notThere(position, "no record can begin at this position, or its segment is gone");
        }
        long written = journal.writtenPosition();
        long limit = Math.min(segments.segmentBytes, written - segment.base);
        try {
            if (!window.load(segment.file, offset, Format.RECORD_HEADER, limit)) {
                throw notThere(position, "nothing has been written there yet");
            }
            int index = window.index(offset);
            int payloadBytes = window.buffer().getInt(index + Format.RECORD_LENGTH);
            if (payloadBytes < 0 || Format.recordBytes(payloadBytes) > limit - offset) {
                throw corrupt(segment, offset, position, "its length, " + payloadBytes + ", is impossible");
            }
            int size = (int) Format.recordBytes(payloadBytes);
            if (!window.load(segment.file, offset, size, limit)) {
                throw corrupt(segment, offset, position, "the file ends inside it");
            }
        } catch (JournalException e) {
            throw e;
        } catch (IOException e) {
            throw new JournalException(
                    "Record at position " + position + " cannot be read (file " + segment.name() + " in "
                            + segments.storage.location() + ", offset " + offset + "): " + e.getMessage(),
                    e);
        }
        return verify(window.buffer(), window.index(offset), segment.key, position, Integer.MAX_VALUE);
    }

    /** The type of the record read last. */
    public byte type() {
        return type;
    }

    /** The payload's length of the record read last, in bytes. */
    public int length() {
        return length;
    }

    /**
     * Where the record behind the last one read would begin, if it is in the same batch. Batches begin with a header, so
     * this is a position to read only for who knows that the batch goes on.
     */
    public long nextPosition() {
        return nextPosition;
    }

    private ByteBuffer verify(ByteBuffer buffer, int index, long key, long position, int room) throws JournalException {
        if (bytes != buffer) {
            bytes = buffer;
            crcView = buffer.duplicate();
            payload = buffer.duplicate();
        }
        int payloadBytes = buffer.getInt(index + Format.RECORD_LENGTH);
        if (payloadBytes < 0 || Format.recordBytes(payloadBytes) > room) {
            throw notThere(position, "no record begins at this position");
        }
        int size = (int) Format.recordBytes(payloadBytes);
        int sum = Format.crc(crc, crcView, index + 4, index + size) ^ Format.seed(key, position);
        if (sum != buffer.getInt(index + Format.RECORD_CRC)) {
            window.forget();
            throw notThere(position, "its checksum does not match, or no record begins at this position");
        }
        type = buffer.get(index + Format.RECORD_TYPE);
        if (type == Format.TYPE_VOID) {
            throw notThere(position, "it was lost and its place cleared by a salvage");
        }
        length = payloadBytes;
        nextPosition = position + size;
        int from = index + Format.RECORD_HEADER;
        return payload.limit(from + payloadBytes).position(from);
    }

    private CorruptRecordException notThere(long position, String what) {
        Segments segments = journal.segmentTable();
        return new CorruptRecordException(
                segments.storage.location(),
                Format.segmentName(segments.numberOf(position)),
                segments.offsetOf(position),
                position,
                what);
    }

    private CorruptRecordException corrupt(Segment segment, long offset, long position, String what) {
        window.forget();
        return new CorruptRecordException(
                journal.segmentTable().storage.location(), segment.name(), offset, position, what);
    }
}
