package dev.postroad.journal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.LongFunction;

/**
 * Reads a whole data directory, the part before the checkpoint too, and writes nothing. Each segment is gone through for
 * itself; only when all are read is it known up to where everything had been durable, and with it which of the bad
 * places are damage and which are a torn tail.
 */
final class Inspection {
    /** A place that is not as it should be. The offsets are the file's. */
    record Bad(
            Segment segment,
            DamageReport.Kind kind,
            long from,
            long to,
            int term,
            long timeMillis,
            int goodRecords,
            int[] offsets,
            int badFrom,
            int badTo,
            boolean last) {
        long position() {
            return segment.base + from;
        }
    }

    private final Storage storage;
    private final LongFunction<SegmentScan> scans;
    private final List<DamageReport> damage = new ArrayList<>();
    private final RecoveryReport notes = new RecoveryReport();
    final Directory directory;
    final List<Bad> bad = new ArrayList<>();
    private final List<JournalReport.Segment> segments = new ArrayList<>();
    private final TreeMap<Byte, Long> types = new TreeMap<>();
    private final List<Long> missing = new ArrayList<>();
    private final TreeMap<Long, Integer> lastTerms = new TreeMap<>();
    private long lastTime;
    /** The most segments in a row that are missing and were told as one; 0 if there is no such gap. */
    private long longestGap;
    /** The highest segment that the seal of the one before leads to. */
    private long needed;

    private long segmentBytes;
    private long batches;
    private long durable;
    private long tail;
    private long torn;
    private boolean cleanly;

    Inspection(Storage storage) {
        this(storage, SegmentScan::new);
    }

    /** @param scans gives what reads segments of so many bytes; one that was used before must have forgotten its file */
    Inspection(Storage storage, LongFunction<SegmentScan> scans) {
        this.storage = storage;
        this.scans = scans;
        this.directory = new Directory(storage, damage, notes);
    }

    void run() throws IOException {
        directory.read();
        segmentBytes = directory.segmentBytes(0);
        durable = directory.durablePosition();
        tail = durable;
        SegmentScan scan = scans.apply(segmentBytes);
        for (Segment segment : directory.segments()) {
            read(segment, scan);
        }
        List<Bad> damaged = new ArrayList<>();
        for (Bad each : bad) {
            if (each.position() < durable) {
                damaged.add(each);
                damage.add(report(each));
            } else if (!each.last) {
                torn += each.to - each.from;
            }
        }
        bad.clear();
        bad.addAll(damaged);
        findMissing();
    }

    private void read(Segment segment, SegmentScan scan) throws IOException {
        long offset = Format.SEGMENT_HEADER;
        long own = 0;
        long records = 0;
        int term = lastTerms.isEmpty() ? 0 : lastTerms.lastEntry().getValue();
        long time = lastTime;
        boolean sealed = false;
        while (!sealed) {
            BatchView batch = scan.view;
            boolean header = scan.header(segment, offset) && batch.term() >= term;
            int length = header ? batch.length() : 0;
            if (header && scan.good(segment, offset)) {
                term = batch.term();
                time = batch.timeMillis();
                durable = Math.max(durable, batch.durable());
                sealed = batch.kind() == Format.KIND_ROLL;
                if (sealed) {
                    needed = Math.max(needed, segment.number + 1);
                }
                cleanly = batch.kind() == Format.KIND_CLOSE;
                if (batch.kind() == Format.KIND_DATA) {
                    own++;
                    records += count(batch);
                }
                offset += length;
                tail = Math.max(tail, segment.base + offset);
                continue;
            }
            if (header && scan.loaded(segment, offset, length)) {
                RecordSearch search = new RecordSearch(batch, segment.key, length);
                search.run();
                bad.add(new Bad(
                        segment,
                        DamageReport.Kind.RECORD,
                        offset,
                        offset + length,
                        batch.term(),
                        batch.timeMillis(),
                        search.count(),
                        search.offsets(),
                        search.badFrom(),
                        search.badTo(),
                        false));
                offset += length;
                continue;
            }
            long next = scan.find(segment, offset + 8, term);
            if (next < 0) {
                bad.add(gap(segment, DamageReport.Kind.RANGE, offset, segmentBytes, term, time, true));
                break;
            }
            bad.add(headerOnly(segment, scan, offset, next, term, time));
            offset = next;
        }
        segment.used = offset;
        lastTerms.put(segment.number, term);
        lastTime = time;
        batches += own;
        segments.add(new JournalReport.Segment(segment.number, segment.name(), offset, own, records));
    }

    private long count(BatchView batch) {
        long records = 0;
        while (batch.next()) {
            types.merge(batch.type(), 1L, Long::sum);
            records++;
        }
        return records;
    }

