package dev.postroad.transports.http;

import dev.postroad.api.DeadLetter;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.JsonNode;

/** Messages as the server's JSON, and back; what lies in between is the same byte for byte. */
final class MessageJson {
    /** Keeps a destination that is not the channel a message lies in. */
    private static final String DESTINATION = "postroad-destination";

    private MessageJson() {}

    // ── Writing
    // ───────────────────────────────────────────────────────────────────────────────────────────────────────

    static byte[] write(String channel, Message<byte[], byte[]> message) {
        byte[] value = message.value();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256 + (value == null ? 0 : value.length));
        try (JsonGenerator json = Http.MAPPER.createGenerator(bytes)) {
            write(json, channel, message);
        }
        return bytes.toByteArray();
    }

    static void write(JsonGenerator json, String channel, Message<byte[], byte[]> message) {
        Message.Properties properties = message.properties();
        json.writeStartObject();
        text(json, "id", properties.id());
        bytes(json, "key", "keyBase64", message.key());
        byte[] value = message.value();
        if (value == null) {
            json.writeNullProperty("value");
        } else {
            bytes(json, "value", "valueBase64", value);
        }
        headers(json, channel, message.headers(), properties.destination());
        text(json, "type", properties.type());
        text(json, "source", properties.source());
        text(json, "correlationId", properties.correlationId());
        text(json, "replyTo", properties.replyTo());
        text(json, "contentType", properties.contentType());
        text(json, "version", properties.version());
        json.writeStringProperty("timestamp", moment(channel, message.timestamp(), false));
        if (properties.priority() != 0) {
            json.writeNumberProperty("priority", properties.priority());
        }
        Duration ttl = properties.ttl();
        if (ttl != null) {
            json.writeStringProperty("ttl", ttl.toMillis() + "ms");
        }
        Instant deliverAt = properties.deliverAt();
        if (deliverAt != null) {
            json.writeStringProperty("deliverAt", moment(channel, deliverAt, true));
        }
        json.writeEndObject();
    }

    private static String moment(String channel, Instant instant, boolean up) {
        try {
            long millis = instant.toEpochMilli();
            // Never early: a fraction of a millisecond counts as a whole one.
            return Instant.ofEpochMilli(up && instant.getNano() % 1_000_000 != 0 ? Math.addExact(millis, 1) : millis)
                    .toString();
        } catch (ArithmeticException e) {
            throw new MessagingException(
                    Reason.INVALID, "a message for channel '" + channel + "' has a time out of bounds: " + instant, e);
        }
    }

    private static void headers(
            JsonGenerator json, String channel, Map<String, String> headers, @Nullable String destination) {
        boolean elsewhere = destination != null && !destination.equals(channel);
        if (headers.isEmpty() && !elsewhere) {
            return;
        }
        json.writeObjectPropertyStart("headers");
        headers.forEach(json::writeStringProperty);
        if (elsewhere) {
            json.writeStringProperty(DESTINATION, destination);
        }
        json.writeEndObject();
    }

    private static void text(JsonGenerator json, String name, @Nullable String text) {
        if (text != null) {
            json.writeStringProperty(name, text);
        }
    }

    private static void bytes(JsonGenerator json, String name, String base64Name, byte @Nullable [] bytes) {
        if (bytes == null) {
            return;
        }
        String text = utf8(bytes);
        if (text != null) {
            json.writeStringProperty(name, text);
        } else {
            json.writeStringProperty(base64Name, Base64.getEncoder().encodeToString(bytes));
        }
    }

    /** The string that the bytes are in UTF-8; null if they are none. */
    private static @Nullable String utf8(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 0) {
                try {
                    return StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(bytes))
                            .toString();
                } catch (CharacterCodingException e) {
                    return null;
                }
            }
        }
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    // ── Reading
    // ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Reads the object that the parser stands at the beginning of. */
    static Message<byte[], byte[]> read(JsonParser json, String channel) {
        String id = null;
        byte[] key = null;
        byte[] value = null;
        Map<String, String> headers = Map.of();
        String type = null;
        String source = null;
        String correlationId = null;
        String replyTo = null;
        String contentType = null;
        String version = null;
        Instant timestamp = Instant.EPOCH;
        int priority = 0;
        Duration ttl = null;
        Instant deliverAt = null;
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            JsonToken token = json.nextToken();
            boolean none = token == JsonToken.VALUE_NULL;
            switch (name) {
                case "id" -> id = json.getString();
                case "key" -> key = json.getString().getBytes(StandardCharsets.UTF_8);
                case "keyBase64" -> key = Base64.getDecoder().decode(json.getString());
                case "value" -> value = none ? null : json.getString().getBytes(StandardCharsets.UTF_8);
                case "valueBase64" -> value = Base64.getDecoder().decode(json.getString());
                case "headers" -> headers = readHeaders(json);
                case "type" -> type = json.getString();
                case "source" -> source = json.getString();
                case "correlationId" -> correlationId = json.getString();
                case "replyTo" -> replyTo = json.getString();
                case "contentType" -> contentType = json.getString();
                case "version" -> version = json.getString();
                case "timestamp" -> timestamp = Instant.parse(json.getString());
                case "priority" -> priority = Math.min(json.getIntValue(), Message.HIGHEST_PRIORITY);
                case "ttl" -> ttl = ttl(json.getString());
                case "deliverAt" -> deliverAt = Instant.parse(json.getString());
                default -> json.skipChildren();
            }
        }
        String destination = headers.getOrDefault(DESTINATION, headers.getOrDefault(DeadLetter.ORIGIN_HEADER, channel));
        if (headers.containsKey(DESTINATION)) {
            headers.remove(DESTINATION);
        }
        return new Message<>(
                key,
                value,
                headers,
                timestamp,
                new Message.Properties(
                        id,
                        type,
                        source,
                        destination,
                        correlationId,
                        replyTo,
                        contentType,
                        version,
                        priority,
                        ttl,
                        deliverAt));
    }

    /** The server writes the time to live of a message in milliseconds. */
    private static Duration ttl(String text) {
        return Duration.ofMillis(Long.parseLong(text.substring(0, text.length() - "ms".length())));
    }

    private static Map<String, String> readHeaders(JsonParser json) {
        Map<String, String> headers = new LinkedHashMap<>();
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String name = json.currentName();
            json.nextToken();
            headers.put(name, readHeader(json.readValueAsTree()));
        }
        return headers;
    }

    /** The contract has headers as text: bytes as the UTF-8 or the Base64 they are, lists and tables as JSON. */
    private static String readHeader(JsonNode value) {
        if (value.isString()) {
            return value.stringValue();
        }
        if (value.isObject() && value.size() == 1 && value.path("base64").isString()) {
            String base64 = value.path("base64").stringValue();
            String plain = utf8(Base64.getDecoder().decode(base64));
            return plain == null ? base64 : plain;
        }
        return value.toString();
    }
}
