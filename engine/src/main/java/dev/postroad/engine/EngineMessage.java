package dev.postroad.engine;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A message as the engine knows it: bytes, and what routing, ordering and timing need to know about them. Immutable; the
 * arrays belong to the message once it is made and must not be changed by anybody.
 *
 * @param id identity for dedup and for operators; null for none
 * @param key what orders and places the message; null for none
 * @param payload the body; null only as a tombstone
 * @param headers names to values, of the types that {@link HeaderValues} lists
 * @param properties the well-known properties
 * @param timestampMillis the producer's time, milliseconds since 1970
 * @param priority 0 (lowest) to 255; queues cap it to their own levels
 * @param ttlMillis time to live from acceptance, if that of the queue is not shorter; 0 for none
 * @param deliverAtMillis earliest delivery, milliseconds since 1970; 0 for at once
 * @param route how it was published; null for straight to the channel it lies in
 * @param deaths why and where it was given up before, the latest first; the engine's to write
 */
public record EngineMessage(
        @Nullable String id,
        byte @Nullable [] key,
        byte @Nullable [] payload,
        Map<String, Object> headers,
        Properties properties,
        long timestampMillis,
        int priority,
        long ttlMillis,
        long deliverAtMillis,
        @Nullable Route route,
        List<Death> deaths) {

    /**
     * A message of all its parts.
     *
     * @throws IllegalArgumentException if a number is out of its bounds
     */
    // Written out, and not in the compact form, whose parameters lose their annotations in the class file.
    public EngineMessage(
            @Nullable String id,
            byte @Nullable [] key,
            byte @Nullable [] payload,
            Map<String, Object> headers,
            Properties properties,
            long timestampMillis,
            int priority,
            long ttlMillis,
            long deliverAtMillis,
            @Nullable Route route,
            List<Death> deaths) {
        if (priority < 0 || priority > 255) {
            throw new IllegalArgumentException("priority is " + priority + "; it must be 0 to 255");
        }
        if (ttlMillis < 0) {
            throw new IllegalArgumentException("ttlMillis is " + ttlMillis + "; it must be 0 (none) or more");
        }
        if (deliverAtMillis < 0) {
            throw new IllegalArgumentException(
                    "deliverAtMillis is " + deliverAtMillis + "; it must be 0 (none) or more");
        }
        this.id = id;
        this.key = key;
        this.payload = payload;
        this.headers = Objects.requireNonNull(headers, "headers");
        this.properties = Objects.requireNonNull(properties, "properties");
        this.timestampMillis = timestampMillis;
        this.priority = priority;
        this.ttlMillis = ttlMillis;
        this.deliverAtMillis = deliverAtMillis;
        this.route = route;
        this.deaths = List.copyOf(deaths);
    }

    /** A message that has not gone anywhere yet: without route and deaths. */
    public EngineMessage(
            @Nullable String id,
            byte @Nullable [] key,
            byte @Nullable [] payload,
            Map<String, Object> headers,
            Properties properties,
            long timestampMillis,
            int priority,
            long ttlMillis,
            long deliverAtMillis) {
        this(
                id,
                key,
                payload,
                headers,
                properties,
                timestampMillis,
                priority,
                ttlMillis,
                deliverAtMillis,
                null,
                List.of());
    }

    /** A message of a payload and nothing else. */
    public static EngineMessage of(byte[] payload) {
        return new EngineMessage(null, null, payload, Map.of(), Properties.NONE, 0, 0, 0, 0);
    }

    /** This message with another id. */
    public EngineMessage withId(@Nullable String newId) {
        return new EngineMessage(
                newId,
                key,
                payload,
                headers,
                properties,
                timestampMillis,
                priority,
                ttlMillis,
                deliverAtMillis,
                route,
                deaths);
    }

    /** This message with another key. */
    public EngineMessage withKey(byte @Nullable [] newKey) {
        return new EngineMessage(
                id,
                newKey,
                payload,
                headers,
                properties,
                timestampMillis,
                priority,
                ttlMillis,
                deliverAtMillis,
                route,
                deaths);
    }

    /** This message with exactly these headers. */
    public EngineMessage withHeaders(Map<String, Object> newHeaders) {
        return new EngineMessage(
                id,
                key,
                payload,
                newHeaders,
                properties,
                timestampMillis,
                priority,
                ttlMillis,
                deliverAtMillis,
                route,
                deaths);
    }

    /** This message with another priority. */
    public EngineMessage withPriority(int newPriority) {
        return new EngineMessage(
                id,
                key,
                payload,
                headers,
                properties,
                timestampMillis,
                newPriority,
                ttlMillis,
                deliverAtMillis,
                route,
                deaths);
    }

    /** This message with another time to live. */
    public EngineMessage withTtlMillis(long newTtlMillis) {
        return new EngineMessage(
                id,
                key,
                payload,
                headers,
                properties,
                timestampMillis,
                priority,
                newTtlMillis,
                deliverAtMillis,
                route,
                deaths);
    }

    /** This message with another earliest delivery. */
    public EngineMessage withDeliverAtMillis(long newDeliverAtMillis) {
        return new EngineMessage(
                id,
                key,
                payload,
                headers,
                properties,
                timestampMillis,
                priority,
                ttlMillis,
                newDeliverAtMillis,
                route,
                deaths);
    }

    /** This message with another time stamp. */
    public EngineMessage withTimestampMillis(long newTimestampMillis) {
        return new EngineMessage(
                id,
                key,
                payload,
                headers,
                properties,
                newTimestampMillis,
                priority,
                ttlMillis,
                deliverAtMillis,
                route,
                deaths);
    }

    /** This message published in this way. */
    public EngineMessage withRoute(@Nullable Route newRoute) {
        return new EngineMessage(
                id,
                key,
                payload,
                headers,
                properties,
                timestampMillis,
                priority,
                ttlMillis,
                deliverAtMillis,
                newRoute,
                deaths);
    }

    /** This message with other deaths. */
    EngineMessage withDeaths(List<Death> newDeaths) {
        return new EngineMessage(
                id,
                key,
                payload,
                headers,
                properties,
                timestampMillis,
                priority,
                ttlMillis,
                deliverAtMillis,
                route,
                newDeaths);
    }

    /**
     * The well-known properties; each is null where unset.
     *
     * @param type what the message is about
     * @param source what sent it
     * @param correlationId ties messages together
     * @param replyTo channel for the reply
     * @param contentType media type of the payload
     * @param version version of the payload's schema
     */
    public record Properties(
            @Nullable String type,
            @Nullable String source,
            @Nullable String correlationId,
            @Nullable String replyTo,
            @Nullable String contentType,
            @Nullable String version) {
        /** No property set. */
        public static final Properties NONE = new Properties(null, null, null, null, null, null);
    }
}
