package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Definition;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.Policy;
import dev.postroad.engine.PolicySet;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.Reply;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.ChannelSettings;
import dev.postroad.engine.channel.Quantity;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.security.Permission.Action;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/** Channels: declare, list, describe, delete. */
final class Declaring {
    private static final String RESERVED = "postroad.";

    private final Broker broker;
    private final Catalog catalog;

    Declaring(Broker broker, Catalog catalog) {
        this.broker = broker;
        this.catalog = catalog;
    }

    /** {@code PUT …/channels/{channel}} */
    void declare(Exchange exchange) throws Exception {
        String name = exchange.path("channel");
        JsonFields fields = exchange.json(ChannelSettings.NAMES.toArray(String[]::new));
        List<String> problems = new ArrayList<>();
        ChannelDeclaration channel = ChannelSettings.fromMap(
                name, fields.toMap(), (path, what) -> problems.add(path.isEmpty() ? what : "'" + path + "' " + what));
        if (channel == null || !problems.isEmpty()) {
            throw Problem.invalid(String.join("; ", problems)).with("problems", problems);
        }
        channel.deadLetterDeclaration().ifPresent(dead -> requireLetters(exchange.caller(), name, dead.name()));
        boolean isNew = declare(channel);
        exchange.answer(isNew ? 201 : 200, describe(name));
    }

    /** What is given up is read here and written there; the dead letters that belong to a channel go with it. */
    private void requireLetters(Caller caller, String channel, String letters) {
        if (!letters.equals(channel + ".dead")) {
            caller.require(Action.READ, channel);
            caller.require(Action.WRITE, letters);
            if (catalog.find(letters) == null) {
                caller.require(Action.CONFIGURE, letters);
            }
        }
    }

    /** Declares a channel and, where it is missing, its dead-letter channel. True if the channel was new. */
    boolean declare(ChannelDeclaration channel) {
        ChannelDeclaration there = catalog.find(channel.name());
        if (there != null) {
            List<String> differences = there.differences(channel);
            if (!differences.isEmpty()) {
                throw mismatch(channel.name(), differences);
            }
        }
        // The dead-letter channel first: no message is ever given up to a channel that is not there.
        channel.deadLetterDeclaration()
                .filter(dead -> catalog.find(dead.name()) == null)
                .ifPresent(this::declareMissing);
        return declare(channel.toDefinition());
    }

    private void declareMissing(ChannelDeclaration dead) {
        try {
            declare(dead.toDefinition());
        } catch (EngineException e) {
            if (e.reason() != EngineException.Reason.MISMATCH) {
                throw e;
            }
        }
    }

    private boolean declare(Definition definition) {
        return broker.await((Reply<Boolean> reply) -> new Command.Declare(definition, null, reply));
    }

    private static Problem mismatch(String name, List<String> differences) {
        return new Problem(
                        409,
                        "MISMATCH",
                        "channel '" + name + "' exists otherwise: " + String.join("; ", differences)
                                + "; declare it as it is, or delete it first")
                .with("differences", differences);
    }

    /** {@code GET …/channels} */
    void list(Exchange exchange) {
        EngineStatus status = broker.await(Command.Inspect::new);
        List<Map<String, @Nullable Object>> channels = new ArrayList<>();
        status.queues().stream().filter(q -> shown(q.definition())).forEach(q -> channels.add(describe(q, status)));
        status.streams().stream().filter(s -> shown(s.definition())).forEach(s -> channels.add(describe(s, status)));
        channels.sort((a, b) -> String.valueOf(a.get("name")).compareTo(String.valueOf(b.get("name"))));
        exchange.answer(200, Map.of("channels", channels));
    }

    private static boolean shown(Definition definition) {
        return !definition.name().startsWith(RESERVED);
    }

    /** {@code GET …/channels/{channel}} */
    void describe(Exchange exchange) {
        exchange.answer(200, describe(exchange.path("channel")));
    }

