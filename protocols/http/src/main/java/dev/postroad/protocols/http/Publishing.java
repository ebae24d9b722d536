package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.Published;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.ValueCompression;
import dev.postroad.engine.runtime.Broker;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Messages in: one or many, to a channel or to a topic. */
final class Publishing {
    static final String ENVELOPE = "application/vnd.postroad.message+json";
    static final String LINES = "application/x-ndjson";
    private static final String EVENT = "application/cloudevents+json";
    private static final String EVENTS = "application/cloudevents-batch+json";

    private final Broker broker;
    private final Catalog catalog;

    Publishing(Broker broker, Catalog catalog) {
        this.broker = broker;
        this.catalog = catalog;
    }

    /** What a request brought. */
    private record Incoming(List<EngineMessage> messages, boolean batch) {}

    /** {@code POST …/channels/{channel}/messages} */
    void toChannel(Exchange exchange) throws IOException {
        ChannelDeclaration channel = catalog.channel(exchange.path("channel"));
        boolean atomic = exchange.queryFlag("atomic", true);
        Durability durability = durability(exchange);
        Incoming incoming = read(exchange);
        if (incoming.messages.isEmpty()) {
            exchange.answer(200, json -> receipts(json, channel.name(), List.of(), List.of(), List.of()));
            return;
        }
        if (!atomic && incoming.batch) {
            oneByOne(exchange, channel, durability, incoming.messages);
            return;
        }
        List<EngineMessage> messages = new ArrayList<>(incoming.messages.size());
        for (EngineMessage message : incoming.messages) {
            messages.add(fit(channel, message));
        }
        Published published = broker.await(
                reply -> new Command.Publish(null, channel.name(), messages, durability, true, null, reply));
        if (incoming.batch) {
            exchange.answer(200, json -> {
                json.writeStartObject();
                json.writeNumberProperty("duplicates", published.duplicates());
                json.writeArrayPropertyStart("receipts");
                for (int i = 0; i < messages.size(); i++) {
                    receipt(json, channel.name(), messages.get(i), published, i, duplicate(published, messages.size()));
                }
                json.writeEndArray();
                json.writeEndObject();
            });
        } else {
            exchange.answer(
                    200,
                    json -> receipt(
                            json, channel.name(), messages.getFirst(), published, 0, published.duplicates() > 0));
        }
    }

    /** Of a batch with some duplicates the engine says how many, not which. */
    private static @Nullable Boolean duplicate(Published published, int messages) {
        return published.duplicates() == 0 ? Boolean.FALSE : published.duplicates() == messages ? Boolean.TRUE : null;
    }

    /** Each message for itself: each has its own outcome. */
    private void oneByOne(
            Exchange exchange,
            ChannelDeclaration channel,
            @Nullable Durability durability,
            List<EngineMessage> messages) {
        List<CompletableFuture<Published>> outcomes = new ArrayList<>(messages.size());
        for (EngineMessage message : messages) {
            CompletableFuture<Published> outcome;
            try {
                EngineMessage fitting = fit(channel, message);
                outcome = broker.call((Reply<Published> reply) ->
                        new Command.Publish(null, channel.name(), List.of(fitting), durability, true, null, reply));
            } catch (Problem e) {
                outcome = CompletableFuture.failedFuture(e);
            }
            outcomes.add(outcome);
        }
        List<@Nullable Published> published = new ArrayList<>(messages.size());
        List<@Nullable Problem> problems = new ArrayList<>(messages.size());
        for (CompletableFuture<Published> outcome : outcomes) {
            try {
                published.add(outcome.join());
                problems.add(null);
            } catch (CompletionException e) {
                published.add(null);
                problems.add(problem(e.getCause()));
            }
        }
        exchange.answer(200, json -> receipts(json, channel.name(), messages, published, problems));
    }

    private static Problem problem(@Nullable Throwable cause) {
        if (cause instanceof Problem problem) {
            return problem;
        }
        if (cause instanceof EngineException refused) {
            return Problem.of(refused);
        }
        throw new CompletionException(cause);
    }

