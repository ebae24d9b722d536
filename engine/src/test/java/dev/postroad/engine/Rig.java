package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.postroad.journal.DamageReport;
import dev.postroad.journal.JournalSettings;
import dev.postroad.journal.Storage;
import dev.postroad.simulation.disk.Crash;
import dev.postroad.simulation.disk.SimulatedDisk;
import dev.postroad.testkit.VirtualClock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An engine on a simulated disk and a virtual clock, driven by the test's own thread. {@link #crash} is a power cut: the
 * engine is dropped as it is, the disk keeps what a real one could have kept, and another engine opens it.
 */
final class Rig implements AutoCloseable {
    static final EngineSettings SMALL = EngineSettings.DEFAULTS
            .withJournal(JournalSettings.defaults()
                    .withSegmentBytes(1 << 20)
                    .withBufferBytes(64 << 10)
                    .withLowWaterBytes(0))
            .withCacheBytes(1 << 20)
            .withCheckpoints(1L << 40, 1L << 40);

    /** Turns without coming to rest after which something goes round in circles. */
    private static final int MOST_TURNS = 20_000;

    final VirtualClock clock = new VirtualClock();
    final List<DamageReport> damage = new ArrayList<>();

    /** All deliveries to all takers, in their order. */
    final List<EngineDelivery> log = new ArrayList<>();

    private final List<Taker> takers = new ArrayList<>();
    private final EngineSettings settings;
    private final PayloadFields payloads;
    private final Random random;
    private SimulatedDisk disk = new SimulatedDisk();
    private @Nullable Storage storage;
    private @Nullable Engine engine;
    private boolean dead;

    /** False where the test has damaged what the engine counts by. */
    boolean sound = true;

    /** Thrown from within a call on the disk: the process is gone at that instruction. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1;

        Killed(String at) {
            super("killed at " + at);
        }
    }

    Rig() {
        this(SMALL);
    }

    Rig(EngineSettings settings) {
        this(settings, PayloadFields.NONE, 1);
    }

    Rig(EngineSettings settings, PayloadFields payloads, long seed) {
        this.settings = settings;
        this.payloads = payloads;
        this.random = new Random(seed);
        open();
    }

    Engine engine() {
        Engine running = engine;
        if (running == null) {
            throw new IllegalStateException("the engine is not running");
        }
        return running;
    }

    SimulatedDisk disk() {
        return disk;
    }

    long now() {
        return clock.millis();
    }

    // ── The life of the process ──────────────────────────────────────────────────────────────────────────────────────

    void open() {
        try {
            Storage opened = disk.open();
            storage = opened;
            dead = false;
            engine = Engine.open(opened, settings, payloads, now(), random::nextLong, damage::add);
            run();
            if (sound) {
                check();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The machine loses power; of what was not synced anything may be left, as the rig's seed has it. */
    void crash() {
        List<Crash> ways = disk.crashes(24, random.nextLong());
        crash(ways.get(random.nextInt(ways.size())));
    }

    void crash(Crash how) {
        dead = true;
        engine = null;
        takers.clear();
        disk.listen(operation -> {});
        SimulatedDisk after = disk.crash(how);
        disk.killProcess();
        disk = after;
        open();
    }

    /** Closed and opened again in good order. */
    void restart() {
        close();
        open();
    }