    private Map<String, @Nullable Object> describe(String name) {
        EngineStatus status = broker.await(Command.Inspect::new);
        for (EngineStatus.Queue queue : status.queues()) {
            if (queue.definition().name().equals(name)) {
                return describe(queue, status);
            }
        }
        for (EngineStatus.Stream stream : status.streams()) {
            if (stream.definition().name().equals(name)) {
                return describe(stream, status);
            }
        }
        catalog.channel(name);
        throw Problem.notFound("there is no channel '" + name + "'");
    }

    private static Map<String, @Nullable Object> describe(EngineStatus.Queue queue, EngineStatus status) {
        Map<String, @Nullable Object> map = header(queue.definition(), status.policies());
        map.put("ready", queue.ready());
        map.put("inFlight", queue.inFlight());
        map.put("delayed", queue.delayed());
        map.put("parked", queue.parked());
        map.put("bytes", queue.bytes());
        map.put("oldest", queue.oldestMillis() == 0 ? null : MessageJson.moment(queue.oldestMillis()));
        map.put("consumers", consumers(queue));
        map.put("counters", counters(queue.counters()));
        return map;
    }

    private static Map<String, @Nullable Object> describe(EngineStatus.Stream stream, EngineStatus status) {
        Map<String, @Nullable Object> map = header(stream.definition(), status.policies());
        long messages = stream.partitions().stream()
                .mapToLong(EngineStatus.Partition::messages)
                .sum();
        long bytes = stream.partitions().stream()
                .mapToLong(EngineStatus.Partition::bytes)
                .sum();
        List<EngineStatus.Queue> groups = groups(status, stream.definition().name());
        map.put("ready", messages);
        map.put("inFlight", sum(groups, EngineStatus.Queue::inFlight));
        map.put("delayed", sum(groups, EngineStatus.Queue::delayed));
        map.put("parked", sum(groups, EngineStatus.Queue::parked));
        map.put("bytes", bytes);
        map.put(
                "partitions",
                stream.partitions().stream().map(Declaring::describe).toList());
        map.put("consumers", groups.stream().flatMap(g -> consumers(g).stream()).toList());
        EngineStatus.Counters own = stream.counters();
        Map<String, Object> counters = counters(own);
        counters.put(
                "delivered", own.delivered() + sum(groups, g -> g.counters().delivered()));
        counters.put(
                "redelivered", own.redelivered() + sum(groups, g -> g.counters().redelivered()));
        counters.put(
                "acknowledged",
                own.acknowledged() + sum(groups, g -> g.counters().acknowledged()));
        counters.put(
                "deadLettered",
                own.deadLettered() + sum(groups, g -> g.counters().deadLettered()));
        map.put("counters", counters);
        return map;
    }

    private static long sum(List<EngineStatus.Queue> groups, Function<EngineStatus.Queue, Long> count) {
        return groups.stream().mapToLong(count::apply).sum();
    }

    static List<EngineStatus.Queue> groups(EngineStatus status, String stream) {
        List<EngineStatus.Queue> groups = new ArrayList<>();
        for (EngineStatus.Group group : status.groups()) {
            EngineStatus.Queue shared = group.shared();
            if (shared != null && stream.equals(group.stream())) {
                groups.add(shared);
            }
        }
        return groups;
    }

