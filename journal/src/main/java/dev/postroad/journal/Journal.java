package dev.postroad.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * An append-only log of records in one directory. Records come in batches; a batch is there whole or not at all, also
 * after a crash. {@link #commit} writes all batches that have ended at once (group commit) and, if asked, syncs them.
 *
 * <p>A record's position is its name for as long as the journal lives: it never changes and is never used again.
 *
 * <pre>
 *   begin(time) { record(type, max) .put(…)  endRecord() }*  end()      any number of batches, in memory
 *   commit(true)                                                        one write, one sync, durable from here on
 * </pre>
 *
 * <p>Threads: one writer at a time calls everything that is not said to be for other threads; several threads may be the
 * writer in turn if each hand-over happens before the next use. Nothing here reads a clock, starts a thread or draws a
 * random number; those come in as arguments.
 *
 * <p>When a write or a sync fails the journal has failed for good: every further write is refused with
 * {@link JournalFailedException}, reading goes on. Open it again to find out what is on the disk.
 */
public final class Journal implements Closeable {
    /** Room that every batch can count on without asking, as long as the segment size allows. */
    private static final int STANDARD_ROOM = 1 << 20;

    private static final int WRITE_BACK_BYTES = 8 << 20;

    /** After so many syncs it is noted how far they reached, even if the journal never comes to rest. */
    private static final int NOTE_EVERY = 16;

    private static final long FREE_KNOWN_BYTES = 1 << 20;

    private final Storage storage;
    private final JournalSettings settings;
    private final Segments segments;
    private final Checkpoints checkpoints;
    private final Group group;
    private final int maxBatch;
    private final int standardRoom;
    private final RecoveryReport recovery;
    private int term;

    private Segment active = Segment.NONE;
    /** Up to this offset of a segment batches may reach: its last bytes are for the seal. */
    private final long room;

    private int reserved;
    private int unnoted;
    private volatile long written;
    private volatile long durable;
    private volatile long writtenBack;
    private volatile @Nullable Failure failure;
    private boolean recovered;
    private boolean closed;
    private @Nullable DurableMark mark;
    /** Behind the mark of this opening, if nothing follows it: the next opening writes over it. */
    private long openedEnd = -1;

    /** The end of what is allocated, behind which there was space for a step; and where the log stood then. */
    private long freeBehind = -1;

    private long freeFrom;

    private long lastTime;

    private record Failure(String what, IOException cause) {}

    /**
     * Opens the journal in a directory, new or used, and shows the handler what it holds: the newest checkpoint, then
     * every batch behind it. A tail that a crash has torn off unfinished is cut.
     *
     * @param storage where it is; stays the caller's to close, after the journal
     * @param nowMillis the time, in milliseconds since 1970, for the records of this opening
     * @param ids a source of random numbers, for ids that must differ from all others
     * @throws DamageException if data that had been durable cannot be read, unless the settings say to go on
     * @throws JournalException if the directory cannot be read, or holds a newer format, with what and where
     * @throws IOException what the handler throws
     */
    public static Journal open(
            Storage storage, JournalSettings settings, long nowMillis, LongSupplier ids, RecoveryHandler handler)
            throws IOException {
        Recovery recovery = new Recovery(storage, settings, nowMillis, ids);
        Journal journal = null;
        boolean opened = false;
        try {
            recovery.look();
            journal = new Journal(storage, settings, recovery);
            handler.recovering(journal);
            recovery.replay(handler);
            recovery.settle();
            journal.start(recovery, nowMillis);
            opened = true;
            return journal;
        } finally {
            if (!opened) {
                recovery.closeFiles();
            }
        }
    }

    private Journal(Storage storage, JournalSettings settings, Recovery found) {
        this.storage = storage;
        this.settings = settings;
        this.segments = found.segments();
        this.checkpoints = found.checkpoints();
        this.recovery = found.report();
        this.group = new Group(settings.bufferBytes());
        long segmentRoom = segments.segmentBytes - Format.SEGMENT_HEADER - 2L * Format.BATCH_HEADER;
        this.maxBatch = (int) Math.min(settings.maxBatchBytes(), segmentRoom) & ~7;
        this.standardRoom = (int) Math.min(STANDARD_ROOM, Math.min(maxBatch, segmentRoom / 4)) & ~7;
        this.room = segments.segmentBytes - Format.BATCH_HEADER;
        this.written = Long.MAX_VALUE; // until the tail is known, readers are limited by the files alone
    }

    private void start(Recovery found, long nowMillis) throws IOException {
        term = found.newTerm();
        lastTime = nowMillis;
        active = found.tailSegment();
        long tail = found.tailPosition();
        durable = tail;
        written = tail;
        recovered = true;
        group.moveTo(tail, active.key);
        if (roomForMark()) {
            group.mark(Format.KIND_OPEN, tail, nowMillis, term);
            commit(true);
            openedEnd = durable;
        }
        mark = DurableMark.open(storage, segments.journalHigh(), segments.journalLow());
        note(tail);
    }

    // ---- writing

    /**
     * Begins a batch for which {@link #standardBatchBytes()} are enough, or whose first record is the only large one.
     *
     * @param timeMillis the batch's time, in milliseconds since 1970
     * @throws JournalFullException if the segment is full and there is no space for another
     */
    public void begin(long timeMillis) throws JournalException {
        begin(timeMillis, standardRoom);
    }

    /**
     * Begins a batch of up to {@code maxBytes}, counted as {@link #batchBytes} does. The segment is changed now if it has
     * less room, so that positions are final when {@link #endRecord} returns them.
     *
     * @throws IllegalArgumentException if {@code maxBytes} is more than {@link #maxBatchBytes()}
     * @throws JournalFullException if the segment is full and there is no space for another; no batch is open then
     * @throws JournalFailedException if the disk failed, now or before
     */
    public void begin(long timeMillis, int maxBytes) throws JournalException {
        checkUsable();
        if (group.open()) {
            throw new IllegalStateException("A batch is open: end or abandon it before the next begins");
        }
        checkBatch(maxBytes);
        lastTime = timeMillis;
        if (group.room() < Format.BATCH_HEADER) {
            write();
        }
        group.begin(timeMillis);
        try {
            reserve(Math.max(maxBytes, Format.BATCH_HEADER));
        } catch (JournalException e) {
            group.abandon();
            throw e;
        }
    }

    /**
     * Begins a record of the open batch.
     *
     * @param type the caller's number for the sort of record, anything but 0
     * @param maxPayloadBytes the most the payload will take
     * @return a big-endian buffer positioned where the payload begins; put the payload there, then call
     *     {@link #endRecord}. Valid until then
     * @throws IllegalArgumentException if the batch gets larger than what it was begun for; abandon it then
     * @throws JournalFullException if there is no space; the batch stays open, to be abandoned
     * @throws JournalFailedException if the disk failed, now or before
     */
    public ByteBuffer record(byte type, int maxPayloadBytes) throws JournalException {
        if (!group.open() || group.recordOpen()) {
            throw new IllegalStateException(
                    group.open() ? "End the record before the next begins" : "Begin a batch before its records");
        }
        if (type == Format.TYPE_VOID || maxPayloadBytes < 0) {
            throw new IllegalArgumentException("Record type is " + type + " and must not be 0; maxPayloadBytes is "
                    + maxPayloadBytes + " and must not be negative");
        }
        long need = Format.recordBytes(maxPayloadBytes);
        long total = group.batchBytes() + need;
        if (total > reserved) {
            if (group.records() > 0) {
                throw new IllegalArgumentException("The batch takes " + total + " bytes with a record of up to "
                        + maxPayloadBytes + " and was begun for " + reserved
                        + ": begin it with the bytes it needs, at most " + maxBatch);
            }
            checkBatch(total);
            reserve((int) Math.min(maxBatch, total + standardRoom));
        }
        if (group.room() < need) {
            write();
            group.grow((int) need);
        }
        return group.record(type, maxPayloadBytes);
    }

    /**
     * Ends the record, up to the position of the buffer that {@link #record} gave.
     *
     * @return the record's position: from now on its name, also after a restart
     */
    public long endRecord() {
        if (!group.recordOpen()) {
            throw new IllegalStateException("No record is open");
        }
        return group.endRecord();
    }

    /** Ends the batch: it will be written with the next commit. One without records leaves nothing. */
    public void end() {
        if (!group.open() || group.recordOpen()) {
            throw new IllegalStateException(group.open() ? "A record is still open" : "No batch is open");
        }
        group.end(durable, term);
    }

    /** Drops the open batch and all its records; their positions will be given to others. */
    public void abandon() {
        group.abandon();
    }

    /** Whether something has ended that the next {@code commit(true)} would make durable. */
    public boolean pending() {
        return group.ended() > 0 || written > durable;
    }

    /**
     * Writes all batches that have ended, in one write.
     *
     * @param sync whether to return only when they, and all written before, are on the disk
     * @throws JournalFailedException if that failed, now or before
     */
    public void commit(boolean sync) throws JournalException {
        checkUsable();
        if (group.open()) {
            throw new IllegalStateException("A batch is open: end or abandon it before the commit");
        }
        write();
        if (sync && durable < written) {
            force();
        }
    }

    /**
     * Notes, in a file of its own, that everything committed is durable: to be called when there is nothing to commit. Should
     * the last group of all rot after a kill, it is known by this that it had been there. Costs one small write at most, and
     * nothing where nothing was committed since.
     *
     * @throws JournalFailedException if that failed, now or before
     */
    public void noteDurable() throws JournalException {
        checkUsable();
        if (durable == written && durable != openedEnd) {
            note(durable);
        }
    }

    private void note(long upTo) throws JournalException {
        DurableMark known = mark;
        if (known != null) {
            try {
                known.note(upTo);
            } catch (IOException e) {
                throw fail("Writing " + DurableMark.NAME, e);
            }
        }
    }

    /** The position behind the last batch that has ended. */
    public long appendPosition() {
        return group.end();
    }

    /** Everything before this position is on the disk. For any thread. */
    public long durablePosition() {
        return durable;
    }

    /** Everything before this position has been written, if not synced, and can be read by {@link #reader}. Any thread. */
    public long writtenPosition() {
        return written;
    }

    /** The largest batch, with its headers, in bytes. */
    public int maxBatchBytes() {
        return maxBatch;
    }

    /** What a batch may take that was begun without saying how much it needs, its first record not counted. */
    public int standardBatchBytes() {
        return standardRoom;
    }

    /** What a batch of that many records with that many bytes of payload takes at most. */
    public static long batchBytes(int records, long payloadBytes) {
        return Format.BATCH_HEADER + records * (Format.RECORD_HEADER + 7L) + payloadBytes;
    }

    /**
     * Whether a batch of that size can be begun now without a {@link JournalFullException}: for refusing publishes in
     * good time, with a reason, while consumers go on.
     */
    public boolean hasRoomFor(int bytes) {
        if (bytes > maxBatch || failure != null) {
            return false;
        }
        long end = group.end() - active.base + bytes;
        return end <= room
                ? end + Format.BATCH_HEADER <= active.allocated || stepIsFree()
                : segments.nextReady() || segments.spaceFor(segments.segmentBytes);
    }

    /** Asks the system, which costs a call, not for every publish: until another step is taken, or a megabyte is appended. */
    private boolean stepIsFree() {
        long at = group.end();
        if (active.base + active.allocated == freeBehind && at >= freeFrom && at - freeFrom < FREE_KNOWN_BYTES) {
            return true;
        }
        boolean free = segments.spaceForStep();
        freeBehind = free ? active.base + active.allocated : -1;
        freeFrom = at;
        return free;
    }

    private void reserve(int bytes) throws JournalException {
        if (segments.offsetOf(group.end()) + bytes > room) {
            roll();
        }
        long reach = segments.offsetOf(group.end()) + bytes + Format.BATCH_HEADER;
        if (reach > active.allocated) {
            segments.extend(active, reach);
            // Now, not with the first batch there: a file system that goes down may answer "fine" to a sync that had to
            // find blocks, and not have them. A sync of blocks that it has can only be done or fail.
            force();
        }
        reserved = bytes;
    }

    /** Seals the active segment, forces it, and goes on in the next. Only called while the open batch has no records. */
    private void roll() throws JournalException {
        segments.time(lastTime);
        Segment next = segments.takeNext();
        if (group.room() < Format.BATCH_HEADER) {
            write();
        }
        group.mark(Format.KIND_ROLL, durable, lastTime, term);
        write();
        force();
        active = next;
        group.moveTo(next.first(), next.key);
        written = next.first();
        durable = next.first();
    }

    /** Whether a batch without records fits, leaving room for the seal of the segment. */
    private boolean roomForMark() {
        long offset = segments.offsetOf(written);
        return offset + Format.BATCH_HEADER <= Math.min(room, active.allocated);
    }

    private void write() throws JournalException {
        int bytes = group.ended();
        if (bytes == 0) {
            return;
        }
        long offset = segments.offsetOf(group.origin());
        try {
            active.file.write(group.output(), offset);
        } catch (IOException e) {
            throw fail("Writing " + bytes + " bytes to " + active.name() + " at offset " + offset, e);
        }
        group.written();
        active.used = offset + bytes;
        written = group.origin();
    }

    private void force() throws JournalException {
        try {
            active.file.force();
        } catch (IOException e) {
            throw fail("Syncing " + active.name(), e);
        }
        durable = written;
        if (++unnoted >= NOTE_EVERY) {
            unnoted = 0;
            note(durable);
        }
    }

    private JournalFailedException fail(String what, IOException cause) {
        Failure first = new Failure(what, cause);
        failure = first;
        return failed(first);
    }

    private JournalFailedException failed(Failure first) {
        return new JournalFailedException(
                first.what + " in " + storage.location() + " failed: " + first.cause.getMessage()
                        + ". What is on the disk behind position " + durable
                        + " is unknown, so nothing more is accepted. Restart after checking the disk.",
                first.cause);
    }

    private void checkUsable() throws JournalException {
        Failure first = failure;
        if (first != null) {
            throw failed(first);
        }
        if (closed || !recovered) {
            throw new IllegalStateException(closed ? "The journal is closed" : "The journal is not open yet");
        }
    }

    private void checkBatch(long bytes) {
        if (bytes > maxBatch) {
            throw new IllegalArgumentException("A batch of " + bytes + " bytes is larger than the limit of " + maxBatch
                    + " bytes (maxBatchBytes " + settings.maxBatchBytes() + ", segments of " + segments.segmentBytes
                    + ")");
        }
    }

    /** Whether a write or sync has failed, so that nothing more is accepted. For any thread. */
    public boolean failed() {
        return failure != null;
    }

    /** What failed, in a sentence with what to do; null as long as all is well. For any thread. */
    public @Nullable JournalFailedException failure() {
        Failure first = failure;
        return first == null ? null : failed(first);
    }

    // ---- reading

    /** A new reader for one thread, which sees what has been written. For any thread. */
    public RecordReader reader() {
        return new RecordReader(this, false);
    }

    /** A new reader for the writer thread, which also sees ended records that have not been written yet. */
    public RecordReader writerReader() {
        return new RecordReader(this, true);
    }

    /**
     * Shows all records of one segment that have been written, in order. Damaged records end it with an exception.
     *
     * @throws CorruptRecordException at the first batch that is damaged
     * @throws IOException what the visitor throws
     */
    public void scan(long segmentNumber, RecordVisitor visitor) throws IOException {
        Segment segment = segments.get(segmentNumber);
        if (segment == null) {
            throw new IllegalArgumentException("There is no segment " + segmentNumber);
        }
        long end = Math.min(segment.used, written - segment.base);
        SegmentScan.records(storage.location(), segment, end, visitor);
    }

    // ---- space

    /** Says that a record is needed: its segment will not be used again before as many bytes are released. */
    public void retain(long recordPosition, int sizeBytes) {
        Segment segment = segments.at(recordPosition);
        if (segment != null) {
            segment.live += sizeBytes;
        }
    }

    /**
     * Says that a record is not needed any more.
     *
     * @throws IllegalStateException if more is released than was retained
     */
    public void release(long recordPosition, int sizeBytes) {
        Segment segment = segments.at(recordPosition);
        if (segment != null) {
            segment.live -= sizeBytes;
            if (segment.live < 0) {
                throw new IllegalStateException("Released " + sizeBytes + " bytes at position " + recordPosition + ", "
                        + -segment.live + " more than were retained in segment " + segment.number);
            }
        }
    }

    /** All segments that hold batches, in order. A snapshot; live bytes are exact on the writer thread. */
    public List<SegmentInfo> segments() {
        List<SegmentInfo> infos = new ArrayList<>();
        for (Segment segment : segments.all()) {
            infos.add(new SegmentInfo(
                    segment.number,
                    segment.base,
                    segment.used,
                    segment.live,
                    segment == active ? SegmentInfo.State.ACTIVE : SegmentInfo.State.SEALED));
        }
        return infos;
    }

    /**
     * The segment that is most worth compacting: sealed, behind the last checkpoint, with a share of live bytes above 0
     * and below {@link JournalSettings#compactBelow}; -1 if there is none. Read its records by {@link #scan}, append the
     * needed ones again, release the old ones.
     */
    public long compactionCandidate() {
        long before = segments.numberOf(checkpoints.newestPosition());
        long candidate = -1;
        double lowest = settings.compactBelow();
        for (Segment segment : segments.all()) {
            if (segment.number >= before || segment == active || segment.live == 0) {
                continue;
            }
            double ratio = (double) segment.live / Math.max(1, segment.used - Format.SEGMENT_HEADER);
            if (ratio < lowest) {
                lowest = ratio;
                candidate = segment.number;
            }
        }
        return candidate;
    }

    /**
     * Whether used-up segments are kept to be used again, as at first; if not, {@link #prepareSpare} deletes them and those kept
     * before. For when the disk is nearly full and its space is needed for whatever comes. For any thread.
     */
    public void keepSpares(boolean keep) {
        segments.keepSpares(keep);
    }

    /** Whether {@link #prepareSpare} has something to do. For any thread. */
    public boolean spareNeeded() {
        return recovered && segments.prepareNeeded();
    }

    /**
     * Makes the next segment ready and puts used-up ones aside, so that the writer need not when it rolls. For any
     * thread, also while the writer writes. Failing costs nothing: it can be called again.
     */
    public void prepareSpare() throws JournalException {
        if (recovered && failure == null) {
            segments.prepare();
        }
    }

    /** Whether so much has been written without a sync that {@link #writeBack} is worth its while. For any thread. */
    public boolean writeBackNeeded() {
        return written - Math.max(durable, writtenBack) >= WRITE_BACK_BYTES;
    }

    /**
     * Gets on with bringing to the disk what was written without a sync, so that the sync to come, which keeps the writer
     * waiting, has little left to do. Makes nothing durable. For any thread but one at a time, also while the writer writes.
     *
     * @throws JournalFailedException if the disk failed: the journal accepts nothing more then
     */
    public void writeBack() throws JournalException {
        long upTo = written;
        Segment segment = recovered && failure == null ? segments.at(upTo - 1) : null;
        if (segment == null) {
            return;
        }
        try {
            segment.file.writeBack();
        } catch (IOException e) {
            throw fail("Syncing " + segment.name(), e);
        }
        writtenBack = upTo;
    }

    // ---- checkpoints

    /**
     * Begins a checkpoint of the state right now: the writer calls this when it takes its snapshot, at
     * {@link #appendPosition()}. The snapshot can then be written by another thread.
     */
    public CheckpointWriter checkpoint() {
        if (group.open()) {
            throw new IllegalStateException("A batch is open: a checkpoint stands between batches");
        }
        return checkpoints.begin(this, group.end(), term, lastTime, segments.all());
    }

    /**
     * Tells the writer that a checkpoint was {@linkplain CheckpointWriter#finish() finished}: segments that neither it
     * nor the checkpoint before needs, and in which nothing is live, are taken out of the journal.
     */
    public void checkpointWritten(CheckpointWriter checkpoint) {
        checkpoints.written(checkpoint);
        for (Segment segment : segments.all()) {
            if (segment != active && segment.live == 0 && !checkpoints.needs(segment.number, segments)) {
                segments.retire(segment);
            }
        }
    }

    /** The position of the newest checkpoint; 0 if there is none yet. */
    public long checkpointPosition() {
        return checkpoints.newestPosition();
    }

    // ---- the end

    /** What the opening found. */
    public RecoveryReport recovery() {
        return recovery;
    }

    /** In which opening of the directory this is, counted from 1. */
    public int term() {
        return term;
    }

    /** Commits what has ended, notes that everything is durable, and lets go of the files. The storage stays open. */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        try {
            if (failure == null && recovered) {
                group.abandon();
                commit(true);
                noteDurable();
                DurableMark known = mark;
                if (known != null) {
                    known.force();
                }
                if (roomForMark()) {
                    group.mark(Format.KIND_CLOSE, durable, lastTime, term);
                    commit(true);
                }
            }
        } finally {
            closed = true;
            DurableMark known = mark;
            if (known != null) {
                known.close();
            }
            segments.close();
        }
    }

    Group group() {
        return group;
    }

    Segments segmentTable() {
        return segments;
    }
}
