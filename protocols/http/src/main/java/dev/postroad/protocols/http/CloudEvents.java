package dev.postroad.protocols.http;

import dev.postroad.engine.EngineMessage;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** CloudEvents 1.0 in structured mode: each attribute has its place in a message, extensions become headers. */
final class CloudEvents {
    private static final Pattern EXTENSION = Pattern.compile("[a-z0-9]{1,100}");

    private CloudEvents() {}

    static void checkVersion(@Nullable String version) {
        if (!"1.0".equals(version)) {
            throw Problem.invalid("the event's specversion is '" + version + "'; it must be 1.0");
        }
    }

    static EngineMessage read(String path, ObjectNode event, long nowMillis) {
        checkVersion(text(path, event, "specversion"));
        String id = required(path, event, "id");
        String source = required(path, event, "source");
        String type = required(path, event, "type");
        String contentType = text(path, event, "datacontenttype");
        String time = text(path, event, "time");
        String key = text(path, event, "partitionkey");
        Map<String, Object> headers = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> attribute : event.properties()) {
            switch (attribute.getKey()) {
                case "specversion",
                        "id",
                        "source",
                        "type",
                        "datacontenttype",
                        "time",
                        "partitionkey",
                        "data",
                        "data_base64":
                    break;
                default:
                    if (!EXTENSION.matcher(attribute.getKey()).matches()) {
                        throw Problem.invalid("'" + path + attribute.getKey()
                                + "' is no attribute of a CloudEvent: these have lower-case letters and digits only");
                    }
                    if (!attribute.getValue().isNull()) {
                        headers.put(
                                attribute.getKey(), HeaderJson.scalar(path + attribute.getKey(), attribute.getValue()));
                    }
            }
        }
        JsonNode data = event.get("data");
        JsonNode base64 = event.get("data_base64");
        if (data != null && base64 != null) {
            throw Problem.invalid("'" + path + "data' and '" + path + "data_base64' can't both be given");
        }
        return new EngineMessage(
                MessageJson.checkId(path + "id", id),
                key == null ? null : Utf8.encode(path + "partitionkey", key),
                value(path, data, base64, contentType),
                headers,
                MessageJson.properties(
                        type,
                        source,
                        null,
                        null,
                        contentType == null && data != null ? Exchange.JSON : contentType,
                        null),
                time == null ? nowMillis : JsonFields.instant(path + "time", time),
                0,
                0,
                0);
    }

    private static byte[] value(
            String path, @Nullable JsonNode data, @Nullable JsonNode base64, @Nullable String contentType) {
        if (base64 != null) {
            try {
                return Base64.getDecoder().decode(base64.stringValue(""));
            } catch (IllegalArgumentException e) {
                throw Problem.invalid("'" + path + "data_base64' is no base64: " + e.getMessage());
            }
        }
        if (data == null) {
            return new byte[0];
        }
        boolean json = contentType == null || contentType.contains("json");
        return data.isString() && !json
                ? Utf8.encode(path + "data", data.stringValue())
                : Json.text(data).getBytes(StandardCharsets.UTF_8);
    }

    private static String required(String path, ObjectNode event, String name) {
        String text = text(path, event, name);
        if (text == null || text.isEmpty()) {
            throw Problem.invalid("'" + path + name + "' is missing; a CloudEvent must have it");
        }
        return text;
    }

    private static @Nullable String text(String path, ObjectNode event, String name) {
        JsonNode node = event.get(name);
        if (node == null || node.isNull()) {
            return null;
        }
        if (!node.isString()) {
            throw Problem.invalid("'" + path + name + "' must be a string");
        }
        return node.stringValue();
    }
}
