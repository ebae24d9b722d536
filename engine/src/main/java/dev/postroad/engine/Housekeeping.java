package dev.postroad.engine;

import dev.postroad.journal.CorruptRecordException;
import dev.postroad.journal.SegmentInfo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What time and growth bring: delays, leases, times to live, retention, index pages to disk, compaction, checkpoints. */
final class Housekeeping {
    private static final long RETENTION_EVERY_MILLIS = 1_000;
    private static final long COMPACTION_EVERY_MILLIS = 500;
    private static final int COMPACTION_CHUNK_BYTES = 1 << 20;
    private static final int PAGES_PER_TURN = 16;
    private static final int PAGES_CHECK_BYTES = 1 << 20;
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
    private long nextRetention;
    private long nextCompaction;
    private long pagesCheckedAt;
    private long unsyncedSince = Long.MAX_VALUE;
    private long checkpointPosition;
    private long checkpointTime;
    private boolean checkpointRunning;
    private boolean restartPending = true;
    private boolean compactionWorthwhile = true;
    private boolean segmentWaits;
    private int idleCheckpoints;
    private long fullUntil;

    Housekeeping(Engine engine, Settling settling, Declaring declaring, StreamReading streams) {
        this.engine = engine;
        this.settling = settling;
        this.declaring = declaring;
        this.streams = streams;
    }

    /** The engine was opened: what does not outlive it goes. */
    void started(long now) {
        checkpointPosition = engine.journal.checkpointPosition();
        checkpointTime = now;
        nextRetention = now;
        nextCompaction = now + COMPACTION_EVERY_MILLIS;
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
            fullUntil = now + FULL_RETRY_MILLIS;
        }
    }

    private void due(long now) {
        if (now < fullUntil) {
            return;
        }
        fullUntil = 0;
        if (restartPending) {
            restart();
        }
        if (settling.behind()) {
            settling.afterBatch();
        }
        while (!wakeups.isEmpty() && wakeups.first() <= now) {
            long due = wakeups.first();
            QueueState queue = engine.state.queue((int) wakeups.second());
            wakeups.removeFirst();
            if (queue != null && queue.scheduledAt == due) {
                queue.scheduledAt = Long.MAX_VALUE;
                try {
                    wake(queue, now);
                } catch (EngineException e) {
                    later(queue);
                    throw e;
                }
            }
        }
        if (now >= nextRetention) {
            nextRetention = now + RETENTION_EVERY_MILLIS;
            retain(now);
        }
        streams.expireMembers(now);
    }

    private void wake(QueueState queue, long now) {
        queue.wakeDelayed(now);
        for (long n = queue.nextExpiredLease(now); n != PagedIndex.NONE; n = queue.nextExpiredLease(now)) {
            try {
                settling.takeBack(queue, n, "its lease ran out");
            } catch (EngineException e) {
                queue.extendLease(n, now + FULL_RETRY_MILLIS);
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
        long due = Math.min(queue.nextDelay(), Math.min(queue.nextLease(), queue.nextExpiry()));
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
            next = Math.min(next, Math.max(nextRetention, stream.nextTrimMillis()));
        }
        next = Math.min(next, streams.nextMemberExpiry());
        if (unsyncedSince != Long.MAX_VALUE) {
            next = Math.min(next, unsyncedSince + engine.settings.bufferedMillis());
        }
        if (checkpointWorthwhile() && !checkpointRunning) {
            next = Math.min(next, checkpointTime + checkpointMillis());
        }
        if (compactionWorthwhile) {
            next = Math.min(next, nextCompaction);
        }
        return Math.max(now, Math.max(next, fullUntil));
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
    boolean maintain(long now) throws IOException {
        boolean more = false;
        try {
            if (engine.journal.appendPosition() >= pagesCheckedAt + PAGES_CHECK_BYTES) {
                more = writePages();
                pagesCheckedAt = more ? pagesCheckedAt : engine.journal.appendPosition();
            }
            if (now >= nextCompaction) {
                more |= compact(now);
            }
        } catch (EngineException e) {
            if (e.reason() != EngineException.Reason.FULL) {
                throw e;
            }
            // Without space on the disk pages stay in memory, which has its own bound, and nothing is compacted.
            nextCompaction = now + 10 * COMPACTION_EVERY_MILLIS;
            return false;
        }
        return more;
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
        for (long page = index.pageToWrite(); page != PagedIndex.NONE && written < most; page = index.pageToWrite()) {
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

    private boolean compact(long now) throws IOException {
        if (compacting < 0) {
            compacting = engine.journal.compactionCandidate();
            if (compacting < 0) {
                nextCompaction = now + COMPACTION_EVERY_MILLIS;
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
                nextCompaction = now + DAMAGED_RETRY_MILLIS;
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
            nextCompaction = now + COMPACTION_EVERY_MILLIS;
            return false;
        }
        return true;
    }

    // ── Commits and checkpoints ──────────────────────────────────────────────────────────────────────────────────────

    boolean bufferedDue(long now) {
        return unsyncedSince != Long.MAX_VALUE && unsyncedSince + engine.settings.bufferedMillis() <= now;
    }

    void committed(boolean synced, long now) {
        if (synced) {
            unsyncedSince = Long.MAX_VALUE;
        } else if (unsyncedSince == Long.MAX_VALUE) {
            unsyncedSince = now;
        }
    }

    boolean checkpointDue(long now) {
        long behind = engine.journal.appendPosition() - checkpointPosition;
        return !checkpointRunning
                && checkpointWorthwhile()
                && (behind >= engine.settings.checkpointBytes()
                        || now - checkpointTime >= checkpointMillis());
    }

    /** Publishers that wait for space get what emptied segments hold without waiting for the usual time. */
    private long checkpointMillis() {
        long usual = engine.settings.checkpointMillis();
        return engine.spaceWanted && emptySegment() ? Math.min(usual, SPACE_WANTED_MILLIS) : usual;
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

    void checkpointBegun(long now) {
        checkpointRunning = true;
        checkpointTime = now;
        idleCheckpoints = engine.journal.appendPosition() > checkpointPosition ? 0 : idleCheckpoints + 1;
        checkpointPosition = engine.journal.appendPosition();
    }

    void checkpointEnded() {
        checkpointRunning = false;
        compactionWorthwhile = true;
        segmentWaits = emptySegment();
    }
}
