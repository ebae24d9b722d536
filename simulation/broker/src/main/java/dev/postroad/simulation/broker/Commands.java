package dev.postroad.simulation.broker;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Command;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Policy;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.TopicDefinition;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Commands on queues, topics and messages, each with what it should do to the model. */
final class Commands {
    private final World world;
    private final Model model;

    Commands(World world) {
        this.world = world;
        this.model = world.model;
    }

    private static Reason[] when(boolean refused, Reason reason) {
        return refused ? new Reason[] {reason} : new Reason[0];
    }

    // ── Declaring ────────────────────────────────────────────────────────────────────────────────────────────────────

    Act declare(QueueDefinition definition, @Nullable Object owner) {
        Answer<Boolean> answer = new Answer<>(() -> "declare " + definition);
        return new Act(
                () -> "declare " + definition + (owner == null ? "" : " for " + owner),
                new Command.Declare(definition, owner, answer),
                answer,
                () -> {
                    ModelQueue known = model.queues.get(definition.name());
                    boolean mismatch = model.streams.containsKey(definition.name())
                            || (known != null && !known.declared.equals(definition));
                    boolean foreign = known != null
                            && known.definition.exclusive()
                            && known.owner != null
                            && !known.owner.equals(owner);
                    if (answer.carriedOut(mismatch ? when(true, Reason.MISMATCH) : when(foreign, Reason.IN_USE))) {
                        answer.equalTo(known == null);
                        if (known == null) {
                            model.declare(definition, owner);
                        } else {
                            known.idleSince = model.now;
                        }
                        promise(answer);
                    }
                });
    }

    Act declare(StreamDefinition definition) {
        Answer<Boolean> answer = new Answer<>(() -> "declare " + definition);
        return new Act(() -> "declare " + definition, new Command.Declare(definition, null, answer), answer, () -> {
            ModelStream known = model.streams.get(definition.name());
            boolean mismatch = model.queues.containsKey(definition.name())
                    || (known != null && !known.declared.equals(definition));
            if (answer.carriedOut(when(mismatch, Reason.MISMATCH))) {
                answer.equalTo(known == null);
                if (known == null) {
                    model.declare(definition);
                }
                promise(answer);
            }
        });
    }

    Act declare(TopicDefinition definition) {
        Answer<Boolean> answer = new Answer<>(() -> "declare " + definition);
        return new Act(() -> "declare " + definition, new Command.Declare(definition, null, answer), answer, () -> {
            TopicDefinition known = model.topology.topics.get(definition.name());
            // An alternate need not be there yet.
            Reason[] must = when(known != null && !known.equals(definition), Reason.MISMATCH);
            if (answer.carriedOut(must)) {
                answer.equalTo(known == null);
                if (known == null) {
                    model.batch();
                    model.topology.declare(definition);
                }
                promise(answer);
            }
        });
    }

    Act bind(Binding binding) {
        return bind(binding, null);
    }

    Act bind(Binding binding, @Nullable Object owner) {
        Answer<Boolean> answer = new Answer<>(() -> "bind " + binding);
        return new Act(() -> "bind " + binding + as(owner), new Command.Bind(binding, owner, answer), answer, () -> {
            boolean missing = !model.topology.topics.containsKey(binding.topic())
                    || !(binding.toTopic()
                            ? model.topology.topics.containsKey(binding.destination())
                            : model.hasChannel(binding.destination()));
            TopicDefinition topic = model.topology.topics.get(binding.topic());
            boolean other = topic != null && !fits(topic, binding);
            boolean foreign = !binding.toTopic() && foreign(model.queues.get(binding.destination()), owner);
            List<Reason> must = new ArrayList<>();
            must.addAll(List.of(when(foreign, Reason.IN_USE)));
            must.addAll(List.of(when(missing || other, Reason.NOT_FOUND)));
            must.addAll(List.of(when(other, Reason.INVALID)));
            if (answer.carriedOut(must.toArray(Reason[]::new))) {
                answer.equalTo(!model.topology.has(binding));
                if (!model.topology.has(binding)) {
                    model.batch();
                    model.topology.bind(binding);
                }
                promise(answer);
            }
        });
    }

