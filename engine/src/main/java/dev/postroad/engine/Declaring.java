package dev.postroad.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Declaring and deleting: as durable as messages are. */
final class Declaring {
    private static final int REFERRED_CHUNK = 512;

    private final Engine engine;
    private final Settling settling;

    Declaring(Engine engine, Settling settling) {
        this.engine = engine;
        this.settling = settling;
    }

    void declare(Command.Declare declare) {
        Definition definition = declare.definition();
        Records.encoded(definition::encode, "the declaration of '" + definition.name() + "'");
        Definition known = definition instanceof TopicDefinition
                ? engine.state.router.topic(definition.name())
                : channel(definition.name());
        if (known != null) {
            checkSame(known, definition);
            QueueState queue = engine.state.queue(definition.name());
            if (queue != null) {
                checkOwner(queue, declare.owner());
                queue.idleSince = engine.now();
            }
            engine.park(declare.reply(), false, true);
            return;
        }
        if (definition instanceof TopicDefinition topic) {
            begin(definition::encode);
            engine.records.topicDeclared(topic);
        } else {
            checkRoom();
            begin(definition::encode);
            int id = engine.records.declared(definition, null);
            QueueState queue = engine.state.queue(id);
            if (queue != null) {
                queue.idleSince = engine.now();
                queue.owner = queue.definition().exclusive() ? declare.owner() : null;
                engine.touch(queue);
            }
        }
        engine.records.end();
        engine.park(declare.reply(), true, true);
    }

    private void begin(java.util.function.Consumer<java.nio.ByteBuffer> encode) {
        engine.records.begin(engine.now(), 1, Records.definitionBytes(encode));
    }

    private @Nullable Definition channel(String name) {
        QueueState queue = engine.state.queue(name);
        if (queue != null) {
            return queue.declared();
        }
        StreamState stream = engine.state.stream(name);
        return stream == null ? null : stream.declared();
    }

    Command.Described describe(Command.Describe describe) {
        if (describe.topic()) {
            return new Command.Described(engine.state.router.topic(describe.name()), 0, 0);
        }
        QueueState queue = engine.state.queue(describe.name());
        if (queue != null) {
            return new Command.Described(queue.declared(), queue.readyMessages(), queue.consumers.size());
        }
        StreamState stream = engine.state.stream(describe.name());
        return stream == null
                ? new Command.Described(null, 0, 0)
                : new Command.Described(stream.declared(), stream.messages(), engine.streamConsuming.consumers(stream));
    }

    private void checkRoom() {
        int count = engine.state.queues().size() + engine.state.streams().size();
        if (count >= engine.settings.maxChannels()) {
            throw new EngineException(
                    EngineException.Reason.FULL,
                    "there are " + count + " queues, streams and groups; at most " + engine.settings.maxChannels()
                            + " may be");
        }
    }

    private static void checkSame(Definition known, Definition wanted) {
        if (!comparable(known).equals(comparable(wanted))) {
            throw new EngineException(
                    EngineException.Reason.MISMATCH,
                    "'" + wanted.name() + "' exists and was declared otherwise: " + difference(known, wanted));
        }
    }

    private static Definition comparable(Definition definition) {
        return definition instanceof QueueDefinition queue ? queue.withOverflowSaid(false) : definition;
    }

    /** The components in which two definitions differ, in words. */
    static String difference(Definition known, Definition wanted) {
        if (known.getClass() != wanted.getClass()) {
            return "it is a " + kind(known) + ", not a " + kind(wanted);
        }
        List<String> here = components(known);
        List<String> there = components(wanted);
        List<String> differences = new ArrayList<>();
        for (int i = 0; i < here.size(); i++) {
            if (!here.get(i).equals(there.get(i))) {
                differences.add("it has " + here.get(i) + ", not " + there.get(i));
            }
        }
        return String.join("; ", differences);
    }