    @Override
    public void close() {
        try {
            if (engine != null) {
                engine.close();
            }
            Storage opened = storage;
            if (opened != null) {
                opened.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            engine = null;
            storage = null;
            takers.clear();
        }
    }

    /** The process is killed at the n-th call on the disk that comes from now on, 1 being the next. */
    void killAtCall(long n) {
        long at = disk.calls() + n;
        disk.listen(operation -> {
            if (operation.number() >= at) {
                dead = true;
                throw new Killed(operation.toString());
            }
        });
    }

    // ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** The reply to a command: comes once at most. */
    final class Answer<R> implements Reply<R> {
        private @Nullable R result;
        private @Nullable EngineException refusal;
        private boolean come;

        @Override
        public void done(R value) {
            come();
            result = value;
        }

        @Override
        public void failed(EngineException cause) {
            if (dead) {
                return;
            }
            come();
            refusal = cause;
        }

        private void come() {
            assertThat(come).as("the reply came before").isFalse();
            come = true;
        }

        boolean hasCome() {
            return come;
        }

        boolean isDone() {
            return come && refusal == null;
        }

        @Nullable
        EngineException refusal() {
            return refusal;
        }

        @SuppressWarnings("NullAway") // results are as nullable as their type says
        R get() {
            assertThat(come).as("the reply has come").isTrue();
            EngineException known = refusal;
            if (known != null) {
                throw known;
            }
            return result;
        }
    }

    /** Submits, and does not run a turn. */
    <R> Answer<R> submit(Function<Reply<R>, Command> command) {
        Answer<R> answer = new Answer<>();
        engine().submit(command.apply(answer), now());
        return answer;
    }

    /** Submits and runs turns until there is nothing more to do. */
    <R> R call(Function<Reply<R>, Command> command) {
        Answer<R> answer = submit(command);
        run();
        return answer.get();
    }

    /** The command must be refused. */
    <R> EngineException refused(Function<Reply<R>, Command> command) {
        Answer<R> answer = submit(command);
        run();
        EngineException refusal = answer.refusal();
        if (refusal == null) {
            return fail("not refused");
        }
        return refusal;
    }

    /** Runs turns until the engine waits for time or for commands. Returns until when it waits. */
    long run() {
        for (int turns = 0; turns < MOST_TURNS; turns++) {
            long due = engine().turn(now());
            try {
                if (engine().spareNeeded() && engine().failure() == null) {
                    engine().prepareSpare();
                }
            } catch (IOException ignored) {
                // As in a broker: what could not be prepared is made when it is needed, or found missing then.
                assertThat(ignored).isNotNull();
            }
            Engine.CheckpointTask due1 = engine().checkpoint(false);
            if (due1 != null) {
                write(due1);
            }
            if (due > now()) {
                return due;
            }
        }
        return fail("the engine does not come to rest");
    }

    void checkpoint() {
        run();
        Engine.CheckpointTask task = engine().checkpoint(true);
        if (task != null) {
            write(task);
        }
    }

    private void write(Engine.CheckpointTask task) {
        try {
            task.write();
            engine().checkpointed(task);
        } catch (IOException e) {
            engine().checkpointFailed();
        }
    }

    /** Lets time pass, with the turns that come due on the way. */
    void advance(long millis) {
        long end = now() + millis;
        for (int steps = 0; steps < 500; steps++) {
            long due = run();
            if (due >= end) {
                break;
            }
            clock.advance(Duration.ofMillis(due - now()));
        }
        clock.advance(Duration.ofMillis(end - now()));
        run();
    }

    void check() {
        EngineInvariants.check(engine());
    }

    // ── Declaring ────────────────────────────────────────────────────────────────────────────────────────────────────

    boolean declare(Definition definition) {
        return call(reply -> new Command.Declare(definition, null, reply));
    }

    boolean bind(Binding binding) {
        return call(reply -> new Command.Bind(binding, reply));
    }

    boolean declareGroup(String stream, QueueDefinition definition, Command.Start start) {
        return call(reply -> new Command.DeclareSharedGroup(stream, definition, start, reply));
    }

    // ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

    static EngineMessage message(String text) {
        return EngineMessage.of(text.getBytes(StandardCharsets.UTF_8));
    }

    static EngineMessage keyed(String key, String text) {
        return message(text).withKey(key.getBytes(StandardCharsets.UTF_8));
    }

    static String text(EngineMessage message) {
        byte[] payload = message.payload();
        return payload == null ? "(tombstone)" : new String(payload, StandardCharsets.UTF_8);
    }

    static Function<Reply<Command.Published>, Command> publishing(String channel, EngineMessage... messages) {
        return reply -> new Command.Publish(null, channel, List.of(messages), null, false, null, reply);
    }

    static Function<Reply<Command.Published>, Command> publishingTo(
            String topic, String routingKey, EngineMessage... messages) {
        return reply -> new Command.Publish(topic, routingKey, List.of(messages), null, false, null, reply);
    }

    Command.Published send(String channel, EngineMessage... messages) {
        return call(publishing(channel, messages));
    }

    Command.Published send(String channel, String... texts) {
        EngineMessage[] messages = new EngineMessage[texts.length];
        for (int i = 0; i < texts.length; i++) {
            messages[i] = message(texts[i]);
        }
        return send(channel, messages);
    }

    Command.Published sendTo(String topic, String routingKey, EngineMessage... messages) {
        return call(publishingTo(topic, routingKey, messages));
    }

    // ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    List<Command.Browsed> browse(String channel) {
        return call(reply -> new Command.Browse(channel, null, null, 10_000, reply));
    }

