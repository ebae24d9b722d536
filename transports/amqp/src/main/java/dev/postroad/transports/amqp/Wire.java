package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Message;
import dev.postroad.transports.emulation.TimeToLive;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Messages of the contract as AMQP's, and back. What has a place in AMQP's properties is there; key, version, tombstone, the
 * milliseconds of the time stamp and what this transport remembers are headers. What came from another AMQP program is read as far
 * as it goes.
 *
 * @param message as it was sent
 * @param attempts deliveries that are counted in the message itself
 * @param notBefore when it may be delivered, in milliseconds; 0 for at once
 * @param accepted when its time to live began, in milliseconds
 */
record Wire(Message<byte[], byte[]> message, int attempts, long notBefore, long accepted) {
    /** Queues where messages wait begin with this. */
    static final String DELAY_PREFIX = "postroad-delay-";

    private static final String KEY = "postroad-key";
    private static final String VERSION = "postroad-version";
    private static final String TOMBSTONE = "postroad-tombstone";
    private static final String OWN = "postroad-t-";
    private static final String TIME = OWN + "time";
    private static final String TTL = OWN + "ttl";
    private static final String ATTEMPTS = OWN + "attempts";
    private static final String NOT_BEFORE = OWN + "not-before";
    private static final String ACCEPTED = OWN + "accepted";
    private static final String DESTINATION = OWN + "destination";
    private static final String DELIVER_AT = OWN + "deliver-at";
    private static final String ESCAPED = OWN + "header-";
    private static final int SHORT_BYTES = 255;
    private static final int PERSISTENT = 2;
    private static final long LONGEST_EXPIRATION = 0xFFFF_FFFFL;

    /** @param ttl time to live of the channel, null for none; where nothing ages, when it was accepted is not told */
    static Wire of(Message<byte[], byte[]> message, @Nullable Duration ttl, long now) {
        Instant deliverAt = message.properties().deliverAt();
        boolean ages = ttl != null || message.properties().ttl() != null;
        return new Wire(
                message,
                0,
                deliverAt == null ? 0 : ceil(deliverAt),
                ages ? now : message.timestamp().toEpochMilli());
    }

    /** Never early: a fraction of a millisecond counts as a whole one. */
    private static long ceil(Instant time) {
        long millis = time.toEpochMilli();
        return time.getNano() % 1_000_000 == 0 ? millis : millis + 1;
    }

    Wire withAttempts(int newAttempts) {
        return new Wire(message, newAttempts, notBefore, accepted);
    }

    Wire withNotBefore(long time) {
        return new Wire(message, attempts, time, accepted);
    }

    /**
     * When its time to live ends, in milliseconds; the largest number for never.
     *
     * @param ofChannel time to live of the channel; null if it has none
     */
    long expires(@Nullable Duration ofChannel) {
        Duration ttl = TimeToLive.of(message.properties().ttl(), ofChannel);
        return ttl == null ? Long.MAX_VALUE : accepted + ttl.toMillis();
    }

    byte[] body() {
        byte[] value = message.value();
        return value == null ? new byte[0] : value;
    }

    // ── To AMQP ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** @param ttl time to live that the broker is to watch; null for none */
    AMQP.BasicProperties properties(String channel, @Nullable Duration ttl, boolean persistent) {
        Map<String, Object> headers = new LinkedHashMap<>();
        if (!message.headers().isEmpty()) {
            message.headers().forEach((name, value) -> headers.put(brokersOwn(name) ? ESCAPED + name : name, value));
        }
        Message.Properties given = message.properties();
        AMQP.BasicProperties.Builder to = new AMQP.BasicProperties.Builder();
        to.messageId(given.id());
        to.type(fitting(headers, "type", given.type()));
        to.appId(fitting(headers, "source", given.source()));
        to.correlationId(fitting(headers, "correlation-id", given.correlationId()));
        to.replyTo(fitting(headers, "reply-to", given.replyTo()));
        to.contentType(fitting(headers, "content-type", given.contentType()));
        to.priority(given.priority());
        to.deliveryMode(persistent ? PERSISTENT : 1);
        to.timestamp(Date.from(message.timestamp()));
        headers.put(TIME, message.timestamp().toEpochMilli());
        if (message.key() != null) {
            headers.put(KEY, message.key());
        }
        if (message.value() == null) {
            headers.put(TOMBSTONE, true);
        }
        if (given.version() != null) {
            headers.put(VERSION, given.version());
        }
        if (given.destination() != null && !given.destination().equals(channel)) {
            headers.put(DESTINATION, given.destination());
        }
        if (attempts > 0) {
            headers.put(ATTEMPTS, attempts);
        }
        if (notBefore > 0) {
            headers.put(NOT_BEFORE, notBefore);
        }
        Instant deliverAt = given.deliverAt();
        if (deliverAt != null) {
            headers.put(DELIVER_AT, ceil(deliverAt));
        }
        if (given.ttl() != null) {
            headers.put(TTL, given.ttl().toMillis());
        }
        if (accepted != message.timestamp().toEpochMilli()) {
            headers.put(ACCEPTED, accepted);
        }
        if (ttl != null) {
            to.expiration(Long.toString(Math.clamp(ttl.toMillis(), 1, LONGEST_EXPIRATION)));
        }
        return to.headers(headers).build();
    }

    private static @Nullable String fitting(Map<String, Object> headers, String name, @Nullable String value) {
        // Three bytes at most for each char: the short ones need no counting.
        if (value == null
                || value.length() <= SHORT_BYTES / 3
                || value.getBytes(StandardCharsets.UTF_8).length <= SHORT_BYTES) {
            return value;
        }
        headers.put(OWN + name, value);
        return null;
    }

