package dev.postroad.protocols.amqp091;

import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.NoValue;
import dev.postroad.engine.Route;
import dev.postroad.protocols.amqp091.codec.BasicProperties;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Messages of AMQP as the engine's, and back, without loss. What both have is the same for every protocol; what only AMQP has
 * is kept in headers with the prefix {@value #PREFIX}, and what only the engine has is shown as headers with the prefix
 * {@value #ENGINE_PREFIX}:
 *
 * <pre>
 *   message-id     id                      content-encoding, user-id, cluster-id     postroad-amqp-…
 *   content-type   contentType             delivery-mode                             postroad-amqp-delivery-mode, where not 2
 *   type           type                    priority 0, timestamp 0, message-id ''    postroad-amqp-…: set, but as if not
 *   app-id         source                  expiration not in its shortest form       postroad-amqp-expiration
 *   correlation-id correlationId
 *   reply-to       replyTo                 key          header postroad-key
 *   timestamp      timestamp               version      header postroad-version
 *   priority       priority                value null   header postroad-tombstone
 *   expiration     ttl                     deliverAt    header postroad-deliver-at
 * </pre>
 */
final class MessageMapping {
    /** Prefix of headers for what only AMQP has. */
    static final String PREFIX = "postroad-amqp-";

    private static final String ENGINE_PREFIX = "postroad-";
    private static final String CONTENT_ENCODING = PREFIX + "content-encoding";
    private static final String DELIVERY_MODE = PREFIX + "delivery-mode";
    private static final String PRIORITY = PREFIX + "priority";
    private static final String EXPIRATION = PREFIX + "expiration";
    private static final String MESSAGE_ID = PREFIX + "message-id";
    private static final String TIMESTAMP = PREFIX + "timestamp";
    private static final String USER_ID = PREFIX + "user-id";
    private static final String CLUSTER_ID = PREFIX + "cluster-id";

    /** Mark of the connection that published, where that has a consumer which does not want its own messages. */
    static final String CONNECTION = PREFIX + "connection";

    private static final String KEY = ENGINE_PREFIX + "key";
    private static final String VERSION = ENGINE_PREFIX + "version";
    private static final String TOMBSTONE = ENGINE_PREFIX + "tombstone";
    private static final String DELIVER_AT = ENGINE_PREFIX + "deliver-at";

    private static final Map<String, Object> NO_MODE = Map.of(DELIVERY_MODE, 0L);
    private static final Map<String, Object> TRANSIENT = Map.of(DELIVERY_MODE, 1L);
    private static final Map<String, Object> ZERO_PRIORITY = Map.of(PRIORITY, 0L);
    private static final long LARGEST_SECONDS = Long.MAX_VALUE / 1000;

    private MessageMapping() {}

    /** True if the message need not outlive the broker. */
    static boolean isTransient(BasicProperties properties) {
        Integer mode = properties.deliveryMode();
        return mode == null || mode != 2;
    }

    // ── In ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** @throws AmqpException if a property or a header says what can't be */
    static EngineMessage toEngine(BasicProperties p, byte[] body, @Nullable Route route) {
        if (p == BasicProperties.PERSISTENT) {
            return message(body, Map.of(), route);
        }
        Builder builder = new Builder();
        if (p.headers() != null) {
            p.headers().forEach(builder::header);
        }
        Integer mode = p.deliveryMode();
        if (mode == null || mode != 2) {
            if (builder.headers == null && (mode == null || mode == 1) && onlyMode(p)) {
                Map<String, Object> shared = mode == null ? NO_MODE : TRANSIENT;
                return message(body, shared, route);
            }
            builder.put(DELIVERY_MODE, mode == null ? 0L : (long) mode);
        }
        builder.text(CONTENT_ENCODING, p.contentEncoding());
        builder.text(USER_ID, p.userId());
        builder.text(CLUSTER_ID, p.clusterId());
        String id = p.messageId();
        if (id != null && id.isEmpty()) {
            builder.put(MESSAGE_ID, "");
            id = null;
        }
        int priority = 0;
        if (p.priority() != null) {
            priority = p.priority();
            if (priority == 0) {
                builder.zeroPriority();
            }
        }
        long timestamp = 0;
        if (p.timestamp() != null) {
            long seconds = p.timestamp();
            if (seconds <= 0 || seconds > LARGEST_SECONDS) {
                builder.put(TIMESTAMP, seconds);
            } else {
                timestamp = seconds * 1000;
            }
        }
        long ttl = expiration(p.expiration(), builder);
        EngineMessage.Properties properties = properties(p, builder.version);
        return new EngineMessage(
                id,
                builder.key,
                builder.tombstone && body.length == 0 ? null : body,
                builder.headers == null ? Map.of() : builder.headers,
                properties,
                timestamp,
                priority,
                ttl,
                builder.deliverAt,
                route,
                List.of());
    }

    static EngineMessage marked(EngineMessage message, String mark) {
        Map<String, Object> headers = new LinkedHashMap<>(message.headers());
        headers.put(CONNECTION, mark);
        return message.withHeaders(headers);
    }

    private static EngineMessage message(byte[] body, Map<String, Object> headers, @Nullable Route route) {
        return new EngineMessage(
                null, null, body, headers, EngineMessage.Properties.NONE, 0, 0, 0, 0, route, List.of());
    }

    private static boolean onlyMode(BasicProperties p) {
        return p.contentType() == null
                && p.contentEncoding() == null
                && p.headers() == null
                && p.priority() == null
                && p.correlationId() == null
                && p.replyTo() == null
                && p.expiration() == null
                && p.messageId() == null
                && p.timestamp() == null
                && p.type() == null
                && p.userId() == null
                && p.appId() == null
                && p.clusterId() == null;
    }

    private static EngineMessage.Properties properties(BasicProperties p, @Nullable String version) {
        if (p.type() == null
                && p.appId() == null
                && p.correlationId() == null
                && p.replyTo() == null
                && p.contentType() == null
                && version == null) {
            return EngineMessage.Properties.NONE;
        }
        return new EngineMessage.Properties(
                p.type(), p.appId(), p.correlationId(), p.replyTo(), p.contentType(), version);
    }

    private static long expiration(@Nullable String text, Builder builder) {
        if (text == null) {
            return 0;
        }
        long millis = -1;
        try {
            millis = Long.parseLong(text);
        } catch (NumberFormatException e) {
            // Refused below, with what else is no time.
        }
        if (millis < 0 || millis > 0xFFFF_FFFFL) {
            throw new AmqpException(
                    ReplyCode.PRECONDITION_FAILED,
                    "invalid expiration '" + text + "': it must be milliseconds, 0 to " + 0xFFFF_FFFFL);
        }
        if (!Long.toString(Math.max(1, millis)).equals(text)) {
            builder.put(EXPIRATION, text);
        }
        return Math.max(1, millis);
    }

    private static final class Builder {
        @Nullable
        Map<String, Object> headers;

        private boolean shared;

        byte @Nullable [] key;

        @Nullable
        String version;

        boolean tombstone;
        long deliverAt;

        void put(String name, Object value) {
            Map<String, Object> known = headers;
            if (known == null || shared) {
                known = known == null ? new LinkedHashMap<>() : new LinkedHashMap<>(known);
                headers = known;
                shared = false;
            }
            known.put(name, value);
        }

        /** What the Java client's constants say: no map of its own for each such message. */
        void zeroPriority() {
            if (headers == null) {
                headers = ZERO_PRIORITY;
                shared = true;
            } else {
                put(PRIORITY, 0L);
            }
        }

        void text(String name, @Nullable String text) {
            if (text != null) {
                put(name, text);
            }
        }

        void header(String name, @Nullable Object value) {
            if (name.equals(Routed.BCC)) {
                return;
            }
            if (!name.startsWith(ENGINE_PREFIX) || name.startsWith(ENGINE_PREFIX + "dead-letter-")) {
                put(name, inEngine(value));
                return;
            }
            switch (name) {
                case KEY ->
                    key = switch (value) {
                        case String text -> text.getBytes(StandardCharsets.UTF_8);
                        case byte[] bytes -> bytes;
                        case null, default -> throw wrong(name, "a text or bytes");
                    };
                case VERSION -> version = value instanceof String text ? text : refuse(name, "a text");
                case TOMBSTONE -> tombstone = Boolean.TRUE.equals(value);
                case DELIVER_AT -> {
                    if (!(value instanceof Long millis) || millis < 0) {
                        throw wrong(name, "milliseconds since 1970");
                    }
                    deliverAt = millis;
                }
                default -> {
                    if (name.startsWith(PREFIX)) {
                        throw new AmqpException(
                                ReplyCode.PRECONDITION_FAILED,
                                "header '" + name + "' has a name that is reserved: set the property instead");
                    }
                    put(name, inEngine(value));
                }
            }
        }

        private static AmqpException wrong(String name, String expected) {
            return new AmqpException(ReplyCode.PRECONDITION_FAILED, "header '" + name + "' must be " + expected);
        }

        private static String refuse(String name, String expected) {
            throw wrong(name, expected);
        }
    }

    /** A value of a field table as the engine has it: the same, but for null. */
    static Object inEngine(@Nullable Object value) {
        return switch (value) {
            case null -> NoValue.NONE;
            case Map<?, ?> map -> {
                Map<String, Object> converted = LinkedHashMap.newLinkedHashMap(map.size());
                map.forEach((name, inner) -> converted.put(String.valueOf(name), inEngine(inner)));
                yield converted;
            }
            case List<?> list -> {
                List<Object> converted = new ArrayList<>(list.size());
                list.forEach(inner -> converted.add(inEngine(inner)));
                yield converted;
            }
            default -> value;
        };
    }

    /** All values of a field table as the engine has them. */
    static Map<String, Object> inEngine(Map<String, @Nullable Object> table) {
        Map<String, Object> converted = LinkedHashMap.newLinkedHashMap(table.size());
        table.forEach((name, value) -> converted.put(name, inEngine(value)));
        return converted;
    }

    /** A header's value as field tables have it. */
    static @Nullable Object inTable(@Nullable Object value) {
        return switch (value) {
            case null -> null;
            case NoValue none -> null;
            case Map<?, ?> map -> {
                Map<String, @Nullable Object> converted = LinkedHashMap.newLinkedHashMap(map.size());
                map.forEach((name, inner) -> converted.put(String.valueOf(name), inTable(inner)));
                yield converted;
            }
            case List<?> list -> {
                List<@Nullable Object> converted = new ArrayList<>(list.size());
                list.forEach(inner -> converted.add(inTable(inner)));
                yield converted;
            }
            default -> value;
        };
    }

    // ── Out ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** The properties that the message is delivered with. */
    static BasicProperties toAmqp(EngineMessage m) {
        return toAmqp(m, VirtualHost.DEFAULT);
    }

    /** The properties of a delivery to a client of this host; where a stream is read, with the message's offset. */
    static BasicProperties toAmqp(EngineDelivery delivery, VirtualHost host) {
        BasicProperties p = toAmqp(delivery.message(), host);
        if (delivery.offset() < 0) {
            return p;
        }
        Map<String, @Nullable Object> headers = new LinkedHashMap<>();
        if (p.headers() != null) {
            headers.putAll(p.headers());
        }
        headers.put(ConsumeArguments.OFFSET, delivery.offset());
        return new BasicProperties(
                p.contentType(),
                p.contentEncoding(),
                headers,
                p.deliveryMode(),
                p.priority(),
                p.correlationId(),
                p.replyTo(),
                p.expiration(),
                p.messageId(),
                p.timestamp(),
                p.type(),
                p.userId(),
                p.appId(),
                p.clusterId());
    }

    /** The properties that the message is delivered with to a client of this host, which its history is told to. */
    static BasicProperties toAmqp(EngineMessage m, VirtualHost host) {
        if (plain(m)) {
            return BasicProperties.PERSISTENT;
        }
        Map<String, Object> kept = m.headers();
        EngineMessage.Properties p = m.properties();
        long mode = kept.get(DELIVERY_MODE) instanceof Long said ? said : 2;
        String expiration = text(kept, EXPIRATION);
        String id = m.id();
        return new BasicProperties(
                shortText(p.contentType()),
                text(kept, CONTENT_ENCODING),
                showsHeaders(m) ? headers(m, host) : null,
                mode == 0 ? null : (Integer) (int) mode,
                m.priority() != 0 ? (Integer) m.priority() : kept.containsKey(PRIORITY) ? (Integer) 0 : null,
                shortText(p.correlationId()),
                shortText(p.replyTo()),
                expiration != null || m.ttlMillis() == 0 ? expiration : Long.toString(m.ttlMillis()),
                id != null ? shortText(id) : text(kept, MESSAGE_ID),
                m.timestampMillis() != 0
                        ? (Long) Math.floorDiv(m.timestampMillis(), 1000L)
                        : kept.get(TIMESTAMP) instanceof Long seconds ? seconds : null,
                shortText(p.type()),
                text(kept, USER_ID),
                shortText(p.source()),
                text(kept, CLUSTER_ID));
    }

    private static boolean showsHeaders(EngineMessage m) {
        if (m.key() != null
                || !m.deaths().isEmpty()
                || m.properties().version() != null
                || m.payload() == null
                || m.deliverAtMillis() != 0) {
            return true;
        }
        for (String name : m.headers().keySet()) {
            if (!name.startsWith(PREFIX)) {
                return true;
            }
        }
        return false;
    }

    private static Map<String, @Nullable Object> headers(EngineMessage m, VirtualHost host) {
        Map<String, @Nullable Object> headers = new LinkedHashMap<>();
        m.headers().forEach((name, value) -> {
            if (!name.startsWith(PREFIX)) {
                headers.put(name, inTable(value));
            }
        });
        byte[] key = m.key();
        if (key != null) {
            headers.put(KEY, keyValue(key));
        }
        DeadLetterHeaders.add(m, host, headers);
        String version = m.properties().version();
        if (version != null) {
            headers.put(VERSION, version);
        }
        if (m.payload() == null) {
            headers.put(TOMBSTONE, true);
        }
        if (m.deliverAtMillis() != 0) {
            headers.put(DELIVER_AT, m.deliverAtMillis());
        }
        return headers;
    }

    private static boolean plain(EngineMessage m) {
        return m.headers().isEmpty()
                && m.deaths().isEmpty()
                && m.properties() == EngineMessage.Properties.NONE
                && m.id() == null
                && m.key() == null
                && m.payload() != null
                && m.priority() == 0
                && m.timestampMillis() == 0
                && m.ttlMillis() == 0
                && m.deliverAtMillis() == 0;
    }

    private static Object keyValue(byte[] key) {
        String text = new String(key, StandardCharsets.UTF_8);
        return Objects.deepEquals(text.getBytes(StandardCharsets.UTF_8), key) ? text : key;
    }

    private static @Nullable String text(Map<String, Object> headers, String name) {
        return headers.get(name) instanceof String text ? text : null;
    }

    /** A property of AMQP has 255 bytes at most: what another protocol set longer is cut, with its hash to tell it by. */
    private static @Nullable String shortText(@Nullable String text) {
        if (text == null || text.length() <= 63) {
            return text;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= 255) {
            return text;
        }
        int end = 240;
        while ((bytes[end] & 0xC0) == 0x80) {
            end--;
        }
        byte[] hash = {
            (byte) (text.hashCode() >> 24),
            (byte) (text.hashCode() >> 16),
            (byte) (text.hashCode() >> 8),
            (byte) text.hashCode()
        };
        return new String(bytes, 0, end, StandardCharsets.UTF_8) + "..."
                + Base64.getEncoder().withoutPadding().encodeToString(hash);
    }
}
