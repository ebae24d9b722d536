package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.Browsed;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.security.Permission.Action;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Looking after the messages of channels: browse, purge, move, redrive, cancel; dead letters. */
final class Browsing {
    private static final int MAX_BROWSED = 10_000;

    private final Broker broker;
    private final Catalog catalog;

    Browsing(Broker broker, Catalog catalog) {
        this.broker = broker;
        this.catalog = catalog;
    }

    /** {@code GET …/channels/{channel}/messages} */
    void browse(Exchange exchange) {
        ChannelDeclaration channel = catalog.channel(exchange.path("channel"));
        int max = (int) exchange.query("max", 1, MAX_BROWSED, 100);
        long after = exchange.query("after", -1, Long.MAX_VALUE, -1);
        List<Browsed> found =
                browse(channel.name(), exchange.query("group"), rule(exchange.query("filter")), after, max);
        exchange.answer(200, json -> {
            json.writeStartObject();
            json.writeArrayPropertyStart("messages");
            found.forEach(browsed -> write(json, channel, browsed));
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private static @Nullable Rule rule(@Nullable String text) {
        return text == null ? null : JsonFields.rule("filter", text);
    }

    private List<Browsed> browse(String channel, @Nullable String group, @Nullable Rule filter, long after, int max) {
        return broker.await(
                (Reply<List<Browsed>> reply) -> new Command.Browse(channel, group, filter, after, max, reply));
    }

    private static void write(JsonGenerator json, ChannelDeclaration channel, Browsed browsed) {
        json.writeStartObject();
        json.writeNumberProperty("number", browsed.number());
        json.writeStringProperty(
                "state", browsed.state().name().toLowerCase(Locale.ROOT).replace('_', '-'));
        json.writeNumberProperty("attempts", browsed.attempts());
        if (browsed.notBeforeMillis() != 0) {
            json.writeStringProperty("notBefore", MessageJson.moment(browsed.notBeforeMillis()));
        }
        if (browsed.partition() >= 0) {
            json.writeNumberProperty("partition", browsed.partition());
            json.writeNumberProperty("offset", browsed.offset());
        }
        json.writeName("message");
        MessageJson.write(json, Receiving.unpacked(channel, browsed.message()));
        json.writeEndObject();
    }

    /** {@code GET …/channels/{channel}/messages/{id}}: by message id. */
    void show(Exchange exchange) {
        ChannelDeclaration channel = catalog.channel(exchange.path("channel"));
        String id = exchange.path("id");
        for (Browsed browsed : browse(channel.name(), exchange.query("group"), null, -1, MAX_BROWSED)) {
            if (id.equals(browsed.message().id())) {
                exchange.answer(200, json -> write(json, channel, browsed));
                return;
            }
        }
        throw Problem.notFound("there is no message '" + id + "' among the oldest " + MAX_BROWSED + " of channel '"
                + channel.name() + "'");
    }

    /** {@code DELETE …/channels/{channel}/messages}: purge. */
    void purge(Exchange exchange) {
        String channel = exchange.path("channel");
        long count = broker.await((Reply<Long> reply) -> new Command.Purge(channel, reply));
        exchange.answer(200, Map.of("messages", count));
    }

    /** {@code DELETE …/channels/{channel}/messages/{id}}: cancels a message that waits for its time. */
    void cancel(Exchange exchange) {
        String channel = exchange.path("channel");
        String id = exchange.path("id");
        int count = broker.await((Reply<Integer> reply) -> new Command.Cancel(channel, id, reply));
        if (count == 0) {
            throw Problem.notFound("no message '" + id + "' of channel '" + channel
                    + "' waits for its time: there is none, or it was delivered");
        }
        exchange.answer(200, Map.of("messages", count));
    }

    /** {@code POST …/channels/{channel}/move} */
    void move(Exchange exchange) throws Exception {
        JsonFields fields = exchange.json("to", "filter", "max");
        String from = exchange.path("channel");
        String to = fields.requiredText("to");
        exchange.caller().require(Action.WRITE, to);
        Rule filter = fields.rule("filter");
        long max = fields.whole("max", 1, Long.MAX_VALUE, Long.MAX_VALUE);
        long count = broker.await((Reply<Long> reply) -> new Command.Move(from, to, filter, max, reply));
        exchange.answer(200, Map.of("messages", count));
    }

    /** {@code POST …/channels/{channel}/redrive} */
    void redrive(Exchange exchange) throws Exception {
        JsonFields fields = exchange.jsonOrNothing("filter", "max", "numbers", "message");
        String channel = exchange.path("channel");
        if (fields.has("numbers") || fields.has("message")) {
            putBack(exchange, channel, fields);
            return;
        }
        Rule filter = fields.rule("filter");
        long max = fields.whole("max", 1, Long.MAX_VALUE, Long.MAX_VALUE);
        long count = broker.await((Reply<Long> reply) -> new Command.Redrive(channel, filter, max, reply));
        exchange.answer(200, Map.of("messages", count));
    }

    /** {@code POST …/channels/{channel}/redrive} of chosen letters. */
    private void putBack(Exchange exchange, String channel, JsonFields fields) {
        if (fields.has("filter") || fields.has("max")) {
            throw Problem.invalid("'filter' and 'max' don't go with 'numbers' and 'message': these are chosen already");
        }
        List<Long> chosen = new ArrayList<>();
        for (JsonNode number : Settling.array(fields, "numbers", MAX_BROWSED)) {
            if (!number.isIntegralNumber() || !number.canConvertToLong()) {
                throw Problem.invalid("'numbers' must be an array of whole numbers");
            }
            chosen.add(number.longValue());
        }
        JsonNode node = fields.node("message");
        if (node != null && !(node instanceof ObjectNode)) {
            throw Problem.invalid("'message' must be an object");
        }
        EngineMessage edited = node instanceof ObjectNode object
                ? MessageJson.read("message.", object, System.currentTimeMillis())
                : null;
        long[] numbers = chosen.stream().mapToLong(Long::longValue).toArray();
        long count = broker.await((Reply<Long> reply) -> new Command.PutBack(channel, numbers, edited, reply));
        exchange.answer(200, Map.of("messages", count));
    }

    /** {@code GET …/dead-letters}: the channels that others give up to, and how much lies there. */
    void deadLetters(Exchange exchange) {
        EngineStatus status = broker.await(Command.Inspect::new);
        Map<String, List<String>> origins = new TreeMap<>();
        status.queues().forEach(q -> origin(origins, ChannelDeclaration.nearest(q.definition())));
        status.streams().forEach(s -> origin(origins, ChannelDeclaration.nearest(s.definition())));
        List<Map<String, Object>> channels = new ArrayList<>();
        for (EngineStatus.Queue queue : status.queues()) {
            List<String> from = origins.get(queue.definition().name());
            if (from != null) {
                Map<String, Object> map = new LinkedHashMap<>();
                map.put("channel", queue.definition().name());
                map.put("of", from);
                map.put("messages", queue.ready() + queue.inFlight() + queue.delayed() + queue.parked());
                map.put("bytes", queue.bytes());
                channels.add(map);
            }
        }
        exchange.answer(200, Map.of("deadLetters", channels));
    }

    private static void origin(Map<String, List<String>> origins, ChannelDeclaration channel) {
        String dead = channel.deadLetter();
        if (dead != null) {
            origins.computeIfAbsent(dead, d -> new ArrayList<>()).add(channel.name());
        }
    }
}
