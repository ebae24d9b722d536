package dev.postroad.patterns.routing;

import dev.postroad.api.Message;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Rules over what every message has; combine them with {@code and}, {@code or} and {@code negate}. */
public final class Rules {
    private Rules() {}

    /** Messages that have this header with exactly this value. */
    public static <K, V> Predicate<Message<K, V>> header(String name, String value) {
        return message -> value.equals(message.headers().get(name));
    }

    /** Messages that have this header. */
    public static <K, V> Predicate<Message<K, V>> hasHeader(String name) {
        return message -> message.headers().containsKey(name);
    }

    /** Messages that have this header with a value that matches as a whole. */
    public static <K, V> Predicate<Message<K, V>> headerMatches(String name, Pattern pattern) {
        return message -> {
            String value = message.headers().get(name);
            return value != null && pattern.matcher(value).matches();
        };
    }

    /** Messages of this type. */
    public static <K, V> Predicate<Message<K, V>> type(String type) {
        return message -> type.equals(message.type());
    }

    /** Messages from this source. */
    public static <K, V> Predicate<Message<K, V>> source(String source) {
        return message -> source.equals(message.properties().source());
    }

    /** Messages of at least this priority. */
    public static <K, V> Predicate<Message<K, V>> priority(int atLeast) {
        return message -> message.properties().priority() >= atLeast;
    }

    /** Messages with a value for which this holds; not those without one. */
    public static <K, V> Predicate<Message<K, V>> value(Predicate<? super V> holds) {
        return message -> {
            V value = message.value();
            return value != null && holds.test(value);
        };
    }
}
