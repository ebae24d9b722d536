package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what a directory holds. In three steps: {@link #look} reads headers and checkpoints, {@link #replay} goes
 * through the batches behind the checkpoint, {@link #settle} makes the directory ready to be appended to. Only the last
 * writes (and the first, if the directory is empty), so that a refusal leaves everything as it was; crashing in it and
 * starting again comes to the same result.
 *
 * <p>The one hard question is what to make of a place where a batch should begin and none does. It is <em>damage</em>
 * if anything proves that it had been durable: a valid batch further on says so, a checkpoint, or the seal of the
 * segment before. Otherwise it is a <em>torn tail</em>, the place where a crash stopped an unsynced write, and nothing
 * behind it was ever confirmed.
 */
final class Recovery {
    private final Storage storage;
    private final JournalSettings settings;
    private final long nowMillis;
    private final LongSupplier ids;
    private final RecoveryReport report = new RecoveryReport();
    private final List<DamageReport> damage = new ArrayList<>();
    private final Quarantine quarantine;
    private final Directory directory;

    private Segments segments;
    private Checkpoints checkpoints;
    private SegmentScan scan;
    private Checkpoints.@Nullable Contents checkpoint;

    /** Everything before this was written once and must be readable. */
    private long known;
    /** Everything before this is on the disk: a sync said so before something written later. */
    private long synced;

    private boolean surveyed;
    private long surveyedEnd;
    private int lastTerm;
    private long lastTime;
    private boolean refusing;

    private long tail;
    private @Nullable Segment tailSegment;
    /** Where the last batch begins, if all it says is that everything before it is durable; else -1. */
    private long lastMark = -1;

    private boolean cutNeeded;

    Recovery(Storage storage, JournalSettings settings, long nowMillis, LongSupplier ids) {
        this.storage = storage;
        this.settings = settings;
        this.nowMillis = nowMillis;
        this.ids = ids;
        this.directory = new Directory(storage, damage, report);
        this.quarantine = new Quarantine(storage, report);
        this.segments = new Segments(storage, settings, ids, settings.segmentBytes(), 0, 0);
        this.checkpoints = new Checkpoints(storage, settings.segmentBytes(), 0, 0);
        this.scan = new SegmentScan(settings.segmentBytes());
    }

    /** Reads names, headers and checkpoints. */
    void look() throws IOException {
        directory.read();
        boolean empty = directory.isEmpty();
        long segmentBytes = empty ? settings.segmentBytes() : directory.segmentBytes(settings.segmentBytes());
        long high = empty ? ids.getAsLong() : directory.journalHigh();
        long low = empty ? ids.getAsLong() : directory.journalLow();
        segments = new Segments(storage, settings, ids, segmentBytes, high, low);
        segments.time(nowMillis);
        checkpoints = new Checkpoints(storage, segmentBytes, high, low);
        scan = new SegmentScan(segmentBytes);
        checkpoint = directory.checkpoint();
        checkpoints.found(directory.newest(), directory.previous(), directory.highestGeneration());
        lastTime = nowMillis;
        if (empty) {
            segments.term(1);
            segments.nextIs(0);
            directory.spares().forEach(segments::addSpare);
            directory.spares().clear();
            tailSegment = segments.makeFirst();
            tail = tailSegment.first();
            return;
        }
        for (Segment segment : directory.segments()) {
            segments.add(segment);
        }
        if (directory.hasTailCopy()) {
            new TailCopy(storage).restore(directory.segments());
        }
        Checkpoints.Contents contents = checkpoint;
        if (contents != null) {
            lastTime = contents.timeMillis();
            report.checkpoint(contents.position());
        }
        known = directory.durablePosition();
        synced = known;
    }

    // ---- going through the batches

    void replay(RecoveryHandler handler) throws IOException {
        if (tailSegment != null) {
            report.tail(tail, false);
            return;
        }
        refusing = settings.onDamage() == JournalSettings.OnDamage.REFUSE;
        Checkpoints.Contents contents = checkpoint;
        for (DamageReport found : damage) {
            tell(found, handler);
        }
        if (contents != null && delivering()) {
            handler.checkpoint(directory.snapshot(contents));
        }
        walk(start(contents), handler);
        if (!delivering()) {
            throw new DamageException(storage.location(), damage);
        }
        report.batchesDone(damage);
    }

    /** While only harmless damage was met, or any is to be served around, the handler gets what is readable. */
    private boolean delivering() {
        return !refusing || damage.stream().noneMatch(DamageReport::lost);
    }

    private void tell(DamageReport found, RecoveryHandler handler) {
        if (delivering()) {
            handler.damaged(found);
        }
    }

    private void damaged(DamageReport found, RecoveryHandler handler) {
        damage.add(found);
        tell(found, handler);
    }

    private long start(Checkpoints.@Nullable Contents contents) {
        if (contents != null) {
            return contents.position();
        }
        return (long) Format.SEGMENT_HEADER;
    }

    private void walk(long from, RecoveryHandler handler) throws IOException {
        long position = from;
        boolean cleanly = false;
        while (true) {
            Segment segment = segments.at(position);
            if (segment == null) {
                long onward = beyondMissing(position, handler);
                if (onward < 0) {
                    report.tail(tail, false);
                    return;
                }
                position = onward;
                continue;
            }
            long offset = segments.offsetOf(position);
            boolean header = scan.header(segment, offset) && scan.view.term() >= lastTerm;
            int length = header ? scan.view.length() : 0;
            if (header && scan.good(segment, offset)) {
                BatchView batch = scan.view;
                lastTerm = batch.term();
                lastTime = batch.timeMillis();
                synced = Math.max(synced, batch.durable());
                boolean mark = batch.kind() == Format.KIND_CLOSE || batch.kind() == Format.KIND_OPEN;
                lastMark = mark && batch.durable() == position ? position : -1;
                cleanly = batch.kind() == Format.KIND_CLOSE;
                if (batch.kind() == Format.KIND_DATA && delivering()) {
                    report.batch(batch.records());
                    handler.batch(batch);
                }
                if (batch.kind() == Format.KIND_ROLL) {
                    segment.used = offset + length;
                    position = segments.base(segment.number + 1) + Format.SEGMENT_HEADER;
                    known = Math.max(known, position);
                } else {
                    position += length;
                }
                continue;
            }
            survey(segment, offset);
            if (known <= position) {
                endHere(segment, position, length, cleanly);
                return;
            }
            position = header ? goodRecords(segment, offset, length, handler) : beyondGap(segment, position, handler);
            if (position < 0) {
                report.tail(tail, false);
                return;
            }
        }
    }

    /** The tail: nothing that was durable is behind it. */
    private void endHere(Segment segment, long position, int tornBytes, boolean cleanly) {
        long dropped = Math.max(surveyedEnd - position, tornBytes);
        if (dropped > 0) {
            report.dropped(dropped);
        }
        // The mark of the last opening or closing has served: what comes now takes its place, unless a dropped batch
        // still says that the mark was durable.
        boolean replaceable = lastMark >= 0 && lastMark + Format.BATCH_HEADER == position && dropped <= 0;
        tail = replaceable ? lastMark : position;
        tailSegment = segment;
        segment.used = segments.offsetOf(tail);
        cutNeeded = !cleanly || dropped > 0;
        report.tail(tail, !cutNeeded);
    }

    /** Looks through everything from here on for proof of what had been durable. Once is enough. */
    private void survey(Segment segment, long from) throws IOException {
        if (surveyed) {
            return;
        }
        surveyed = true;
        long number = segment.number;
        long offset = from;
        for (Segment each : segments.all()) {
            if (each.number < number) {
                continue;
            }
            offset = each == segment ? from : Format.SEGMENT_HEADER;
            offset = scan.find(each, offset, lastTerm);
            while (offset >= 0) {
                known = Math.max(known, scan.view.durable());
                surveyedEnd = each.base + offset + scan.view.length();
                offset = scan.find(each, offset + scan.view.length(), lastTerm);
            }
        }
    }

    /** The first place behind a position where a batch begins; -1 if there is none. */
    private long nextValid(long position) throws IOException {
        long number = segments.numberOf(position);
        for (Segment each : segments.all()) {
            if (each.number < number) {
                continue;
            }
            long from = each.number == number ? segments.offsetOf(position) + 8 : Format.SEGMENT_HEADER;
            long found = scan.find(each, from, lastTerm);
            if (found >= 0) {
                return each.base + found;
            }
        }
        return -1;
    }

    // ---- damage

    /** The batch's header is good and some of its records are not: the others are shown. */
    private long goodRecords(Segment segment, long offset, int length, RecoveryHandler handler) throws IOException {
        long position = segment.base + offset;
        if (!scan.loaded(segment, offset, length)) {
            return beyondGap(segment, position, handler);
        }
        BatchView batch = scan.view;
        RecordSearch search = new RecordSearch(batch, segment.key, length);
        search.run();
        lastTerm = batch.term();
        lastTime = batch.timeMillis();
        int lost = Math.max(1, batch.records() - search.count());
        damaged(
                new DamageReport(
                        DamageReport.Kind.RECORD,
                        segment.name(),
                        offset + search.badFrom(),
                        search.badTo() - search.badFrom(),
                        position + search.badFrom(),
                        position + search.badTo(),
                        true,
                        lost + " of the " + batch.records() + " records of the batch at position " + position
                                + " cannot be read; the others are good."),
                handler);
        if (delivering() && batch.kind() == Format.KIND_DATA) {
            quarantine.add(segment, offset, length);
            batch.only(search.offsets(), search.count());
            report.batch(search.count());
            handler.batch(batch);
        }
        return position + length;
    }

    /** No batch begins here: everything up to the next one, or to what is known to have been durable, is damaged. */
    private long beyondGap(Segment segment, long position, RecoveryHandler handler) throws IOException {
        long next = nextValid(position);
        long end = next >= 0 ? next : known;
        long offset = position - segment.base;
        long bytes = Math.min(end, segment.base + segments.segmentBytes) - position;
        if (next >= 0 && bytes == next - position && headerOnly(segment, offset, (int) bytes, handler)) {
            return next;
        }
        damaged(
                new DamageReport(
                        DamageReport.Kind.RANGE,
                        segment.name(),
                        offset,
                        bytes,
                        position,
                        end,
                        true,
                        "These bytes had been stored durably and hold no whole batch that can be read."),
                handler);
        if (delivering()) {
            quarantine.add(segment, offset, bytes);
            survivors(segment, offset, (int) Math.min(bytes, segment.file.size() - offset), handler);
        }
        for (DamageReport missing :
                directory.missing(segment.number + 1, segments.numberOf(end), segments.segmentBytes)) {
            damaged(missing, handler);
        }
        segment.used = offset + bytes;
        return next >= 0 ? next : tailBehind(end);
    }

    /** Batches whose headers are gone: which records were whole is all that can be told of them. These are shown. */
    private void survivors(Segment segment, long offset, int bytes, RecoveryHandler handler) throws IOException {
        if (bytes <= Format.BATCH_HEADER || !scan.range(segment, offset, bytes)) {
            return;
        }
        BatchView batch = scan.view;
        batch.assume(
                scan.window().buffer(), scan.window().index(offset), segment.base + offset, bytes, lastTime, lastTerm);
        RecordSearch search = new RecordSearch(batch, segment.key, bytes);
        search.anywhere();
        if (search.count() > 0) {
            batch.only(search.offsets(), search.count());
            report.batch(search.count());
            handler.batch(batch);
        }
    }

    /** Whether only the header of one batch is gone and its records fill the gap exactly; they are shown then. */
    private boolean headerOnly(Segment segment, long offset, int bytes, RecoveryHandler handler) throws IOException {
        if (bytes <= Format.BATCH_HEADER || !scan.range(segment, offset, bytes)) {
            return false;
        }
        BatchView batch = scan.view;
        long position = segment.base + offset;
        batch.assume(scan.window().buffer(), scan.window().index(offset), position, bytes, lastTime, lastTerm);
        RecordSearch search = new RecordSearch(batch, segment.key, bytes);
        if (!search.unbroken()) {
            return false;
        }
        damaged(
                new DamageReport(
                        DamageReport.Kind.BATCH_HEADER,
                        segment.name(),
                        offset,
                        Format.BATCH_HEADER,
                        position,
                        position + Format.BATCH_HEADER,
                        true,
                        "The batch's header, and with it its time, cannot be read; all its " + search.count()
                                + " records are good."),
                handler);
        if (delivering()) {
            quarantine.add(segment, offset, bytes);
            batch.only(search.offsets(), search.count());
            report.batch(search.count());
            handler.batch(batch);
        }
        return true;
    }

    /** The segment in which the next batch must be is not there, or nothing in it can be verified. */
    private long beyondMissing(long position, RecoveryHandler handler) throws IOException {
        long next = nextValid(position);
        long endNumber = next >= 0 ? segments.numberOf(next) : segments.numberOf(Math.max(position, known)) + 1;
        for (DamageReport missing : directory.missing(segments.numberOf(position), endNumber, segments.segmentBytes)) {
            damaged(missing, handler);
        }
        return next >= 0 ? next : tailBehind(Math.max(position, known));
    }

    /** Appending goes on behind everything that was durable once, be it readable or not: no position is used twice. */
    private long tailBehind(long end) {
        Segment segment = segments.at(end);
        if (segment != null && segments.offsetOf(end) >= Format.SEGMENT_HEADER) {
            tailSegment = segment;
            tail = end;
            segment.used = segments.offsetOf(end);
            cutNeeded = true;
        } else {
            tailSegment = null;
            tail = Math.max(directory.highestNumber(), segments.numberOf(end)) + 1;
        }
        return -1;
    }

    // ---- making ready

    /** Writes what has to be written before the journal can be appended to. */
    void settle() throws IOException {
        boolean fresh = directory.isEmpty();
        int term = newTerm();
        segments.term(term);
        if (fresh) {
            return;
        }
        quarantine.write();
        directory.setAside(report);
        directory.heal();
        Segment last = tailSegment;
        long lastNumber = last == null ? Long.MAX_VALUE : last.number;
        for (Segment segment : segments.all()) {
            if (segment.number > lastNumber) {
                // Made ready and never used, or holding nothing but unsynced batches: its new id ends them.
                directory.spares().add(segments.toSpare(segment));
            }
        }
        directory.clean(settings.spareSegments() + 1);
        storage.syncDirectory();
        directory.spares().forEach(segments::addSpare);
        if (last == null) {
            segments.nextIs(tail);
            Segment made = segments.makeFirst();
            tailSegment = made;
            tail = made.first();
            return;
        }
        segments.nextIs(last.number + 1);
        if (cutNeeded) {
            Zeroing.from(last.file, segments.offsetOf(tail), last.allocated, scan.window());
        }
        last.file.force();
        rewriteUnproven(last);
    }

    /** What nothing proves to be on the disk is written again, be it the end of the tail's segment or of the one before. */
    private void rewriteUnproven(Segment last) throws IOException {
        long from = Math.max(synced, Format.SEGMENT_HEADER);
        Segment segment = segments.at(from);
        if (segment != null && from < tail) {
            long end = segment == last ? tail : segment.base + segment.used;
            long to = Math.min(end, segment.base + segment.allocated);
            if (from < to) {
                new TailCopy(storage).rewrite(segment, from - segment.base, to - segment.base);
            }
        }
        if (directory.hasTailCopy() && storage.exists(TailCopy.NAME)) {
            storage.delete(TailCopy.NAME);
        }
    }

    int newTerm() {
        return Math.max(lastTerm, directory.highestTerm()) + 1;
    }

    Segment tailSegment() {
        return Objects.requireNonNull(tailSegment, "settle comes first");
    }

    long tailPosition() {
        return tail;
    }

    Segments segments() {
        return segments;
    }

    Checkpoints checkpoints() {
        return checkpoints;
    }

    RecoveryReport report() {
        return report;
    }

    void closeFiles() throws IOException {
        directory.close();
        segments.close();
    }

    /** Overwrites what a crash left behind the tail, so that no part of it can be taken for new. */
    static final class Zeroing {
        private static final int BLOCK = 64 << 10;
        private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(BLOCK).asReadOnlyBuffer();

        private Zeroing() {}

        static void from(StorageFile file, long offset, long end, ReadWindow window) throws IOException {
            ByteBuffer zeros = ZEROS.duplicate();
            ByteBuffer found = window.lend((int) Math.min(BLOCK, Math.max(0, end - offset)));
            long at = offset;
            while (at < end) {
                int want = (int) Math.min(BLOCK - at % BLOCK, end - at);
                found.position(0).limit(want);
                int read = file.read(found, at);
                if (read <= 0) {
                    return;
                }
                if (found.flip().mismatch(zeros.position(0).limit(read)) >= 0) {
                    file.write(zeros.position(0).limit(read), at);
                }
                at += read;
            }
        }
    }
}
