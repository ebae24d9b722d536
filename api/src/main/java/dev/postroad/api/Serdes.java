package dev.postroad.api;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** The serdes that come with the contract. */
public final class Serdes {
    private static final Serde<byte[]> BYTES = new BytesSerde();
    private static final Serde<String> STRING = new StringSerde();

    private Serdes() {}

    /** Bytes as they are; not copied. */
    public static Serde<byte[]> bytes() {
        return BYTES;
    }

    /** Strings as UTF-8; refuses bytes that are not. */
    public static Serde<String> string() {
        return STRING;
    }

    /**
     * JSON, by the provider on the class path.
     *
     * @throws MessagingException {@code NOT_FOUND}, saying which dependency to add, if there is none
     */
    public static <T> Serde<T> json(Class<T> type) {
        for (Serde.Provider provider : ServiceLoader.load(Serde.Provider.class)) {
            if (provider.format().equals("json")) {
                return provider.serde(type);
            }
        }
        throw new MessagingException(
                MessagingException.Reason.NOT_FOUND,
                "no JSON support on the class path: add the dependency dev.postroad:postroad-json");
    }

    private static final class BytesSerde implements Serde<byte[]> {
        @Override
        public byte[] serialize(byte[] value) {
            return value;
        }

        @Override
        public byte[] deserialize(byte[] bytes) {
            return bytes;
        }
    }

    private static final class StringSerde implements Serde<String> {
        @Override
        public byte[] serialize(String value) {
            return value.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public String deserialize(byte[] bytes) {
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes))
                        .toString();
            } catch (CharacterCodingException e) {
                throw new IllegalArgumentException("the " + bytes.length + " bytes are no UTF-8", e);
            }
        }

        @Override
        public @Nullable String contentType() {
            return "text/plain; charset=utf-8";
        }
    }
}
