package dev.postroad.engine;

import dev.postroad.journal.BatchView;
import dev.postroad.journal.CheckpointWriter;
import dev.postroad.journal.DamageReport;
import dev.postroad.journal.Journal;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.RecoveryHandler;
import dev.postroad.journal.Storage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The broker's core: one thread, one log, no clock of its own. Whoever runs it calls {@link #submit} for the commands that
 * have come and then {@link #turn}, over and over; time comes in as an argument, everything that must last goes out through
 * the journal.
 *
 * <pre>
 *   submit(command) ─ check: reads state, refuses or not
 *                   └ perform: writes records; each is applied as it is written; the reply is parked
 *   turn(now)       ─ timers: delays, leases, times to live, retention
 *                   ─ dispatch: ready messages to consumers with credit, recorded as delivered
 *                   ─ commit: one write and, where anything asked for it, one sync
 *                   └ release: parked replies and deliveries go out
 * </pre>
 *
 * So nothing is confirmed or delivered before the group that records it is as safe as it has to be. What is in memory is ahead
 * of the disk for the length of a turn at most; should the commit fail, the engine stops for good, every parked reply
 * fails, and the directory must be opened again.
 *
 * <p>For one thread at a time; successive threads must hand it over with a happens-before.
 */
public final class Engine {
    private static final long FLOW_CHECK_MILLIS = 100;
    private static final long HEAP_LOOK_MILLIS = 100;

    final Storage storage;
    final EngineSettings settings;
    final Journal journal;
    final State state;
    final Records records;
    final Routes routes;
    final MessageFields fields;
    final StreamConsuming streamConsuming;
    private final Publishing publishing;
    private final Settling settling;
    private final Declaring declaring;
    private final Consuming consuming;
    private final QueueKeeping queueKeeping;
    private final StreamReading streamReading;
    private final Housekeeping housekeeping;

    private final LongMap<ConsumerState> consumers = new LongMap<>();
    private final List<Parked<?>> parked = new ArrayList<>();
    private final List<QueueState> touched = new ArrayList<>();
    private boolean syncWanted;
    private long syncs;
    private final List<Watch> flow = new CopyOnWriteArrayList<>();
    private boolean blocked;

    /** True from a publish that was refused for want of space on the disk until one that was not. */
    boolean spaceWanted;

    private long now;
    private long steady;
    private boolean steadyTold;
    private long nextHeapLook = Long.MIN_VALUE;
    private long indexHeapBytes;
    private @Nullable EngineException failure;

    /** A reply that waits for the end of the turn. */
    private record Parked<R>(Reply<R> reply, @Nullable R result) {
        @SuppressWarnings("NullAway") // a result is null exactly where its type is that of a nullable one
        void release() {
            reply.done(result);
        }
    }

    private Engine(
            Storage storage,
            EngineSettings settings,
            Journal journal,
            State state,
            Records records,
            PayloadFields payloads) {
        this.storage = storage;
        this.settings = settings;
        this.journal = journal;
        this.state = state;
        this.records = records;
        this.fields = new MessageFields(payloads);
        this.routes = new Routes(this);
        this.streamConsuming = new StreamConsuming(this);
        this.settling = new Settling(this);
        this.publishing = new Publishing(this, settling);
        this.declaring = new Declaring(this, settling);
        this.consuming = new Consuming(this, settling, declaring);
        this.streamReading = new StreamReading(this);
        this.queueKeeping = new QueueKeeping(this, settling, publishing);
        this.housekeeping = new Housekeeping(this, settling, declaring, streamReading);
    }

    /**
     * Opens a data directory, new or used: reads the newest checkpoint and applies what the journal holds behind it.
     *
     * @param storage stays the caller's to close, after the engine
     * @param nowMillis the time, in milliseconds since 1970
     * @param ids random numbers, for the journal's segment ids
     * @param damage told of damage that recovery goes on after
     * @throws IOException if the directory can't be read or is damaged, with what, where and what to do
     */
    public static Engine open(
            Storage storage,
            EngineSettings settings,
            PayloadFields payloads,
            long nowMillis,
            LongSupplier ids,
            java.util.function.Consumer<DamageReport> damage)
            throws IOException {
        MessageStore store = new MessageStore(settings.cacheBytes());
        State state = new State(store, new Router(payloads), new Groups());
        Recovery recovery = new Recovery(state, damage);
        // The low-water mark is for publishes: consumers may go below it, or nothing would ever get free.
        Journal journal = Journal.open(storage, settings.journal().withLowWaterBytes(0), nowMillis, ids, recovery);
        Engine engine = new Engine(storage, settings, journal, state, recovery.records(), payloads);
        engine.started(nowMillis);
        return engine;
    }

    private static final class Recovery implements RecoveryHandler {
        private final State state;
        private final java.util.function.Consumer<DamageReport> damage;
        private @Nullable Records records;

        Recovery(State state, java.util.function.Consumer<DamageReport> damage) {
            this.state = state;
            this.damage = damage;
        }

        Records records() {
            Records made = records;
            if (made == null) {
                throw new IllegalStateException("the journal was not opened");
            }
            return made;
        }

        @Override
        public void recovering(Journal journal) {
            state.store.attach(journal);
            records = new Records(journal, state);
        }

        @Override
        public void checkpoint(dev.postroad.journal.Snapshot snapshot) throws IOException {
            readSnapshot(state, snapshot.readAllBytes());
        }

        @Override
        public void batch(BatchView batch) throws JournalException {
            records().replay(batch);
        }

        @Override
        public void damaged(DamageReport report) {
            damage.accept(report);
        }
    }

    /** @throws JournalException if the bytes, which are what was written, make no sense */
    static void readSnapshot(State state, byte[] bytes) throws JournalException {
        try {
            state.read(ByteBuffer.wrap(bytes));
        } catch (RuntimeException e) {
            throw new JournalException(
                    "The checkpoint's snapshot (" + bytes.length + " bytes) is intact, but makes no sense: " + e
                            + ". Was it written by another version? Open the directory with that one",
                    e);
        }
    }

    private void started(long nowMillis) {
        now = nowMillis;
        state.groups.attach(journal.term(), state::stream);
        try {
            records.begin(nowMillis, 1, 16);
            records.restarted();
            records.end();
            syncWanted = true;
        } catch (EngineException e) {
            if (e.reason() != EngineException.Reason.FULL) {
                throw e;
            }
            // A full disk must be drained by somebody: the record only notes what every opening does.
            records.applyRestarted();
        }
        housekeeping.started();
        for (QueueState queue : state.queues()) {
            queue.counts.clear();
            touch(queue);
        }
        for (StreamState stream : state.streams()) {
            stream.counts.clear();
        }
    }

    // ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Carries out a command, as far as that goes before the turn ends; its reply comes from {@link #turn} at the earliest. */
    public void submit(Command command, long nowMillis) {
        now = Math.max(now, nowMillis);
        EngineException stopped = failure;
        if (stopped != null) {
            if (command instanceof Command.Inspect inspect) {
                inspect.reply().done(Inspection.of(this));
            } else {
                command.reply().failed(stopped);
            }
            return;
        }
        try {
            carryOut(command);
        } catch (EngineException refused) {
            command.reply().failed(refused);
        } catch (UncheckedIOException e) {
            fail(e.getCause() == null ? e : e.getCause());
            command.reply().failed(failed());
        } catch (RuntimeException | Error e) {
            if (records.open()) {
                fail(e);
                command.reply().failed(failed());
                throw e;
            }
            // Nothing of it was recorded, so that everybody else can go on.
            command.reply()
                    .failed(new EngineException(
                            EngineException.Reason.INVALID, "the command could not be carried out: " + e, e));
            if (e instanceof Error) {
                throw e;
            }
        }
    }

    private void carryOut(Command command) {
        switch (command) {
            case Command.Publish publish -> publishing.publish(publish);
            case Command.PublishEach each -> publishing.publishEach(each);
            case Command.Settle settle -> settling.settle(settle);
            case Command.Get get -> consuming.get(get);
            case Command.Credit credit -> consuming.credit(credit);
            case Command.Subscribe subscribe -> consuming.subscribe(subscribe);
            case Command.Unsubscribe unsubscribe -> consuming.unsubscribe(unsubscribe);
            case Command.CloseOwner close -> consuming.closeOwner(close);
            case Command.Transact transact -> publishing.transact(transact, consuming, streamReading);
            case Command.NewProducer producer -> publishing.newProducer(producer);
            case Command.Declare declare -> declaring.declare(declare);
            case Command.DeleteChannel delete -> declaring.deleteChannel(delete);
            case Command.DeleteTopic delete -> declaring.deleteTopic(delete);
            case Command.Bind bind -> declaring.bind(bind);
            case Command.Unbind unbind -> declaring.unbind(unbind);
            case Command.SetPolicy set -> declaring.setPolicy(set);
            case Command.DeletePolicy delete -> declaring.deletePolicy(delete);
            case Command.DeclareSharedGroup declare -> declaring.declareSharedGroup(declare);
            case Command.DeleteSharedGroup delete -> declaring.deleteSharedGroup(delete);
            case Command.Browse browse -> queueKeeping.browse(browse);
            case Command.Purge purge -> queueKeeping.purge(purge);
            case Command.Move move -> queueKeeping.move(move);
            case Command.Redrive redrive -> queueKeeping.redrive(redrive);
            case Command.PutBack putBack -> queueKeeping.putBack(putBack);
            case Command.Cancel cancel -> queueKeeping.cancel(cancel);
            case Command.Fetch fetch -> streamReading.fetch(fetch);
            case Command.OffsetAt offsetAt -> streamReading.offsetAt(offsetAt);
            case Command.CommitOffsets commit -> streamReading.commit(commit);
            case Command.GroupOffsets offsets -> streamReading.offsets(offsets);
            case Command.JoinGroup join -> streamReading.join(join);
            case Command.Heartbeat heartbeat -> streamReading.heartbeat(heartbeat);
            case Command.LeaveGroup leave -> streamReading.leave(leave);
            case Command.DeleteGroup delete -> streamReading.deleteGroup(delete);
            case Command.Describe describe -> park(describe.reply(), declaring.describe(describe), false);
            case Command.Inspect inspect -> park(inspect.reply(), Inspection.of(this), false);
        }
    }

    /** The reply goes out when the turn ends; after a sync, if it wants one. */
    <R> void park(Reply<R> reply, @Nullable R result, boolean sync) {
        parked.add(new Parked<>(reply, result));
        syncWanted |= sync;
    }

    /** What was recorded must be on disk before anything of this turn goes out. */
    void wantSync() {
        syncWanted = true;
    }

    /** The queue may have something to deliver. */
    void touch(QueueState queue) {
        if (!queue.touched) {
            queue.touched = true;
            touched.add(queue);
        }
    }

    long now() {
        return now;
    }

    /**
     * Tells, before {@link #submit} or {@link #turn}, the milliseconds of a clock that never jumps, counted from anywhere. Leases,
     * sessions and the engine's own errands go by it, so that they do not wait for a wall clock that was set back; what is to
     * happen at a time of day, and all that outlives a restart, goes by {@code nowMillis}. Where it is never told {@code
     * nowMillis} stands for it.
     */
    public void steadyTime(long millis) {
        steady = steadyTold ? Math.max(steady, millis) : millis;
        steadyTold = true;
    }

    long steady() {
        return steadyTold ? steady : now;
    }

    /** Estimate of the heap that all indexes take, a moment old at most: to ask each queue takes a while. */
    long indexHeapBytes() {
        if (steady() >= nextHeapLook) {
            nextHeapLook = steady() + HEAP_LOOK_MILLIS;
            indexHeapBytes = state.heapBytes();
        }
        return indexHeapBytes;
    }

    void forget(ConsumerState consumer) {
        consuming.forget(consumer);
    }

    LongMap<ConsumerState> consumers() {
        return consumers;
    }

    long syncs() {
        return syncs;
    }

    /** The queue or stream of this name as it was declared; null if there is none. From any thread. */
    public @Nullable Definition definition(String name) {
        return state.definition(name);
    }

    /** All policies, and what they make of what was declared. From any thread. */
    public PolicySet policies() {
        return state.policies();
    }

    /** The topic of this name as it was declared; null if there is none. From any thread. */
    public @Nullable TopicDefinition topic(String name) {
        return state.router.topic(name);
    }

    /** Why nothing is accepted any more; null while all is well. */
    public @Nullable EngineException failure() {
        return failure;
    }

    // ── The turn ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Does what time has brought, delivers, commits, and lets replies and deliveries out.
     *
     * @return when the next turn is due even if no command comes, in milliseconds since 1970; {@link Long#MAX_VALUE} if
     *     only a command makes one necessary; {@code now} if there is more to do at once
     */
    public long turn(long nowMillis) {
        now = Math.max(now, nowMillis);
        if (failure != null) {
            letOutFailures();
            return Long.MAX_VALUE;
        }
        boolean more = false;
        try {
            housekeeping.timers(now);
            more = dispatch();
            more |= streamConsuming.dispatch();
            streamReading.answerFetches(now);
            more |= housekeeping.maintain();
            commit();
        } catch (UncheckedIOException e) {
            fail(e.getCause() == null ? e : e.getCause());
        } catch (IOException e) {
            fail(e);
        } catch (RuntimeException | Error e) {
            fail(e);
            letOutFailures();
            throw e;
        }
        if (failure != null) {
            letOutFailures();
            return Long.MAX_VALUE;
        }
        consuming.letOutDeliveries();
        streamConsuming.letOutDeliveries();
        letOutReplies();
        tellFlow();
        if (blocked) {
            // Whether there is space again is not for a command to show: none may come.
            return Math.min(more || !touched.isEmpty() ? now : housekeeping.nextDue(now), now + FLOW_CHECK_MILLIS);
        }
        return more || !touched.isEmpty() ? now : housekeeping.nextDue(now);
    }

    private void tellFlow() {
        if (flow.isEmpty()) {
            return;
        }
        String reason = publishing.bound();
        blocked = reason != null;
        // Publishers that were told to wait send nothing more whose refusal could say so.
        spaceWanted |= blocked;
        for (Watch watch : flow) {
            if (reason != null && !watch.blocked) {
                watch.blocked = true;
                watch.sink.blocked(reason);
            } else if (reason == null && watch.blocked) {
                watch.blocked = false;
                watch.sink.unblocked();
            }
        }
    }

    /** Tells this sink, from the next turn on, when publishes are refused for want of disk or memory. From any thread. */
    public void watch(FlowSink sink) {
        flow.add(new Watch(sink));
    }

    /** Tells this sink no more. From any thread. */
    public void unwatch(FlowSink sink) {
        flow.removeIf(watch -> watch.sink == sink);
    }

    private static final class Watch {
        final FlowSink sink;

        /** What it was told last; the engine's thread's. */
        boolean blocked;

        Watch(FlowSink sink) {
            this.sink = sink;
        }
    }

    private boolean dispatch() {
        boolean more = false;
        int count = touched.size();
        for (int i = 0; i < count; i++) {
            QueueState queue = touched.get(i);
            queue.touched = false;
            if (state.queue(queue.id) == queue) {
                try {
                    if (consuming.dispatch(queue)) {
                        more = true;
                        touch(queue);
                    }
                } catch (EngineException e) {
                    if (e.reason() != EngineException.Reason.FULL) {
                        throw e;
                    }
                    // Consumers wait until there is space; nothing is lost.
                    housekeeping.later(queue);
                }
                housekeeping.schedule(queue);
            }
        }
        touched.subList(0, count).clear();
        return more;
    }

    private void commit() throws IOException {
        boolean sync = syncWanted || housekeeping.bufferedDue();
        if (journal.pending()) {
            journal.commit(sync);
            if (sync) {
                syncs++;
            }
            housekeeping.committed(sync);
        } else {
            // A checkpoint or the end of a segment has forced all there is.
            housekeeping.committed(true);
            journal.noteDurable();
        }
        syncWanted = false;
    }

    private void letOutReplies() {
        for (int i = 0; i < parked.size(); i++) {
            parked.get(i).release();
        }
        parked.clear();
    }

    private void letOutFailures() {
        EngineException cause = failed();
        for (Parked<?> waiting : parked) {
            waiting.reply().failed(cause);
        }
        parked.clear();
        consuming.dropDeliveries();
        streamConsuming.dropDeliveries();
        streamReading.failFetches(cause);
    }

    private void fail(Throwable cause) {
        if (failure == null) {
            failure = new EngineException(
                    EngineException.Reason.STORAGE_FAILED,
                    "the journal failed and nothing more is accepted: " + cause.getMessage()
                            + ". Check the disk, then start again: what was confirmed is there",
                    cause);
        }
    }

    private EngineException failed() {
        EngineException known = failure;
        return known != null ? known : new EngineException(EngineException.Reason.STORAGE_FAILED, "the journal failed");
    }

    // ── Checkpoints and space ────────────────────────────────────────────────────────────────────────────────────────

    /**
     * A checkpoint, if one is due: the caller writes it, on another thread if it likes, and then tells {@link
     * #checkpointed}. Between turns only.
     *
     * @param always true to take one although none is due
     */
    public @Nullable CheckpointTask checkpoint(boolean always) {
        if (failure != null || (!always && !housekeeping.checkpointDue())) {
            return null;
        }
        try {
            journal.commit(true);
        } catch (JournalException e) {
            fail(e);
            return null;
        }
        housekeeping.checkpointBegun();
        Snapshot snapshot = new Snapshot();
        state.write(snapshot);
        return new CheckpointTask(journal.checkpoint(), snapshot.finish());
    }

    /** A checkpoint that waits to be written. */
    public static final class CheckpointTask {
        private final CheckpointWriter writer;
        private final ByteBuffer snapshot;

        private CheckpointTask(CheckpointWriter writer, ByteBuffer snapshot) {
            this.writer = writer;
            this.snapshot = snapshot;
        }

        /** Writes and syncs it; on any thread. */
        public void write() throws IOException {
            writer.write(snapshot);
            writer.finish();
        }
    }

    /** The checkpoint is on disk: segments that nothing needs any more are taken out. */
    public void checkpointed(CheckpointTask task) {
        journal.checkpointWritten(task.writer);
        housekeeping.checkpointEnded();
    }

    /** The checkpoint could not be written; the one before stays, and another is tried later. */
    public void checkpointFailed() {
        housekeeping.checkpointEnded();
    }

    /** True if {@link #prepareSpare} has something to do. From any thread. */
    public boolean spareNeeded() {
        return journal.spareNeeded();
    }

    /** Prepares the journal's next segment, so that the turn that needs it does not have to. From any thread. */
    public void prepareSpare() throws JournalException {
        journal.prepareSpare();
    }

    /** True if {@link #writeBack} has something to do. From any thread. */
    public boolean writeBackNeeded() {
        return journal.writeBackNeeded();
    }

    /** Gets on with bringing to disk what is only buffered, so that its sync holds up the engine less. From any thread. */
    public void writeBack() throws JournalException {
        journal.writeBack();
    }

    /** What recovery found. */
    public dev.postroad.journal.RecoveryReport recovery() {
        return journal.recovery();
    }

    /** Commits what is left and closes the journal; consumers get no word. */
    public void close() throws IOException {
        EngineException closed = new EngineException(EngineException.Reason.CLOSED, "the engine is closed");
        try {
            if (failure == null) {
                turn(now);
            }
            journal.close();
        } finally {
            if (failure == null) {
                failure = closed;
            }
            streamReading.failFetches(closed);
        }
    }
}