    private static void receipts(
            JsonGenerator json,
            String channel,
            List<EngineMessage> messages,
            List<? extends @Nullable Published> published,
            List<? extends @Nullable Problem> problems) {
        json.writeStartObject();
        json.writeArrayPropertyStart("receipts");
        for (int i = 0; i < messages.size(); i++) {
            Published done = published.get(i);
            Problem problem = problems.get(i);
            if (done != null) {
                receipt(json, channel, messages.get(i), done, 0, done.duplicates() > 0);
            } else if (problem != null) {
                json.writeStartObject();
                MessageJson.text(json, "id", messages.get(i).id());
                json.writePOJOProperty("problem", problem.members());
                json.writeEndObject();
            }
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void receipt(
            JsonGenerator json,
            String channel,
            EngineMessage message,
            Published published,
            int index,
            @Nullable Boolean duplicate) {
        json.writeStartObject();
        MessageJson.text(json, "id", message.id());
        json.writeStringProperty("channel", channel);
        long[] offsets = published.offsets();
        if (offsets.length >= 2 * index + 2) {
            json.writeNumberProperty("partition", offsets[2 * index]);
            json.writeNumberProperty("offset", offsets[2 * index + 1]);
        } else if (published.partition() >= 0 && index == 0) {
            json.writeNumberProperty("partition", published.partition());
            json.writeNumberProperty("offset", published.firstOffset());
        }
        if (duplicate != null) {
            json.writeBooleanProperty("duplicate", duplicate);
        }
        json.writeEndObject();
    }

    /** {@code POST …/topics/{topic}/messages} */
    void toTopic(Exchange exchange) throws IOException {
        String topic = exchange.path("topic");
        String routingKey = exchange.query("routingKey");
        boolean mandatory = exchange.queryFlag("mandatory", false);
        Durability durability = durability(exchange);
        Incoming incoming = read(exchange);
        if (incoming.messages.isEmpty()) {
            throw Problem.invalid("the body has no message");
        }
        Published published = broker.await(reply -> new Command.Publish(
                topic, routingKey == null ? "" : routingKey, incoming.messages, durability, mandatory, null, reply));
        exchange.answer(200, json -> {
            json.writeStartObject();
            json.writeStringProperty("topic", topic);
            json.writeNumberProperty("routed", published.routed());
            json.writeArrayPropertyStart("ids");
            incoming.messages.forEach(m -> json.writeString(m.id()));
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    static @Nullable Durability durability(Exchange exchange) {
        String word = exchange.query("durability");
        return word == null ? null : JsonFields.choice("durability", word, Durability.class);
    }

    /** The message as it lies in the channel: packed where that is declared; refused if its value is too large. */
    static EngineMessage fit(ChannelDeclaration channel, EngineMessage message) {
        byte[] value = message.payload();
        if (value != null && value.length > channel.maxMessageBytes()) {
            throw Problem.tooLarge("message '" + message.id() + "' has a value of " + value.length
                    + " bytes; the limit of channel '" + channel.name() + "' is " + channel.maxMessageBytes()
                    + " bytes (maxMessageBytes)");
        }
        return channel.compressed() ? ValueCompression.pack(message) : message;
    }

    /** The one message of a request. */
    static EngineMessage one(Exchange exchange) throws IOException {
        Incoming incoming = read(exchange);
        if (incoming.batch) {
            throw new Problem(
                    415,
                    "UNSUPPORTED_MEDIA_TYPE",
                    "a batch ('" + exchange.mediaType() + "') can't be sent here; send one message");
        }
        return incoming.messages.getFirst();
    }

    private static Incoming read(Exchange exchange) throws IOException {
        long now = System.currentTimeMillis();
        String type = exchange.mediaType();
        boolean batch = type.equals(LINES) || type.equals(EVENTS);
        HttpSettings settings = exchange.settings();
        BodyBudget.Body body = exchange.body(settings.maxBatchBytes());
        byte[] bytes = body.bytes();
        int length = body.length();
        return switch (type) {
            case LINES -> new Incoming(lines(bytes, length, settings.maxBatchMessages(), now), batch);
            case EVENTS -> new Incoming(events(bytes, length, settings.maxBatchMessages(), now), batch);
            case EVENT ->
                new Incoming(List.of(CloudEvents.read("", Json.readObject(bytes, 0, length, "the event"), now)), false);
            case ENVELOPE ->
                new Incoming(
                        List.of(MessageJson.read("", Json.readObject(bytes, 0, length, "the message"), now)), false);
            default -> new Incoming(List.of(RawMessage.read(exchange, body.exact(), now)), false);
        };
    }

    private static List<EngineMessage> lines(byte[] bytes, int length, int most, long now) {
        List<EngineMessage> messages = new ArrayList<>();
        int line = 0;
        for (int from = 0; from < length; ) {
            int end = from;
            while (end < length && bytes[end] != '\n') {
                end++;
            }
            line++;
            if (!blank(bytes, from, end)) {
                requireRoom(messages.size(), most);
                String where = "line " + line;
                messages.add(MessageJson.read(where + ": ", Json.readObject(bytes, from, end - from, where), now));
            }
            from = end + 1;
        }
        return messages;
    }

    private static boolean blank(byte[] bytes, int from, int end) {
        for (int i = from; i < end; i++) {
            if (bytes[i] != ' ' && bytes[i] != '\r' && bytes[i] != '\t') {
                return false;
            }
        }
        return true;
    }

    private static List<EngineMessage> events(byte[] bytes, int length, int most, long now) {
        if (!(Json.read(bytes, 0, length, "the batch of events") instanceof ArrayNode array)) {
            throw Problem.invalid("a batch of CloudEvents must be a JSON array");
        }
        List<EngineMessage> messages = new ArrayList<>();
        for (JsonNode node : array) {
            requireRoom(messages.size(), most);
            String where = "event " + (messages.size() + 1) + ": ";
            if (!(node instanceof ObjectNode event)) {
                throw Problem.invalid(where + "must be a JSON object");
            }
            messages.add(CloudEvents.read(where, event, now));
        }
        return messages;
    }

    private static void requireRoom(int messages, int most) {
        if (messages == most) {
            throw Problem.tooLarge(
                    "the body has more than " + most + " messages; the limit is " + most + " in one request");
        }
    }
}
