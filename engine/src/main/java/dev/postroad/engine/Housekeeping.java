package dev.postroad.engine;

import dev.postroad.journal.CorruptRecordException;
import dev.postroad.journal.SegmentInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What time and growth bring: delays, leases, times to live, retention, index pages to disk, compaction, checkpoints. */
final class Housekeeping {
    private static final long RETENTION_EVERY_MILLIS = 1_000;
    private static final long COMPACTION_EVERY_MILLIS = 500;
    private static final int COMPACTION_CHUNK_BYTES = 1 << 20;
    private static final int PAGES_PER_TURN = 16;
    private static final long PAGES_CHECK_BYTES = 1 << 20;
    /** So that looking at many queues, of which most are idle, stays cheap beside what was written meanwhile. */
    private static final long PAGES_CHECK_BYTES_A_QUEUE = 512;

    private static final long MEMORY_CHECK_MILLIS = 100;

    private static final int EXPIRED_PER_TURN = 10_000;
    private static final long FULL_RETRY_MILLIS = 1_000;
    private static final int MOST_IDLE_CHECKPOINTS = 2;
    private static final long SPACE_WANTED_MILLIS = 1_000;
    private static final long DAMAGED_RETRY_MILLIS = 600_000;

    private final Engine engine;
    private final Settling settling;
    private final Declaring declaring;
    private final StreamReading streams;
    private final LongHeap wakeups = new LongHeap();
    // From here on all times are of the steady clock.
    private final LongHeap leaseWakeups = new LongHeap();
    private long nextRetention = Long.MIN_VALUE;
    private long nextCompaction = Long.MIN_VALUE;
    private long pagesCheckedAt;
    private boolean pagesLeft;
    private long nextMemoryCheck = Long.MIN_VALUE;
    private boolean memoryTight;
    private long unsyncedSince = Long.MAX_VALUE;
    private long checkpointPosition;
    private long checkpointTime = Long.MIN_VALUE;
    private boolean checkpointRunning;
    private boolean restartPending = true;
    private boolean compactionWorthwhile = true;
    private boolean segmentWaits;
    private int idleCheckpoints;
    private long fullUntil = Long.MIN_VALUE;

    Housekeeping(Engine engine, Settling settling, Declaring declaring, StreamReading streams) {
        this.engine = engine;
        this.settling = settling;
        this.declaring = declaring;
        this.streams = streams;
    }

    /** The engine was opened: what does not outlive it goes. */
    void started() {
        checkpointPosition = engine.journal.checkpointPosition();
        restartPending = true;
    }

    private void restart() {
        for (QueueState queue : List.copyOf(engine.state.queues())) {
            if (queue.definition().exclusive()) {
                declaring.delete(queue, "its connection is gone");
            } else if (queue.definition().temporary()) {
                declaring.delete(queue, "it does not outlive the broker");
            } else if (!queue.complete()) {
                // Nobody was told that it exists: the engine stopped in the middle.
                declaring.delete(queue, "it was not filled");
            } else if (queue.definition().durability() == Durability.TRANSIENT) {
                drop(queue);
            }
            queue.idleSince = engine.now();
        }
        declaring.deleteTemporaryTopics();
        settling.afterRestart();
        for (StreamState stream : engine.state.streams()) {
            if (stream.definition().durability() == Durability.TRANSIENT) {
                for (int p = 0; p < stream.definition().partitions(); p++) {
                    trim(stream, p, stream.nextOffset(p));
                }
            }
        }
        restartPending = false;
    }

    private void drop(QueueState queue) {
        long[] chunk = new long[4096];
        int count = 0;
        for (long n = queue.nextNumber(-1); n != PagedIndex.NONE; n = queue.nextNumber(n)) {
            chunk[count++] = n;
            if (count == chunk.length) {
                drop(queue, chunk, count);
                count = 0;
            }
        }
        drop(queue, chunk, count);
    }

    private void drop(QueueState queue, long[] numbers, int count) {
        if (count > 0) {
            engine.records.begin(engine.now(), 1, Records.numbersBytes(count));
            engine.records.removed(queue, Records.Cause.DROPPED, numbers, count);
            engine.records.end();
        }
    }

    // ── Timers ───────────────────────────────────────────────────────────────────────────────────────────────────────

    void timers(long now) {
        try {
            due(now);
        } catch (EngineException e) {
            if (e.reason() != EngineException.Reason.FULL) {
                throw e;
            }
            // The disk is full. Nothing is forgotten: it is due again in a while.
            fullUntil = engine.steady() + FULL_RETRY_MILLIS;
        }
    }

