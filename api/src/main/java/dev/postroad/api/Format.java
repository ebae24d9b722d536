package dev.postroad.api;

import java.util.Objects;

/**
 * How the keys and values of messages are turned into bytes and back.
 *
 * @param key for the keys
 * @param value for the values; its content type marks messages that carry none
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public record Format<K, V>(Serde<K> key, Serde<V> value) {

    private static final Format<byte[], byte[]> BYTES = new Format<>(Serdes.bytes(), Serdes.bytes());
    private static final Format<String, String> STRINGS = new Format<>(Serdes.string(), Serdes.string());

    public Format {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(value, "value");
    }

    /** Keys and values as the bytes they are. */
    public static Format<byte[], byte[]> bytes() {
        return BYTES;
    }

    /** Keys and values as strings. */
    public static Format<String, String> strings() {
        return STRINGS;
    }

    /** Keys as strings, values by the serde. */
    public static <V> Format<String, V> of(Serde<V> value) {
        return new Format<>(Serdes.string(), value);
    }

    /**
     * Keys as strings, values as JSON.
     *
     * @throws MessagingException {@code NOT_FOUND}, saying which dependency to add, if there is no JSON on the class path
     */
    public static <V> Format<String, V> json(Class<V> type) {
        return new Format<>(Serdes.string(), Serdes.json(type));
    }
}
