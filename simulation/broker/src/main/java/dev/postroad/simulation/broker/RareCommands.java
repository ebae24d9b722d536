package dev.postroad.simulation.broker;

import dev.postroad.engine.Command;
import dev.postroad.engine.Definition;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.TopicDefinition;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Commands that protocols give and few programs do, each with what it should do to the model. */
final class RareCommands {
    private final World world;
    private final Model model;
    private final Commands commands;

    RareCommands(World world, Commands commands) {
        this.world = world;
        this.model = world.model;
        this.commands = commands;
    }

    private static Reason[] when(boolean refused, Reason reason) {
        return refused ? new Reason[] {reason} : new Reason[0];
    }

    // ── One message at a time ────────────────────────────────────────────────────────────────────────────────────────

    Act get(String name, boolean automatic, @Nullable Object owner, String holder) {
        Supplier<String> text = () -> "get from " + name + " for " + holder + (automatic ? ", acknowledged" : "")
                + (owner == null ? "" : " of " + owner);
        Answer<Command.Got> answer = new Answer<>(text);
        return new Act(text, new Command.Get(name, automatic, owner, holder, answer), answer, () -> {
            ModelQueue queue = model.queues.get(name);
            if (queue == null) {
                answer.carriedOut(model.streams.containsKey(name) ? Reason.INVALID : Reason.NOT_FOUND);
                return;
            }
            boolean foreign = queue.definition.exclusive() && queue.owner != null && !queue.owner.equals(owner);
            boolean taken = !queue.consumers.isEmpty()
                    && queue.consumers.getFirst().settings.exclusive();
            if (!answer.carriedOut(when(foreign || taken, Reason.IN_USE))) {
                return;
            }
            queue.idleSince = model.now;
            expire(queue);
            if (!answer.known()) {
                queue.maybeHanded = true;
                queue.maybeTaken |= automatic;
                return;
            }
            EngineDelivery delivery = answer.result().delivery();
            if (delivery == null) {
                Violation.unless(
                        !queue.strictToAnyone() || queue.firstReady(model.now) == null || world.expiring(queue),
                        () -> "nothing came, and " + queue.firstReady(model.now) + " is there: " + text.get());
                return;
            }
            world.took(delivery, taker(queue, automatic, owner, holder, delivery.consumerId()));
        });
    }

    /** What is over and stands before what is taken goes now, not when the broker looks for such. */
    private void expire(ModelQueue queue) {
        if (!world.expiring(queue)) {
            return;
        }
        if (!queue.strictToAnyone()) {
            throw new Model.Unforeseen();
        }
        for (Copy first = queue.firstInLine(model.now);
                first != null && first.mayExpire > 0 && first.mayExpire <= model.now;
                first = queue.firstInLine(model.now)) {
            if (first.expiry > model.now) {
                throw new Model.Unforeseen();
            }
            model.expired(first);
        }
    }

    /** Who takes from this queue under this name. */
    private ModelConsumer taker(ModelQueue queue, boolean automatic, @Nullable Object owner, String holder, long id) {
        ModelConsumer known = model.consumers.get(id);
        if (known != null) {
            Violation.unless(
                    known.queue == queue && holder.equals(known.holder), () -> "got as somebody else: " + holder);
            return known;
        }
        Command.ConsumerSettings settings =
                new Command.ConsumerSettings(0, false, automatic, false, 0, -1, null, owner, "get");
        ModelConsumer taker = new ModelConsumer(queue, settings, null);
        taker.holder = holder;
        taker.id = id;
        if (!automatic) {
            model.consumers.put(id, taker);
        }
        return taker;
    }

    // ── Each for itself ──────────────────────────────────────────────────────────────────────────────────────────────

