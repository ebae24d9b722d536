package dev.postroad.simulation.faults;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.Engine;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.PayloadFields;
import dev.postroad.engine.Reply;
import dev.postroad.journal.DamageReport;
import dev.postroad.journal.Storage;
import dev.postroad.simulation.disk.SimulatedDisk;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A program on the engine. Beside the engine goes an {@link Expectation}; after each command its state is noted as text, and
 * what comes back after a fault must be one of these, none older than the last that was confirmed:
 *
 * <pre>
 *   states:   s0  s1  s2 │ s3  s4  s5
 *                        │ └ confirmed: s3, s4 and s5 may come back; s2 would be a loss, anything else an invention
 * </pre>
 */
final class EngineTrial implements Trial {
    private static final int MOST_TURNS = 500;

    /** Thrown to end a program after the disk has failed. */
    private static final class Ended extends RuntimeException {
        private static final long serialVersionUID = 1;

        Ended() {
            super("the program ends", null, false, false);
        }
    }

    /** A delivery that is not settled. */
    record Taken(String queue, long consumer, EngineDelivery delivery, Expectation.Held held) {}

    private final Program program;
    private final SimulatedDisk disk;
    private final Random random;
    private final Random chance;
    private final boolean looking;
    private final List<DamageReport> damage = new ArrayList<>();
    private final List<String> done = new ArrayList<>();
    private @Nullable Storage storage;
    private @Nullable Engine engine;
    private boolean begun;
    private boolean dying;

    private final List<String> noted;
    private int notes;
    private final List<String> states = new ArrayList<>();
    private int confirmed;
    private boolean weak;

    final Universe universe = new Universe();
    final List<Taken> taken = new ArrayList<>();
    private Expectation expected = new Expectation();
    private long now = 1_000_000;
    private long words;

    EngineTrial(Program program, SimulatedDisk disk) {
        this(program, disk, true, new ArrayList<>());
    }

    /**
     * One of many runs of the same program.
     *
     * @param looking true to judge the data at some of the restarts on the way; false where other runs do, and this one is about
     *     what comes of a fault: as long as none is met there is nothing new to be seen
     * @param noted what earlier runs have noted, in order, as long as they had met no fault: this one notes the same up to there,
     *     and goes on with what is new
     */
    EngineTrial(Program program, SimulatedDisk disk, boolean looking, List<String> noted) {
        this.looking = looking;
        this.noted = noted;
        this.program = program;
        this.disk = disk;
        this.random = new Random(program.seed());
        this.chance = new Random(program.seed() ^ 0x5DEECE66DL);
    }

