package dev.postroad.simulation.faults;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeadLetterHeaders;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.Engine;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.EngineSettings;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.PayloadFields;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.Reply;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.journal.DamageReport;
import dev.postroad.journal.JournalSettings;
import dev.postroad.journal.Storage;
import dev.postroad.simulation.disk.SimulatedDisk;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Opens a disk with the production engine and writes down what a client could find out: the contents of all channels, byte by
 * byte, where groups stand, and, by trying, which ids and sequences are remembered. Leaves the disk changed.
 */
final class Observation {
    static final EngineSettings SETTINGS = EngineSettings.DEFAULTS
            .withJournal(JournalSettings.defaults()
                    .withSegmentBytes(64 << 10)
                    .withBufferBytes(8 << 10)
                    .withLowWaterBytes(0)
                    .withCompactBelow(0.5)
                    .withSpareSegments(1))
            .withCacheBytes(64 << 10)
            .withCheckpoints(1L << 40, 1L << 40);

    private static final int MOST = 10_000;
    private static final int MOST_TURNS = 200;
    private static final long LATER = 100_000;

    private long now;
    private final StringBuilder out = new StringBuilder();
    private final Engine engine;

    private Observation(Engine engine, long now) {
        this.engine = engine;
        this.now = now;
    }

    /** The answer to a command; its absence, and refusals where none are expected, are broken promises. */
    static final class Answer<R> implements Reply<R> {
        private final String to;
        private @Nullable R result;
        private @Nullable EngineException refusal;
        private int times;
        private @Nullable Runnable whenDone;

        Answer(String to) {
            this.to = to;
        }

        @Override
        public void done(R value) {
            result = value;
            times++;
            Runnable then = whenDone;
            if (then != null) {
                then.run();
            }
        }

        @Override
        public void failed(EngineException cause) {
            refusal = cause;
            times++;
        }

        @Override
        public String toString() {
            return to;
        }

        void whenDone(Runnable then) {
            whenDone = then;
        }

        boolean twice() {
            return times > 1;
        }

        EngineException.@Nullable Reason reason() {
            EngineException known = refusal;
            return known == null ? null : known.reason();
        }

        R get() {
            R value = result;
            if (value == null) {
                throw new Broken(
                        refusal == null ? to + " was never answered" : to + " was refused: " + refusal.getMessage());
            }
            return value;
        }
    }

    /** Called when the engine is open and has come to rest, before anything is tried on it. */
    interface Opened {
        Opened NOTHING = () -> {};

        void opened();
    }

    /**
     * What the disk holds, written down.
     *
     * @param exercise true to also consume and delete everything, and to see that all space is given back
     * @throws Broken if the disk can't be opened, or the engine does what it must not
     */
    static String of(
            SimulatedDisk disk, EngineSettings settings, long now, Universe universe, boolean exercise, Opened opened) {
        List<DamageReport> damage = new ArrayList<>();
        try (Storage storage = disk.open()) {
            Random ids = new Random(disk.calls() + now);
            Engine engine = Engine.open(storage, settings, PayloadFields.NONE, now, ids::nextLong, damage::add);
            if (!damage.isEmpty()) {
                throw new Broken("damage is reported where none was done: " + damage);
            }
            Observation observation = new Observation(engine, now);
            observation.settle();
            opened.opened();
            observation.contents();
            if (exercise) {
                observation.consume();
            }
            observation.probe(universe);
            if (exercise) {
                observation.later();
                observation.clear();
            }
            return observation.out.toString();
        } catch (IOException e) {
            throw new Broken("it can't be opened: " + e.getMessage(), e);
        } catch (EngineException e) {
            throw new Broken("it can't be read: " + e.getMessage(), e);
        } catch (Broken e) {
            throw e;
        } catch (RuntimeException e) {
            throw new Broken("opening or reading it ended with " + e, e);
        }
    }

    private void settle() {
        int turns = 0;
        while (engine.turn(now) <= now) {
            if (++turns > MOST_TURNS) {
                throw new Broken("the engine does not come to rest after it was opened");
            }
        }
        if (engine.failure() != null) {
            throw new Broken("the engine failed after it was opened: " + engine.failure());
        }
    }

    private <R> Answer<R> submit(String what, Function<Reply<R>, Command> command) {
        Answer<R> answer = new Answer<>(what);
        engine.submit(command.apply(answer), now);
        return answer;
    }

