package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * Copies segment by segment, so that every record keeps its position, and then writes over the damaged places in the
 * copy: a range without batches becomes one batch to be skipped, a lost record becomes a void one of the same size, a
 * missing segment an empty one.
 */
final class Salvage {
    private final Storage from;
    private final Storage to;
    private final Inspection inspection;
    private final CRC32C crc = new CRC32C();
    private final ByteBuffer block = ByteBuffer.allocateDirect(256 << 10);

    Salvage(Storage from, Storage to, Inspection inspection) {
        this.from = from;
        this.to = to;
        this.inspection = inspection;
    }

    void run() throws IOException {
        if (inspection.longestGap() > 0) {
            throw new JournalException("The directory " + from.location() + " misses " + inspection.longestGap()
                    + " segments in a row. A copy would need an empty file for each: find the files, or move the file aside"
                    + " that claims there were so many (postroad doctor names both ends).");
        }
        long lastNumber = -1;
        for (Segment segment : inspection.directory.segments()) {
            lastNumber = Math.max(lastNumber, segment.number);
        }
        long lastMissing = -1;
        for (long number : inspection.missing()) {
            lastMissing = Math.max(lastMissing, number);
            emptySegment(number, true);
        }
        for (Segment segment : inspection.directory.segments()) {
            copySegment(segment, segment.number == lastNumber && lastMissing < lastNumber);
        }
        if (lastMissing > lastNumber) {
            // What was in the last segment is not known, so none of its positions is used again.
            emptySegment(lastMissing + 1, false);
        }
        for (JournalReport.Checkpoint checkpoint : inspection.directory.readableCheckpoints()) {
            copyWhole(checkpoint.file());
        }
        if (inspection.directory.hasTailCopy()) {
            copyWhole(TailCopy.NAME);
        }
        to.syncDirectory();
    }

    private void copySegment(Segment segment, boolean last) throws IOException {
        try (StorageFile copy = to.create(segment.name())) {
            long bytes = Math.min(segment.used, segment.file.size());
            transfer(segment.file, copy, bytes);
            copy.allocate(inspection.segmentBytes());
            copy.write(header(segment).encode(), 0);
            Segment twin = new Segment(
                    segment.number, inspection.segmentBytes(), segment.idHigh, segment.idLow, copy, segment.allocated);
            for (Inspection.Bad bad : inspection.bad) {
                if (bad.segment() == segment) {
                    mend(twin, bad, last);
                }
            }
            copy.force();
        }
    }

    private SegmentHeader header(Segment segment) throws IOException {
        SegmentHeader found = SegmentHeader.read(segment.file).any();
        return found != null
                        && found.number() == segment.number
                        && found.idHigh() == segment.idHigh
                        && found.idLow() == segment.idLow
                ? found
                : header(segment.number, segment.idHigh, segment.idLow);
    }

    private SegmentHeader header(long number, long idHigh, long idLow) {
        return new SegmentHeader(
                Format.VERSION,
                number,
                inspection.segmentBytes(),
                idHigh,
                idLow,
                inspection.directory.highestTerm(),
                number - 1,
                0,
                inspection.directory.journalHigh(),
                inspection.directory.journalLow());
    }

    private void mend(Segment copy, Inspection.Bad bad, boolean last) throws IOException {
        int length = (int) (bad.to() - bad.from());
        switch (bad.kind()) {
            case RECORD -> putBatch(copy, bad, length);
            case BATCH_HEADER -> putBatch(copy, bad, length);
            default -> {
                if (!bad.last()) {
                    putMark(copy, bad, length, Format.KIND_SKIP);
                } else if (!last) {
                    putMark(copy, bad, Format.BATCH_HEADER, Format.KIND_ROLL);
                } else {
                    long end = Math.min(inspection.durable() - copy.base, inspection.segmentBytes());
                    if (end - bad.from() >= Format.BATCH_HEADER) {
                        putMark(copy, bad, (int) (end - bad.from()), Format.KIND_SKIP);
                    }
                }
            }
        }
    }