    Act publishEach(
            @Nullable String topic,
            String channel,
            List<EngineMessage> messages,
            @Nullable Durability durability,
            boolean mandatory,
            boolean passFull) {
        Supplier<String> text = () -> "publish each of " + Commands.tell(messages) + " to "
                + (topic == null ? "" : "topic " + topic + " with ") + "'" + channel + "'"
                + (mandatory ? " mandatory" : "") + (passFull ? ", passing over what is full" : "");
        Answer<Command.EachPublished> answer = new Answer<>(text);
        Command.Publish publish = new Command.Publish(
                topic, channel, messages, durability, mandatory, null, passFull, new Answer<>(() -> "part"));
        return new Act(text, new Command.PublishEach(publish, answer), answer, () -> {
            messages.forEach(m -> world.used(m.id()));
            Command.Publish whole = with(publish, messages, false);
            Reason[] must = commands.refusal(whole, new IdentityHashMap<>());
            commands.foreseen(List.of(publish), answer.known());
            boolean alone = messages.size() < 2 && !passFull;
            boolean unsure = commands.mayForget(List.of(publish));
            if (!answer.carriedOut(alone ? must : new Reason[0], when(alone && unsure, Reason.FULL))) {
                return;
            }
            if (answer.known() && commands.mayForget(List.of(publish))) {
                // How many ids are remembered is open: what was taken the broker tells.
                follow(publish, answer.result().refusals(), must);
                return;
            }
            Map<Integer, Reason[]> refused = new HashMap<>();
            // Confirmed is what was taken: what a refused message would have asked for counts for nothing.
            boolean durable = false;
            if (must.length == 0) {
                model.batch();
                model.publish(whole);
                model.afterBatch();
                for (int i = 0; i < messages.size(); i++) {
                    refused.put(i, when(model.passedOver.contains(i), Reason.FULL));
                }
                durable = commands.syncs(publish);
            }
            for (int i = 0; must.length > 0 && i < messages.size(); i++) {
                Command.Publish one = with(publish, List.of(messages.get(i)), passFull);
                Reason[] why = commands.refusal(one, new IdentityHashMap<>());
                if (why.length == 0) {
                    durable |= commands.syncs(one);
                    model.batch();
                    model.publish(one);
                    why = when(!model.passedOver.isEmpty(), Reason.FULL);
                    model.afterBatch();
                }
                refused.put(i, why);
            }
            if (answer.known()) {
                compare(refused, answer.result().refusals(), messages.size(), text);
            }
            if (durable) {
                commands.promise(answer);
            }
        });
    }

    private void follow(Command.Publish publish, List<@Nullable EngineException> refusals, Reason[] must) {
        boolean each = refusals.stream().anyMatch(java.util.Objects::nonNull);
        if (each && (publish.passFull() || commands.gives(publish))) {
            throw new Model.Unforeseen();
        }
        Violation.unless(
                each || must.length == 0 || publish.passFull(),
                () -> "nothing refused instead of " + Arrays.toString(must));
        for (int i = 0; i < publish.messages().size(); i++) {
            if (refusals.isEmpty() || refusals.get(i) == null) {
                if (each || i == 0) {
                    model.batch();
                }
                model.publish(with(publish, List.of(publish.messages().get(i)), publish.passFull()));
                if (each) {
                    model.afterBatch();
                }
            }
        }
        model.afterBatch();
    }

    private static Command.Publish with(Command.Publish of, List<EngineMessage> messages, boolean passFull) {
        return new Command.Publish(
                of.topic(), of.channel(), messages, of.durability(), of.mandatory(), null, passFull, of.reply());
    }

    private static void compare(
            Map<Integer, Reason[]> expected, List<@Nullable EngineException> actual, int count, Supplier<String> text) {
        for (int i = 0; i < count; i++) {
            EngineException refusal = actual.isEmpty() ? null : actual.get(i);
            Reason[] reasons = expected.getOrDefault(i, new Reason[0]);
            boolean same = refusal == null
                    ? reasons.length == 0
                    : Arrays.asList(reasons).contains(refusal.reason());
            int at = i;
            Violation.unless(
                    same,
                    () -> "message " + at + " got " + refusal + " instead of " + Arrays.toString(reasons) + ": "
                            + text.get());
        }
    }

    // ── Dead letters ─────────────────────────────────────────────────────────────────────────────────────────────────

    Act putBackEdited(String name, long number, EngineMessage edited) {
        Supplier<String> text = () -> "put back " + number + " of " + name + " as " + Commands.tell(List.of(edited));
        Answer<Long> answer = new Answer<>(text);
        ModelQueue asked = model.queues.get(name);
        return new Act(text, new Command.PutBack(name, new long[] {number}, edited, answer), answer, () -> {
            world.used(edited.id());
            ModelQueue now = model.queues.get(name);
            if (now == null) {
                answer.carriedOut(model.streams.containsKey(name) ? Reason.INVALID : Reason.NOT_FOUND);
                return;
            }
            if (now != asked) {
                throw new Model.Unforeseen();
            }
            Copy copy = now.byNumber.get(number);
            boolean otherKey = copy != null && copy.deadIn != null && !Arrays.equals(copy.body.key(), edited.key());
            if (answer.carriedOut(when(otherKey, Reason.INVALID))) {
                answer.equalTo(model.putBack(now, List.of(number), edited));
                commands.promise(answer);
            }
        });
    }