    private void due(long now) {
        if (engine.steady() < fullUntil) {
            return;
        }
        fullUntil = Long.MIN_VALUE;
        if (restartPending) {
            restart();
        }
        if (settling.behind()) {
            settling.afterBatch();
        }
        for (QueueState queue = nextToWake(now); queue != null; queue = nextToWake(now)) {
            try {
                wake(queue, now);
            } catch (EngineException e) {
                later(queue);
                throw e;
            }
        }
        if (engine.steady() >= nextRetention) {
            nextRetention = engine.steady() + RETENTION_EVERY_MILLIS;
            retain(now);
        }
        streams.expireMembers();
    }

    /** The queue that has been due for longest, by either clock; null if none is. Who is equally late comes by its number. */
    private @Nullable QueueState nextToWake(long now) {
        while (true) {
            long wait = wakeups.isEmpty() ? Long.MAX_VALUE : wakeups.first() - now;
            long leaseWait = leaseWakeups.isEmpty() ? Long.MAX_VALUE : leaseWakeups.first() - engine.steady();
            if (Math.min(wait, leaseWait) > 0) {
                return null;
            }
            boolean lease = leaseWait < wait || (leaseWait == wait && leaseWakeups.second() < wakeups.second());
            LongHeap heap = lease ? leaseWakeups : wakeups;
            long due = heap.first();
            QueueState queue = engine.state.queue((int) heap.second());
            heap.removeFirst();
            if (queue != null && due == (lease ? queue.leasesScheduledAt : queue.scheduledAt)) {
                queue.scheduledAt = Long.MAX_VALUE;
                queue.leasesScheduledAt = Long.MAX_VALUE;
                return queue;
            }
        }
    }

    private void wake(QueueState queue, long now) {
        queue.wakeDelayed(now);
        long steady = engine.steady();
        for (long n = queue.nextExpiredLease(steady); n != PagedIndex.NONE; n = queue.nextExpiredLease(steady)) {
            try {
                settling.takeBack(queue, n, "its lease ran out");
            } catch (EngineException e) {
                queue.extendLease(n, steady + FULL_RETRY_MILLIS);
                throw e;
            }
        }
        int expired = 0;
        for (long number : queue.expired(now)) {
            if (expired++ == EXPIRED_PER_TURN) {
                queue.expireAgain(now);
                break;
            }
            if (queue.holds(number)) {
                settling.giveUp(queue, number, Settling.Why.EXPIRED, "its time to live was over");
            }
        }
        long idle = queue.definition().expiresMillis();
        if (idle > 0 && queue.consumers.isEmpty() && Times.after(queue.idleSince, idle) <= now) {
            declaring.delete(queue, "it was idle for " + idle + " ms");
            return;
        }
        engine.touch(queue);
    }

    /** The disk is full: the queue is looked at again in a while. */
    void later(QueueState queue) {
        long due = engine.now() + FULL_RETRY_MILLIS;
        if (due < queue.scheduledAt) {
            queue.scheduledAt = due;
            wakeups.add(due, queue.id);
        }
    }

    /** Remembers when the queue has to be looked at without anybody asking. */
    void schedule(QueueState queue) {
        long leases = queue.nextLease();
        if (leases < queue.leasesScheduledAt) {
            queue.leasesScheduledAt = leases;
            leaseWakeups.add(leases, queue.id);
        }
        long due = Math.min(queue.nextDelay(), queue.nextExpiry());
        long idle = queue.definition().expiresMillis();
        if (idle > 0 && queue.consumers.isEmpty()) {
            due = Math.min(due, Times.after(queue.idleSince, idle));
        }
        if (due < queue.scheduledAt) {
            queue.scheduledAt = due;
            wakeups.add(due, queue.id);
        }
    }

    long nextDue(long now) {
        long next = wakeups.isEmpty() ? Long.MAX_VALUE : wakeups.first();
        next = Math.min(next, streams.nextFetchDeadline());
        for (StreamState stream : engine.state.streams()) {
            next = Math.min(next, Math.max(timeOfDay(now, nextRetention), stream.nextTrimMillis()));
        }
        long steady = streams.nextMemberExpiry();
        if (!leaseWakeups.isEmpty()) {
            steady = Math.min(steady, leaseWakeups.first());
        }
        if (unsyncedSince != Long.MAX_VALUE) {
            steady = Math.min(steady, unsyncedSince + engine.settings.bufferedMillis());
        }
        if (checkpointWorthwhile() && !checkpointRunning) {
            steady = Math.min(steady, checkpointTime() + checkpointMillis());
        }
        if (compactionWorthwhile) {
            steady = Math.min(steady, nextCompaction);
        }
        next = Math.min(next, timeOfDay(now, steady));
        return Math.max(now, Math.max(next, timeOfDay(now, fullUntil)));
    }