    private static String kind(Definition definition) {
        return switch (definition) {
            case QueueDefinition q -> "queue";
            case StreamDefinition s -> "stream";
            case TopicDefinition t -> "topic";
        };
    }

    private static List<String> components(Definition definition) {
        return switch (definition) {
            case QueueDefinition q ->
                List.of(
                        "durability = " + q.durability(),
                        "priorities = " + q.priorities(),
                        "keyOrdered = " + q.keyOrdered(),
                        "deliveryLimit = " + q.deliveryLimit(),
                        "leaseMillis = " + q.leaseMillis(),
                        "ttlMillis = " + q.ttlMillis(),
                        "expiresMillis = " + q.expiresMillis(),
                        "dedupMillis = " + q.dedupMillis(),
                        "dedupLimit = " + q.dedupLimit(),
                        "maxMessages = " + q.maxMessages(),
                        "maxBytes = " + q.maxBytes(),
                        "overflow = " + q.overflow(),
                        "deadLetter = " + q.deadLetter(),
                        "exclusive = " + q.exclusive(),
                        "autoDelete = " + q.autoDelete(),
                        "singleActiveConsumer = " + q.singleActiveConsumer(),
                        "temporary = " + q.temporary(),
                        "boundsWaiting = " + q.boundsWaiting(),
                        "attributes = " + q.attributes());
            case StreamDefinition s ->
                List.of(
                        "durability = " + s.durability(),
                        "partitions = " + s.partitions(),
                        "retentionMillis = " + s.retentionMillis(),
                        "retentionBytes = " + s.retentionBytes(),
                        "compacted = " + s.compacted(),
                        "tombstoneMillis = " + s.tombstoneMillis(),
                        "dedupMillis = " + s.dedupMillis(),
                        "dedupLimit = " + s.dedupLimit(),
                        "attributes = " + s.attributes());
            case TopicDefinition t ->
                List.of(
                        "routing = " + t.routing(),
                        "alternate = " + t.alternate(),
                        "autoDelete = " + t.autoDelete(),
                        "internal = " + t.internal(),
                        "temporary = " + t.temporary(),
                        "hashOn = " + t.hashOn(),
                        "attributes = " + t.attributes());
        };
    }

    /** @throws EngineException {@code IN_USE} if the queue is exclusive and somebody else's */
    static void checkOwner(QueueState queue, @Nullable Object owner) {
        if (queue.definition().exclusive() && queue.owner != null && !queue.owner.equals(owner)) {
            throw new EngineException(
                    EngineException.Reason.IN_USE,
                    "queue '" + queue.definition().name() + "' is exclusive and belongs to another connection");
        }
    }

    // ── Deleting ─────────────────────────────────────────────────────────────────────────────────────────────────────

    void deleteChannel(Command.DeleteChannel delete) {
        QueueState queue = engine.state.queue(delete.name());
        if (queue != null) {
            checkOwner(queue, delete.owner());
            checkDeletable(queue, delete.ifUnused(), delete.ifEmpty());
            long messages = queue.messages();
            delete(queue, "queue '" + delete.name() + "' was deleted");
            engine.park(delete.reply(), messages, true);
            return;
        }
        StreamState stream = engine.state.stream(delete.name());
        if (stream == null) {
            throw Routes.noChannel(delete.name());
        }
        long messages = stream.messages();
        if (delete.ifEmpty() && messages > 0) {
            throw inUse("stream '" + delete.name() + "' holds " + messages + " messages");
        }
        if (delete.ifUnused() && engine.streamConsuming.consumers(stream) > 0) {
            throw inUse(
                    "stream '" + delete.name() + "' has " + engine.streamConsuming.consumers(stream) + " consumers");
        }
        for (QueueState group : engine.state.sharedGroups(delete.name())) {
            if (delete.ifUnused() && !group.consumers.isEmpty()) {
                throw inUse("group '" + group.definition().name() + "' of stream '" + delete.name() + "' has "
                        + group.consumers.size() + " consumers");
            }
        }
        List<QueueState> groups = List.copyOf(engine.state.sharedGroups(delete.name()));
        List<Binding> bindings = engine.state.router.leadingTo(delete.name(), false);
        engine.records.begin(engine.now(), 1, 16);
        engine.records.deleted(stream.firstChannelId());
        engine.records.end();
        groups.forEach(group -> cancelConsumers(group, "stream '" + delete.name() + "' was deleted"));
        engine.streamConsuming.cancel(stream, "stream '" + delete.name() + "' was deleted");
        deleteUnboundTopics(bindings);
        engine.park(delete.reply(), messages, true);
    }

