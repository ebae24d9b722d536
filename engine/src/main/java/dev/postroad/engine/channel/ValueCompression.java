package dev.postroad.engine.channel;

import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * Values that lie gzipped: those of over 1 KiB on channels declared as compressed, where it makes them smaller. Such a
 * message bears the header {@value #HEADER} = {@code gzip}, which the contract's producers set themselves; whoever hands it to
 * an application unpacks it and drops the header.
 */
public final class ValueCompression {
    /** Header of messages whose value is packed. */
    public static final String HEADER = "content-encoding";

    private static final String GZIP = "gzip";
    private static final int THRESHOLD_BYTES = 1024;

    private ValueCompression() {}

    /** The message with its value packed, or as it is where packing would not pay. */
    public static EngineMessage pack(EngineMessage message) {
        byte[] value = message.payload();
        if (value == null
                || value.length <= THRESHOLD_BYTES
                || message.headers().containsKey(HEADER)) {
            return message;
        }
        ByteArrayOutputStream packed = new ByteArrayOutputStream(value.length / 2);
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (packed.size() >= value.length) {
            return message;
        }
        Map<String, Object> headers = new LinkedHashMap<>(message.headers());
        headers.put(HEADER, GZIP);
        return with(message, packed.toByteArray(), headers);
    }

    /**
     * The message with its value unpacked, or as it is where that was not packed.
     *
     * @param maxBytes the value's largest size
     * @throws EngineException {@code TOO_LARGE} past that size, {@code INVALID} if the value is not what the header says
     */
    public static EngineMessage unpack(EngineMessage message, int maxBytes) {
        byte[] value = message.payload();
        if (value == null || !GZIP.equals(message.headers().get(HEADER))) {
            return message;
        }
        Map<String, Object> headers = new LinkedHashMap<>(message.headers());
        headers.remove(HEADER);
        return with(message, unzip(value, maxBytes), headers);
    }

    private static byte[] unzip(byte[] packed, int maxBytes) {
        try (GZIPInputStream gzip = new GZIPInputStream(new ByteArrayInputStream(packed))) {
            byte[] value = gzip.readNBytes(maxBytes);
            if (value.length == maxBytes && gzip.read() >= 0) {
                throw new EngineException(
                        EngineException.Reason.TOO_LARGE,
                        "the gzipped value of " + packed.length + " bytes unpacks to more than " + maxBytes + " bytes");
            }
            return value;
        } catch (IOException e) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "the value of " + packed.length + " bytes is marked as gzipped and is not: " + e.getMessage(),
                    e);
        }
    }

    private static EngineMessage with(EngineMessage message, byte[] payload, Map<String, Object> headers) {
        return new EngineMessage(
                message.id(),
                message.key(),
                payload,
                headers,
                message.properties(),
                message.timestampMillis(),
                message.priority(),
                message.ttlMillis(),
                message.deliverAtMillis(),
                message.route(),
                message.deaths());
    }
}