    /** When it is this late by the steady clock, if neither clock jumps; now if it is later. */
    private long timeOfDay(long now, long steady) {
        return steady <= engine.steady() ? now : Times.after(now, steady - engine.steady());
    }

    private void retain(long now) {
        for (StreamState stream : engine.state.streams()) {
            if (stream.nextTrimMillis() > now) {
                continue;
            }
            List<long[]> trims = new ArrayList<>();
            List<long[]> tombstones = new ArrayList<>();
            stream.decideTrims(now, new StreamState.TrimSink() {
                @Override
                public void trim(int partition, long newEarliest) {
                    trims.add(new long[] {partition, newEarliest});
                }

                @Override
                public void tombstone(int partition, long offset) {
                    tombstones.add(new long[] {partition, offset});
                }
            });
            for (long[] trim : trims) {
                trim(stream, (int) trim[0], trim[1]);
            }
            for (long[] tombstone : tombstones) {
                engine.records.begin(now, 1, 20);
                engine.records.tombstone(stream, (int) tombstone[0], tombstone[1]);
                engine.records.end();
            }
        }
    }

    private void trim(StreamState stream, int partition, long newEarliest) {
        engine.records.begin(engine.now(), 1, 20);
        engine.records.trimmed(stream, partition, newEarliest);
        engine.records.end();
    }

    // ── Growth ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Returns true if there is more to do at once. */
    boolean maintain() throws IOException {
        long steady = engine.steady();
        if (nextCompaction == Long.MIN_VALUE) {
            nextCompaction = steady + COMPACTION_EVERY_MILLIS;
        }
        boolean more = false;
        try {
            long step = Math.max(
                    PAGES_CHECK_BYTES,
                    PAGES_CHECK_BYTES_A_QUEUE * engine.state.queues().size());
            if (pagesLeft || memoryGotTight(steady) || engine.journal.appendPosition() >= pagesCheckedAt + step) {
                pagesLeft = writePages();
                pagesCheckedAt = pagesLeft ? pagesCheckedAt : engine.journal.appendPosition();
                more = pagesLeft;
            }
            if (steady >= nextCompaction) {
                more |= compact(steady);
            }
        } catch (EngineException e) {
            if (e.reason() != EngineException.Reason.FULL) {
                throw e;
            }
            // Without space on the disk pages stay in memory, which has its own bound, and nothing is compacted.
            nextCompaction = steady + 10 * COMPACTION_EVERY_MILLIS;
            return false;
        }
        return more;
    }

    /**
     * True now and then while indexes take half of what they may. Publishes that are refused at the whole bring no growth that
     * would have pages written, and no ids that older ones make room for.
     */
    private boolean memoryGotTight(long steady) {
        if (steady < nextMemoryCheck) {
            return false;
        }
        nextMemoryCheck = steady + MEMORY_CHECK_MILLIS;
        memoryTight = engine.indexHeapBytes() > engine.settings.indexBytes() / 2;
        if (memoryTight) {
            shrinkDedupWindows();
        }
        return memoryTight;
    }

    private void shrinkDedupWindows() {
        for (QueueState queue : engine.state.queues()) {
            shrink(queue.dedup());
        }
        for (StreamState stream : engine.state.streams()) {
            shrink(stream.dedup());
        }
    }

    private void shrink(@Nullable DedupWindow window) {
        if (window != null) {
            window.shrink(engine.now());
        }
    }

    private boolean writePages() {
        int written = 0;
        for (QueueState queue : engine.state.queues()) {
            for (int lane = 0; lane < queue.lanes() && written < PAGES_PER_TURN; lane++) {
                written += writePages(queue.id, lane, queue.lane(lane), PAGES_PER_TURN - written);
            }
        }
        for (StreamState stream : engine.state.streams()) {
            for (int p = 0; p < stream.definition().partitions() && written < PAGES_PER_TURN; p++) {
                written += writePages(stream.firstChannelId() + p, 0, stream.index(p), PAGES_PER_TURN - written);
            }
        }
        return written == PAGES_PER_TURN;
    }

