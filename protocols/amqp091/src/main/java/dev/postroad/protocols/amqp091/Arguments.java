package dev.postroad.protocols.amqp091;

import dev.postroad.protocols.amqp091.codec.ReplyCode;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Arguments of one declaration, read by name and type. What was received is kept as text in the definition's attributes, so
 * that declaring again compares, and operators see, what the client had said.
 *
 * @param what the declared thing in error texts, {@code queue 'q' in vhost '/'}
 */
record Arguments(String what, Map<String, @Nullable Object> table) {
    private static final String MARK = "amqp091";
    static final long MOST_MILLIS = 0xFFFF_FFFFL;

    static String queue(String name, VirtualHost host) {
        return "queue '" + name + "' in vhost '" + host.name() + "'";
    }

    static String exchange(String name, VirtualHost host) {
        return "exchange '" + name + "' in vhost '" + host.name() + "'";
    }

    AmqpException invalid(String argument, String why) {
        return new AmqpException(
                ReplyCode.PRECONDITION_FAILED, "invalid arg '" + argument + "' for " + what + ": " + why);
    }

    /** @throws AmqpException naming the first argument that is not one of these */
    void checkNames(Set<String> known, String suffix) {
        for (String name : table.keySet()) {
            if (!known.contains(name)) {
                throw new AmqpException(
                        ReplyCode.PRECONDITION_FAILED, "invalid arg '" + name + "' for " + what + suffix);
            }
        }
    }

    boolean has(String name) {
        return table.containsKey(name);
    }

    @Nullable
    String text(String name) {
        if (!has(name)) {
            return null;
        }
        if (table.get(name) instanceof String text) {
            return text;
        }
        throw invalid(name, "{unacceptable_type," + typeOf(table.get(name)) + "}; it must be a longstr");
    }

    /** One of these words; null if the argument is not there. */
    @Nullable
    String word(String name, List<String> words) {
        String text = text(name);
        if (text != null && !words.contains(text)) {
            throw invalid(name, "'" + text + "' is not one of " + String.join(", ", words));
        }
        return text;
    }

    boolean flag(String name) {
        if (!has(name)) {
            return false;
        }
        if (table.get(name) instanceof Boolean flag) {
            return flag;
        }
        throw invalid(name, "{unacceptable_type," + typeOf(table.get(name)) + "}; it must be a bool");
    }

    /** A whole number within these bounds; -1 if the argument is not there. */
    long number(String name, long least, long most) {
        if (!has(name)) {
            return -1;
        }
        Object value = table.get(name);
        if (!(value instanceof Byte || value instanceof Short || value instanceof Integer || value instanceof Long)) {
            throw invalid(name, "{unacceptable_type," + typeOf(value) + "}; it must be a whole number");
        }
        long number = ((Number) value).longValue();
        if (number < 0) {
            throw invalid(name, "{value_negative," + number + "}");
        }
        if (number < least || number > most) {
            throw invalid(
                    name,
                    (number == 0 ? "{value_zero,0}" : "the value " + number) + "; it must be " + least + " to " + most);
        }
        return number;
    }

    /** RabbitMQ's name for the type of a field. */
    static String typeOf(@Nullable Object value) {
        return switch (value) {
            case null -> "void";
            case String s -> "longstr";
            case Boolean b -> "bool";
            case Byte n -> "byte";
            case Short n -> "short";
            case Integer n -> "signedint";
            case Long n -> "long";
            case Float n -> "float";
            case Double n -> "double";
            case BigDecimal n -> "decimal";
            case Instant t -> "timestamp";
            case byte[] b -> "binary";
            case List<?> l -> "array";
            case Map<?, ?> m -> "table";
            default -> value.getClass().getSimpleName();
        };
    }

    // ── As text ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** What was received, as a definition keeps it; null if nothing was. Arguments are texts, numbers and truth values. */
    static @Nullable String keep(Map<String, ? extends @Nullable Object> received) {
        if (received.isEmpty()) {
            return null;
        }
        StringBuilder out = new StringBuilder(MARK);
        new TreeMap<>(received)
                .forEach((name, value) -> out.append(' ')
                        .append(escaped(name))
                        .append('=')
                        .append(typeOf(value))
                        .append(':')
                        .append(escaped(String.valueOf(value))));
        return out.toString();
    }

    /** What was received, by what a definition keeps; null if it was not declared by AMQP, or without arguments. */
    static @Nullable Map<String, @Nullable Object> kept(@Nullable String attributes) {
        if (attributes == null || !attributes.startsWith(MARK)) {
            return null;
        }
        Map<String, @Nullable Object> received = new TreeMap<>();
        String[] parts = attributes.split(" ");
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            int colon = parts[i].indexOf(':', equals);
            String text = URLDecoder.decode(parts[i].substring(colon + 1), StandardCharsets.UTF_8);
            String name = URLDecoder.decode(parts[i].substring(0, equals), StandardCharsets.UTF_8);
            received.put(name, value(parts[i].substring(equals + 1, colon), text));
        }
        return received;
    }

    private static Object value(String type, String text) {
        return switch (type) {
            case "bool" -> Boolean.valueOf(text);
            case "byte" -> Byte.valueOf(text);
            case "short" -> Short.valueOf(text);
            case "signedint" -> Integer.valueOf(text);
            case "long" -> Long.valueOf(text);
            default -> text;
        };
    }

    private static String escaped(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    // ── Comparing ────────────────────────────────────────────────────────────────────────────────────────────────────

    /** What to answer where a property was declared otherwise; null where it was not. */
    static @Nullable String difference(String what, String property, Object received, Object current) {
        return received.equals(current)
                ? null
                : "inequivalent arg '" + property + "' for " + what + ": received '" + received + "' but current is '"
                        + current + "'";
    }

    /** The first argument in which the two differ, as RabbitMQ says it; null if in none. */
    static @Nullable String difference(
            String what, Map<String, @Nullable Object> received, Map<String, @Nullable Object> current) {
        Set<String> names = new TreeSet<>(received.keySet());
        names.addAll(current.keySet());
        for (String name : names) {
            Object here = received.get(name);
            Object there = current.get(name);
            if (same(here, there)) {
                continue;
            }
            boolean both = here != null && there != null;
            return "inequivalent arg '" + name + "' for " + what + ": received " + said(here, both) + " but current is "
                    + said(there, both);
        }
        return null;
    }

    private static boolean same(@Nullable Object a, @Nullable Object b) {
        if (isWhole(a) && isWhole(b) && a instanceof Number left && b instanceof Number right) {
            return left.longValue() == right.longValue();
        }
        return Objects.equals(a, b);
    }

    private static boolean isWhole(@Nullable Object value) {
        return value instanceof Byte || value instanceof Short || value instanceof Integer || value instanceof Long;
    }

    private static String said(@Nullable Object value, boolean both) {
        if (value == null) {
            return "none";
        }
        return both ? "'" + value + "'" : "the value '" + value + "' of type '" + typeOf(value) + "'";
    }
}