    /** Headers that a broker understands, replaces or adds. */
    private static boolean brokersOwn(String name) {
        return switch (name) {
            case "CC", "BCC", "x-death", "x-delivery-count", "x-acquired-count", "x-stream-offset", "x-delay" -> true;
            default -> name.startsWith("x-first-death-") || name.startsWith("x-last-death-");
        };
    }

    // ── And back ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** @param place where it lies, for the id of a message that has none */
    static Wire read(String channel, Supplier<String> place, AMQP.BasicProperties from, byte[] body) {
        Map<String, Object> raw = from.getHeaders() == null ? Map.of() : from.getHeaders();
        Map<String, String> headers = Map.of();
        // Most messages have one header, our time: no table is made for that.
        Map<String, Object> own = Map.of();
        Object time = null;
        for (Map.Entry<String, Object> header : raw.entrySet()) {
            String name = header.getKey();
            Object value = header.getValue();
            if (name.equals(TIME)) {
                time = value;
            } else if (name.startsWith(OWN) && !name.startsWith(ESCAPED)
                    || name.equals(KEY)
                    || name.equals(VERSION)
                    || name.equals(TOMBSTONE)) {
                own = own.isEmpty() ? new HashMap<>() : own;
                own.put(name, value);
            } else if (!brokersOwn(name)) {
                headers = headers.isEmpty() ? new LinkedHashMap<>() : headers;
                headers.put(name.startsWith(ESCAPED) ? name.substring(ESCAPED.length()) : name, text(value));
            }
        }
        if (!headers.containsKey(DeadLetter.ORIGIN_HEADER)) {
            DeadLetter letter = letter(raw);
            if (letter != null) {
                headers = letter.addedTo(headers);
            }
        }
        Date timestamp = from.getTimestamp();
        long millis = time instanceof Number number
                ? number.longValue()
                : timestamp == null ? System.currentTimeMillis() : timestamp.getTime();
        String id = from.getMessageId();
        Long ttl = number(own.get(TTL));
        Long deliverAt = number(own.get(DELIVER_AT));
        String origin = headers.get(DeadLetter.ORIGIN_HEADER);
        Integer priority = from.getPriority();
        Message.Properties properties = new Message.Properties(
                id == null
                        ? UUID.nameUUIDFromBytes(place.get().getBytes(StandardCharsets.UTF_8))
                                .toString()
                        : id,
                longer(own, "type", from.getType()),
                longer(own, "source", from.getAppId()),
                own.containsKey(DESTINATION) ? text(own.get(DESTINATION)) : origin == null ? channel : origin,
                longer(own, "correlation-id", from.getCorrelationId()),
                longer(own, "reply-to", from.getReplyTo()),
                longer(own, "content-type", from.getContentType()),
                own.containsKey(VERSION) ? text(own.get(VERSION)) : null,
                priority == null ? 0 : Math.clamp(priority, 0, Message.HIGHEST_PRIORITY),
                ttl == null || ttl < 1 ? null : Duration.ofMillis(ttl),
                deliverAt == null ? null : Instant.ofEpochMilli(deliverAt));
        Object key = own.get(KEY);
        Long attempts = number(own.get(ATTEMPTS));
        Long notBefore = number(own.get(NOT_BEFORE));
        Long accepted = number(own.get(ACCEPTED));
        return new Wire(
                new Message<>(
                        key == null
                                ? null
                                : key instanceof byte[] bytes
                                        ? bytes
                                        : text(key).getBytes(StandardCharsets.UTF_8),
                        Boolean.TRUE.equals(own.get(TOMBSTONE)) ? null : body,
                        headers,
                        Instant.ofEpochMilli(millis),
                        properties),
                attempts == null ? 0 : attempts.intValue(),
                notBefore == null ? 0 : notBefore,
                accepted == null ? millis : accepted);
    }

    private static @Nullable String longer(Map<String, Object> own, String name, @Nullable String property) {
        // Only what is too long for its property.
        Object value = property == null && !own.isEmpty() ? own.get(OWN + name) : null;
        return value == null ? property : text(value);
    }

    private static @Nullable Long number(@Nullable Object value) {
        return value instanceof Number number ? Long.valueOf(number.longValue()) : null;
    }

    static String text(@Nullable Object value) {
        return value instanceof byte[] bytes ? new String(bytes, StandardCharsets.UTF_8) : String.valueOf(value);
    }

    /** What the broker itself gave up, for its age or for want of room, as a dead letter of the contract. */
    private static @Nullable DeadLetter letter(Map<String, Object> headers) {
        if (!(headers.get("x-death") instanceof List<?> deaths)) {
            return null;
        }
        for (Object each : deaths) {
            if (each instanceof Map<?, ?> death) {
                String queue = text(death.get("queue"));
                if (queue.startsWith(DELAY_PREFIX)) {
                    continue;
                }
                String why = text(death.get("reason"));
                DeadLetter.Cause cause = switch (why) {
                    case "expired" -> DeadLetter.Cause.EXPIRED;
                    case "maxlen" -> DeadLetter.Cause.OVERFLOW;
                    case "delivery_limit" -> DeadLetter.Cause.DELIVERY_LIMIT;
                    default -> DeadLetter.Cause.REJECTED;
                };
                Object when = death.get("time");
                return new DeadLetter(
                        queue,
                        null,
                        cause,
                        "the broker gave it up: " + why,
                        0,
                        when instanceof Date date
                                ? date.toInstant()
                                : Instant.ofEpochMilli(System.currentTimeMillis()));
            }
        }
        return null;
    }
}