    /** The payloads of a channel's messages, in order. */
    List<String> contents(String channel) {
        return browse(channel).stream().map(b -> text(b.message())).toList();
    }

    EngineStatus inspect() {
        return call(Command.Inspect::new);
    }

    EngineStatus.Queue status(String queue) {
        for (EngineStatus.Queue each : inspect().queues()) {
            if (each.definition().name().equals(queue)) {
                return each;
            }
        }
        return fail("there is no queue " + queue);
    }

    boolean exists(String queue) {
        return inspect().queues().stream().anyMatch(q -> q.definition().name().equals(queue));
    }

    // ── Consuming ────────────────────────────────────────────────────────────────────────────────────────────────────

    /** A consumer that keeps what it is given. */
    final class Taker implements DeliverySink {
        long id;
        final List<EngineDelivery> deliveries = new ArrayList<>();

        @Nullable
        String cancelled;

        @Override
        public void deliver(EngineDelivery delivery) {
            assertThat(cancelled).as("no delivery after the end").isNull();
            deliveries.add(delivery);
            log.add(delivery);
        }

        @Override
        public void cancelled(String reason) {
            cancelled = reason;
        }

        /** What has come since the last call. */
        List<EngineDelivery> take() {
            run();
            List<EngineDelivery> taken = List.copyOf(deliveries);
            deliveries.clear();
            return taken;
        }

        List<String> texts() {
            return take().stream().map(d -> text(d.message())).toList();
        }

        /** The one delivery that has come. */
        EngineDelivery one() {
            List<EngineDelivery> taken = take();
            assertThat(taken).hasSize(1);
            return taken.getFirst();
        }

        int settle(Command.Outcome outcome, EngineDelivery... of) {
            long[] numbers = new long[of.length];
            for (int i = 0; i < of.length; i++) {
                numbers[i] = of[i].number();
            }
            return call(reply -> new Command.Settle(id, numbers, numbers.length, outcome, reply));
        }

        /** Returns how many were not this consumer's any more. */
        int acknowledge(EngineDelivery... of) {
            return settle(Command.Outcome.Acknowledge.INSTANCE, of);
        }

        void acknowledgeAll() {
            for (List<EngineDelivery> got = take(); !got.isEmpty(); got = take()) {
                acknowledge(got.toArray(EngineDelivery[]::new));
            }
        }

        int release(EngineDelivery... of) {
            return settle(new Command.Outcome.Release(0, null, true), of);
        }

        int releaseAfter(long millis, EngineDelivery... of) {
            return settle(new Command.Outcome.Release(millis, "not now", true), of);
        }

        int deadLetter(String reason, EngineDelivery... of) {
            return settle(new Command.Outcome.DeadLetter(reason), of);
        }

        int extend(long millis, EngineDelivery... of) {
            return settle(new Command.Outcome.Extend(millis), of);
        }

        int credit(int more) {
            return call(reply -> new Command.Credit(id, more, reply));
        }

        int leave() {
            return call(reply -> new Command.Unsubscribe(id, true, reply));
        }
    }

    Taker consume(String queue, int credit) {
        return consume(queue, null, Command.ConsumerSettings.prefetch(credit, "test"));
    }

    Taker consumeGroup(String stream, String group, int credit) {
        return consume(stream, group, Command.ConsumerSettings.prefetch(credit, "test"));
    }

    Taker consume(String channel, @Nullable String group, Command.ConsumerSettings how) {
        Taker taker = new Taker();
        Answer<Long> answer = submit(reply -> new Command.Subscribe(channel, group, how, taker, reply));
        EngineException refusal = answer.refusal();
        if (refusal != null) {
            throw refusal;
        }
        run();
        taker.id = answer.get();
        takers.add(taker);
        return taker;
    }

    /** Everything the queue will deliver now, acknowledged. */
    List<String> drain(String queue) {
        Taker taker = consume(queue, 1000);
        List<String> all = new ArrayList<>();
        for (List<EngineDelivery> got = taker.take(); !got.isEmpty(); got = taker.take()) {
            got.forEach(d -> all.add(text(d.message())));
            taker.acknowledge(got.toArray(EngineDelivery[]::new));
        }
        taker.leave();
        return all;
    }

    static Map<String, Object> header(String name, Object value) {
        return Map.of(name, value);
    }
}
