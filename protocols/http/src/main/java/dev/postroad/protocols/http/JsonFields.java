package dev.postroad.protocols.http;

import dev.postroad.engine.EngineException;
import dev.postroad.engine.channel.Quantity;
import dev.postroad.engine.channel.Words;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.routing.RuleSyntaxException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** The members of a JSON object, read by name and type; what is not known or not of the type is refused by name. */
final class JsonFields {
    private final String path;
    private final ObjectNode object;

    /**
     * @param path where the object stands, empty or ending with a dot, for messages
     * @param known the names it may have
     */
    JsonFields(String path, ObjectNode object, List<String> known) {
        this.path = path;
        this.object = object;
        for (String name : object.propertyNames()) {
            if (!known.contains(name)) {
                throw Problem.invalid("'" + path + name + "' is not known here" + Words.hint(name, known));
            }
        }
    }

    /** The value of a name; null where it is missing or null. */
    @Nullable
    JsonNode node(String name) {
        JsonNode node = object.get(name);
        return node == null || node.isNull() ? null : node;
    }

    boolean has(String name) {
        return object.has(name);
    }

    private Problem wrong(String name, JsonNode node, String wanted) {
        String shown = node.toString();
        return Problem.invalid("'" + path + name + "' is "
                + (shown.length() <= 60 ? shown : shown.substring(0, 60) + "…") + "; it must be " + wanted);
    }

    @Nullable
    String text(String name) {
        JsonNode node = node(name);
        if (node == null) {
            return null;
        }
        if (!node.isString()) {
            throw wrong(name, node, "a string");
        }
        return node.stringValue();
    }

    String requiredText(String name) {
        String text = text(name);
        if (text == null) {
            throw Problem.invalid("'" + path + name + "' is missing; it must be a string");
        }
        return text;
    }

    boolean flag(String name, boolean otherwise) {
        JsonNode node = node(name);
        if (node == null) {
            return otherwise;
        }
        if (!node.isBoolean()) {
            throw wrong(name, node, "true or false");
        }
        return node.booleanValue();
    }

    long whole(String name, long least, long most, long otherwise) {
        JsonNode node = node(name);
        if (node == null) {
            return otherwise;
        }
        if (!node.isIntegralNumber()
                || !node.canConvertToLong()
                || node.longValue() < least
                || node.longValue() > most) {
            throw wrong(name, node, "a whole number from " + least + " to " + most);
        }
        return node.longValue();
    }

    /** A time such as {@code "30s"}, in milliseconds. */
    long time(String name, long least, long most, long otherwise) {
        String text = text(name);
        if (text == null) {
            return otherwise;
        }
        return time(path + name, text, least, most);
    }

    static long time(String what, String text, long least, long most) {
        long millis;
        try {
            millis = Quantity.millis(text);
        } catch (IllegalArgumentException e) {
            throw Problem.invalid("'" + what + "' is " + e.getMessage());
        }
        if (millis < least || millis > most) {
            throw Problem.invalid("'" + what + "' is " + text + "; it must be from " + Quantity.time(least) + " to "
                    + Quantity.time(most));
        }
        return millis;
    }

    /** A moment such as {@code "2026-11-21T12:00:00Z"}, in milliseconds since 1970. */
    long instant(String name, long otherwise) {
        String text = text(name);
        return text == null ? otherwise : instant(path + name, text);
    }

    static long instant(String what, String text) {
        try {
            return Instant.parse(text).toEpochMilli();
        } catch (DateTimeException | ArithmeticException e) {
            throw wrongInstant(what, text);
        }
    }

    private static Problem wrongInstant(String what, String text) {
        String shown = text.length() <= 40 ? text : text.substring(0, 40) + "…";
        return Problem.invalid(
                "'" + what + "' is '" + shown + "'; it must be a moment in ISO 8601, like 2026-11-21T12:00:00Z");
    }

    byte @Nullable [] base64(String name) {
        String text = text(name);
        if (text == null) {
            return null;
        }
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            throw Problem.invalid("'" + path + name + "' is no base64: " + e.getMessage());
        }
    }

    @Nullable
    Rule rule(String name) {
        String text = text(name);
        return text == null ? null : rule(path + name, text);
    }

    static Rule rule(String what, String text) {
        try {
            return Rule.parse(text);
        } catch (RuleSyntaxException e) {
            throw Problem.invalid("'" + what + "' is no rule: " + e.getMessage());
        } catch (EngineException e) {
            throw Problem.of(e);
        }
    }

    <E extends Enum<E>> @Nullable E choice(String name, Class<E> type) {
        String text = text(name);
        return text == null ? null : choice(path + name, text, type);
    }

    static <E extends Enum<E>> E choice(String what, String text, Class<E> type) {
        String plain = text.toUpperCase(Locale.ROOT).replace('-', '_');
        for (E constant : type.getEnumConstants()) {
            if (constant.name().equals(plain)) {
                return constant;
            }
        }
        List<String> known = Stream.of(type.getEnumConstants())
                .map(c -> c.name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .toList();
        throw Problem.invalid("'" + what + "' is '" + text + "'; it must be one of " + String.join(", ", known));
    }

    /** An object within; null where it is missing or null. */
    @Nullable
    JsonFields object(String name, List<String> known) {
        JsonNode node = node(name);
        if (node == null) {
            return null;
        }
        if (!(node instanceof ObjectNode inner)) {
            throw wrong(name, node, "an object");
        }
        return new JsonFields(path + name + ".", inner, known);
    }

    /** All members as plain values: texts, numbers, booleans, null and maps. */
    Map<String, @Nullable Object> toMap() {
        return Declaring.plain(object);
    }
}
