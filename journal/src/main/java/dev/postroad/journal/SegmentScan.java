package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Goes through the batches of one segment after the other. */
final class SegmentScan {
    private static final int WINDOW = 1 << 20;
    private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(8 << 10);

    private final long segmentBytes;
    private final ReadWindow window;
    final BatchView view = new BatchView();

    SegmentScan(long segmentBytes) {
        this.segmentBytes = segmentBytes;
        this.window = new ReadWindow((int) Math.min(WINDOW, segmentBytes));
    }

    /** Whether a batch header was written for that offset; its values are in {@link #view}. */
    boolean header(Segment segment, long offset) throws IOException {
        return window.load(segment.file, offset, Format.BATCH_HEADER, segmentBytes)
                && view.header(
                        window.buffer(),
                        window.index(offset),
                        segment.key,
                        segment.base + offset,
                        segmentBytes - offset);
    }

    /** Whether the whole batch, whose header was just found, is there and good. */
    boolean good(Segment segment, long offset) throws IOException {
        if (view.kind() == Format.KIND_SKIP) {
            return true;
        }
        return loaded(segment, offset, view.length()) && view.wholeAndGood(segment.key);
    }

    /** Brings the whole batch into memory; the view is set on it again. */
    boolean loaded(Segment segment, long offset, int length) throws IOException {
        return window.load(segment.file, offset, length, segmentBytes) && header(segment, offset);
    }

    /** Brings a range into memory that need not begin with a batch. */
    boolean range(Segment segment, long offset, int length) throws IOException {
        return window.load(segment.file, offset, length, segmentBytes);
    }

    ReadWindow window() {
        return window;
    }

    /** The first offset from {@code from} on where a batch header of this segment stands; -1 if there is none. */
    long find(Segment segment, long from, int term) throws IOException {
        long offset = from;
        while (window.load(segment.file, offset, Format.BATCH_HEADER, segmentBytes)) {
            int available = window.available(segment.file, offset);
            int index = window.index(offset);
            int last = index + available - Format.BATCH_HEADER;
            ByteBuffer buffer = window.buffer();
            while (index <= last) {
                if (buffer.getLong(index + Format.BATCH_POSITION) == segment.base + offset
                        && view.header(buffer, index, segment.key, segment.base + offset, segmentBytes - offset)
                        && view.term() >= term) {
                    return offset;
                }
                int field = index + Format.BATCH_POSITION;
                int step = buffer.getLong(field) == 0 ? zeros(buffer, field, last + Format.BATCH_POSITION + 8) : 8;
                index += step;
                offset += step;
            }
        }
        return -1;
    }

    /** How many bytes of zeros there are from there on, in whole eights: what was never written to is nothing else. */
    private static int zeros(ByteBuffer buffer, int from, int end) {
        ByteBuffer view = buffer.duplicate();
        ByteBuffer zeros = ZEROS.duplicate();
        int at = from;
        while (at < end) {
            int count = Math.min(ZEROS.capacity(), end - at);
            int other = view.limit(at + count)
                    .position(at)
                    .mismatch(zeros.limit(count).position(0));
            if (other >= 0) {
                return (at + other - from) & ~7;
            }
            at += count;
        }
        return (end - from) & ~7;
    }

    /** Shows all records up to an offset that is known to be the end of a batch. */
    static void records(String location, Segment segment, long end, RecordVisitor visitor) throws IOException {
        SegmentScan scan = new SegmentScan(Math.max(end, Format.SEGMENT_HEADER));
        long offset = Format.SEGMENT_HEADER;
        while (offset < end) {
            if (!scan.header(segment, offset) || !scan.good(segment, offset)) {
                throw new CorruptRecordException(
                        location, segment.name(), offset, segment.base + offset, "its batch is damaged");
            }
            BatchView batch = scan.view;
            if (batch.kind() == Format.KIND_ROLL) {
                return;
            }
            while (batch.kind() == Format.KIND_DATA && batch.next()) {
                visitor.record(batch.recordPosition(), batch.timeMillis(), batch.type(), batch.payload());
            }
            offset += batch.length();
        }
    }
}
