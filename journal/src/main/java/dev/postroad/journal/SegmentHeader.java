package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The first 4096 bytes of a segment file. The 104 bytes that mean something stand there twice, at 0 and at 2048, since
 * without the unique id nothing in the segment could be verified.
 *
 * <pre>
 *    0  u64  magic "POSTROAD"
 *    8  u32  format version
 *   12  u32  bytes of this header, 4096
 *   16  u64  segment number
 *   24  u64  segment bytes
 *   32  u128 unique id of this segment
 *   48  u64  term in which it was made
 *   56  u64  position of its first byte
 *   64  i64  number of the segment before, or -1
 *   72  u64  time it was made, ms since 1970
 *   80  u128 id of the journal it belongs to
 *   96  u32  0
 *  100  u32  CRC32C of bytes 0 to 100
 * </pre>
 */
record SegmentHeader(
        int version,
        long number,
        long segmentBytes,
        long idHigh,
        long idLow,
        long term,
        long previous,
        long timeMillis,
        long journalHigh,
        long journalLow) {
    static final int BYTES = 104;

    long base() {
        return number * segmentBytes;
    }

    /** A whole header area, both copies, ready to be written at offset 0. */
    ByteBuffer encode() {
        ByteBuffer area = ByteBuffer.allocate(Format.SEGMENT_HEADER);
        put(area, 0);
        put(area, Format.SEGMENT_HEADER_COPY);
        return area.limit(Format.SEGMENT_HEADER).position(0);
    }

    private void put(ByteBuffer area, int at) {
        area.putLong(at, Format.SEGMENT_MAGIC)
                .putInt(at + 8, version)
                .putInt(at + 12, Format.SEGMENT_HEADER)
                .putLong(at + 16, number)
                .putLong(at + 24, segmentBytes)
                .putLong(at + 32, idHigh)
                .putLong(at + 40, idLow)
                .putLong(at + 48, term)
                .putLong(at + 56, base())
                .putLong(at + 64, previous)
                .putLong(at + 72, timeMillis)
                .putLong(at + 80, journalHigh)
                .putLong(at + 88, journalLow)
                .putInt(at + 96, 0);
        area.putInt(at + 100, Format.crc(new CRC32C(), area.duplicate(), at, at + 100));
    }

    /** What was found at the beginning of a segment file; a copy is null where it cannot be read as a header. */
    record Found(@Nullable SegmentHeader first, @Nullable SegmentHeader second) {

        @Nullable
        SegmentHeader any() {
            return first != null ? first : second;
        }

        boolean bothGood() {
            return first != null && first.equals(second);
        }
    }

    static Found read(StorageFile file) throws IOException {
        // No more than up to the end of the copy: nothing is behind it.
        ByteBuffer area = ByteBuffer.allocate(Format.SEGMENT_HEADER_COPY + BYTES);
        while (area.hasRemaining() && file.read(area, area.position()) > 0) {
            // until full or at the end of the file
        }
        return new Found(decode(area, 0), decode(area, Format.SEGMENT_HEADER_COPY));
    }

    private static @Nullable SegmentHeader decode(ByteBuffer area, int at) {
        if (area.getLong(at) != Format.SEGMENT_MAGIC
                || area.getInt(at + 100) != Format.crc(new CRC32C(), area.duplicate(), at, at + 100)) {
            return null;
        }
        SegmentHeader header = new SegmentHeader(
                area.getInt(at + 8),
                area.getLong(at + 16),
                area.getLong(at + 24),
                area.getLong(at + 32),
                area.getLong(at + 40),
                area.getLong(at + 48),
                area.getLong(at + 64),
                area.getLong(at + 72),
                area.getLong(at + 80),
                area.getLong(at + 88));
        boolean sane =
                header.version != Format.VERSION || (header.number >= 0 && saneSegmentBytes(header.segmentBytes));
        return sane ? header : null;
    }

    /** Whether a segment can have this size. */
    static boolean saneSegmentBytes(long bytes) {
        return bytes >= 64 << 10 && bytes <= 1 << 30 && Long.bitCount(bytes) == 1;
    }
}