    private void putMark(Segment copy, Inspection.Bad bad, int length, int kind) throws IOException {
        putMark(copy, bad.from(), length, kind, bad.term(), bad.timeMillis());
    }

    private void putMark(Segment copy, long offset, int length, int kind, int term, long time) throws IOException {
        ByteBuffer mark = ByteBuffer.allocateDirect(Format.BATCH_HEADER);
        long position = copy.base + offset;
        Group.putHeader(mark, mark.duplicate(), crc, 0, copy.key, position, length, position, time, term, 0, 0, kind);
        copy.file.write(mark, offset);
    }

    /** Puts the good records of a batch back to their places, void ones between them, and a header that fits. */
    private void putBatch(Segment copy, Inspection.Bad bad, int length) throws IOException {
        ByteBuffer batch = ByteBuffer.allocateDirect(length);
        while (batch.hasRemaining()) {
            if (copy.file.read(batch, bad.from() + batch.position()) <= 0) {
                break;
            }
        }
        ByteBuffer view = batch.duplicate();
        List<Integer> starts = new ArrayList<>();
        int expected = Format.BATCH_HEADER;
        for (int i = 0; i <= bad.goodRecords(); i++) {
            int offset = i < bad.goodRecords() ? bad.offsets()[i] : length;
            if (offset > expected) {
                starts.add(expected);
                voidRecord(batch, view, expected, offset - expected, copy, bad);
            }
            if (offset < length) {
                starts.add(offset);
                expected = offset + (int) Format.recordBytes(batch.getInt(offset + Format.RECORD_LENGTH));
            }
        }
        int digest = 0;
        for (int start : starts) {
            digest = Format.digest(digest, batch.getInt(start + Format.RECORD_CRC));
        }
        Group.putHeader(
                batch,
                view,
                crc,
                0,
                copy.key,
                bad.position(),
                length,
                bad.position(),
                bad.timeMillis(),
                bad.term(),
                starts.size(),
                digest,
                Format.KIND_DATA);
        copy.file.write(batch.clear(), bad.from());
    }

    private void voidRecord(ByteBuffer batch, ByteBuffer view, int offset, int size, Segment copy, Inspection.Bad bad) {
        for (int i = offset; i < offset + size; i++) {
            batch.put(i, (byte) 0);
        }
        batch.putInt(offset + Format.RECORD_LENGTH, size - Format.RECORD_HEADER);
        int sum = Format.crc(crc, view, offset + 4, offset + size);
        batch.putInt(offset + Format.RECORD_CRC, sum ^ Format.seed(copy.key, bad.position() + offset));
    }

    /** Stands for a segment that is gone: nothing in it but, perhaps, the way to the next. */
    private void emptySegment(long number, boolean leadsOn) throws IOException {
        long id = Format.mix(inspection.directory.journalHigh() + number);
        try (StorageFile file = to.create(Format.segmentName(number))) {
            file.allocate(inspection.segmentBytes());
            file.write(header(number, id, ~id).encode(), 0);
            if (leadsOn) {
                Segment empty = new Segment(number, inspection.segmentBytes(), id, ~id, file, 0);
                int term = inspection.termBefore(number);
                putMark(empty, Format.SEGMENT_HEADER, Format.BATCH_HEADER, Format.KIND_ROLL, term, 0);
            }
            file.force();
        }
    }

    private void copyWhole(String name) throws IOException {
        try (StorageFile source = from.open(name);
                StorageFile copy = to.create(name)) {
            transfer(source, copy, source.size());
            copy.force();
        }
    }

    private void transfer(StorageFile source, StorageFile copy, long bytes) throws IOException {
        long at = 0;
        while (at < bytes) {
            block.position(0).limit((int) Math.min(block.capacity(), bytes - at));
            int read = source.read(block, at);
            if (read <= 0) {
                return;
            }
            copy.write(block.flip(), at);
            at += read;
        }
    }
}
