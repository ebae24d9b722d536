package dev.postroad.api;

import org.jspecify.annotations.Nullable;

/**
 * Turns values into bytes and back. Safe for use by many threads.
 *
 * @param <T> type of the values
 */
public interface Serde<T> {

    /** The bytes of a value. @throws RuntimeException if it can't be turned into bytes */
    byte[] serialize(T value);

    /** The value of bytes. @throws RuntimeException if these are no bytes of a value */
    T deserialize(byte[] bytes);

    /** Media type that messages are marked with where they carry none; null for none. */
    default @Nullable String contentType() {
        return null;
    }

    /** Makes serdes for classes, {@code json} for example. Found by {@link java.util.ServiceLoader}. */
    interface Provider {
        /** Name of the format. */
        String format();

        /** A serde of the format for the type. */
        <T> Serde<T> serde(Class<T> type);
    }
}
