package dev.postroad.cli;

import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Messages as JSON, with the members that the HTTP interface gives them. */
final class MessageJson {
    private MessageJson() {}

    static Map<String, Object> of(Delivery<byte[], byte[]> delivery) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("channel", delivery.channel());
        map.put("attempt", delivery.attempt());
        if (delivery.origin().partition() >= 0) {
            map.put("partition", delivery.origin().partition());
            map.put("offset", delivery.origin().offset());
        }
        map.put("message", of(delivery.message()));
        return map;
    }

    static Map<String, @Nullable Object> of(Message<byte[], byte[]> message) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        Message.Properties properties = message.properties();
        put(map, "id", properties.id());
        bytes(map, "key", message.key());
        if (message.value() == null) {
            map.put("value", null);
        } else {
            bytes(map, "value", message.value());
        }
        if (!message.headers().isEmpty()) {
            map.put("headers", message.headers());
        }
        put(map, "type", properties.type());
        put(map, "source", properties.source());
        put(map, "correlationId", properties.correlationId());
        put(map, "replyTo", properties.replyTo());
        put(map, "contentType", properties.contentType());
        put(map, "version", properties.version());
        map.put("timestamp", message.timestamp().toString());
        if (properties.priority() != 0) {
            map.put("priority", properties.priority());
        }
        put(map, "ttl", properties.ttl() == null ? null : properties.ttl().toMillis() + "ms");
        put(map, "deliverAt", properties.deliverAt());
        return map;
    }

    private static void put(Map<String, @Nullable Object> map, String name, @Nullable Object value) {
        if (value != null) {
            map.put(name, value.toString());
        }
    }

    /** Text where it is UTF-8, else base64 under another name. */
    private static void bytes(Map<String, @Nullable Object> map, String name, byte @Nullable [] bytes) {
        if (bytes == null) {
            return;
        }
        try {
            map.put(
                    name,
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(bytes))
                            .toString());
        } catch (CharacterCodingException e) {
            map.put(name + "Base64", Base64.getEncoder().encodeToString(bytes));
        }
    }
}