    private <R> R call(String what, Function<Reply<R>, Command> command) {
        Answer<R> answer = submit(what, command);
        engine.turn(now);
        return answer.get();
    }

    // ── What can be read ─────────────────────────────────────────────────────────────────────────────────────────────

    private final Map<String, QueueDefinition> queues = new TreeMap<>();
    private final Map<String, StreamDefinition> streams = new TreeMap<>();

    private void contents() {
        EngineStatus status = call("inspect", Command.Inspect::new);
        Map<String, Answer<List<Command.Browsed>>> browsed = new TreeMap<>();
        for (EngineStatus.Queue queue : status.queues()) {
            String name = queue.definition().name();
            queues.put(name, queue.definition());
            browsed.put(name, submit("browse " + name, reply -> new Command.Browse(name, null, null, MOST, reply)));
        }
        Map<String, Map<String, Long>> positions = new TreeMap<>();
        for (EngineStatus.Group group : status.groups()) {
            String stream = group.stream();
            if (stream != null) {
                String full = stream + "/" + group.name();
                browsed.put(
                        full,
                        submit("browse " + full, reply -> new Command.Browse(stream, group.name(), null, MOST, reply)));
            } else {
                Map<String, Long> known = new TreeMap<>();
                for (EngineStatus.GroupPosition position : group.positions()) {
                    known.put(position.stream() + "-" + position.partition(), position.offset());
                }
                if (!known.isEmpty()) {
                    positions.put(group.name(), known);
                }
            }
        }
        Map<String, List<Answer<Command.Fetched>>> fetched = new TreeMap<>();
        for (EngineStatus.Stream stream : status.streams()) {
            String name = stream.definition().name();
            streams.put(name, stream.definition());
            List<Answer<Command.Fetched>> partitions = new ArrayList<>();
            for (int p = 0; p < stream.definition().partitions(); p++) {
                int partition = p;
                partitions.add(submit(
                        "fetch " + name,
                        reply -> new Command.Fetch(name, partition, 0, MOST, Integer.MAX_VALUE, 0, reply)));
            }
            fetched.put(name, partitions);
        }
        engine.turn(now);
        browsed.forEach((name, answer) -> {
            out.append("queue ").append(name).append(':');
            answer.get().forEach(this::message);
            out.append('\n');
        });
        fetched.forEach((name, partitions) -> {
            for (int p = 0; p < partitions.size(); p++) {
                Command.Fetched found = partitions.get(p).get();
                out.append("stream ")
                        .append(name)
                        .append('-')
                        .append(p)
                        .append(" next ")
                        .append(found.next());
                for (Command.StreamRecord each : found.records()) {
                    out.append(' ')
                            .append(each.offset())
                            .append('=')
                            .append(Payload.word(each.message().payload()));
                    out.append('@').append(each.acceptedMillis()).append(';');
                }
                out.append('\n');
            }
        });
        Map<String, Set<String>> routes = new TreeMap<>();
        status.topics().forEach(topic -> routes.put(topic.name(), new TreeSet<>()));
        status.bindings()
                .forEach(binding -> routes.computeIfAbsent(binding.topic(), topic -> new TreeSet<>())
                        .add(binding.destination()));
        routes.forEach((name, channels) -> out.append("topic ")
                .append(name)
                .append(" to ")
                .append(channels)
                .append('\n'));
        positions.forEach((name, known) ->
                out.append("group ").append(name).append(' ').append(known).append('\n'));
    }

    private void message(Command.Browsed found) {
        EngineMessage message = found.message();
        out.append(' ').append(Payload.word(message.payload()));
        if (found.attempts() > 0) {
            out.append(" x").append(found.attempts());
        }
        if (found.notBeforeMillis() > now) {
            out.append(" @").append(found.notBeforeMillis());
        }
        Object cause = message.headers().get(DeadLetterHeaders.CAUSE);
        if (cause != null) {
            Object group = message.headers().get(DeadLetterHeaders.GROUP);
            out.append(" dead:")
                    .append(cause)
                    .append('/')
                    .append(message.headers().get(DeadLetterHeaders.ATTEMPTS))
                    .append('/')
                    .append(message.headers().get(DeadLetterHeaders.ORIGIN))
                    .append(group == null ? "" : "/" + group);
        }
        out.append(';');
    }

