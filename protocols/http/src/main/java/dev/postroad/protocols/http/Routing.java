package dev.postroad.protocols.http;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.Reply;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.Words;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.security.Permission.Action;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Topics and their bindings. */
final class Routing {
    private final Broker broker;

    Routing(Broker broker) {
        this.broker = broker;
    }

    /** {@code PUT …/topics/{topic}} */
    void declare(Exchange exchange) throws Exception {
        JsonFields fields = exchange.jsonOrNothing("routing", "alternate", "autoDelete");
        String name = exchange.path("topic");
        ChannelDeclaration.checkName("topic", name);
        TopicDefinition.Routing routing = fields.choice("routing", TopicDefinition.Routing.class);
        TopicDefinition topic = new TopicDefinition(
                name,
                routing == null ? TopicDefinition.Routing.PATTERN : routing,
                fields.text("alternate"),
                fields.flag("autoDelete", false),
                null);
        String alternate = topic.alternate();
        if (alternate != null) {
            exchange.caller().require(Action.WRITE, alternate);
        }
        boolean isNew = broker.await((Reply<Boolean> reply) -> new Command.Declare(topic, null, reply));
        exchange.answer(isNew ? 201 : 200, describe(topic, List.of()));
    }

    /** {@code GET …/topics} */
    void list(Exchange exchange) {
        EngineStatus status = broker.await(Command.Inspect::new);
        exchange.answer(
                200,
                Map.of(
                        "topics",
                        status.topics().stream()
                                .map(t -> describe(t, status.bindings()))
                                .toList()));
    }

    /** {@code GET …/topics/{topic}} */
    void describe(Exchange exchange) {
        EngineStatus status = broker.await(Command.Inspect::new);
        exchange.answer(200, describe(topic(status, exchange.path("topic")), status.bindings()));
    }

    private static TopicDefinition topic(EngineStatus status, String name) {
        return status.topics().stream()
                .filter(t -> t.name().equals(name))
                .findFirst()
                .orElseThrow(() -> Problem.notFound("there is no topic '" + name + "'"
                        + Words.nearest(
                                        name,
                                        status.topics().stream()
                                                .map(TopicDefinition::name)
                                                .toList())
                                .map(near -> "; did you mean '" + near + "'?")
                                .orElse("")));
    }

    private static Map<String, @Nullable Object> describe(TopicDefinition topic, List<Binding> bindings) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("name", topic.name());
        map.put("routing", topic.routing().name().toLowerCase(Locale.ROOT));
        map.put("alternate", topic.alternate());
        map.put("autoDelete", topic.autoDelete());
        map.put(
                "bindings",
                bindings.stream()
                        .filter(b -> b.topic().equals(topic.name()))
                        .map(Routing::describe)
                        .toList());
        return map;
    }

    private static Map<String, Object> describe(Binding binding) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put(binding.toTopic() ? "toTopic" : "channel", binding.destination());
        map.put("pattern", binding.pattern());
        Map<String, @Nullable Object> arguments = new LinkedHashMap<>();
        binding.arguments().forEach((name, value) -> arguments.put(name, HeaderJson.plain(value)));
        map.put("arguments", arguments);
        return map;
    }

    /** {@code DELETE …/topics/{topic}} */
    void delete(Exchange exchange) {
        String name = exchange.path("topic");
        boolean ifUnused = exchange.queryFlag("ifUnused", false);
        boolean was = broker.await((Reply<Boolean> reply) -> new Command.DeleteTopic(name, ifUnused, reply));
        if (!was) {
            throw Problem.notFound("there is no topic '" + name + "'");
        }
        exchange.answerNothing();
    }

    /** {@code POST …/topics/{topic}/bindings} */
    void bind(Exchange exchange) throws Exception {
        Binding binding = binding(exchange);
        TopicDefinition topic = broker.topic(binding.topic());
        if (topic != null
                && topic.routing() != TopicDefinition.Routing.HEADERS
                && !binding.arguments().isEmpty()) {
            throw Problem.invalid("the arguments " + binding.arguments().keySet() + " mean nothing to a topic with "
                    + topic.routing() + " routing; remove them");
        }
        boolean isNew = broker.await((Reply<Boolean> reply) -> new Command.Bind(binding, reply));
        exchange.answer(isNew ? 201 : 200, describe(binding));
    }

    /** {@code POST …/topics/{topic}/bindings/remove} */
    void unbind(Exchange exchange) throws Exception {
        Binding binding = binding(exchange);
        boolean was = broker.await((Reply<Boolean> reply) -> new Command.Unbind(binding, reply));
        if (!was) {
            throw Problem.notFound("topic '" + binding.topic() + "' has no such binding to '" + binding.destination()
                    + "'; GET /api/v1/topics/{topic} lists those it has");
        }
        exchange.answerNothing();
    }

    private static Binding binding(Exchange exchange) throws Exception {
        JsonFields fields = exchange.json("channel", "toTopic", "pattern", "arguments");
        String channel = fields.text("channel");
        String toTopic = fields.text("toTopic");
        if ((channel == null) == (toTopic == null)) {
            throw Problem.invalid("give one of 'channel' and 'toTopic': where the messages go");
        }
        String pattern = fields.text("pattern");
        Map<String, Object> arguments = new LinkedHashMap<>();
        JsonNode given = fields.node("arguments");
        if (given instanceof ObjectNode object) {
            object.properties()
                    .forEach(e -> arguments.put(e.getKey(), HeaderJson.read("arguments." + e.getKey(), e.getValue())));
        } else if (given != null) {
            throw Problem.invalid("'arguments' must be an object of names and values");
        }
        String destination = channel == null ? String.valueOf(toTopic) : channel;
        exchange.caller().require(Action.WRITE, destination);
        if (destination.getBytes(StandardCharsets.UTF_8).length > 255) {
            throw Problem.invalid("the destination's name has more than 255 bytes");
        }
        return new Binding(
                exchange.path("topic"), destination, toTopic != null, pattern == null ? "" : pattern, arguments);
    }
}
