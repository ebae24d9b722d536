package dev.postroad.api;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One message: a key, a value, headers, a time stamp and the well-known properties. Immutable, and free to be shared
 * between threads as long as its key and value are.
 *
 * <p>The well-known properties map to the attributes of CloudEvents 1.0: id to {@code id}, source to {@code source},
 * type to {@code type}, content type to {@code datacontenttype}, the time stamp to {@code time} and the key to {@code
 * partitionkey}.
 *
 * @param key what orders and places the message: equal keys keep their order and share a partition; null for none
 * @param value the payload; null only as a tombstone, which deletes its key from a compacted stream
 * @param headers names and values in the order given; at most 1,000, a name is 1 to 255 bytes of UTF-8
 * @param timestamp when the message came to be, in milliseconds' resolution; set by the producer
 * @param properties the well-known properties
 * @param <K> type of the key
 * @param <V> type of the value
 */
public record Message<K, V>(
        @Nullable K key, @Nullable V value, Map<String, String> headers, Instant timestamp, Properties properties) {

    /** The lowest priority, and the one a message has when none was given. */
    public static final int LOWEST_PRIORITY = 0;

    /** The highest priority. */
    public static final int HIGHEST_PRIORITY = 9;

    public Message {
        Objects.requireNonNull(timestamp, "timestamp");
        Objects.requireNonNull(properties, "properties");
        headers = FrozenHeaders.of(headers);
    }

    /** A message without a key, stamped with the present time. */
    public static <K, V> Message<K, V> of(V value) {
        return new Message<>(null, value, Map.of(), now(), Properties.NONE);
    }

    /** A message with a key, stamped with the present time. */
    public static <K, V> Message<K, V> of(@Nullable K key, @Nullable V value) {
        return new Message<>(key, value, Map.of(), now(), Properties.NONE);
    }

    /** In the resolution that a time stamp has: what is finer costs as much again, and no broker keeps it. */
    private static Instant now() {
        return Instant.ofEpochMilli(System.currentTimeMillis());
    }

    /** This message with one header more, or with another value for it. */
    public Message<K, V> withHeader(String name, String headerValue) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(Objects.requireNonNull(name, "name"), Objects.requireNonNull(headerValue, "headerValue"));
        return new Message<>(key, value, more, timestamp, properties);
    }

    /** This message with exactly these headers. */
    public Message<K, V> withHeaders(Map<String, String> newHeaders) {
        return new Message<>(key, value, newHeaders, timestamp, properties);
    }

    /** This message with another time stamp. */
    public Message<K, V> withTimestamp(Instant newTimestamp) {
        return new Message<>(key, value, headers, newTimestamp, properties);
    }

    /** This message with other properties. */
    public Message<K, V> withProperties(Properties newProperties) {
        return new Message<>(key, value, headers, timestamp, newProperties);
    }

    /** This message with another key and value, all else kept. */
    public <L, W> Message<L, W> withKeyAndValue(@Nullable L newKey, @Nullable W newValue) {
        return new Message<>(newKey, newValue, headers, timestamp, properties);
    }

    /** This message with the id by which duplicates are told; the producer assigns one where none is set. */
    public Message<K, V> withId(String id) {
        return withProperties(properties.withId(id));
    }

    /** This message with what it is about, {@code OrderCreated} for example. */
    public Message<K, V> withType(String type) {
        return withProperties(properties.withType(type));
    }

    /** This message with the name of what sent it. */
    public Message<K, V> withSource(String source) {
        return withProperties(properties.withSource(source));
    }

    /** This message with an id that ties it to others: a request and its reply, the steps of one flow. */
    public Message<K, V> withCorrelationId(String correlationId) {
        return withProperties(properties.withCorrelationId(correlationId));
    }

    /** This message with the channel where a reply is wanted. */
    public Message<K, V> withReplyTo(String replyTo) {
        return withProperties(properties.withReplyTo(replyTo));
    }

    /** This message with a priority from {@value #LOWEST_PRIORITY} to {@value #HIGHEST_PRIORITY}. */
    public Message<K, V> withPriority(int priority) {
        return withProperties(properties.withPriority(priority));
    }

    /**
     * This message, to be dropped or dead-lettered when not delivered within this time of its acceptance, or within its channel's, if
     * that is shorter.
     */
    public Message<K, V> withTtl(Duration ttl) {
        return withProperties(properties.withTtl(ttl));
    }

    /** This message, not to be delivered before this moment. */
    public Message<K, V> withDeliverAt(Instant deliverAt) {
        return withProperties(properties.withDeliverAt(deliverAt));
    }

    /** This message, not to be delivered until this time has passed, counted from now. */
    public Message<K, V> withDelay(Duration delay) {
        return withDeliverAt(Instant.now().plus(delay));
    }

    /** The id by which duplicates are told; null until a producer assigned one. */
    public @Nullable String id() {
        return properties.id();
    }

    /** What the message is about; null when unset. */
    public @Nullable String type() {
        return properties.type();
    }

    /** What ties the message to others; null when unset. */
    public @Nullable String correlationId() {
        return properties.correlationId();
    }

    /** Where a reply is wanted; null when none is. */
    public @Nullable String replyTo() {
        return properties.replyTo();
    }

    /**
     * The well-known properties of a message; each is null where unset.
     *
     * @param id identity of the message, at most 255 bytes of UTF-8; equal ids are duplicates
     * @param type what the message is about
     * @param source name of what sent it
     * @param destination the channel it was sent to; set by the producer
     * @param correlationId ties messages together
     * @param replyTo channel for the reply
     * @param contentType media type of the value
     * @param version version of the value's schema
     * @param priority 0 (lowest) to 9
     * @param ttl time to live from acceptance, at least one millisecond; the channel's holds if that is shorter
     * @param deliverAt earliest moment of delivery
     */
    public record Properties(
            @Nullable String id,
            @Nullable String type,
            @Nullable String source,
            @Nullable String destination,
            @Nullable String correlationId,
            @Nullable String replyTo,
            @Nullable String contentType,
            @Nullable String version,
            int priority,
            @Nullable Duration ttl,
            @Nullable Instant deliverAt) {

        /** No property set, priority 0. */
        public static final Properties NONE =
                new Properties(null, null, null, null, null, null, null, null, LOWEST_PRIORITY, null, null);

        /** @throws IllegalArgumentException if the priority is not 0 to 9 or the time to live is under 1 ms */
        public Properties {
            if (priority < LOWEST_PRIORITY || priority > HIGHEST_PRIORITY) {
                throw new IllegalArgumentException(
                        "priority is " + priority + "; it must be from " + LOWEST_PRIORITY + " to " + HIGHEST_PRIORITY);
            }
            if (ttl != null && ttl.toMillis() < 1) {
                throw new IllegalArgumentException("ttl is " + ttl + "; it must be at least 1 ms");
            }
        }

        /** These properties with another id. */
        public Properties withId(@Nullable String newId) {
            return new Properties(
                    newId,
                    type,
                    source,
                    destination,
                    correlationId,
                    replyTo,
                    contentType,
                    version,
                    priority,
                    ttl,
                    deliverAt);
        }

        /** These properties with another type. */
        public Properties withType(@Nullable String newType) {
            return new Properties(
                    id,
                    newType,
                    source,
                    destination,
                    correlationId,
                    replyTo,
                    contentType,
                    version,
                    priority,
                    ttl,
                    deliverAt);
        }

        /** These properties with another source. */
        public Properties withSource(@Nullable String newSource) {
            return new Properties(
                    id,
                    type,
                    newSource,
                    destination,
                    correlationId,
                    replyTo,
                    contentType,
                    version,
                    priority,
                    ttl,
                    deliverAt);
        }

        /** These properties with another destination. */
        public Properties withDestination(@Nullable String newDestination) {
            return new Properties(
                    id,
                    type,
                    source,
                    newDestination,
                    correlationId,
                    replyTo,
                    contentType,
                    version,
                    priority,
                    ttl,
                    deliverAt);
        }

        /** These properties with another correlation id. */
        public Properties withCorrelationId(@Nullable String newCorrelationId) {
            return new Properties(
                    id,
                    type,
                    source,
                    destination,
                    newCorrelationId,
                    replyTo,
                    contentType,
                    version,
                    priority,
                    ttl,
                    deliverAt);
        }

        /** These properties with another channel for the reply. */
        public Properties withReplyTo(@Nullable String newReplyTo) {
            return new Properties(
                    id,
                    type,
                    source,
                    destination,
                    correlationId,
                    newReplyTo,
                    contentType,
                    version,
                    priority,
                    ttl,
                    deliverAt);
        }

        /** These properties with another content type. */
        public Properties withContentType(@Nullable String newContentType) {
            return new Properties(
                    id,
                    type,
                    source,
                    destination,
                    correlationId,
                    replyTo,
                    newContentType,
                    version,
                    priority,
                    ttl,
                    deliverAt);
        }

        /** These properties with another schema version. */
        public Properties withVersion(@Nullable String newVersion) {
            return new Properties(
                    id,
                    type,
                    source,
                    destination,
                    correlationId,
                    replyTo,
                    contentType,
                    newVersion,
                    priority,
                    ttl,
                    deliverAt);
        }

        /** These properties with another priority, 0 to 9. */
        public Properties withPriority(int newPriority) {
            return new Properties(
                    id,
                    type,
                    source,
                    destination,
                    correlationId,
                    replyTo,
                    contentType,
                    version,
                    newPriority,
                    ttl,
                    deliverAt);
        }

        /** These properties with another time to live. */
        public Properties withTtl(@Nullable Duration newTtl) {
            return new Properties(
                    id,
                    type,
                    source,
                    destination,
                    correlationId,
                    replyTo,
                    contentType,
                    version,
                    priority,
                    newTtl,
                    deliverAt);
        }

        /** These properties with another earliest moment of delivery. */
        public Properties withDeliverAt(@Nullable Instant newDeliverAt) {
            return new Properties(
                    id,
                    type,
                    source,
                    destination,
                    correlationId,
                    replyTo,
                    contentType,
                    version,
                    priority,
                    ttl,
                    newDeliverAt);
        }
    }
}