    // ── What has to be tried ─────────────────────────────────────────────────────────────────────────────────────────

    static boolean refusesWhenFull(QueueDefinition definition) {
        return definition.overflow() == QueueDefinition.Overflow.REJECT_PUBLISH && definition.maxMessages() > 0;
    }

    private Answer<Command.Published> tryPublish(
            String channel, @Nullable String id, Command.@Nullable Producer producer) {
        EngineMessage message =
                EngineMessage.of(Payload.of("probe", 0)).withId(id).withKey(new byte[] {'~'});
        return submit(
                "publish to " + channel,
                reply -> new Command.Publish(null, channel, List.of(message), null, false, producer, reply));
    }

    private void probe(Universe universe) {
        Map<String, Map<String, Answer<Command.Published>>> seen = new TreeMap<>();
        queues.forEach((name, definition) -> {
            if (definition.dedupMillis() > 0) {
                seen.put(name, tryIds(name, universe));
            }
        });
        streams.forEach((name, definition) -> {
            if (definition.dedupMillis() > 0) {
                seen.put(name, tryIds(name, universe));
            }
        });
        engine.turn(now);
        queues.forEach((name, definition) -> {
            seen(name, seen.get(name));
            if (refusesWhenFull(definition)) {
                room(name, definition);
            }
        });
        streams.forEach((name, definition) -> {
            seen(name, seen.get(name));
            universe.producers.forEach((id, most) -> producer(name, definition, id, most));
        });
        long next = call("new producer", Command.NewProducer::new);
        out.append("producers ").append(next - 1).append('\n');
    }

    private Map<String, Answer<Command.Published>> tryIds(String name, Universe universe) {
        Map<String, Answer<Command.Published>> tried = new TreeMap<>();
        universe.ids.forEach(id -> tried.put(id, tryPublish(name, id, null)));
        return tried;
    }

    private void seen(String name, @Nullable Map<String, Answer<Command.Published>> tried) {
        if (tried != null) {
            Set<String> ids = new TreeSet<>();
            tried.forEach((id, answer) -> {
                if (answer.get().duplicates() == 1) {
                    ids.add(id);
                }
            });
            out.append("seen ").append(name).append(' ').append(ids).append('\n');
        }
    }

    private void room(String name, QueueDefinition definition) {
        long room = 0;
        while (tryPublish(name, null, null).reason() != EngineException.Reason.FULL
                && room <= definition.maxMessages()) {
            room++;
        }
        engine.turn(now);
        out.append("room ").append(name).append(' ').append(room).append('\n');
    }

    private void producer(String stream, StreamDefinition definition, long id, int[] most) {
        short epoch = 0;
        while (epoch < most[0]
                && tryPublish(stream, null, new Command.Producer(id, epoch, MOST, 0))
                                .reason()
                        == EngineException.Reason.FENCED) {
            epoch++;
        }
        StringBuilder next = new StringBuilder();
        boolean any = false;
        for (int p = 0; p < definition.partitions(); p++) {
            int sequence = 0;
            while (sequence < most[1] && !accepted(stream, new Command.Producer(id, epoch, sequence, p))) {
                sequence++;
            }
            any |= sequence > 0;
            next.append(" next ").append(sequence);
        }
        if (any || epoch > 0) {
            out.append("producer ")
                    .append(id)
                    .append(" of ")
                    .append(stream)
                    .append(" epoch ")
                    .append(epoch);
            out.append(next).append('\n');
        }
    }

    private boolean accepted(String stream, Command.Producer producer) {
        Answer<Command.Published> answer = tryPublish(stream, null, producer);
        engine.turn(now);
        return answer.reason() == null && answer.get().duplicates() == 0;
    }

    // ── That it works ────────────────────────────────────────────────────────────────────────────────────────────────

    /** What is ready is delivered once each, in order, as often counted as was seen before. Goes back to where it was. */
    private void consume() {
        queues.keySet().forEach(this::consume);
    }