    /** A topic may have been declared anew with another routing since the binding was drawn. */
    private static boolean fits(TopicDefinition topic, Binding binding) {
        return switch (topic.routing()) {
            case RULE -> binding.pattern().contains(" ") || binding.pattern().matches("[a-z]+([.][a-z]+)*");
            case HASH -> binding.pattern().matches("[0-9]{1,7}");
            // A wildcard is a whole word or level, and # the last level.
            case PATTERN -> !binding.pattern().matches(".*([^.][*#]|[*#][^.]).*");
            case LEVELS -> !binding.pattern().isEmpty() && !binding.pattern().matches(".*([^/][+#]|[+#][^/]|#/).*");
            default -> true;
        };
    }

    Act unbind(Binding binding) {
        return unbind(binding, null);
    }

    Act unbind(Binding binding, @Nullable Object owner) {
        Answer<Boolean> answer = new Answer<>(() -> "unbind " + binding);
        return new Act(
                () -> "unbind " + binding + as(owner), new Command.Unbind(binding, owner, answer), answer, () -> {
                    boolean foreign = !binding.toTopic() && foreign(model.queues.get(binding.destination()), owner);
                    if (answer.carriedOut(when(foreign, Reason.IN_USE))) {
                        boolean known = model.topology.has(binding);
                        answer.equalTo(known);
                        if (known) {
                            model.topology.unbind(binding);
                        }
                        promise(answer);
                    }
                });
    }

    Act deleteChannel(String name, boolean ifUnused, boolean ifEmpty, @Nullable Object owner) {
        Answer<Long> answer = new Answer<>(() -> "delete " + name);
        return new Act(
                () -> "delete " + name + (ifUnused ? " if unused" : "") + (ifEmpty ? " if empty" : ""),
                new Command.DeleteChannel(name, ifUnused, ifEmpty, owner, answer),
                answer,
                () -> deleted(name, ifUnused, ifEmpty, owner, answer));
    }

    private void deleted(String name, boolean ifUnused, boolean ifEmpty, @Nullable Object owner, Answer<Long> answer) {
        ModelQueue queue = model.queues.get(name);
        ModelStream stream = model.streams.get(name);
        if (queue != null) {
            boolean foreign = queue.definition.exclusive() && queue.owner != null && !queue.owner.equals(owner);
            boolean used = foreign || (ifUnused && !queue.consumers.isEmpty()) || (ifEmpty && queue.size() > 0);
            if (answer.carriedOut(when(used, Reason.IN_USE))) {
                answer.equalTo((long) queue.size());
                model.delete(queue);
                promise(answer);
            }
            return;
        }
        if (stream == null) {
            answer.carriedOut(Reason.NOT_FOUND);
            return;
        }
        long messages = 0;
        for (ModelStream.Partition partition : stream.partitions) {
            messages += partition.entries.stream().filter(e -> !e.gone).count();
        }
        boolean used = ifUnused
                && (stream.groups.stream().anyMatch(g -> !g.consumers.isEmpty())
                        || model.readers.values().stream().anyMatch(reader -> reader.stream == stream));
        boolean full = ifEmpty && messages > 0;
        boolean open = stream.retains();
        if (!answer.known() && full && open && !used) {
            throw new Model.Unforeseen();
        }
        if (answer.carriedOut(when(used || (full && !open), Reason.IN_USE), when(full && open, Reason.IN_USE))) {
            if (!open) {
                answer.equalTo(messages);
            }
            model.delete(stream);
            promise(answer);
        }
    }

    Act deleteTopic(String name, boolean ifUnused) {
        Answer<Boolean> answer = new Answer<>(() -> "delete topic " + name);
        return new Act(() -> "delete topic " + name, new Command.DeleteTopic(name, ifUnused, answer), answer, () -> {
            boolean known = model.topology.topics.containsKey(name);
            if (answer.carriedOut(when(known && ifUnused && model.topology.hasBindings(name), Reason.IN_USE))) {
                answer.equalTo(known);
                if (known) {
                    model.topology.delete(name);
                }
                promise(answer);
            }
        });
    }

    void promise(Answer<?> answer) {
        if (answer.done()) {
            world.promise();
        }
    }

    // ── Policies ─────────────────────────────────────────────────────────────────────────────────────────────────────

    Act set(Policy policy) {
        Answer<Boolean> answer = new Answer<>(() -> "set " + policy);
        return new Act(() -> "set " + policy, new Command.SetPolicy(policy, answer), answer, () -> {
            if (answer.carriedOut()) {
                Policy known = model.policies.get(policy.operator(), policy.name());
                answer.equalTo(known == null);
                if (!policy.equals(known)) {
                    noteGoing(answer);
                    model.set(policy);
                }
                promise(answer);
            }
        });
    }