    private static EngineException inUse(String what) {
        return new EngineException(EngineException.Reason.IN_USE, what + ": not deleted");
    }

    private static void checkDeletable(QueueState queue, boolean ifUnused, boolean ifEmpty) {
        String name = queue.definition().name();
        if (ifUnused && !queue.consumers.isEmpty()) {
            throw inUse("queue '" + name + "' has " + queue.consumers.size() + " consumers");
        }
        if (ifEmpty && queue.messages() > 0) {
            throw inUse("queue '" + name + "' holds " + queue.messages() + " messages");
        }
    }

    /** Deletes a queue or shared group with its bindings; its consumers are told. */
    void delete(QueueState queue, String reason) {
        List<Binding> bindings = queue.stream != null
                ? List.of()
                : engine.state.router.leadingTo(queue.definition().name(), false);
        engine.records.begin(engine.now(), 1, 16);
        engine.records.deleted(queue.id);
        engine.records.end();
        engine.wantSync();
        cancelConsumers(queue, reason);
        deleteUnboundTopics(bindings);
    }

    private void cancelConsumers(QueueState queue, String reason) {
        for (ConsumerState consumer : List.copyOf(queue.consumers)) {
            engine.forget(consumer);
            consumer.sink.cancelled(reason);
        }
        queue.consumers.clear();
        for (long id : engine.consumers().sortedKeys()) {
            ConsumerState consumer = engine.consumers().get(id);
            if (consumer != null && consumer.queue == queue) {
                // It had left and held deliveries still, which went with the queue.
                engine.forget(consumer);
            }
        }
    }

    void deleteTopic(Command.DeleteTopic delete) {
        if (engine.state.router.topic(delete.name()) == null) {
            engine.park(delete.reply(), false, true);
            return;
        }
        if (delete.ifUnused() && engine.state.router.hasBindings(delete.name())) {
            throw inUse("topic '" + delete.name() + "' has bindings");
        }
        deleteTopic(delete.name());
        engine.park(delete.reply(), true, true);
    }

    /** The engine was opened. */
    void deleteTemporaryTopics() {
        for (TopicDefinition topic : engine.state.router.topics()) {
            if (topic.temporary() && engine.state.router.topic(topic.name()) != null) {
                deleteTopic(topic.name());
            }
        }
    }

    private void deleteTopic(String name) {
        List<Binding> bindings = engine.state.router.leadingTo(name, true);
        engine.records.begin(engine.now(), 1, Bytes.maxBytes(name));
        engine.records.topicDeleted(name);
        engine.records.end();
        engine.wantSync();
        deleteUnboundTopics(bindings);
    }

    private void deleteUnboundTopics(List<Binding> gone) {
        for (Binding binding : gone) {
            TopicDefinition topic = engine.state.router.topic(binding.topic());
            if (topic != null && topic.autoDelete() && !engine.state.router.hasBindings(topic.name())) {
                deleteTopic(topic.name());
            }
        }
    }

