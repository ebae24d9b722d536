package dev.postroad.protocols.http;

import dev.postroad.engine.EngineMessage;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Messages as JSON objects. Bytes that are UTF-8 are written as strings ({@code value}, {@code key}), others in base64
 * ({@code valueBase64}, {@code keyBase64}); a value of null is a tombstone.
 */
final class MessageJson {
    /** The members of a message. */
    static final List<String> NAMES = List.of(
            "id",
            "key",
            "keyBase64",
            "value",
            "valueBase64",
            "json",
            "headers",
            "type",
            "source",
            "correlationId",
            "replyTo",
            "contentType",
            "version",
            "timestamp",
            "priority",
            "ttl",
            "deliverAt",
            "delay");

    static final int MAX_HEADERS = 1_000;
    static final long MAX_MILLIS = 100L * 365 * 24 * 60 * 60 * 1000;

    private MessageJson() {}

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * @param path where the object stands, for messages
     * @param nowMillis the present time, for what says a delay and for what says no time stamp
     */
    static EngineMessage read(String path, ObjectNode object, long nowMillis) {
        JsonFields fields = new JsonFields(path, object, NAMES);
        String id = fields.text("id");
        byte[] key = key(path, fields);
        String contentType = fields.text("contentType");
        byte[] value;
        JsonNode json = object.get("json");
        int values = (object.has("value") ? 1 : 0) + (object.has("valueBase64") ? 1 : 0) + (json == null ? 0 : 1);
        if (values != 1) {
            throw Problem.invalid((values == 0 ? "the message has no value" : "the message has more than one value")
                    + " (at '" + (path.isEmpty() ? "." : path)
                    + "'); give one of 'value' (a string, or null for a tombstone),"
                    + " 'valueBase64' and 'json'");
        }
        if (json != null) {
            value = Json.write(json);
            contentType = contentType == null ? Exchange.JSON : contentType;
        } else if (object.has("valueBase64")) {
            value = fields.base64("valueBase64");
        } else {
            String text = fields.text("value");
            value = text == null ? null : Utf8.encode(path + "value", text);
        }
        EngineMessage.Properties properties = properties(
                fields.text("type"),
                fields.text("source"),
                fields.text("correlationId"),
                fields.text("replyTo"),
                contentType,
                fields.text("version"));
        long deliverAt = deliverAt(
                fields.instant("deliverAt", 0),
                fields.time("delay", 0, MAX_MILLIS, 0),
                fields.has("deliverAt"),
                path,
                nowMillis);
        return new EngineMessage(
                id == null ? MessageIds.next(nowMillis) : checkId(path + "id", id),
                key,
                value,
                headers(path, fields.node("headers")),
                properties,
                fields.instant("timestamp", nowMillis),
                (int) fields.whole("priority", 0, 9, 0),
                fields.time("ttl", 1, MAX_MILLIS, 0),
                deliverAt);
    }

    static long deliverAt(long deliverAt, long delay, boolean hasDeliverAt, String path, long nowMillis) {
        if (delay != 0 && hasDeliverAt) {
            throw Problem.invalid("'" + path + "deliverAt' and '" + path + "delay' can't both be given");
        }
        if (deliverAt < 0) {
            throw Problem.invalid("'" + path + "deliverAt' is before 1970");
        }
        return delay == 0 ? deliverAt : nowMillis + delay;
    }

    static EngineMessage.Properties properties(
            @Nullable String type,
            @Nullable String source,
            @Nullable String correlationId,
            @Nullable String replyTo,
            @Nullable String contentType,
            @Nullable String version) {
        if (type == null
                && source == null
                && correlationId == null
                && replyTo == null
                && contentType == null
                && version == null) {
            return EngineMessage.Properties.NONE;
        }
        return new EngineMessage.Properties(type, source, correlationId, replyTo, contentType, version);
    }

    static String checkId(String what, String id) {
        int bytes = Utf8.encode(what, id).length;
        if (bytes < 1 || bytes > 255) {
            throw Problem.invalid("'" + what + "' has " + bytes + " bytes; it must have 1 to 255");
        }
        return id;
    }

    private static byte @Nullable [] key(String path, JsonFields fields) {
        if (fields.has("key") && fields.has("keyBase64")) {
            throw Problem.invalid("'" + path + "key' and '" + path + "keyBase64' can't both be given");
        }
        String key = fields.text("key");
        return key == null ? fields.base64("keyBase64") : Utf8.encode(path + "key", key);
    }

    private static Map<String, Object> headers(String path, @Nullable JsonNode node) {
        if (node == null) {
            return Map.of();
        }
        if (!(node instanceof ObjectNode object)) {
            throw Problem.invalid("'" + path + "headers' must be an object of names and values");
        }
        if (object.size() > MAX_HEADERS) {
            throw Problem.invalid(
                    "'" + path + "headers' has " + object.size() + " entries; the limit is " + MAX_HEADERS);
        }
        Map<String, Object> headers = LinkedHashMap.newLinkedHashMap(object.size());
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            headers.put(
                    checkHeader(entry.getKey()), HeaderJson.read(path + "headers." + entry.getKey(), entry.getValue()));
        }
        return headers;
    }

    static String checkHeader(String name) {
        int bytes = Utf8.encode("headers", name).length;
        if (bytes < 1 || bytes > 255) {
            throw Problem.invalid("a header's name has " + bytes + " bytes; it must have 1 to 255");
        }
        return name;
    }

    // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Writes the message as an object. */
    static void write(JsonGenerator json, EngineMessage message) {
        json.writeStartObject();
        text(json, "id", message.id());
        bytes(json, "key", "keyBase64", message.key());
        byte[] value = message.payload();
        if (value == null) {
            json.writeNullProperty("value");
        } else {
            bytes(json, "value", "valueBase64", value);
        }
        if (!message.headers().isEmpty()) {
            json.writeName("headers");
            HeaderJson.write(json, message.headers());
        }
        EngineMessage.Properties properties = message.properties();
        text(json, "type", properties.type());
        text(json, "source", properties.source());
        text(json, "correlationId", properties.correlationId());
        text(json, "replyTo", properties.replyTo());
        text(json, "contentType", properties.contentType());
        text(json, "version", properties.version());
        if (message.timestampMillis() != 0) {
            json.writeStringProperty("timestamp", moment(message.timestampMillis()));
        }
        if (message.priority() != 0) {
            json.writeNumberProperty("priority", message.priority());
        }
        if (message.ttlMillis() != 0) {
            json.writeStringProperty("ttl", message.ttlMillis() + "ms");
        }
        if (message.deliverAtMillis() != 0) {
            json.writeStringProperty("deliverAt", moment(message.deliverAtMillis()));
        }
        json.writeEndObject();
    }

    static String moment(long millis) {
        return Instant.ofEpochMilli(millis).toString();
    }

    static void text(JsonGenerator json, String name, @Nullable String text) {
        if (text != null) {
            json.writeStringProperty(name, text);
        }
    }

    private static void bytes(JsonGenerator json, String name, String base64Name, byte @Nullable [] bytes) {
        if (bytes == null) {
            return;
        }
        String text = Utf8.decode(bytes);
        if (text != null) {
            json.writeStringProperty(name, text);
        } else {
            json.writeStringProperty(base64Name, base64(bytes));
        }
    }

    static String base64(byte[] bytes) {
        return new String(Base64.getEncoder().encode(bytes), StandardCharsets.ISO_8859_1);
    }
}
