package dev.postroad.transports.embedded;

import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.engine.DeadLetterHeaders;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.HeaderValues;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Messages of the contract as the engine's, and back. What was sent comes back as it was: key, value, headers, properties and
 * time stamp, to the millisecond. The destination is the channel; only one that differs is kept, in a header.
 */
final class Messages {
    /** Keeps a destination that is not the channel a message lies in. */
    static final String DESTINATION_HEADER = "postroad-destination";

    private Messages() {}

    // ── To the engine
    // ─────────────────────────────────────────────────────────────────────────────────────────────────

    static EngineMessage toEngine(String channel, Message<byte[], byte[]> message) {
        Message.Properties given = message.properties();
        Duration ttl = given.ttl();
        Instant deliverAt = given.deliverAt();
        try {
            return new EngineMessage(
                    given.id(),
                    message.key(),
                    message.value(),
                    headers(channel, message.headers(), given.destination()),
                    properties(given),
                    message.timestamp().toEpochMilli(),
                    given.priority(),
                    ttl == null ? 0 : ttl.toMillis(),
                    deliverAt == null ? 0 : notBefore(deliverAt));
        } catch (ArithmeticException e) {
            throw new MessagingException(
                    Reason.INVALID,
                    "message " + given.id() + " for channel '" + channel
                            + "' has a time that is out of bounds: timestamp = " + message.timestamp() + ", ttl = "
                            + ttl + ", deliverAt = " + deliverAt,
                    e);
        }
    }

    /** Never early: a fraction of a millisecond counts as a whole one. 0 stands for none. */
    private static long notBefore(Instant deliverAt) {
        long millis = deliverAt.toEpochMilli();
        return Math.max(1, deliverAt.getNano() % 1_000_000 == 0 ? millis : Math.addExact(millis, 1));
    }

    /** Strings are objects and nobody writes to the headers of a message: the same map will do. */
    @SuppressWarnings("unchecked")
    private static Map<String, Object> headers(
            String channel, Map<String, String> headers, @Nullable String destination) {
        if (destination == null || destination.equals(channel)) {
            return (Map<String, Object>) (Map<String, ?>) headers;
        }
        Map<String, Object> more = new LinkedHashMap<>(headers);
        more.put(DESTINATION_HEADER, destination);
        return more;
    }

    private static EngineMessage.Properties properties(Message.Properties given) {
        if (given.type() == null
                && given.source() == null
                && given.correlationId() == null
                && given.replyTo() == null
                && given.contentType() == null
                && given.version() == null) {
            return EngineMessage.Properties.NONE;
        }
        return new EngineMessage.Properties(
                given.type(),
                given.source(),
                given.correlationId(),
                given.replyTo(),
                given.contentType(),
                given.version());
    }

    // ── And back
    // ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * @param channel where it lies
     * @param partition and offset in a stream; -1 for queues
     * @param number in its queue; of no matter in a stream
     */
    static Message<byte[], byte[]> fromEngine(
            String channel, int partition, long offset, long number, EngineMessage message) {
        Map<String, Object> stored = message.headers();
        String destination = channel;
        Map<String, String> headers = Map.of();
        if (!stored.isEmpty()) {
            destination = destination(channel, stored);
            headers = headers(stored);
        }
        EngineMessage.Properties kept = message.properties();
        String id = message.id();
        return new Message<>(
                message.key(),
                message.payload(),
                headers,
                Instant.ofEpochMilli(message.timestampMillis()),
                new Message.Properties(
                        id == null ? madeId(channel, partition, offset, number) : id,
                        kept.type(),
                        kept.source(),
                        destination,
                        kept.correlationId(),
                        kept.replyTo(),
                        kept.contentType(),
                        kept.version(),
                        Math.min(message.priority(), Message.HIGHEST_PRIORITY),
                        message.ttlMillis() == 0 ? null : Duration.ofMillis(message.ttlMillis()),
                        message.deliverAtMillis() == 0 ? null : Instant.ofEpochMilli(message.deliverAtMillis())));
    }

    /** An id for what came without one, through a protocol that knows none: the same at each delivery. */
    private static String madeId(String channel, int partition, long offset, long number) {
        String place = partition < 0 ? channel + "/" + number : channel + "/" + partition + "/" + offset;
        return UUID.nameUUIDFromBytes(place.getBytes(StandardCharsets.UTF_8)).toString();
    }

    /** A dead letter is as it was sent: to the channel that gave it up. */
    private static String destination(String channel, Map<String, Object> stored) {
        if (stored.get(DESTINATION_HEADER) instanceof String kept) {
            return kept;
        }
        return stored.get(DeadLetterHeaders.ORIGIN) instanceof String origin ? origin : channel;
    }

    private static Map<String, String> headers(Map<String, Object> stored) {
        Map<String, String> headers = LinkedHashMap.newLinkedHashMap(stored.size());
        stored.forEach((name, value) -> headers.put(name, HeaderValues.text(value)));
        headers.remove(DESTINATION_HEADER);
        return headers;
    }
}