    /** The look before a policy is changed tells what has gone; where the broker died, nobody heard of it. */
    private void noteGoing(Answer<?> answer) {
        if (!answer.known()) {
            model.noteGoing();
        }
    }

    Act deletePolicy(boolean operator, String name) {
        Supplier<String> text = () -> "delete " + (operator ? "operator's " : "") + "policy " + name;
        Answer<Boolean> answer = new Answer<>(text);
        return new Act(text, new Command.DeletePolicy(operator, name, answer), answer, () -> {
            if (answer.carriedOut()) {
                Policy known = model.policies.get(operator, name);
                answer.equalTo(known != null);
                if (known != null) {
                    noteGoing(answer);
                    model.deletePolicy(known);
                }
                promise(answer);
            }
        });
    }

    // ── Publishing ───────────────────────────────────────────────────────────────────────────────────────────────────

    /** Why a publish must be refused; empty if it must not. */
    Reason[] refusal(Command.Publish publish, java.util.Map<ModelQueue, Integer> coming) {
        Set<Reason> reasons = new LinkedHashSet<>();
        String topic = publish.topic();
        TopicDefinition known = topic == null ? null : model.topology.topics.get(topic);
        if (topic == null ? !model.hasChannel(publish.channel()) : known == null) {
            return when(true, Reason.NOT_FOUND);
        }
        if (known != null && known.internal()) {
            return when(true, Reason.INVALID);
        }
        for (EngineMessage message : publish.messages()) {
            Set<String> channels =
                    topic == null ? Set.of(publish.channel()) : model.topology.route(topic, publish.channel(), message);
            if (channels.isEmpty() && publish.mandatory()) {
                reasons.add(Reason.UNROUTABLE);
            }
            for (String channel : channels) {
                ModelQueue queue = model.queues.get(channel);
                ModelStream stream = model.streams.get(channel);
                if (stream != null && stream.definition.compacted() && message.key() == null) {
                    reasons.add(Reason.INVALID);
                }
                boolean passes = publish.passFull() && topic != null;
                if (queue != null && !passes && refuses(queue, message, coming)) {
                    reasons.add(Reason.FULL);
                }
                if (forgetful(channel, message, model.latest) && world.openIds.isEmpty()) {
                    reasons.add(Reason.FULL);
                }
            }
        }
        return reasons.toArray(Reason[]::new);
    }

    private boolean refuses(ModelQueue queue, EngineMessage message, java.util.Map<ModelQueue, Integer> coming) {
        String id = message.id();
        if (id != null && queue.dedup != null && queue.dedup.knows(id, model.now)) {
            return false;
        }
        if (queue.definition.overflow() != Overflow.REJECT_PUBLISH) {
            return false;
        }
        long most = queue.definition.maxMessages();
        long bytes = queue.definition.maxBytes();
        return (most > 0 && queue.bounded() + coming.merge(queue, 1, Integer::sum) > most)
                || (bytes > 0 && queue.leastBytes() >= bytes);
    }

    /** True if a channel certainly remembers as many ids as it may, and would have to remember one of these too. */
    boolean forgetful(Command.Publish publish) {
        return world.openIds.isEmpty()
                && publish.messages().stream().anyMatch(m -> forgetful(publish.channel(), m, model.latest));
    }

    /** True if the channel remembers as many ids as it may, and would have to remember this one too. */
    private boolean forgetful(String channel, EngineMessage message, long at) {
        String id = message.id();
        ModelQueue queue = model.queues.get(channel);
        ModelStream stream = model.streams.get(channel);
        Dedup dedup = queue != null ? queue.dedup : stream != null ? stream.dedup : null;
        int limit = queue != null
                ? queue.definition.dedupLimit()
                : stream != null ? stream.definition.dedupLimit() : Integer.MAX_VALUE;
        return id != null && dedup != null && !dedup.knows(id, model.now) && dedup.remembers(limit, at);
    }