    private void consume(String name) {
        List<Command.Browsed> before =
                call("browse " + name, reply -> new Command.Browse(name, null, null, MOST, reply));
        List<EngineDelivery> got = new ArrayList<>();
        DeliverySink sink = new DeliverySink() {
            @Override
            public void deliver(EngineDelivery delivery) {
                got.add(delivery);
            }

            @Override
            public void cancelled(String reason) {
                throw new Broken("the consumer was cancelled: " + reason);
            }
        };
        Command.ConsumerSettings settings =
                new Command.ConsumerSettings(MOST, false, false, false, 0, 0, null, null, "observer");
        long consumer = call("subscribe", reply -> new Command.Subscribe(name, null, settings, sink, reply));
        boolean ordered = queues.get(name) != null && queues.get(name).keyOrdered();
        compare(name, before, ordered, got);
        this.<Integer>call("credit", reply -> new Command.Credit(consumer, -MOST, reply));
        long[] numbers = got.stream().mapToLong(EngineDelivery::number).toArray();
        this.<Integer>call(
                "release",
                reply -> new Command.Settle(
                        consumer, numbers, numbers.length, new Command.Outcome.Release(0, null, false), reply));
        this.<Integer>call("unsubscribe", reply -> new Command.Unsubscribe(consumer, true, reply));
    }

    private void compare(String name, List<Command.Browsed> before, boolean ordered, List<EngineDelivery> got) {
        Map<Long, Command.Browsed> there = new TreeMap<>();
        List<Long> order = new ArrayList<>();
        before.forEach(each -> {
            there.put(each.number(), each);
            order.add(each.number());
        });
        int at = 0;
        Set<Long> firsts = new HashSet<>();
        Set<String> keys = new HashSet<>();
        for (EngineDelivery delivery : got) {
            Command.Browsed known = there.get(delivery.number());
            if (known == null || !firsts.add(delivery.number())) {
                // A release brings what is next of its key, so that more may come later; but never one twice before it.
                throw new Broken("message " + delivery.number() + " of " + name + " was delivered and was not there");
            }
            if (delivery.attempt() != known.attempts() + 1) {
                throw new Broken("message " + delivery.number() + " of " + name + " is delivered as attempt "
                        + delivery.attempt() + " after " + known.attempts());
            }
            if (known.notBeforeMillis() > now) {
                throw new Broken("message " + delivery.number() + " of " + name + " is delivered before its time");
            }
            int place = order.indexOf(delivery.number());
            byte[] key = delivery.message().key();
            if (place < at
                    || (ordered
                            && key != null
                            && !keys.add(new String(key, java.nio.charset.StandardCharsets.UTF_8)))) {
                throw new Broken("message " + delivery.number() + " of " + name + " is delivered out of order");
            }
            at = place;
        }
        Set<String> passedOver = new HashSet<>();
        for (Command.Browsed each : before) {
            byte[] key = each.message().key();
            String line = key == null ? "" : new String(key, java.nio.charset.StandardCharsets.UTF_8);
            if (ordered && key != null && firsts.contains(each.number()) && passedOver.contains(line)) {
                throw new Broken("message " + each.number() + " of " + name + " overtakes an earlier one of its key");
            }
            if (!firsts.contains(each.number())) {
                passedOver.add(line);
            }
            boolean waits = each.notBeforeMillis() > now || (ordered && key != null);
            if (!waits && !firsts.contains(each.number())) {
                throw new Broken("message " + each.number() + " of " + name + " is ready and is not delivered");
            }
        }
    }

    /** What waits for its time is delivered when the time has come. */
    private void later() {
        now += LATER;
        engine.turn(now);
        for (Map.Entry<String, QueueDefinition> queue : queues.entrySet()) {
            String name = queue.getKey();
            if (!queue.getValue().keyOrdered()) {
                consume(name);
            }
        }
    }

    /** When all channels have gone nothing is needed any more: what is left would never be given back. */
    private void clear() {
        for (EngineStatus.Queue queue :
                this.<EngineStatus>call("inspect", Command.Inspect::new).queues()) {
            String name = queue.definition().name();
            this.<Long>call("delete " + name, reply -> new Command.DeleteChannel(name, false, false, null, reply));
        }
        for (String name : streams.keySet()) {
            this.<Long>call("delete " + name, reply -> new Command.DeleteChannel(name, false, false, null, reply));
        }
        EngineStatus status = call("inspect", Command.Inspect::new);
        if (status.journal().liveBytes() != 0) {
            throw new Broken(status.journal().liveBytes() + " bytes of the journal are kept for nothing");
        }
    }
}