    // ── Consumers of streams ─────────────────────────────────────────────────────────────────────────────────────────

    Act subscribe(ModelStream asked, Command.ConsumerSettings settings, @Nullable Filter filter, Command.Start start) {
        Supplier<String> text = () -> "subscribe to stream " + asked.name() + " from " + start + " credit "
                + settings.credit() + (filter == null ? "" : " where " + filter.text());
        Answer<Long> answer = new Answer<>(text);
        StreamReader reader = new StreamReader(asked, settings, filter);
        Command command = new Command.Subscribe(asked.name(), null, settings, reader, answer);
        return new Act(text, command, answer, () -> {
            ModelStream stream = model.streams.get(asked.name());
            if (stream != asked) {
                throw new Model.Unforeseen();
            }
            if (answer.carriedOut(when(settings.exclusive(), Reason.INVALID)) && answer.known()) {
                reader.begin(answer.result(), start);
                model.readers.put(reader.id, reader);
            }
        });
    }

    Act settle(StreamReader reader, long[] numbers, Command.Outcome outcome) {
        Supplier<String> text =
                () -> "settle " + Arrays.toString(numbers) + " of stream consumer " + reader.id + ": " + outcome;
        Answer<Integer> answer = new Answer<>(text);
        Command command = new Command.Settle(reader.id, numbers, numbers.length, outcome, answer);
        return new Act(text, command, answer, () -> {
            if (answer.carriedOut(when(!model.readers.containsKey(reader.id), Reason.NOT_DELIVERED))) {
                answer.equalTo(reader.settle(numbers, outcome));
            }
        });
    }

    Act credit(StreamReader reader, int more) {
        Supplier<String> text = () -> "credit " + more + " for stream consumer " + reader.id;
        Answer<Integer> answer = new Answer<>(text);
        return new Act(text, new Command.Credit(reader.id, more, answer), answer, () -> {
            if (answer.carriedOut(when(!model.readers.containsKey(reader.id), Reason.NOT_FOUND))) {
                reader.credit = Math.max(0, reader.credit + more);
                answer.equalTo(reader.credit);
            }
        });
    }

    Act end(StreamReader reader) {
        Supplier<String> text = () -> "end stream consumer " + reader.id;
        Answer<Integer> answer = new Answer<>(text);
        return new Act(text, new Command.Unsubscribe(reader.id, true, answer), answer, () -> {
            if (answer.carriedOut(when(!model.readers.containsKey(reader.id), Reason.NOT_FOUND))) {
                answer.equalTo(reader.unsettled.size());
                model.readers.remove(reader.id);
            }
        });
    }

    // ── Looking ──────────────────────────────────────────────────────────────────────────────────────────────────────

    Act describe(String name, boolean topic) {
        Supplier<String> text = () -> "describe " + (topic ? "topic " : "") + name;
        Answer<Command.Described> answer = new Answer<>(text);
        return new Act(text, new Command.Describe(name, topic, answer), answer, () -> {
            if (!answer.carriedOut() || !answer.known()) {
                return;
            }
            ModelQueue queue = model.queues.get(name);
            ModelStream stream = model.streams.get(name);
            TopicDefinition known = model.topology.topics.get(name);
            Definition expected =
                    topic ? known : queue != null ? queue.declared : stream == null ? null : stream.declared;
            Command.Described described = answer.result();
            Violation.unless(
                    java.util.Objects.equals(expected, described.definition()),
                    () -> "it is " + described.definition() + " instead of " + expected + ": " + text.get());
            long consumers = topic
                    ? 0
                    : queue != null
                            ? queue.consumers.size()
                            : model.readers.values().stream()
                                    .filter(reader -> reader.stream == stream)
                                    .count();
            Violation.unless(
                    described.consumers() == consumers,
                    () -> described.consumers() + " consumers instead of " + consumers + ": " + text.get());
            Violation.unless(
                    described.ready() >= 0
                            && (topic
                                    || queue == null
                                    || described.ready() <= queue.size()
                                    || model.all().stream().anyMatch(world::expiring)),
                    () -> described.ready() + " messages ready: " + text.get());
        });
    }
}
