package dev.postroad.protocols.http;

import dev.postroad.engine.HeaderValues;
import dev.postroad.engine.NoValue;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Values of headers as JSON: strings, numbers, booleans, null, arrays and objects as they are, bytes as {@code {"base64":
 * "…"}}. What JSON has no type for is written as the nearest it has: a moment as a string in ISO 8601, a number that is not
 * finite as a string; numbers of all widths are numbers.
 */
final class HeaderJson {
    private HeaderJson() {}

    /** A string, number, boolean, or bytes: the values that are not made of others. */
    static Object scalar(String what, JsonNode node) {
        return read(what, node, HeaderValues.MAX_DEPTH);
    }

    /** Any value. */
    static Object read(String what, JsonNode node) {
        return read(what, node, 0);
    }

    private static Object read(String what, JsonNode node, int depth) {
        if (node.isString()) {
            Utf8.encode(what, node.stringValue());
            return node.stringValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            return node.longValue();
        }
        if (node.isNumber() && !node.isIntegralNumber() && Double.isFinite(node.doubleValue())) {
            return node.doubleValue();
        }
        if (node instanceof ObjectNode object && object.size() == 1 && object.has("base64")) {
            byte[] bytes = new JsonFields(what + ".", object, List.of("base64")).base64("base64");
            if (bytes != null) {
                return bytes;
            }
        }
        boolean nested = depth < HeaderValues.MAX_DEPTH;
        if (nested && node.isNull()) {
            return NoValue.NONE;
        }
        if (nested && node instanceof ArrayNode array) {
            List<Object> list = new ArrayList<>(array.size());
            for (int i = 0; i < array.size(); i++) {
                list.add(read(what + "[" + i + "]", array.get(i), depth + 1));
            }
            return list;
        }
        if (nested && node instanceof ObjectNode object) {
            Map<String, Object> map = new LinkedHashMap<>();
            for (Map.Entry<String, JsonNode> entry : object.properties()) {
                Utf8.encode(what, entry.getKey());
                map.put(entry.getKey(), read(what + "." + entry.getKey(), entry.getValue(), depth + 1));
            }
            return map;
        }
        throw Problem.invalid("'" + what + "' is " + (node.isNull() ? "null" : "no value that can stand here")
                + "; it must be a string, a number of 64 bits, true, false or {\"base64\": \"…\"}");
    }

    /** Writes headers as an object. */
    static void write(JsonGenerator json, Map<String, Object> headers) {
        json.writeStartObject();
        headers.forEach((name, value) -> {
            json.writeName(name);
            switch (value) {
                case String text -> json.writeString(text);
                case Long number -> json.writeNumber(number);
                case Boolean flag -> json.writeBoolean(flag);
                default -> json.writePOJO(plain(value));
            }
        });
        json.writeEndObject();
    }

    /** The value made of what JSON knows. */
    static @Nullable Object plain(Object value) {
        return switch (value) {
            case Double number when !Double.isFinite(number) -> number.toString();
            case Float number when !Float.isFinite(number) -> number.toString();
            case Instant instant -> instant.toString();
            case NoValue none -> null;
            case byte[] bytes -> Map.of("base64", MessageJson.base64(bytes));
            case List<?> list -> {
                List<@Nullable Object> plain = new ArrayList<>(list.size());
                for (Object element : list) {
                    plain.add(plain(element));
                }
                yield plain;
            }
            case Map<?, ?> map -> {
                Map<String, @Nullable Object> plain = new LinkedHashMap<>();
                map.forEach((name, element) -> plain.put(String.valueOf(name), plain(element)));
                yield plain;
            }
            default -> value;
        };
    }
}
