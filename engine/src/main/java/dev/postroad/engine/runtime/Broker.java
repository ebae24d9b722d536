package dev.postroad.engine.runtime;

import dev.postroad.engine.Command;
import dev.postroad.engine.Definition;
import dev.postroad.engine.Engine;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.FlowSink;
import dev.postroad.engine.PayloadFields;
import dev.postroad.engine.PolicySet;
import dev.postroad.engine.Reply;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.journal.DamageReport;
import dev.postroad.journal.FileStorage;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.MemoryStorage;
import dev.postroad.journal.Storage;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A running broker: an {@link Engine} with a thread of its own, for use by any number of threads.
 *
 * <p>Commands of one thread are carried out in its order. Replies and deliveries come on the broker's thread, or on that of a
 * caller that waits in {@link #await}: they must be quick and must not block.
 *
 * <p>A platform thread that waits for its reply, and finds the broker idle, runs the turn itself: that saves two hand-overs
 * between threads, which cost about as much as half a sync. So the engine is passed from thread to thread, but only one has it
 * at a time.
 */
public final class Broker implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Broker.class.getName());
    private static final int COMMANDS_PER_TURN = 16_384;
    private static final int SPINS = 200;

    /** Where turns take longer than this, event loops leave them to the broker's thread: they have other connections. */
    private static final long LONG_TURN_NANOS = 20_000_000;

    private final Connections connections = new Connections();
    private final Engine engine;
    private final Storage storage;
    private final CommandQueue commands;
    private final AtomicBoolean owned = new AtomicBoolean();
    private final Thread thread;
    private final Thread keeper;
    private final RecoveryReport recovery;
    private final PayloadFields payloads;
    private final BrokerClock clock;
    private final boolean storageIsOurs;
    private volatile boolean closing;
    private volatile boolean sleeping;
    private volatile boolean stopped;
    private volatile @Nullable EngineException failure;

    /** Who runs a turn. Only ever compared with the current thread, so that a stale value does no harm. */
    private @Nullable Thread runner;

    /** When the next turn is due without a command. Written by who runs turns. */
    private volatile long nextDue;

    /** How long the last turn took. */
    private volatile long turnNanos;

    /** Until when the broker's thread means to sleep, at most. */
    private volatile long wakeAt;

    private volatile Engine.@Nullable CheckpointTask checkpointToWrite;
    private volatile Engine.@Nullable CheckpointTask checkpointDone;
    private volatile boolean checkpointFailed;

    /**
     * What opening found.
     *
     * @param duration of the opening
     * @param batches replayed behind the checkpoint
     * @param records in them
     * @param tailCut true if a crash had torn the last group, which nobody had been told was stored
     * @param damage what could not be read, if opening went on after it
     */
    public record RecoveryReport(
            Duration duration, long batches, long records, boolean tailCut, List<DamageReport> damage) {}

    private Broker(Engine engine, Storage storage, BrokerSettings settings, RecoveryReport recovery) {
        this.engine = engine;
        this.storage = storage;
        this.commands = new CommandQueue(settings.commandQueue());
        this.payloads = settings.payloads();
        this.clock = settings.clock();
        this.storageIsOurs = !(settings.location() instanceof BrokerSettings.Location.Given);
        this.recovery = recovery;
        this.thread = Thread.ofPlatform().name("postroad-broker").daemon(true).unstarted(this::run);
        this.keeper = Thread.ofPlatform().name("postroad-keeper").daemon(true).unstarted(this::keep);
    }

    /**
     * Opens a broker on its journal, new or used.
     *
     * @throws EngineException {@code IN_USE} if another process has the directory, {@code STORAGE_FAILED} if it can't be
     *     read, is damaged or of a newer version, with what, where and what to do
     */
    public static Broker open(BrokerSettings settings) {
        long begun = System.nanoTime();
        Storage storage = storage(settings);
        boolean ours = !(settings.location() instanceof BrokerSettings.Location.Given);
        try {
            SecureRandom random = new SecureRandom();
            List<DamageReport> damage = new ArrayList<>();
            Engine engine = Engine.open(
                    storage,
                    settings.engine(),
                    settings.payloads(),
                    settings.clock().wallMillis(),
                    random::nextLong,
                    damage::add);
            dev.postroad.journal.RecoveryReport found = engine.recovery();
            Broker broker = new Broker(
                    engine,
                    storage,
                    settings,
                    new RecoveryReport(
                            Duration.ofNanos(System.nanoTime() - begun),
                            found.batches(),
                            found.records(),
                            found.tailCut(),
                            List.copyOf(damage)));
            broker.thread.start();
            broker.keeper.start();
            return broker;
        } catch (IOException e) {
            if (ours) {
                closeQuietly(storage);
            }
            // The journal's own exceptions say all of it; the system's do not even say where.
            String what = e instanceof JournalException
                    ? message(e)
                    : storage.location() + " cannot be opened: " + message(e)
                            + ". Nothing is lost by it: put right what the disk lacks, and start again.";
            throw new EngineException(EngineException.Reason.STORAGE_FAILED, what, e);
        } catch (RuntimeException | Error e) {
            if (ours) {
                closeQuietly(storage);
            }
            throw e;
        }
    }

    private static Storage storage(BrokerSettings settings) {
        try {
            return switch (settings.location()) {
                case BrokerSettings.Location.Directory directory -> FileStorage.open(directory.path());
                case BrokerSettings.Location.Memory memory -> new MemoryStorage(memory.maxBytes());
                case BrokerSettings.Location.Given given -> given.storage();
            };
        } catch (IOException e) {
            EngineException.Reason reason = e instanceof dev.postroad.journal.DirectoryInUseException
                    ? EngineException.Reason.IN_USE
                    : EngineException.Reason.STORAGE_FAILED;
            throw new EngineException(reason, message(e), e);
        }
    }

    private static String message(Throwable e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private static void closeQuietly(Storage storage) {
        try {
            storage.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "the data directory could not be let go: {0}", message(e));
        }
    }

    // ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Hands a command over. While the queue of commands is full the caller waits: that is the backpressure. A reply or a
     * delivery sink, which must not block, is refused with {@code FULL} instead.
     */
    public void submit(Command command) {
        enqueue(command);
        wake();
    }

    private void enqueue(Command command) {
        if (closing) {
            command.reply().failed(closed());
            return;
        }
        for (int spins = 0; !commands.offer(command); spins++) {
            if (stopped) {
                command.reply().failed(closed());
                return;
            }
            if (runningTurn()) {
                command.reply()
                        .failed(new EngineException(
                                EngineException.Reason.FULL,
                                "the queue of commands is full, and a callback can't wait for the broker"));
                return;
            }
            if (spins > 100) {
                wake();
                LockSupport.parkNanos(50_000);
            } else {
                Thread.onSpinWait();
            }
        }
        if (stopped && !runningTurn()) {
            refuseRest();
        }
    }

    private boolean runningTurn() {
        return runner == Thread.currentThread();
    }

    private static EngineException closed() {
        return new EngineException(EngineException.Reason.CLOSED, "the broker is closed");
    }

    private void wake() {
        // The command must be visible before this thread looks whether the broker sleeps, and the other way round
        // there.
        VarHandle.fullFence();
        if (sleeping) {
            LockSupport.unpark(thread);
        }
    }

    /** A command whose reply comes as a future, completed on the broker's thread; what follows it must not block. */
    public <R> CompletableFuture<R> call(Function<Reply<R>, Command> command) {
        FutureReply<R> reply = new FutureReply<>();
        submit(command.apply(reply));
        return reply;
    }

    private static final class FutureReply<R> extends CompletableFuture<R> implements Reply<R> {
        @Override
        public void done(R result) {
            complete(result);
        }

        @Override
        public void failed(EngineException cause) {
            completeExceptionally(cause);
        }
    }

    /**
     * A command, waiting for its reply.
     *
     * @throws EngineException if it was refused or failed; {@code CLOSED} if the caller was interrupted, with the interrupt
     *     kept: the outcome is unknown then
     * @throws IllegalStateException from within a reply or a delivery sink, where it would wait for itself
     */
    public <R> R await(Function<Reply<R>, Command> command) {
        requireNoTurn();
        FutureReply<R> reply = new FutureReply<>();
        enqueue(command.apply(reply));
        lead(reply);
        if (!reply.isDone()) {
            wake();
        }
        try {
            return reply.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException(
                    EngineException.Reason.CLOSED,
                    "interrupted while waiting for the broker: the outcome is unknown",
                    e);
        } catch (ExecutionException | CompletionException e) {
            if (e.getCause() instanceof EngineException refused) {
                throw refused;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    /**
     * Runs turns on the caller's thread until a reply is there or nothing is left to do, if nobody else is running them; for a
     * caller who would only wait for it. A virtual thread returns at once: it would hold on to its carrier through every sync.
     *
     * @param reply completed by the reply of a command that was submitted
     * @throws IllegalStateException from within a reply or a delivery sink, if it is not there yet
     */
    public void lead(CompletableFuture<?> reply) {
        if (reply.isDone()) {
            return;
        }
        requireNoTurn();
        if (stopped
                || Thread.currentThread().isVirtual()
                || Thread.currentThread() == thread
                || !owned.compareAndSet(false, true)) {
            return;
        }
        try {
            // A reply that one turn with nothing behind it does not bring is one that waits: for a message to come,
            // say.
            do {
                turn();
            } while (!reply.isDone() && !stopped && failure == null && !commands.isEmpty());
        } finally {
            release();
        }
        // What came meanwhile, and what is due before the broker's thread would look, is that thread's again. If
        // nothing is, it
        // sleeps on: else it would have the engine just when this caller, who sends one after the other, wants it
        // again.
        VarHandle.fullFence();
        if (sleeping && (nextDue < wakeAt || !quiet())) {
            LockSupport.unpark(thread);
        }
    }

    /**
     * As {@link #submit}, for a thread that hands over several commands and calls {@link #drive} behind the last: until then
     * the broker may not look at them.
     */
    public void stage(Command command) {
        enqueue(command);
    }

    /**
     * Has what was staged carried out: on this thread if nobody runs turns and the last ones were short, else on the one that
     * does. For an event loop, which then has the replies at once, without two hand-overs between threads, and for which what
     * arrives during the sync makes the next group. Does nothing within a reply or a delivery sink: the turn is under way.
     */
    public void drive() {
        if (runningTurn()) {
            return;
        }
        if (stopped || turnNanos > LONG_TURN_NANOS || !owned.compareAndSet(false, true)) {
            wake();
            return;
        }
        boolean ended = false;
        try {
            turn();
        } catch (RuntimeException | Error e) {
            ended = true;
        } finally {
            release();
        }
        if (ended) {
            refuseRest();
            return;
        }
        VarHandle.fullFence();
        if (sleeping && (nextDue < wakeAt || !quiet())) {
            LockSupport.unpark(thread);
        }
    }

    private void requireNoTurn() {
        if (runningTurn()) {
            throw new IllegalStateException(
                    "a callback of the broker waits for the broker, and would do so for ever: callbacks must not block; go on"
                            + " with another thread (whenCompleteAsync, say)");
        }
    }

    private void release() {
        owned.set(false);
    }

    // ── The broker's thread ──────────────────────────────────────────────────────────────────────────────────────────

    private void run() {
        while (!stopped) {
            if (!owned.compareAndSet(false, true)) {
                // A waiting caller leads; it wakes this thread if it leaves something to do.
                wakeAt = Long.MAX_VALUE;
                sleeping = true;
                LockSupport.parkNanos(1_000_000);
                sleeping = false;
                continue;
            }
            boolean empty = false;
            boolean ended = false;
            try {
                turn();
                empty = commands.isEmpty();
                if (closing && empty) {
                    finish();
                    return;
                }
            } catch (RuntimeException | Error e) {
                ended = true;
            } finally {
                release();
            }
            if (ended) {
                refuseRest();
                return;
            }
            if (empty) {
                idle();
            }
        }
    }

    private void idle() {
        for (int i = 0; i < SPINS; i++) {
            if (!quiet()) {
                return;
            }
            Thread.onSpinWait();
        }
        long due = nextDue;
        wakeAt = due;
        sleeping = true;
        VarHandle.fullFence();
        try {
            if (quiet() && nextDue >= due) {
                long millis = Math.min(due - clock.wallMillis(), 1_000);
                if (millis > 0) {
                    LockSupport.parkNanos(millis * 1_000_000);
                }
            }
        } finally {
            sleeping = false;
        }
    }

    private boolean quiet() {
        return commands.isEmpty() && !closing && checkpointDone == null && !checkpointFailed;
    }

    /** One turn: what has come, then what follows from it. Only by the thread that owns the engine. */
    private void turn() {
        runner = Thread.currentThread();
        long begun = System.nanoTime();
        try {
            carryOutTurn();
            turnNanos = System.nanoTime() - begun;
        } catch (RuntimeException | Error e) {
            if (failure == null) {
                LOG.log(System.Logger.Level.ERROR, "the broker stops: a turn failed", e);
                failure = new EngineException(
                        EngineException.Reason.STORAGE_FAILED, "the broker stopped: " + message(e), e);
            }
            stopped = true;
            throw e;
        } finally {
            runner = null;
        }
    }

    private void carryOutTurn() {
        long now = clock.wallMillis();
        engine.steadyTime(clock.steadyMillis());
        int count = 0;
        for (Command command = commands.poll(); command != null; command = commands.poll()) {
            engine.submit(command, now);
            if (++count == COMMANDS_PER_TURN) {
                break;
            }
        }
        nextDue = engine.turn(now);
        EngineException failed = engine.failure();
        if (failed != null) {
            if (failure == null) {
                LOG.log(System.Logger.Level.ERROR, "the broker accepts nothing more: {0}", failed.getMessage());
            }
            failure = failed;
        } else {
            keepCheckpoints();
            if (engine.spareNeeded() || engine.writeBackNeeded()) {
                LockSupport.unpark(keeper);
            }
        }
    }

    private void keepCheckpoints() {
        Engine.CheckpointTask done = checkpointDone;
        if (done != null) {
            checkpointDone = null;
            engine.checkpointed(done);
        }
        if (checkpointFailed) {
            checkpointFailed = false;
            engine.checkpointFailed();
        }
        if (checkpointToWrite == null) {
            Engine.CheckpointTask task = engine.checkpoint(false);
            if (task != null) {
                checkpointToWrite = task;
                LockSupport.unpark(keeper);
            }
        }
    }

    private void refuseRest() {
        while (!owned.compareAndSet(false, true)) {
            Thread.onSpinWait();
        }
        try {
            EngineException cause = failure == null ? closed() : failure;
            for (Command command = commands.poll(); command != null; command = commands.poll()) {
                command.reply().failed(cause == null ? closed() : cause);
            }
        } finally {
            release();
        }
    }

    // ── The keeper's thread ──────────────────────────────────────────────────────────────────────────────────────────

    private void keep() {
        while (!stopped) {
            try {
                if (engine.spareNeeded()) {
                    engine.prepareSpare();
                }
            } catch (JournalException e) {
                LOG.log(System.Logger.Level.WARNING, "the next segment could not be prepared: {0}", message(e));
            }
            writeBack();
            Engine.CheckpointTask task = checkpointToWrite;
            if (task != null) {
                try {
                    task.write();
                    checkpointDone = task;
                } catch (IOException e) {
                    LOG.log(System.Logger.Level.WARNING, "a checkpoint could not be written: {0}", message(e));
                    checkpointFailed = true;
                }
                checkpointToWrite = null;
                LockSupport.unpark(thread);
                continue;
            }
            LockSupport.parkNanos(1_000_000_000);
        }
    }

    private void writeBack() {
        if (engine.writeBackNeeded()) {
            try {
                engine.writeBack();
            } catch (JournalException e) {
                // The journal accepts nothing more: the next turn finds out, and says so.
                LockSupport.unpark(thread);
            }
        }
    }

    // ── State and end ────────────────────────────────────────────────────────────────────────────────────────────────

    /** Why nothing is accepted any more; empty while all is well. */
    public Optional<String> failure() {
        EngineException known = failure;
        return known == null ? Optional.empty() : Optional.ofNullable(known.getMessage());
    }

    /** The queue or stream of this name as it was declared; null if there is none. Asks nobody, and waits for nothing. */
    public @Nullable Definition definition(String name) {
        return engine.definition(name);
    }

    /** All policies, and what they make of what was declared. Asks nobody, and waits for nothing. */
    public PolicySet policies() {
        return engine.policies();
    }

    /** Tells this sink when publishes are refused for want of disk or memory. From any thread. */
    public void watch(FlowSink sink) {
        engine.watch(sink);
        wake();
    }

    /** Tells this sink no more. From any thread. */
    public void unwatch(FlowSink sink) {
        engine.unwatch(sink);
    }

    /** The topic of this name as it was declared; null if there is none. From any thread. */
    public @Nullable TopicDefinition topic(String name) {
        return engine.topic(name);
    }

    /** How rules look into payloads here. */
    public PayloadFields payloads() {
        return payloads;
    }

    /** Who is connected: protocols enter their connections there. */
    public Connections connections() {
        return connections;
    }

    /** The time of day by its clock, in milliseconds since 1970. */
    public long wallMillis() {
        return clock.wallMillis();
    }

    /**
     * When there is something to do again without a command, by the time of day; {@link Long#MAX_VALUE} if never. As of the last
     * turn: for tests that move the clock.
     */
    public long nextDueMillis() {
        return nextDue;
    }

    /** What opening found. */
    public RecoveryReport recovery() {
        return recovery;
    }

    /** By the broker's thread, with the engine owned: a last checkpoint makes the next start quick. */
    private void finish() {
        try {
            while (checkpointToWrite != null) {
                LockSupport.unpark(keeper);
                LockSupport.parkNanos(1_000_000);
            }
            keepFinished();
            if (engine.failure() == null) {
                Engine.CheckpointTask task = engine.checkpoint(true);
                if (task != null) {
                    task.write();
                    engine.checkpointed(task);
                }
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "the last checkpoint could not be written: {0}", message(e));
        } finally {
            stopped = true;
        }
    }

    private void keepFinished() {
        Engine.CheckpointTask done = checkpointDone;
        if (done != null) {
            checkpointDone = null;
            engine.checkpointed(done);
        }
    }

    /** Carries out what was submitted, writes a checkpoint, and lets the directory go. Idempotent; waits for the end. */
    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive() || keeper.isAlive()) {
            try {
                thread.join();
                stopped = true;
                LockSupport.unpark(keeper);
                keeper.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        synchronized (this) {
            closeFiles();
        }
        refuseRest();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean filesClosed;

    private void closeFiles() {
        if (filesClosed) {
            return;
        }
        filesClosed = true;
        try {
            engine.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "the journal could not be closed cleanly: {0}", message(e));
        } finally {
            if (storageIsOurs) {
                closeQuietly(storage);
            }
        }
    }
}