    private static Bad gap(
            Segment segment, DamageReport.Kind kind, long from, long to, int term, long time, boolean last) {
        return new Bad(segment, kind, from, to, term, time, 0, new int[0], 0, 0, last);
    }

    private static Bad headerOnly(Segment segment, SegmentScan scan, long from, long to, int term, long time)
            throws IOException {
        int bytes = (int) (to - from);
        if (bytes > Format.BATCH_HEADER && scan.range(segment, from, bytes)) {
            scan.view.assume(scan.window().buffer(), scan.window().index(from), segment.base + from, bytes, time, term);
            RecordSearch search = new RecordSearch(scan.view, segment.key, bytes);
            if (search.unbroken()) {
                return new Bad(
                        segment,
                        DamageReport.Kind.BATCH_HEADER,
                        from,
                        to,
                        term,
                        time,
                        search.count(),
                        search.offsets(),
                        0,
                        0,
                        false);
            }
            return survivors(segment, scan, from, bytes, term, time);
        }
        return gap(segment, DamageReport.Kind.RANGE, from, to, term, time, false);
    }

    /** What records are left where the headers of batches are gone. */
    private static Bad survivors(Segment segment, SegmentScan scan, long from, int bytes, int term, long time) {
        scan.view.assume(scan.window().buffer(), scan.window().index(from), segment.base + from, bytes, time, term);
        RecordSearch search = new RecordSearch(scan.view, segment.key, bytes);
        search.anywhere();
        return search.count() == 0
                ? gap(segment, DamageReport.Kind.RANGE, from, from + bytes, term, time, false)
                : new Bad(
                        segment,
                        DamageReport.Kind.RECORD,
                        from,
                        from + bytes,
                        term,
                        time,
                        search.count(),
                        search.offsets(),
                        search.badFrom(),
                        search.badTo(),
                        false);
    }

    private DamageReport report(Bad each) {
        long base = each.segment.base;
        return switch (each.kind) {
            case RECORD ->
                new DamageReport(
                        each.kind,
                        each.segment.name(),
                        each.from + each.badFrom,
                        each.badTo - each.badFrom,
                        base + each.from + each.badFrom,
                        base + each.from + each.badTo,
                        true,
                        "Records of the batch at position " + each.position() + " cannot be read; " + each.goodRecords
                                + " others are good.");
            case BATCH_HEADER ->
                new DamageReport(
                        each.kind,
                        each.segment.name(),
                        each.from,
                        Format.BATCH_HEADER,
                        each.position(),
                        each.position() + Format.BATCH_HEADER,
                        true,
                        "The batch's header, and with it its time, cannot be read; all its " + each.goodRecords
                                + " records are good.");
            default -> {
                long end = Math.min(base + each.to, Math.max(durable, each.position()));
                yield new DamageReport(
                        DamageReport.Kind.RANGE,
                        each.segment.name(),
                        each.from,
                        end - each.position(),
                        each.position(),
                        end,
                        true,
                        "These bytes had been stored durably and hold no batch that can be read.");
            }
        };
    }

    /** Segments that must be there: all from the checkpoint's on up to the last that held something durable. */
    private void findMissing() {
        if (segmentBytes == 0) {
            return;
        }
        Checkpoints.Contents checkpoint = directory.checkpoint();
        long from = checkpoint == null ? 0 : checkpoint.position() / segmentBytes;
        long to = Math.max(needed, (Math.max(durable, 1) - 1) / segmentBytes);
        for (DamageReport report : directory.missing(from, to + 1, segmentBytes)) {
            damage.add(report);
            long number = report.fromPosition() / segmentBytes;
            missing.add(number);
            if (report.toPosition() - report.fromPosition() > segmentBytes) {
                longestGap = Math.max(longestGap, report.toPosition() / segmentBytes - number);
            }
        }
        if (checkpoint != null) {
            for (Checkpoints.Entry entry : checkpoint.entries()) {
                if (entry.live() > 0 && entry.number() < from && !present(entry.number())) {
                    missing.add(entry.number()); // told by the directory already
                }
            }
        }
    }

    private boolean present(long number) {
        return directory.segments().stream().anyMatch(segment -> segment.number == number);
    }

    /** The term of the last batch that can be read before a segment. */
    int termBefore(long number) {
        var before = lastTerms.lowerEntry(number);
        return before == null ? 0 : before.getValue();
    }

    long longestGap() {
        return longestGap;
    }

    List<Long> missing() {
        return missing;
    }

    long segmentBytes() {
        return segmentBytes;
    }

    long durable() {
        return durable;
    }

    long tail() {
        return tail;
    }

    JournalReport report() {
        return new JournalReport(
                storage.location(),
                segmentBytes,
                List.copyOf(segments),
                directory.readableCheckpoints(),
                batches,
                types,
                tail,
                cleanly && torn == 0,
                torn,
                List.copyOf(damage),
                notes.foreignFiles());
    }
}