    // ── The program's life ───────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void run() {
        note();
        try {
            open();
            for (Program.Step step : program.preparations()) {
                carryOut(step);
            }
            begun = true;
            for (Program.Step step : program.steps()) {
                carryOut(step);
            }
        } catch (Ended faulty) {
            done.add("(the disk failed: end)");
        } catch (EngineException | Broken e) {
            // After a fault the program may not find what it expects; what it leaves behind is judged all the same.
            if (!disk.faultMet()) {
                throw e;
            }
            done.add("(the disk failed: " + e.getMessage() + ")");
        }
    }

    private void carryOut(Program.Step step) {
        done.add(step.text());
        step.action().on(this, random);
    }

    @Override
    public boolean begun() {
        return begun;
    }

    @Override
    public String trace() {
        return program.name() + ": " + String.join(", ", done);
    }

    private void open() {
        try {
            Storage opened = disk.open();
            storage = opened;
            engine = Engine.open(opened, Observation.SETTINGS, PayloadFields.NONE, now, random::nextLong, damage::add);
        } catch (IOException e) {
            throw ended(e);
        }
        turn();
        if (!damage.isEmpty()) {
            throw new Broken("damage is reported where there is none: " + damage);
        }
    }

    /** The disk failed, and the program with it; without a fault that is a broken promise. */
    private RuntimeException ended(Throwable why) {
        return disk.faultMet() ? new Ended() : new Broken("it fails on a good disk: " + why.getMessage(), why);
    }

    private Engine engine() {
        Engine running = engine;
        if (running == null) {
            throw new IllegalStateException("the engine is not running");
        }
        return running;
    }

    /** Closed in good order, or killed; then opened again. */
    void restart(boolean inGoodOrder) {
        Engine running = engine();
        Storage open = storage;
        dying = true;
        try {
            if (inGoodOrder) {
                running.close();
            }
            if (open != null) {
                open.close();
            }
        } catch (IOException e) {
            throw ended(e);
        }
        disk.killProcess();
        dying = false;
        engine = null;
        taken.clear();
        open();
        expected.restart(now);
        note();
        confirm();
        if (chance.nextInt(4) == 0 && (looking || disk.faultMet())) {
            recover(disk.copy(), false, Observation.Opened.NOTHING);
        }
    }

    @Override
    public String recover(SimulatedDisk after, boolean thorough, Observation.Opened opened) {
        String found = Observation.of(after, Observation.SETTINGS, now, universe, thorough, opened);
        for (int i = states.size() - 1; i >= confirmed; i--) {
            if (states.get(i).equals(found)) {
                return found;
            }
        }
        throw new Broken(difference(found));
    }

    private String difference(String found) {
        for (int i = 0; i < confirmed; i++) {
            if (states.get(i).equals(found)) {
                return "a confirmed change is lost: " + lines(states.get(confirmed), found);
            }
        }
        return (states.size() - 1 == confirmed ? "" : "of " + (states.size() - confirmed) + " states that may be, ")
                + "none is there: " + lines(states.getLast(), found);
    }

    private static String lines(String expected, String found) {
        List<String> wanted = new ArrayList<>(List.of(expected.split("\n")));
        List<String> there = new ArrayList<>(List.of(found.split("\n")));
        List<String> both = new ArrayList<>(wanted);
        both.retainAll(there);
        wanted.removeAll(both);
        there.removeAll(both);
        return "expected " + wanted + ", found " + there;
    }

    // ── Turns ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Notes the state after a command. */
    private void note() {
        int at = notes++;
        boolean faulty = disk.faultMet();
        if (faulty || at >= noted.size()) {
            String state = expected.afterRestart(now);
            states.add(state);
            if (!faulty && at == noted.size()) {
                noted.add(state);
            }
        } else {
            states.add(noted.get(at));
        }
    }

    private void confirm() {
        if (!weak) {
            confirmed = states.size() - 1;
        }
    }

    private void turn() {
        int turns = 0;
        while (engine().turn(now) <= now) {
            if (++turns > MOST_TURNS) {
                throw new Broken("the engine does not come to rest");
            }
        }
        if (chance.nextInt(3) == 0) {
            engine().turn(now); // as when nothing comes for a moment
        }
        EngineException failure = engine().failure();
        if (failure != null) {
            throw ended(failure);
        }
    }

    private <R> Observation.Answer<R> submit(String what, Function<Reply<R>, Command> command) {
        Observation.Answer<R> answer = new Observation.Answer<>(what);
        engine().submit(command.apply(answer), now);
        Reason reason = answer.reason();
        if (reason == Reason.STORAGE_FAILED) {
            throw ended(new IOException("the journal failed"));
        }
        return answer;
    }

    private static boolean refused(Observation.Answer<?> answer) {
        return answer.reason() != null;
    }

    /**
     * Submits a command that changes something.
     *
     * @param change what it changes, unless it is refused
     */
    private <R> Observation.Answer<R> change(String what, Function<Reply<R>, Command> command, Runnable change) {
        Observation.Answer<R> answer = submit(what, command);
        if (!refused(answer)) {
            change.run();
            note();
            confirmWith(answer);
        } else if (!disk.faultMet()) {
            answer.get();
        }
        return answer;
    }

    /** The moment the answer comes, the state just noted is confirmed: whatever goes wrong from then on is a loss. */
    private void confirmWith(Observation.Answer<?> answer) {
        int state = states.size() - 1;
        if (!weak) {
            answer.whenDone(() -> confirmed = Math.max(confirmed, state));
        }
    }

    /** Ends the turn: what was submitted is confirmed now. */
    void flush() {
        turn();
        confirm();
    }

    private static <R> void expect(Observation.Answer<R> answer, R value) {
        if (!refused(answer) && !answer.get().equals(value)) {
            throw new Broken(answer + " says " + answer.get() + " and should say " + value);
        }
        if (answer.twice()) {
            throw new Broken(answer + " was answered twice");
        }
    }

    /** Submits, ends the turn, and compares the result. */
    private <R> void call(String what, Function<Reply<R>, Command> command, Runnable change, R result) {
        Observation.Answer<R> answer = change(what, command, change);
        flush();
        expect(answer, result);
    }

    // ── What programs do ─────────────────────────────────────────────────────────────────────────────────────────────

    Expectation expected() {
        return expected;
    }

    long now() {
        return now;
    }

    String word() {
        return "m" + ++words;
    }

    void declare(dev.postroad.engine.Definition definition) {
        boolean isStream = definition instanceof dev.postroad.engine.StreamDefinition;
        Map<String, ?> otherKind = isStream ? expected.queues : expected.streams;
        if (otherKind.containsKey(definition.name())) {
            Observation.Answer<Boolean> answer =
                    submit("declare otherwise", reply -> new Command.Declare(definition, null, reply));
            if (answer.reason() != Reason.MISMATCH && !disk.faultMet()) {
                throw new Broken(definition.name() + " is declared otherwise than it is, and is not refused");
            }
            return;
        }
        boolean fresh = !expected.exists(definition.name()) && !expected.topics.containsKey(definition.name());
        call(
                "declare " + definition.name(),
                reply -> new Command.Declare(definition, null, reply),
                () -> {
                    switch (definition) {
                        case dev.postroad.engine.QueueDefinition queue when fresh -> expected.declare(queue);
                        case dev.postroad.engine.StreamDefinition stream when fresh -> expected.declare(stream);
                        case dev.postroad.engine.TopicDefinition topic ->
                            expected.topics.putIfAbsent(topic.name(), new java.util.TreeSet<>());
                        default -> {
                            return;
                        }
                    }
                },
                fresh);
    }

    void declareGroup(String stream, dev.postroad.engine.QueueDefinition definition) {
        if (expected.queues.containsKey(stream + "/" + definition.name()) || !expected.streams.containsKey(stream)) {
            return;
        }
        call(
                "declare group " + definition.name(),
                reply -> new Command.DeclareSharedGroup(stream, definition, new Command.Start.Earliest(), reply),
                () -> expected.declareGroup(stream, definition, now),
                true);
    }

    void bind(String topic, String channel) {
        java.util.Set<String> channels = expected.topics.get(topic);
        if (channels == null || !expected.exists(channel)) {
            return;
        }
        call(
                "bind " + channel,
                reply -> new Command.Bind(dev.postroad.engine.Binding.toChannel(topic, channel, ""), reply),
                () -> channels.add(channel),
                !channels.contains(channel));
    }

    void unbind(String topic, String channel) {
        java.util.Set<String> channels = expected.topics.get(topic);
        if (channels != null && channels.contains(channel)) {
            call(
                    "unbind " + channel,
                    reply -> new Command.Unbind(dev.postroad.engine.Binding.toChannel(topic, channel, ""), reply),
                    () -> channels.remove(channel),
                    true);
        }
    }

    void delete(String name) {
        if (!expected.exists(name)) {
            return;
        }
        taken.removeIf(each -> each.queue.equals(name) || each.queue.startsWith(name + "/"));
        this.<Long>change(
                "delete " + name,
                reply -> new Command.DeleteChannel(name, false, false, null, reply),
                () -> expected.delete(name));
        flush();
    }

    void purge(String name) {
        if (expected.exists(name)) {
            long[] purged = new long[1];
            Observation.Answer<Long> answer = change(
                    "purge " + name, reply -> new Command.Purge(name, reply), () -> purged[0] = expected.purge(name));
            flush();
            expect(answer, purged[0]);
        }
    }

    EngineMessage message(Expectation.Sent sent) {
        byte[] payload = sent.bytes() < 0 ? null : Payload.of(sent.word(), sent.bytes());
        String key = sent.key();
        EngineMessage message = new EngineMessage(
                sent.id(),
                key == null ? null : key.getBytes(StandardCharsets.US_ASCII),
                payload,
                Map.of(),
                EngineMessage.Properties.NONE,
                0,
                sent.priority(),
                sent.ttlMillis(),
                sent.deliverAt());
        String id = sent.id();
        if (id != null) {
            universe.ids.add(id);
        }
        return message;
    }

    /** Publishes to a channel, and does not end the turn. */
    void submitSend(String channel, Expectation.Sent... sent) {
        if (!expected.exists(channel)) {
            return;
        }
        boolean full = false;
        int ahead = 0;
        int duplicates = 0;
        List<EngineMessage> messages = new ArrayList<>();
        for (Expectation.Sent each : sent) {
            boolean duplicate = expected.duplicate(channel, each, now);
            duplicates += duplicate ? 1 : 0;
            full |= !duplicate && expected.full(channel, ahead++);
            messages.add(message(each));
        }
        Observation.Answer<Command.Published> answer = submit(
                "publish to " + channel,
                reply -> new Command.Publish(null, channel, messages, null, false, null, reply));
        if (full && answer.reason() != Reason.FULL && !disk.faultMet()) {
            throw new Broken("queue " + channel + " takes more than it may");
        }
        if (!full && refused(answer) && !disk.faultMet()) {
            answer.get();
        }
        if (!refused(answer)) {
            for (Expectation.Sent each : sent) {
                expected.publish(channel, each, now);
            }
            note();
            confirmWith(answer);
            waiting.put(answer, duplicates);
        }
    }

    private final Map<Observation.Answer<Command.Published>, Integer> waiting = new java.util.IdentityHashMap<>();

    /** Publishes to a channel, and ends the turn. */
    void send(String channel, Expectation.Sent... sent) {
        submitSend(channel, sent);
        answered();
    }

    /** Ends the turn; all publishes of it must be confirmed. */
    void answered() {
        flush();
        waiting.forEach((answer, duplicates) -> {
            if (answer.get().duplicates() != duplicates) {
                throw new Broken("a publish found " + answer.get().duplicates() + " duplicates of " + duplicates);
            }
        });
        waiting.clear();
    }

    void sendTo(String topic, Expectation.Sent sent) {
        java.util.Set<String> channels = expected.topics.get(topic);
        if (channels != null) {
            EngineMessage message = message(sent);
            this.<Command.Published>change(
                    "publish to topic " + topic,
                    reply -> new Command.Publish(topic, "", List.of(message), null, false, null, reply),
                    () -> channels.forEach(channel -> expected.publish(channel, sent, now)));
            flush();
        }
    }

    /** From here on publishes are only buffered, so that they need not survive. */
    void weaken(boolean value) {
        weak = value;
    }

    // ── Consuming ────────────────────────────────────────────────────────────────────────────────────────────────────

    /** A new consumer takes so many messages; they must be the ones that are next. */
    void take(String name, int most, long leaseMillis) {
        if (!expected.queues.containsKey(name)) {
            return;
        }
        List<EngineDelivery> got = new ArrayList<>();
        DeliverySink sink = new DeliverySink() {
            @Override
            public void deliver(EngineDelivery delivery) {
                if (dying) {
                    throw new Broken("a delivery after the end");
                }
                got.add(delivery);
                confirm();
            }

            @Override
            public void cancelled(String reason) {}
        };
        int slash = name.indexOf('/');
        Command.ConsumerSettings settings = new Command.ConsumerSettings(
                most, false, false, false, 0, leaseMillis == 0 ? -1 : leaseMillis, null, null, "consumer");
        Observation.Answer<Long> consumer = submit(
                "subscribe to " + name,
                reply -> new Command.Subscribe(
                        slash < 0 ? name : name.substring(0, slash),
                        slash < 0 ? null : name.substring(slash + 1),
                        settings,
                        sink,
                        reply));
        List<Expectation.Held> ready = expected.ready(name, most, now);
        Expectation.Queue queue = expected.queues.get(name);
        long lease = leaseMillis != 0 ? now + leaseMillis : 0;
        ready.forEach(held -> Expectation.delivered(held, lease));
        note();
        turn();
        for (int i = 0; i < Math.max(ready.size(), got.size()); i++) {
            if (i >= got.size() || i >= ready.size() || !same(got.get(i), ready.get(i)) || queue == null) {
                throw new Broken("from " + name + " come "
                        + got.stream().map(EngineTrial::text).toList() + ", not "
                        + ready.stream().map(held -> held.text(now)).toList());
            }
            taken.add(new Taken(name, consumer.get(), got.get(i), ready.get(i)));
        }
        if (!ready.isEmpty()) {
            confirm();
        }
        this.<Integer>submit("credit", reply -> new Command.Credit(consumer.get(), -most, reply));
        turn();
    }

    private static String text(EngineDelivery delivery) {
        return Payload.word(delivery.message().payload()) + " x" + delivery.attempt();
    }

    private static boolean same(EngineDelivery delivery, Expectation.Held held) {
        return Payload.word(delivery.message().payload()).equals(held.sent.text())
                && delivery.attempt() == held.attempts;
    }

    private List<Taken> next(int count) {
        List<Taken> chosen = new ArrayList<>();
        for (Taken each : taken) {
            boolean together = chosen.isEmpty() || chosen.getFirst().consumer == each.consumer;
            if (chosen.size() < count && together) {
                chosen.add(each);
            }
        }
        return chosen;
    }

    private static Command.Settle settlement(List<Taken> chosen, Command.Outcome outcome, Reply<Integer> reply) {
        long[] numbers =
                chosen.stream().mapToLong(each -> each.delivery.number()).toArray();
        return new Command.Settle(chosen.getFirst().consumer, numbers, numbers.length, outcome, reply);
    }

    private void apply(List<Taken> chosen, Command.Outcome outcome) {
        for (Taken each : chosen) {
            Expectation.Queue queue = expected.queues.get(each.queue);
            if (queue == null || !stillHeld(each)) {
                continue;
            }
            switch (outcome) {
                case Command.Outcome.Acknowledge acknowledge -> expected.acknowledge(queue, each.held);
                case Command.Outcome.Release release -> expected.release(queue, each.held, release.delayMillis(), now);
                case Command.Outcome.DeadLetter dead -> expected.giveUp(queue, each.held, "rejected", now);
                case Command.Outcome.Extend extend -> each.held.lease = now + extend.leaseMillis();
            }
        }
    }

    /** Settles the oldest deliveries, of one consumer. */
    void settle(int count, Command.Outcome outcome) {
        List<Taken> chosen = next(count);
        if (chosen.isEmpty()) {
            return;
        }
        int gone = (int) chosen.stream().filter(each -> !stillHeld(each)).count();
        if (!(outcome instanceof Command.Outcome.Extend)) {
            taken.removeAll(chosen);
        }
        // Where nothing is settled any more nothing is synced.
        boolean before = weak;
        weak |= gone == chosen.size();
        Observation.Answer<Integer> answer =
                change("settle", reply -> settlement(chosen, outcome, reply), () -> apply(chosen, outcome));
        flush();
        weak = before;
        expect(answer, gone);
    }

    private boolean stillHeld(Taken each) {
        Expectation.Queue queue = expected.queues.get(each.queue);
        return queue != null
                && queue.messages.contains(each.held)
                && each.held.taken
                && each.held.attempts == each.delivery.attempt();
    }

    /** An offset that a group may commit. */
    private long within(String stream, int partition, long offset) {
        Expectation.Stream known = expected.streams.get(stream);
        return known == null ? 0 : offset % (known.next[partition] + 1);
    }

    /** Settles, publishes and commits at once. */
    void transact(String to, Expectation.Sent sent, String group, String stream, long wanted) {
        long offset = within(stream, 0, wanted);
        List<Taken> chosen = next(2).stream().filter(this::stillHeld).toList();
        List<Command> commands = new ArrayList<>();
        if (expected.exists(to)) {
            commands.add(new Command.Publish(null, to, List.of(message(sent)), null, false, null, Reply.ignored()));
        }
        if (!chosen.isEmpty()) {
            commands.add(settlement(chosen, Command.Outcome.Acknowledge.INSTANCE, Reply.ignored()));
        }
        if (expected.streams.containsKey(stream)) {
            commands.add(new Command.CommitOffsets(
                    group, null, List.of(new Command.Position(stream, 0, offset, null)), Reply.ignored()));
        }
        if (commands.isEmpty() || expected.full(to, 0)) {
            return;
        }
        taken.removeAll(chosen);
        this.<List<Command.Published>>change("transaction", reply -> new Command.Transact(commands, reply), () -> {
            expected.publish(to, sent, now);
            apply(chosen, Command.Outcome.Acknowledge.INSTANCE);
            if (expected.streams.containsKey(stream)) {
                expected.commit(group, stream, 0, offset);
            }
        });
        flush();
    }

    void redrive(String name) {
        if (expected.queues.containsKey(name)) {
            long[] moved = new long[1];
            Observation.Answer<Long> answer = change(
                    "redrive",
                    reply -> new Command.Redrive(name, null, 1000, reply),
                    () -> moved[0] = expected.redrive(name, now));
            flush();
            expect(answer, moved[0]);
        }
    }

    void cancel(String name, String id) {
        if (expected.queues.containsKey(name)) {
            int[] cancelled = new int[1];
            Observation.Answer<Integer> answer = change(
                    "cancel",
                    reply -> new Command.Cancel(name, id, reply),
                    () -> cancelled[0] = expected.cancel(name, id, now));
            flush();
            expect(answer, cancelled[0]);
        }
    }

    // ── Streams ──────────────────────────────────────────────────────────────────────────────────────────────────────

    void newProducer() {
        long id = expected.producers + 1;
        call("new producer", Command.NewProducer::new, () -> expected.producers = id, id);
    }

    /**
     * An idempotent producer goes on, or says again what it said.
     *
     * @param again true to send the last message again
     */
    void produce(String stream, long id, int epoch, int partition, int count, boolean again) {
        Expectation.Stream known = expected.streams.get(stream);
        if (known == null || id > expected.producers || id < 1) {
            return;
        }
        int[] state = known.producers.get(id);
        boolean same = state != null && state[0] == epoch;
        int next = state != null && same ? state[1 + partition] : 0;
        boolean fenced = state != null && epoch < state[0];
        boolean repeat = again && next > 0 && !fenced;
        int sequence = repeat ? next - 1 : next;
        int size = repeat ? 1 : count;
        List<Expectation.Sent> batch = new ArrayList<>();
        List<EngineMessage> messages = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            Expectation.Sent sent = new Expectation.Sent(word(), 30, null, "k" + i, 0, 0, 0);
            batch.add(sent);
            messages.add(message(sent));
        }
        universe.producer(id, epoch, sequence + size);
        Command.Producer producer = new Command.Producer(id, (short) epoch, sequence, partition);
        Observation.Answer<Command.Published> answer = submit(
                "produce to " + stream,
                reply -> new Command.Publish(null, stream, messages, null, false, producer, reply));
        if (fenced != (answer.reason() == Reason.FENCED) && !disk.faultMet()) {
            throw new Broken("producer " + id + " of epoch " + epoch + (fenced ? " is not fenced" : " is fenced"));
        }
        if (!refused(answer)) {
            if (!repeat) {
                expected.produce(stream, id, epoch, sequence, partition, batch, now);
            }
            note();
            confirmWith(answer);
            flush();
            if (answer.get().duplicates() != (repeat ? 1 : 0)) {
                throw new Broken("sequence " + sequence + " of producer " + id + " has "
                        + answer.get().duplicates() + " duplicates");
            }
        } else if (!fenced && !disk.faultMet()) {
            answer.get();
        }
    }

    void commit(String group, String stream, int partition, long wanted) {
        if (expected.streams.containsKey(stream)) {
            long offset = within(stream, partition, wanted);
            Command.Position position = new Command.Position(stream, partition, offset, null);
            call(
                    "commit offsets",
                    reply -> new Command.CommitOffsets(group, null, List.of(position), reply),
                    () -> expected.commit(group, stream, partition, offset),
                    Command.Done.DONE);
        }
    }

    void deleteGroup(String group) {
        boolean there = expected.groups.containsKey(group);
        call(
                "delete group",
                reply -> new Command.DeleteGroup(group, reply),
                () -> expected.groups.remove(group),
                there);
    }

    // ── Time and space ───────────────────────────────────────────────────────────────────────────────────────────────

    /** Lets time pass. Everything before is on the disk then: buffered messages too. */
    void advance(long millis) {
        turn();
        boolean settled = confirmed == states.size() - 1;
        if (!settled) {
            // Only a sync makes sure of what was noted last; a declaration is one that changes nothing.
            this.<Long>submit("sync", Command.NewProducer::new);
            expected.producers++;
            note();
            turn();
        }
        now += millis;
        states.clear();
        confirmed = 0;
        // Nobody is told of what time brings, so that all of it may be forgotten, and come about again.
        expected.advanceTo(now, this::note);
        turn();
    }

    /** Takes a checkpoint and writes it. One that cannot be written costs nothing. */
    void checkpoint() {
        Engine.CheckpointTask task = engine().checkpoint(true);
        if (task == null) {
            turn();
            return;
        }
        confirm();
        try {
            task.write();
        } catch (IOException e) {
            if (!disk.faultMet()) {
                throw ended(e);
            }
            engine().checkpointFailed();
            return;
        }
        engine().checkpointed(task);
    }

    void prepareSpare() {
        try {
            if (engine().spareNeeded()) {
                engine().prepareSpare();
            }
        } catch (IOException e) {
            if (!disk.faultMet()) {
                throw ended(e);
            }
        }
    }
}
