package dev.postroad.protocols.amqp091.management;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.Got;
import dev.postroad.engine.Command.Outcome;
import dev.postroad.engine.Command.Published;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Reply;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.protocols.amqp091.Declarations;
import dev.postroad.protocols.amqp091.Declarations.Addressed;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Publishes and gets single messages, for people who look after a broker. */
final class Messages {
    private static final int MOST = 1_000;

    private final Broker broker;

    Messages(Broker broker) {
        this.broker = broker;
    }

    Map<String, @Nullable Object> publish(String vhost, String exchange, ManagementJson body, String user) {
        String key = body.text("routing_key", null);
        String payload = body.text("payload", null);
        String encoding = body.text("payload_encoding", "string");
        Map<String, @Nullable Object> properties = body.table("properties");
        body.ignore("vhost", "name", "exchange"); // what the path says already
        body.requireNothingLeft();
        Object userId = properties.get("user_id");
        if (userId != null && !userId.equals(user)) {
            throw ApiProblem.bad("user_id property set to '" + userId + "' but authenticated user was '" + user + "'");
        }
        Addressed to = Declarations.address(vhost, exchange, key, properties, decode(payload, encoding));
        try {
            Published published = broker.await((Reply<Published> reply) ->
                    new Command.Publish(to.topic(), to.channel(), List.of(to.message()), null, true, null, reply));
            return routed(published.routed() > 0);
        } catch (EngineException e) {
            if (e.reason() == EngineException.Reason.UNROUTABLE
                    || (e.reason() == EngineException.Reason.NOT_FOUND && exchange.isEmpty())) {
                return routed(false);
            }
            throw e;
        }
    }

    private static Map<String, @Nullable Object> routed(boolean routed) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("routed", routed);
        return json;
    }

    private static byte[] decode(String payload, String encoding) {
        return switch (encoding) {
            case "string" -> payload.getBytes(StandardCharsets.UTF_8);
            case "base64" -> {
                try {
                    yield Base64.getDecoder().decode(payload);
                } catch (IllegalArgumentException e) {
                    throw ApiProblem.bad("payload is no Base64");
                }
            }
            default -> throw ApiProblem.bad("payload_encoding is '" + encoding + "'; it must be string or base64");
        };
    }

    List<Map<String, @Nullable Object>> get(String vhost, String queue, ManagementJson body) {
        int count = body.number("count", 1, MOST, 1);
        String mode = body.text("ackmode", "ack_requeue_true");
        String encoding = body.text("encoding", "auto");
        int truncate = body.number("truncate", 1, Integer.MAX_VALUE, Integer.MAX_VALUE);
        body.ignore("vhost", "name", "queue"); // what the path says already
        body.requireNothingLeft();
        if (!encoding.equals("auto") && !encoding.equals("base64")) {
            throw ApiProblem.bad("encoding is '" + encoding + "'; it must be auto or base64");
        }
        // Each rejection is for itself: what is only looked at is not counted as an attempt.
        Outcome outcome = switch (mode) {
            case "ack_requeue_true" -> new Outcome.Release(0, null, false);
            case "reject_requeue_true" -> new Outcome.Release(0, "rejected over the management interface", true);
            case "ack_requeue_false" -> Outcome.Acknowledge.INSTANCE;
            case "reject_requeue_false" -> new Outcome.DeadLetter("rejected");
            default ->
                throw ApiProblem.bad("ackmode is '" + mode + "'; it must be ack_requeue_true, ack_requeue_false,"
                        + " reject_requeue_true or reject_requeue_false");
        };
        Object holder = new Object();
        String name = Declarations.inEngine(vhost, queue);
        List<Map<String, @Nullable Object>> messages = new ArrayList<>();
        List<EngineDelivery> held = new ArrayList<>();
        try {
            while (messages.size() < count) {
                Got got = broker.await((Reply<Got> reply) -> new Command.Get(name, false, holder, holder, reply));
                EngineDelivery delivery = got.delivery();
                if (delivery == null) {
                    break;
                }
                held.add(delivery);
                messages.add(json(delivery, got.ready(), encoding.equals("base64"), truncate));
            }
            // In reverse, so that what goes back stands as it stood.
            for (EngineDelivery delivery : held.reversed()) {
                broker.await((Reply<Integer> reply) ->
                        new Command.Settle(delivery.consumerId(), new long[] {delivery.number()}, 1, outcome, reply));
            }
        } finally {
            broker.await((Reply<Integer> reply) -> new Command.CloseOwner(holder, reply));
        }
        return messages;
    }

    private static Map<String, @Nullable Object> json(
            EngineDelivery delivery, long left, boolean base64, int truncate) {
        EngineMessage message = delivery.message();
        byte[] payload = message.payload() == null ? new byte[0] : message.payload();
        String text = base64 ? null : text(payload);
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("payload_bytes", payload.length);
        json.put("redelivered", delivery.attempt() > 1);
        json.put("exchange", Declarations.exchange(delivery));
        json.put("routing_key", Declarations.routingKey(delivery));
        json.put("message_count", left);
        json.put("properties", Declarations.properties(message));
        if (text != null) {
            json.put("payload", text.length() <= truncate ? text : text.substring(0, truncate));
            json.put("payload_encoding", "string");
        } else {
            byte[] cut = payload.length <= truncate ? payload : Arrays.copyOf(payload, truncate);
            json.put("payload", Base64.getEncoder().encodeToString(cut));
            json.put("payload_encoding", "base64");
        }
        return json;
    }

    private static @Nullable String text(byte[] payload) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(payload))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }
}