    /** True if it is open whether as many ids are remembered as may be. */
    boolean mayForget(List<Command.Publish> publishes) {
        for (Command.Publish publish : publishes) {
            String topic = publish.topic();
            boolean open = !world.openIds.isEmpty() || model.now < model.latest;
            // Each for itself, the first ones may make it open for the last.
            int ahead = open ? publish.messages().size() - 1 : 0;
            for (EngineMessage message : publish.messages()) {
                for (String channel : topic == null
                        ? Set.of(publish.channel())
                        : model.topology.route(topic, publish.channel(), message)) {
                    ModelQueue queue = model.queues.get(channel);
                    ModelStream stream = model.streams.get(channel);
                    int limit = queue != null
                            ? queue.definition.dedupLimit()
                            : stream != null ? stream.definition.dedupLimit() : Integer.MAX_VALUE;
                    Dedup dedup = queue != null ? queue.dedup : stream != null ? stream.dedup : null;
                    if (message.id() == null || dedup == null) {
                        continue;
                    }
                    boolean may = dedup.remembers(limit - world.openIds.size() - ahead, model.now);
                    if (may && (!world.openIds.isEmpty() || !dedup.remembers(limit, model.latest))) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** True if a full queue may give what it is sent to its dead letters. */
    boolean gives(Command.Publish publish) {
        return publish.topic() != null
                || model.queues.values().stream()
                        .anyMatch(queue -> queue.name().equals(publish.channel())
                                && queue.definition.overflow() == Overflow.DEAD_LETTER_NEWEST);
    }

    /** A publish of which nobody lived to hear must not depend on what is open. */
    void foreseen(List<Command.Publish> publishes, boolean known) {
        if (!known && mayForget(publishes)) {
            throw new Model.Unforeseen();
        }
    }

    /** Where a queue may be full of bytes or of ids, as far as the model can tell. */
    private Reason[] mayBeFull(List<Command.Publish> publishes) {
        if (mayForget(publishes)) {
            return when(true, Reason.FULL);
        }
        for (Command.Publish publish : publishes) {
            ModelQueue queue = publish.topic() == null ? model.queues.get(publish.channel()) : null;
            if (queue != null
                    && queue.definition.overflow() == Overflow.REJECT_PUBLISH
                    && queue.definition.maxBytes() > 0
                    && queue.mostBytes() >= queue.definition.maxBytes()) {
                return when(true, Reason.FULL);
            }
        }
        return new Reason[0];
    }

    static Reason[] both(Reason[] some, Reason[] others) {
        List<Reason> all = new ArrayList<>(List.of(some));
        all.addAll(List.of(others));
        return all.toArray(Reason[]::new);
    }

    Act publish(
            @Nullable String topic,
            String channel,
            List<EngineMessage> messages,
            @Nullable Durability durability,
            boolean mandatory) {
        Supplier<String> text = () -> "publish " + tell(messages) + " to "
                + (topic == null ? "" : "topic " + topic + " with ") + "'" + channel + "'"
                + (durability == null ? "" : " " + durability) + (mandatory ? " mandatory" : "");
        Answer<Command.Published> answer = new Answer<>(text);
        Command.Publish publish = new Command.Publish(topic, channel, messages, durability, mandatory, null, answer);
        return new Act(text, publish, answer, () -> {
            Reason[] must = refusal(publish, new java.util.IdentityHashMap<>());
            boolean durable = syncs(publish);
            messages.forEach(m -> world.used(m.id()));
            foreseen(List.of(publish), answer.known());
            if (answer.carriedOut(must, () -> both(tooLarge(List.of(publish), 0), mayBeFull(List.of(publish))))) {
                model.batch();
                Command.Published expected = model.publish(publish);
                if (answer.done()) {
                    compare(expected, answer.result(), topic == null, model.streams.containsKey(channel), text);
                }
                model.afterBatch();
                if (durable) {
                    promise(answer);
                }
            }
        });
    }

    /** Much at once may be more than the journal's segments take. */
    private static Reason[] tooLarge(List<Command.Publish> publishes, int settlements) {
        long bytes = 14_000L * settlements;
        for (Command.Publish publish : publishes) {
            for (EngineMessage message : publish.messages()) {
                byte[] payload = message.payload();
                bytes += 7_000 + 3L * (payload == null ? 0 : payload.length);
            }
        }
        return when(bytes > 60_000, Reason.TOO_LARGE);
    }

    /** True if the confirm of this publish means that it is on disk. */
    boolean syncs(Command.Publish publish) {
        Durability wanted = publish.durability();
        return wanted == null ? durable(publish) : wanted == Durability.DURABLE;
    }

    private boolean durable(Command.Publish publish) {
        String topic = publish.topic();
        for (EngineMessage message : publish.messages()) {
            for (String channel : topic == null
                    ? Set.of(publish.channel())
                    : model.topology.route(topic, publish.channel(), message)) {
                ModelQueue queue = model.queues.get(channel);
                ModelStream stream = model.streams.get(channel);
                if ((queue != null && queue.durable()) || (stream != null && stream.durable())) {
                    return true;
                }
            }
        }
        return false;
    }

    static void compare(
            Command.Published expected,
            Command.Published actual,
            boolean straight,
            boolean stream,
            Supplier<String> text) {
        BitSet dropped = actual.dropped() == null ? new BitSet() : actual.dropped();
        Violation.unless(
                dropped.equals(expected.dropped()) && actual.duplicates() == expected.duplicates(),
                () -> "dropped as duplicates were " + dropped + " instead of " + expected.dropped() + ": "
                        + text.get());
        Violation.unless(
                actual.refused() == expected.refused(),
                () -> actual.refused() + " queues did not take it because they were full, instead of "
                        + expected.refused() + ": " + text.get());
        if (straight && stream) {
            for (int at = 0; at < expected.offsets().length / 2; at++) {
                int i = at;
                boolean same = actual.offsets()[2 * i] == expected.offsets()[2 * i]
                        && actual.offsets()[2 * i + 1] == expected.offsets()[2 * i + 1];
                Violation.unless(
                        same || dropped.get(i),
                        () -> "message " + i + " got offset " + actual.offsets()[2 * i + 1] + " of partition "
                                + actual.offsets()[2 * i] + " instead of " + expected.offsets()[2 * i + 1] + " of "
                                + expected.offsets()[2 * i] + ": " + text.get());
            }
        } else if (!straight) {
            Violation.unless(
                    actual.routed() == expected.routed(),
                    () -> "routed to " + actual.routed() + " instead of " + expected.routed() + " channels: "
                            + text.get());
        }
    }

    static String tell(List<EngineMessage> messages) {
        List<String> all = new ArrayList<>();
        for (EngineMessage m : messages) {
            byte[] key = m.key();
            byte[] payload = m.payload();
            all.add("m" + m.timestampMillis()
                    + (key == null ? "" : " " + new String(key, java.nio.charset.StandardCharsets.UTF_8))
                    + (m.id() == null ? "" : " " + m.id())
                    + (m.priority() == 0 ? "" : " priority " + m.priority())
                    + (m.ttlMillis() == 0 ? "" : " ttl " + m.ttlMillis())
                    + (m.deliverAtMillis() == 0 ? "" : " at " + m.deliverAtMillis())
                    + (payload == null ? " tombstone" : payload.length < 1000 ? "" : " " + payload.length + " bytes"));
        }
        return all.toString();
    }

    // ── Consuming ────────────────────────────────────────────────────────────────────────────────────────────────────

    Act subscribe(ModelQueue asked, Command.ConsumerSettings settings, @Nullable Filter filter) {
        Supplier<String> text = () -> "subscribe to " + asked + " credit " + settings.credit()
                + (settings.restoring() ? "" : " not restoring")
                + (settings.autoAcknowledge() ? " auto-acknowledge" : "") + (settings.exclusive() ? " exclusive" : "")
                + (settings.priority() == 0 ? "" : " priority " + settings.priority())
                + (settings.leaseMillis() == 0 ? "" : " lease " + settings.leaseMillis())
                + (filter == null ? "" : " where " + filter.text())
                + (settings.owner() == null ? "" : " of " + settings.owner());
        Answer<Long> answer = new Answer<>(text);
        ModelConsumer consumer = new ModelConsumer(asked, settings, filter);
        String stream = asked.stream == null ? asked.name() : asked.stream.name();
        Command command = new Command.Subscribe(
                stream, asked.stream == null ? null : asked.name(), settings, world.sink(consumer), answer);
        return new Act(text, command, answer, () -> {
            ModelQueue queue = queue(asked);
            if (queue == null) {
                answer.carriedOut(Reason.NOT_FOUND, Reason.INVALID);
                return;
            }
            consumer.queue = queue;
            boolean foreign =
                    queue.definition.exclusive() && queue.owner != null && !queue.owner.equals(settings.owner());
            boolean taken = !queue.consumers.isEmpty()
                    && (settings.exclusive()
                            || queue.consumers.getFirst().settings.exclusive());
            if (!answer.carriedOut(when(foreign || taken, Reason.IN_USE))) {
                return;
            }
            int at = 0;
            while (at < queue.consumers.size()
                    && queue.consumers.get(at).settings.priority() >= settings.priority()) {
                at++;
            }
            queue.consumers.add(at, consumer);
            queue.active(); // whoever comes first to a queue without one is it
            if (answer.known()) {
                consumer.id = answer.result();
                Violation.unless(
                        model.consumers.put(consumer.id, consumer) == null, () -> "a consumer's id came twice");
            }
        });
    }

    /** The queue of this name now, which may be another than when it was asked for. */
    private @Nullable ModelQueue queue(ModelQueue asked) {
        return asked.stream == null ? model.queues.get(asked.name()) : model.group(asked.stream.name(), asked.name());
    }

    Act credit(ModelConsumer consumer, int more) {
        Answer<Integer> answer = new Answer<>(() -> "credit " + more + " for consumer " + consumer.id);
        return new Act(
                () -> "credit " + more + " for consumer " + consumer.id,
                new Command.Credit(consumer.id, more, answer),
                answer,
                () -> {
                    if (answer.carriedOut(when(consumer.gone, Reason.NOT_FOUND))) {
                        consumer.credit = Math.max(
                                0,
                                consumer.credit
                                        + Math.min(more, world.settings.maxUnsettledPerConsumer() - consumer.credit));
                        answer.equalTo(consumer.credit);
                    }
                });
    }

    Act unsubscribe(ModelConsumer consumer, boolean release) {
        Supplier<String> text = () -> "end consumer " + consumer.id + " of " + consumer.queue
                + (release ? "" : ", which keeps what it holds");
        Answer<Integer> answer = new Answer<>(text);
        return new Act(text, new Command.Unsubscribe(consumer.id, release, answer), answer, () -> {
            if (!answer.carriedOut(when(consumer.gone, Reason.NOT_FOUND))) {
                return;
            }
            if (!release && !consumer.held.isEmpty()) {
                consumer.leaving = true;
                consumer.credit = 0;
                model.leave(consumer);
                answer.equalTo(0);
                return;
            }
            boolean durable = consumer.queue.durable() && !consumer.held.isEmpty();
            answer.equalTo(model.end(consumer));
            if (durable) {
                promise(answer);
            }
        });
    }

    Act closeOwner(Object owner) {
        Answer<Integer> answer = new Answer<>(() -> "close " + owner);
        return new Act(() -> "close " + owner, new Command.CloseOwner(owner, answer), answer, () -> {
            if (answer.carriedOut()) {
                List<ModelConsumer> mine = new ArrayList<>(model.consumers.values());
                // Those of a moment that nobody lived to hear of have no id.
                model.all()
                        .forEach(queue ->
                                queue.consumers.stream().filter(c -> c.id < 0).forEach(mine::add));
                mine.removeIf(c -> !owner.equals(c.settings.owner()));
                mine.forEach(model::end);
                for (ModelQueue queue : List.copyOf(model.queues.values())) {
                    if (owner.equals(queue.owner)) {
                        model.delete(queue);
                    }
                }
                int before = model.readers.size();
                model.readers.values().removeIf(reader -> owner.equals(reader.settings.owner()));
                answer.equalTo(mine.size() + before - model.readers.size());
                promise(answer);
            }
        });
    }

    // ── Settling ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Settles these numbers of a consumer, rightly or not. */
    Act settle(long consumerId, long[] numbers, int @Nullable [] attempts, Command.Outcome outcome) {
        Supplier<String> text = () -> "settle " + java.util.Arrays.toString(numbers)
                + (attempts == null ? "" : " attempts " + java.util.Arrays.toString(attempts)) + " of consumer "
                + consumerId + ": " + outcome;
        Answer<Integer> answer = new Answer<>(text);
        return new Act(
                text,
                new Command.Settle(consumerId, numbers, numbers.length, attempts, outcome, answer),
                answer,
                () -> {
                    StreamReader reader = model.readers.get(consumerId);
                    if (reader != null) {
                        if (answer.carriedOut()) {
                            answer.equalTo(reader.settle(numbers, outcome));
                        }
                        return;
                    }
                    ModelConsumer consumer = model.consumers.get(consumerId);
                    if (!answer.carriedOut(when(consumer == null || consumer.gone, Reason.NOT_DELIVERED))
                            || consumer == null) {
                        return;
                    }
                    boolean durable = consumer.queue.durable();
                    List<Copy> mine = held(consumer, numbers, attempts);
                    settle(mine, outcome);
                    answer.equalTo(numbers.length - mine.size());
                    if (durable && !mine.isEmpty()) {
                        promise(answer);
                    }
                });
    }

    static List<Copy> held(ModelConsumer consumer, long[] numbers, int @Nullable [] attempts) {
        Set<Copy> mine = new LinkedHashSet<>();
        for (int i = 0; i < numbers.length; i++) {
            Copy copy = consumer.held.get(numbers[i]);
            if (copy != null && (attempts == null || attempts[i] == copy.attempts)) {
                mine.add(copy);
            }
        }
        return List.copyOf(mine);
    }

    private void settle(List<Copy> copies, Command.Outcome outcome) {
        model.batch();
        for (Copy copy : copies) {
            model.settle(copy, outcome);
        }
        model.afterBatch();
    }

    // ── Looking after queues ─────────────────────────────────────────────────────────────────────────────────────────

    private Reason[] noQueue(String name) {
        return model.queues.containsKey(name)
                ? new Reason[0]
                : when(true, model.streams.containsKey(name) ? Reason.INVALID : Reason.NOT_FOUND);
    }

    /** True if the queue belongs to one connection alone, which this is not. */
    private static boolean foreign(@Nullable ModelQueue queue, @Nullable Object owner) {
        return queue != null && queue.definition.exclusive() && queue.owner != null && !queue.owner.equals(owner);
    }

    private static String as(@Nullable Object owner) {
        return owner == null ? "" : " as " + owner;
    }

    Act purge(String name) {
        return purge(name, null);
    }

    Act purge(String name, @Nullable Object owner) {
        Answer<Long> answer = new Answer<>(() -> "purge " + name);
        return new Act(() -> "purge " + name + as(owner), new Command.Purge(name, owner, answer), answer, () -> {
            ModelStream stream = model.streams.get(name);
            if (stream != null) {
                if (answer.carriedOut()) {
                    model.batch();
                    model.trimAll(stream);
                    promise(answer);
                }
                return;
            }
            ModelQueue queue = model.queues.get(name);
            if (answer.carriedOut(foreign(queue, owner) ? when(true, Reason.IN_USE) : noQueue(name))) {
                answer.equalTo(model.purge(java.util.Objects.requireNonNull(queue)));
                promise(answer);
            }
        });
    }

    Act move(String from, String to, @Nullable Filter filter, long max) {
        Supplier<String> text =
                () -> "move " + max + " from " + from + " to " + to + (filter == null ? "" : " where " + filter.text());
        Answer<Long> answer = new Answer<>(text);
        return new Act(
                text, new Command.Move(from, to, filter == null ? null : filter.rule(), max, answer), answer, () -> {
                    Reason[] must = noQueue(from);
                    if (must.length == 0) {
                        must = from.equals(to)
                                ? when(true, Reason.INVALID)
                                : when(!model.hasChannel(to), Reason.NOT_FOUND);
                    }
                    if (answer.carriedOut(must)) {
                        answer.equalTo(
                                model.move(java.util.Objects.requireNonNull(model.queues.get(from)), to, filter, max));
                        promise(answer);
                    }
                });
    }

    Act redrive(String name, @Nullable Filter filter, long max) {
        Supplier<String> text =
                () -> "redrive " + max + " of " + name + (filter == null ? "" : " where " + filter.text());
        Answer<Long> answer = new Answer<>(text);
        return new Act(
                text, new Command.Redrive(name, filter == null ? null : filter.rule(), max, answer), answer, () -> {
                    if (answer.carriedOut(noQueue(name))) {
                        answer.equalTo(
                                model.redrive(java.util.Objects.requireNonNull(model.queues.get(name)), filter, max));
                        promise(answer);
                    }
                });
    }

    Act putBack(String name, List<Long> numbers) {
        Supplier<String> text = () -> "put back " + numbers + " of " + name;
        Answer<Long> answer = new Answer<>(text);
        long[] chosen = numbers.stream().mapToLong(Long::longValue).toArray();
        ModelQueue asked = model.queues.get(name);
        return new Act(text, new Command.PutBack(name, chosen, null, answer), answer, () -> {
            Reason[] must = noQueue(name);
            ModelQueue now = model.queues.get(name);
            if (asked != null
                    && now != null
                    && now != asked
                    && now.all().stream().anyMatch(copy -> copy.number < 0)) {
                // Declared anew in the same turn: which of what has come since these numbers mean nobody has seen.
                throw new Model.Unforeseen();
            }
            if (answer.carriedOut(must.length == 0 ? when(numbers.isEmpty(), Reason.INVALID) : must)) {
                answer.equalTo(model.putBack(java.util.Objects.requireNonNull(model.queues.get(name)), numbers));
                promise(answer);
            }
        });
    }

    Act cancel(String name, String id) {
        Answer<Integer> answer = new Answer<>(() -> "cancel " + id + " of " + name);
        return new Act(() -> "cancel " + id + " of " + name, new Command.Cancel(name, id, answer), answer, () -> {
            if (answer.carriedOut(noQueue(name))) {
                answer.equalTo(model.cancel(java.util.Objects.requireNonNull(model.queues.get(name)), id));
                promise(answer);
            }
        });
    }

    // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

    /** A part of a transaction that settles. */
    record Settlement(ModelConsumer consumer, long[] numbers, int @Nullable [] attempts, Command.Outcome outcome) {}

    Act transact(List<Command.Publish> publishes, List<Settlement> settlements, List<Command.CommitOffsets> commits) {
        List<Command> commands = new ArrayList<>(publishes);
        for (Settlement each : settlements) {
            commands.add(new Command.Settle(
                    each.consumer().id,
                    each.numbers(),
                    each.numbers().length,
                    each.attempts(),
                    each.outcome(),
                    new Answer<>(() -> "part")));
        }
        commands.addAll(commits);
        Supplier<String> text = () -> tell(publishes, settlements, commits);
        Answer<List<Command.Published>> answer = new Answer<>(text);
        return new Act(text, new Command.Transact(commands, answer), answer, () -> {
            List<Copy> all = new ArrayList<>();
            Reason[] must = refusal(publishes, settlements, commits, all);
            publishes.forEach(p -> p.messages().forEach(m -> world.used(m.id())));
            foreseen(publishes, answer.known());
            if (!answer.carriedOut(must, () -> both(tooLarge(publishes, all.size()), mayBeFull(publishes)))) {
                return;
            }
            model.batch();
            for (int i = 0; i < publishes.size(); i++) {
                Command.Published expected = model.publish(publishes.get(i));
                if (answer.done()) {
                    Command.Publish publish = publishes.get(i);
                    compare(
                            expected,
                            answer.result().get(i),
                            publish.topic() == null,
                            model.streams.containsKey(publish.channel()),
                            text);
                }
            }
            for (Settlement each : settlements) {
                held(each.consumer(), each.numbers(), each.attempts())
                        .forEach(copy -> model.settle(copy, each.outcome()));
            }
            commits.forEach(c -> model.commit(c.group(), c.positions()));
            model.afterBatch();
            promise(answer);
        });
    }

    private static String tell(
            List<Command.Publish> publishes, List<Settlement> settlements, List<Command.CommitOffsets> commits) {
        StringBuilder text = new StringBuilder("transact:");
        publishes.forEach(p -> text.append(" publish ")
                .append(tell(p.messages()))
                .append(" to ")
                .append(p.topic() == null ? "" : "topic " + p.topic() + " with ")
                .append("'")
                .append(p.channel())
                .append("';"));
        settlements.forEach(each -> text.append(" settle ")
                .append(java.util.Arrays.toString(each.numbers()))
                .append(" of consumer ")
                .append(each.consumer().id)
                .append(": ")
                .append(each.outcome())
                .append(';'));
        commits.forEach(commit -> text.append(" commit ")
                .append(commit.group())
                .append(' ')
                .append(commit.positions())
                .append(';'));
        return text.toString();
    }

    private Reason[] refusal(
            List<Command.Publish> publishes,
            List<Settlement> settlements,
            List<Command.CommitOffsets> commits,
            List<Copy> all) {
        Set<Reason> must = new LinkedHashSet<>();
        java.util.Map<ModelQueue, Integer> coming = new java.util.IdentityHashMap<>();
        for (Command.Publish publish : publishes) {
            must.addAll(List.of(refusal(publish, coming)));
        }
        for (Settlement each : settlements) {
            List<Copy> held = held(each.consumer(), each.numbers(), each.attempts());
            boolean twice = all.stream().anyMatch(held::contains);
            all.addAll(held);
            if (held.size() < each.numbers().length || twice || each.consumer().gone) {
                must.add(Reason.NOT_DELIVERED);
            }
        }
        for (Command.CommitOffsets commit : commits) {
            must.addAll(List.of(StreamCommands.refusal(model, commit)));
        }
        return must.toArray(Reason[]::new);
    }
}
