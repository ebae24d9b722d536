package dev.postroad.patterns.jdbc;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Serde;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A whole message as bytes, to be kept in a database until it is sent.
 *
 * <pre>
 *   version     1 byte, {@value #VERSION}
 *   key         4 bytes length (-1 for none), bytes
 *   value       the same
 *   timestamp   8 bytes, milliseconds since 1970
 *   properties  id, type, source, correlation id, reply-to, content type, version: each 4 bytes length (-1 for none), UTF-8
 *   priority    1 byte
 *   ttl         8 bytes, milliseconds; 0 for none
 *   deliver at  8 bytes, milliseconds since 1970; {@link Long#MIN_VALUE} for none
 *   headers     4 bytes count, then name and value of each like the properties
 * </pre>
 */
public final class MessageBytes {
    private static final int VERSION = 1;
    private static final int MAX_HEADERS = 1_000;

    private MessageBytes() {}

    /**
     * A message of a program with key and value as bytes, marked with the content type of its value where it has none.
     *
     * @throws MessagingException {@code SERDE} if the key or the value can't be turned into bytes
     */
    public static <K, V> Message<byte[], byte[]> serialize(Format<K, V> format, Message<K, V> message) {
        Message<byte[], byte[]> bytes = message.withKeyAndValue(
                part(format.key(), message.key(), "key", message),
                part(format.value(), message.value(), "value", message));
        String contentType = format.value().contentType();
        return message.properties().contentType() != null || contentType == null
                ? bytes
                : bytes.withProperties(message.properties().withContentType(contentType));
    }

    private static <T> byte @Nullable [] part(Serde<T> serde, @Nullable T object, String what, Message<?, ?> message) {
        if (object == null) {
            return null;
        }
        try {
            return serde.serialize(object);
        } catch (RuntimeException e) {
            throw new MessagingException(
                    Reason.SERDE,
                    "the " + what + " of message " + message.id() + ", a "
                            + object.getClass().getName() + ", can't be turned into bytes: " + e,
                    e);
        }
    }

    /** The message as bytes. Its destination is not kept: who sends it sets it. */
    public static byte[] encode(Message<byte[], byte[]> message) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            Message.Properties properties = message.properties();
            out.writeByte(VERSION);
            write(out, message.key());
            write(out, message.value());
            out.writeLong(message.timestamp().toEpochMilli());
            write(out, properties.id());
            write(out, properties.type());
            write(out, properties.source());
            write(out, properties.correlationId());
            write(out, properties.replyTo());
            write(out, properties.contentType());
            write(out, properties.version());
            out.writeByte(properties.priority());
            Duration ttl = properties.ttl();
            out.writeLong(ttl == null ? 0 : ttl.toMillis());
            Instant deliverAt = properties.deliverAt();
            out.writeLong(deliverAt == null ? Long.MIN_VALUE : deliverAt.toEpochMilli());
            out.writeInt(message.headers().size());
            for (Map.Entry<String, String> header : message.headers().entrySet()) {
                write(out, header.getKey());
                write(out, header.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    /** @throws MessagingException {@code SERDE} if these are no bytes of a message */
    public static Message<byte[], byte[]> decode(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            int version = in.readByte();
            if (version != VERSION) {
                throw new IOException("they are of version " + version + ", and " + VERSION + " is known here");
            }
            byte[] key = read(in);
            byte[] value = read(in);
            Instant timestamp = Instant.ofEpochMilli(in.readLong());
            String id = readText(in);
            String type = readText(in);
            String source = readText(in);
            String correlationId = readText(in);
            String replyTo = readText(in);
            String contentType = readText(in);
            String schemaVersion = readText(in);
            int priority = in.readByte();
            long ttl = in.readLong();
            long deliverAt = in.readLong();
            return new Message<>(
                    key,
                    value,
                    headers(in),
                    timestamp,
                    new Message.Properties(
                            id,
                            type,
                            source,
                            null,
                            correlationId,
                            replyTo,
                            contentType,
                            schemaVersion,
                            priority,
                            ttl == 0 ? null : Duration.ofMillis(ttl),
                            deliverAt == Long.MIN_VALUE ? null : Instant.ofEpochMilli(deliverAt)));
        } catch (IOException | IllegalArgumentException e) {
            throw new MessagingException(
                    Reason.SERDE, "these " + bytes.length + " bytes are no message: " + e.getMessage(), e);
        }
    }

    private static Map<String, String> headers(DataInputStream in) throws IOException {
        int count = in.readInt();
        if (count < 0 || count > MAX_HEADERS) {
            throw new IOException("they tell of " + count + " headers; there may be " + MAX_HEADERS);
        }
        Map<String, String> headers = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            String name = readText(in);
            String value = readText(in);
            if (name == null || value == null) {
                throw new IOException("a header lacks its name or its value");
            }
            headers.put(name, value);
        }
        return headers;
    }

    private static void write(DataOutputStream out, @Nullable String text) throws IOException {
        write(out, text == null ? null : text.getBytes(StandardCharsets.UTF_8));
    }

    private static void write(DataOutputStream out, byte @Nullable [] bytes) throws IOException {
        if (bytes == null) {
            out.writeInt(-1);
        } else {
            out.writeInt(bytes.length);
            out.write(bytes);
        }
    }

    private static @Nullable String readText(DataInputStream in) throws IOException {
        byte[] bytes = read(in);
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    private static byte @Nullable [] read(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length == -1) {
            return null;
        }
        if (length < 0 || length > in.available()) {
            throw new IOException("a part says it has " + length + " bytes where " + in.available() + " are left");
        }
        return in.readNBytes(length);
    }
}
