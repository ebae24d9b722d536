package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a message in its record.
 *
 * <pre>
 *   flags        u8      1 id · 2 key · 4 payload · 8 ttl · 16 deliverAt · 32 headers · 64 properties · 128 more
 *   priority     u8
 *   timestamp    i64
 *   ttl          varint  if flagged, milliseconds
 *   deliverAt    i64     if flagged
 *   id           string  if flagged
 *   key          bytes   if flagged
 *   properties           if flagged: u8 mask of those set, then a string each
 *   headers              if flagged: varint count, then name (string) and value each, see HeaderValues
 *   payload      bytes   if flagged
 *   more                 if flagged: u8 flags 1 route · 2 deaths, then those flagged, see Route and Death
 * </pre>
 */
final class MessageCodec {
    private static final int ID = 1;
    private static final int KEY = 2;
    private static final int PAYLOAD = 4;
    private static final int TTL = 8;
    private static final int DELIVER_AT = 16;
    private static final int HEADERS = 32;
    private static final int PROPERTIES = 64;
    private static final int MORE = 128;
    private static final int ROUTE = 1;
    private static final int DEATHS = 2;

    private MessageCodec() {}

    /** Most bytes the message can take. */
    static long maxBytes(EngineMessage message) {
        byte[] key = message.key();
        byte[] payload = message.payload();
        long bytes = 40L
                + Bytes.maxBytes(message.id())
                + (key == null ? 0 : 5 + key.length)
                + (payload == null ? 0 : 5 + (long) payload.length);
        Route route = message.route();
        if (route != null) {
            bytes += Route.maxBytes(route.topic(), route.keys());
        }
        if (!message.deaths().isEmpty()) {
            bytes += Death.maxBytes(message.deaths());
        }
        if (message.properties() != EngineMessage.Properties.NONE) {
            EngineMessage.Properties p = message.properties();
            bytes += 1
                    + Bytes.maxBytes(p.type())
                    + Bytes.maxBytes(p.source())
                    + Bytes.maxBytes(p.correlationId())
                    + Bytes.maxBytes(p.replyTo())
                    + Bytes.maxBytes(p.contentType())
                    + Bytes.maxBytes(p.version());
        }
        if (!message.headers().isEmpty()) {
            for (Map.Entry<String, Object> header : message.headers().entrySet()) {
                bytes += Bytes.maxBytes(header.getKey()) + HeaderValues.maxBytes(header.getValue());
            }
        }
        return bytes;
    }

    static void encode(EngineMessage message, ByteBuffer out) {
        EngineMessage.Properties properties = message.properties();
        boolean hasProperties = !properties.equals(EngineMessage.Properties.NONE);
        String id = message.id();
        byte[] key = message.key();
        byte[] payload = message.payload();
        Route route = message.route();
        List<Death> deaths = message.deaths();
        boolean more = route != null || !deaths.isEmpty();
        out.put((byte) ((id != null ? ID : 0)
                | (key != null ? KEY : 0)
                | (payload != null ? PAYLOAD : 0)
                | (message.ttlMillis() > 0 ? TTL : 0)
                | (message.deliverAtMillis() > 0 ? DELIVER_AT : 0)
                | (message.headers().isEmpty() ? 0 : HEADERS)
                | (hasProperties ? PROPERTIES : 0)
                | (more ? MORE : 0)));
        out.put((byte) message.priority());
        out.putLong(message.timestampMillis());
        if (message.ttlMillis() > 0) {
            Bytes.putVarint(out, message.ttlMillis());
        }
        if (message.deliverAtMillis() > 0) {
            out.putLong(message.deliverAtMillis());
        }
        if (id != null) {
            Bytes.putString(out, id);
        }
        if (key != null) {
            Bytes.putBytes(out, key);
        }
        if (hasProperties) {
            encodeProperties(properties, out);
        }
        if (!message.headers().isEmpty()) {
            encodeHeaders(message.headers(), out);
        }
        if (payload != null) {
            Bytes.putBytes(out, payload);
        }
        if (more) {
            out.put((byte) ((route != null ? ROUTE : 0) | (deaths.isEmpty() ? 0 : DEATHS)));
            if (route != null) {
                route.encode(out);
            }
            if (!deaths.isEmpty()) {
                Death.encode(deaths, out);
            }
        }
    }

    private static void encodeProperties(EngineMessage.Properties p, ByteBuffer out) {
        @Nullable String[] all = {p.type(), p.source(), p.correlationId(), p.replyTo(), p.contentType(), p.version()};
        int mask = 0;
        for (int i = 0; i < all.length; i++) {
            mask |= all[i] == null ? 0 : 1 << i;
        }
        out.put((byte) mask);
        for (String text : all) {
            if (text != null) {
                Bytes.putString(out, text);
            }
        }
    }

    static void encodeHeaders(Map<String, Object> headers, ByteBuffer out) {
        Bytes.putVarint(out, headers.size());
        for (Map.Entry<String, Object> header : headers.entrySet()) {
            Bytes.putString(out, header.getKey());
            HeaderValues.encode(header.getValue(), out);
        }
    }

    static EngineMessage decode(ByteBuffer in) {
        int flags = in.get();
        int priority = in.get() & 0xFF;
        long timestamp = in.getLong();
        long ttl = (flags & TTL) != 0 ? Bytes.getVarint(in) : 0;
        long deliverAt = (flags & DELIVER_AT) != 0 ? in.getLong() : 0;
        String id = (flags & ID) != 0 ? Bytes.getString(in) : null;
        byte[] key = (flags & KEY) != 0 ? Bytes.getBytes(in) : null;
        EngineMessage.Properties properties =
                (flags & PROPERTIES) != 0 ? decodeProperties(in) : EngineMessage.Properties.NONE;
        Map<String, Object> headers = (flags & HEADERS) != 0 ? decodeHeaders(in) : Map.of();
        byte[] payload = (flags & PAYLOAD) != 0 ? Bytes.getBytes(in) : null;
        int more = (flags & MORE) != 0 ? in.get() : 0;
        Route route = (more & ROUTE) != 0 ? Route.decode(in) : null;
        List<Death> deaths = (more & DEATHS) != 0 ? Death.decode(in) : List.of();
        return new EngineMessage(
                id, key, payload, headers, properties, timestamp, priority, ttl, deliverAt, route, deaths);
    }

    private static EngineMessage.Properties decodeProperties(ByteBuffer in) {
        int mask = in.get();
        @Nullable String[] all = new String[6];
        for (int i = 0; i < all.length; i++) {
            all[i] = (mask & 1 << i) != 0 ? Bytes.getString(in) : null;
        }
        return new EngineMessage.Properties(all[0], all[1], all[2], all[3], all[4], all[5]);
    }

    static Map<String, Object> decodeHeaders(ByteBuffer in) {
        long count = Bytes.getVarint(in);
        Map<String, Object> headers = new LinkedHashMap<>();
        for (long i = 0; i < count; i++) {
            String name = Bytes.getString(in);
            headers.put(name, HeaderValues.decode(in));
        }
        return Collections.unmodifiableMap(headers);
    }
}