    // ── Bindings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    void bind(Command.Bind bind) {
        Binding binding = bind.binding();
        HeaderValues.check(binding.arguments());
        Records.encoded(binding::encode, "the binding from topic '" + binding.topic() + "'");
        engine.state.router.check(binding);
        boolean destinationExists = binding.toTopic()
                ? engine.state.router.topic(binding.destination()) != null
                : engine.state.hasChannel(binding.destination());
        if (!destinationExists) {
            throw new EngineException(
                    EngineException.Reason.NOT_FOUND,
                    "there is no " + (binding.toTopic() ? "topic" : "channel") + " '" + binding.destination()
                            + "' to bind topic '" + binding.topic() + "' to; declare it first");
        }
        checkOwner(binding, bind.owner());
        boolean known = engine.state.router.has(binding);
        if (!known) {
            begin(binding::encode);
            engine.records.bound(binding);
            engine.records.end();
        }
        engine.park(bind.reply(), !known, true);
    }

    void unbind(Command.Unbind unbind) {
        checkOwner(unbind.binding(), unbind.owner());
        boolean known = engine.state.router.has(unbind.binding());
        if (known) {
            begin(unbind.binding()::encode);
            engine.records.unbound(unbind.binding());
            engine.records.end();
            deleteUnboundTopics(List.of(unbind.binding()));
        }
        engine.park(unbind.reply(), known, true);
    }

    private void checkOwner(Binding binding, @Nullable Object owner) {
        QueueState queue = binding.toTopic() ? null : engine.state.queue(binding.destination());
        if (queue != null) {
            checkOwner(queue, owner);
        }
    }

    // ── Policies ─────────────────────────────────────────────────────────────────────────────────────────────────────

    void setPolicy(Command.SetPolicy set) {
        Policy policy = set.policy();
        Records.encoded(policy::encode, "policy '" + policy.name() + "'");
        PolicySet policies = engine.state.policies();
        Policy known = policies.get(policy.operator(), policy.name());
        if (known == null && policies.size() >= PolicySet.MOST) {
            throw new EngineException(
                    EngineException.Reason.FULL,
                    "there are " + policies.size() + " policies, the most that may be; delete one first");
        }
        if (!policy.equals(known)) {
            Map<QueueState, Long> idle = idleBounds();
            begin(policy::encode);
            List<QueueState> changed = engine.records.policySet(policy);
            engine.records.end();
            follow(changed, idle);
        }
        engine.park(set.reply(), known == null, true);
    }

    void deletePolicy(Command.DeletePolicy delete) {
        boolean known = engine.state.policies().get(delete.operator(), delete.name()) != null;
        if (known) {
            Map<QueueState, Long> idle = idleBounds();
            engine.records.begin(engine.now(), 1, 1L + Bytes.maxBytes(delete.name()));
            List<QueueState> changed = engine.records.policyDeleted(delete.operator(), delete.name());
            engine.records.end();
            follow(changed, idle);
        }
        engine.park(delete.reply(), known, true);
    }

    private Map<QueueState, Long> idleBounds() {
        Map<QueueState, Long> bounds = new HashMap<>();
        engine.state
                .queues()
                .forEach(queue -> bounds.put(queue, queue.definition().expiresMillis()));
        return bounds;
    }

    /** What follows from other bounds: queues that are too long are shortened, and those that were idle begin to be anew. */
    private void follow(List<QueueState> changed, Map<QueueState, Long> idle) {
        for (QueueState queue : changed) {
            if (!Long.valueOf(queue.definition().expiresMillis()).equals(idle.get(queue))) {
                queue.idleSince = engine.now();
            }
            settling.noteOverflow(queue);
            engine.touch(queue);
        }
        settling.afterBatch();
    }

    // ── Shared groups ────────────────────────────────────────────────────────────────────────────────────────────────

    void declareSharedGroup(Command.DeclareSharedGroup declare) {
        StreamState stream = engine.state.stream(declare.stream());
        if (stream == null) {
            throw new EngineException(
                    EngineException.Reason.NOT_FOUND,
                    "there is no stream '" + declare.stream() + "' for a group '"
                            + declare.definition().name() + "'");
        }
        QueueDefinition definition = declare.definition();
        Records.encoded(definition::encode, "the declaration of group '" + definition.name() + "'");
        QueueState known = engine.state.sharedGroup(declare.stream(), definition.name());
        if (known != null) {
            checkSame(known.definition(), definition);
            known.idleSince = engine.now();
            engine.park(declare.reply(), false, true);
            return;
        }
        checkGroup(definition);
        checkRoom();
        begin(definition::encode);
        int id = engine.records.declared(definition, declare.stream());
        engine.records.end();
        QueueState group = engine.state.queue(id);
        if (group != null) {
            group.idleSince = engine.now();
            try {
                fill(group, stream, declare.start());
            } catch (EngineException e) {
                delete(group, "it could not be filled");
                throw e;
            }
            engine.touch(group);
        }
        engine.park(declare.reply(), true, true);
    }

    private static void checkGroup(QueueDefinition definition) {
        String what = "group '" + definition.name() + "': ";
        Definition.exclude(
                definition.priorities() > 1,
                what,
                "priorities = " + definition.priorities(),
                "a stream",
                "it is read in order");
        Definition.exclude(
                definition.dedupMillis() > 0,
                what,
                "dedupMillis = " + definition.dedupMillis(),
                "a stream",
                "duplicates are dropped where messages come in; set it for the stream");
        Definition.exclude(
                definition.maxMessages() > 0 || definition.maxBytes() > 0,
                what,
                "a maximum length",
                "a stream",
                "a group holds what its stream gave it; bound the stream");
        Definition.exclude(definition.exclusive(), what, "exclusive = true", "a stream", "groups outlive connections");
    }

    /** The group begins with what the stream keeps from the start on, in order of the journal. */
    private void fill(QueueState group, StreamState stream, Command.Start start) {
        int partitions = stream.definition().partitions();
        long[] next = new long[partitions];
        for (int p = 0; p < partitions; p++) {
            long from = StreamConsuming.first(stream, p, start);
            next[p] = stream.nextLive(p, from);
        }
        long[] positions = new long[REFERRED_CHUNK];
        int[] sizes = new int[REFERRED_CHUNK];
        byte[][] keys = new byte[REFERRED_CHUNK][];
        int count = 0;
        while (true) {
            int oldest = -1;
            for (int p = 0; p < partitions; p++) {
                if (next[p] != PagedIndex.NONE
                        && (oldest < 0 || stream.position(p, next[p]) < stream.position(oldest, next[oldest]))) {
                    oldest = p;
                }
            }
            if (oldest >= 0) {
                positions[count] = stream.position(oldest, next[oldest]);
                sizes[count] = stream.size(oldest, next[oldest]);
                keys[count] = NO_KEY;
                if (group.definition().keyOrdered()) {
                    Stored stored = engine.state.store.readIfSound(positions[count]);
                    byte[] key = stored == null ? null : stored.message().key();
                    keys[count] = key == null ? NO_KEY : key;
                }
                count++;
                next[oldest] = stream.nextLive(oldest, next[oldest] + 1);
            }
            if (count == REFERRED_CHUNK || (oldest < 0 && count > 0)) {
                long bytes = Records.referredBytes(count) + Records.keyBytes(keys, count);
                engine.records.begin(engine.now(), 1, bytes);
                engine.records.referred(group, positions, sizes, keys, count);
                engine.records.end();
                count = 0;
                Arrays.fill(keys, NO_KEY);
            }
            if (oldest < 0) {
                engine.records.begin(engine.now(), 1, Records.referredBytes(0));
                engine.records.referred(group, positions, sizes, keys, 0);
                engine.records.end();
                return;
            }
        }
    }

    private static final byte[] NO_KEY = new byte[0];

    void deleteSharedGroup(Command.DeleteSharedGroup delete) {
        QueueState group = engine.state.sharedGroup(delete.stream(), delete.group());
        if (group == null) {
            engine.park(delete.reply(), false, true);
            return;
        }
        checkDeletable(group, true, false);
        delete(group, "group '" + delete.group() + "' was deleted");
        engine.park(delete.reply(), true, true);
    }
}