    private static Map<String, @Nullable Object> header(Definition definition, PolicySet policies) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("name", definition.name());
        map.put("settings", ChannelSettings.toMap(ChannelDeclaration.nearest(definition)));
        Policy policy = policies.of(definition, false);
        Policy operators = policies.of(definition, true);
        if (policy != null || operators != null) {
            Map<String, @Nullable Object> held = new LinkedHashMap<>();
            held.put("policy", policy == null ? null : policy.name());
            held.put("operatorPolicy", operators == null ? null : operators.name());
            held.put("effective", effective(definition, policies));
            map.put("policies", held);
        }
        return map;
    }

    /** What holds otherwise than it was declared, for policies say so. */
    private static Map<String, @Nullable Object> effective(Definition definition, PolicySet policies) {
        Map<String, @Nullable Object> changes = new LinkedHashMap<>();
        if (definition instanceof QueueDefinition declared) {
            QueueDefinition held = policies.effective(declared);
            change(changes, "ttl", time(declared.ttlMillis()), time(held.ttlMillis()));
            change(changes, "expires", time(declared.expiresMillis()), time(held.expiresMillis()));
            change(changes, "maxMessages", declared.maxMessages(), held.maxMessages());
            change(changes, "maxBytes", declared.maxBytes(), held.maxBytes());
            change(changes, "deliveryLimit", declared.deliveryLimit(), held.deliveryLimit());
            change(
                    changes,
                    "overflow",
                    declared.overflow().name(),
                    held.overflow().name());
            change(changes, "deadLetter", letters(declared.deadLetter()), letters(held.deadLetter()));
        } else if (definition instanceof StreamDefinition declared) {
            StreamDefinition held = policies.effective(declared);
            change(changes, "retention", time(declared.retentionMillis()), time(held.retentionMillis()));
            change(changes, "retentionBytes", declared.retentionBytes(), held.retentionBytes());
        }
        return changes;
    }

    private static void change(
            Map<String, @Nullable Object> changes, String name, @Nullable Object declared, @Nullable Object held) {
        if (!Objects.equals(declared, held)) {
            changes.put(name, held);
        }
    }

    private static @Nullable String time(long millis) {
        return millis == 0 ? null : Quantity.time(millis);
    }

    private static @Nullable String letters(QueueDefinition.@Nullable DeadLetterTarget target) {
        if (target == null) {
            return null;
        }
        String topic = target.topic();
        return topic == null ? target.channel() : "topic " + topic;
    }

    static Map<String, @Nullable Object> describe(EngineStatus.Partition partition) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("partition", partition.number());
        map.put("earliest", partition.earliest());
        map.put("next", partition.next());
        map.put("messages", partition.messages());
        map.put("bytes", partition.bytes());
        return map;
    }

    static List<Map<String, Object>> consumers(EngineStatus.Queue queue) {
        return queue.consumers().stream()
                .map(c -> {
                    Map<String, Object> map = new LinkedHashMap<>();
                    map.put("name", c.name());
                    map.put("credit", c.credit());
                    map.put("inFlight", c.inFlight());
                    map.put("active", c.active());
                    return map;
                })
                .toList();
    }

    static Map<String, Object> counters(EngineStatus.Counters counters) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("accepted", counters.accepted());
        map.put("refused", counters.refused());
        map.put("delivered", counters.delivered());
        map.put("redelivered", counters.redelivered());
        map.put("acknowledged", counters.acknowledged());
        map.put("deadLettered", counters.deadLettered());
        map.put("expired", counters.expired());
        map.put("dropped", counters.dropped());
        map.put("duplicates", counters.duplicates());
        return map;
    }

    /** {@code DELETE …/channels/{channel}} */
    void delete(Exchange exchange) {
        String name = exchange.path("channel");
        boolean ifUnused = exchange.queryFlag("ifUnused", true);
        boolean ifEmpty = exchange.queryFlag("ifEmpty", false);
        long messages =
                broker.await((Reply<Long> reply) -> new Command.DeleteChannel(name, ifUnused, ifEmpty, null, reply));
        exchange.answer(200, Map.of("messages", messages));
    }

    /** The object as a map of plain values. */
    static Map<String, @Nullable Object> plain(ObjectNode object) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        object.properties().forEach(e -> map.put(e.getKey(), plain(e.getValue())));
        return map;
    }

    private static @Nullable Object plain(tools.jackson.databind.JsonNode node) {
        if (node.isNull()) {
            return null;
        }
        if (node.isString()) {
            return node.stringValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            return node.longValue();
        }
        if (node.isNumber()) {
            return node.doubleValue();
        }
        return node instanceof ObjectNode inner ? plain(inner) : node.toString();
    }
}