    private int writePages(int channelId, int lane, PagedIndex index, int most) {
        int written = 0;
        for (long page = index.pageToWrite(memoryTight);
                page != PagedIndex.NONE && written < most;
                page = index.pageToWrite(memoryTight)) {
            engine.records.begin(engine.now(), 1, 30L + index.maxPageBytes());
            engine.records.page(channelId, lane, index, page);
            engine.records.end();
            written++;
        }
        return written;
    }

    // ── Compaction: survivors of a mostly dead segment are copied forward ────────────────────────────────────────────

    private long compacting = -1;
    private final List<Compaction.Survivor> survivors = new ArrayList<>();

    private boolean compact(long steady) throws IOException {
        if (compacting < 0) {
            compacting = engine.journal.compactionCandidate();
            if (compacting < 0) {
                nextCompaction = steady + COMPACTION_EVERY_MILLIS;
                compactionWorthwhile = false;
                return false;
            }
            survivors.clear();
            try {
                engine.journal.scan(compacting, (position, time, type, payload) -> {
                    Compaction.Survivor survivor = Compaction.survivor(engine, position, type, payload);
                    if (survivor != null) {
                        survivors.add(survivor);
                    }
                });
            } catch (CorruptRecordException e) {
                // What lies behind the damage can't be told from what is needed: the segment stays as it is.
                survivors.clear();
                compacting = -1;
                nextCompaction = steady + DAMAGED_RETRY_MILLIS;
                return false;
            }
        }
        long copied = 0;
        while (!survivors.isEmpty() && copied < COMPACTION_CHUNK_BYTES) {
            copied += Compaction.move(engine, survivors.getLast());
            survivors.removeLast();
        }
        if (survivors.isEmpty()) {
            compacting = -1;
            nextCompaction = steady + COMPACTION_EVERY_MILLIS;
            return false;
        }
        return true;
    }

    // ── Commits and checkpoints ──────────────────────────────────────────────────────────────────────────────────────

    boolean bufferedDue() {
        return unsyncedSince != Long.MAX_VALUE && unsyncedSince + engine.settings.bufferedMillis() <= engine.steady();
    }

    void committed(boolean synced) {
        if (synced) {
            unsyncedSince = Long.MAX_VALUE;
        } else if (unsyncedSince == Long.MAX_VALUE) {
            unsyncedSince = engine.steady();
        }
    }

    boolean checkpointDue() {
        long behind = engine.journal.appendPosition() - checkpointPosition;
        return !checkpointRunning
                && checkpointWorthwhile()
                && (behind >= engine.settings.checkpointBytes()
                        || engine.steady() - checkpointTime() >= checkpointMillis());
    }

    /** When the last one was begun; of a new engine, when it was first asked. */
    private long checkpointTime() {
        if (checkpointTime == Long.MIN_VALUE) {
            checkpointTime = engine.steady();
        }
        return checkpointTime;
    }

    /** Publishers that wait for space get what emptied segments hold, or nearly emptied ones, without waiting for the usual time. */
    private long checkpointMillis() {
        long usual = engine.settings.checkpointMillis();
        return engine.spaceWanted && spaceToGain() ? Math.min(usual, SPACE_WANTED_MILLIS) : usual;
    }

    /** Only what lies before a checkpoint is compacted. */
    private boolean spaceToGain() {
        double most = engine.settings.journal().compactBelow();
        return engine.journal.segments().stream()
                .anyMatch(s -> s.state() == SegmentInfo.State.SEALED
                        && (s.liveBytes() == 0 || s.liveBytes() < most * s.usedBytes()));
    }

    private boolean emptySegment() {
        return engine.journal.segments().stream()
                .anyMatch(s -> s.state() == SegmentInfo.State.SEALED && s.liveBytes() == 0);
    }

    /** A segment is let go with the second checkpoint after it emptied: an idle broker writes that one too. */
    private boolean checkpointWorthwhile() {
        return engine.journal.appendPosition() > checkpointPosition
                || (segmentWaits && idleCheckpoints < MOST_IDLE_CHECKPOINTS);
    }

    void checkpointBegun() {
        checkpointRunning = true;
        checkpointTime = engine.steady();
        idleCheckpoints = engine.journal.appendPosition() > checkpointPosition ? 0 : idleCheckpoints + 1;
        checkpointPosition = engine.journal.appendPosition();
    }

    void checkpointEnded() {
        checkpointRunning = false;
        compactionWorthwhile = true;
        segmentWaits = emptySegment();
    }
}
