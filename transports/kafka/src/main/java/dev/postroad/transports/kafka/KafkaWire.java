package dev.postroad.transports.kafka;

import dev.postroad.api.Channel;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Message;
import dev.postroad.transports.emulation.TimeToLive;
import dev.postroad.transports.kafka.DeadKeyTable.Origin;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** Messages of the contract as Kafka's records, and back. Properties are headers; what others wrote is read as far as it goes. */
final class KafkaWire {
    private static final String OWN = "postroad-t-";
    private static final String ID = OWN + "id";
    private static final String TYPE = OWN + "type";
    private static final String SOURCE = OWN + "source";
    private static final String DESTINATION = OWN + "destination";
    private static final String CORRELATION = OWN + "correlation-id";
    private static final String REPLY_TO = OWN + "reply-to";
    private static final String CONTENT_TYPE = OWN + "content-type";
    private static final String VERSION = OWN + "version";
    private static final String PRIORITY = OWN + "priority";
    private static final String TTL = OWN + "ttl";
    private static final String EXPIRES = OWN + "expires";

    /** On a dead letter whose key is dead: where it was given up. */
    private static final String LETTER = OWN + "letter";

    /** On a message that was put back: the dead letter that it was. */
    private static final String BACK = OWN + "back";

    /** On a record that is no message: the dead letter that is gone and does not come back. */
    private static final String GONE = OWN + "gone";

    private static final int MAX_ID_BYTES = 255;

    private KafkaWire() {}

    /** @param topic that of the channel */
    static ProducerRecord<byte[], byte[]> record(String topic, Channel channel, Message<byte[], byte[]> message) {
        // Where there is no choice, Kafka's client need not make one. How many partitions a queue has its channel does
        // not say.
        boolean only = channel.kind().isStream() && channel.partitions() == 1;
        ProducerRecord<byte[], byte[]> record = new WireRecord(topic, only ? 0 : null, message);
        if (!message.headers().isEmpty()) {
            message.headers().forEach((name, value) -> put(record.headers(), name, value));
        }
        putProperties(record.headers(), channel.name(), message.properties(), channel.ttl());
        return record;
    }

    /**
     * The dead letter of a record: its key, its value and its headers byte for byte, whoever wrote them, and the letter's headers.
     *
     * @param message what was read of the record
     */
    static ProducerRecord<byte[], byte[]> letter(
            String topic,
            String channel,
            ConsumerRecord<byte[], byte[]> from,
            Message<byte[], byte[]> message,
            DeadLetter letter,
            @Nullable Duration ttl) {
        ProducerRecord<byte[], byte[]> record = new WireRecord(topic, null, message);
        for (Header header : from.headers()) {
            if (!header.key().startsWith(OWN) && !header.key().startsWith(DeadLetter.HEADER_PREFIX)) {
                record.headers().add(header);
            }
        }
        letter.addedTo(Map.of()).forEach((name, value) -> put(record.headers(), name, value));
        putProperties(
                record.headers(), channel, message.properties().withTtl(null).withDeliverAt(null), ttl);
        return record;
    }

    /** Tells where the message of a dead letter was given up. */
    static void markLetter(ProducerRecord<byte[], byte[]> letter, Origin origin) {
        put(letter.headers(), LETTER, origin);
    }

    /** The message of a dead letter, to go back where it came from. */
    static ProducerRecord<byte[], byte[]> back(ProducerRecord<byte[], byte[]> message, Origin origin) {
        ProducerRecord<byte[], byte[]> back = new ProducerRecord<>(
                message.topic(),
                origin.partition(),
                message.timestamp(),
                message.key(),
                message.value(),
                message.headers());
        put(back.headers(), BACK, origin);
        return back;
    }

    /** Says in a queue's partition that a dead letter does not come back. */
    static ProducerRecord<byte[], byte[]> gone(String topic, byte[] key, Origin origin) {
        ProducerRecord<byte[], byte[]> gone = new ProducerRecord<>(topic, origin.partition(), key, null);
        put(gone.headers(), GONE, origin);
        return gone;
    }

    static boolean isGone(ConsumerRecord<byte[], byte[]> from) {
        return from.value() == null && from.headers().lastHeader(GONE) != null;
    }

    static boolean isLetter(ConsumerRecord<byte[], byte[]> from) {
        return from.headers().lastHeader(LETTER) != null;
    }

    /** Where a dead letter was given up; null if its key did not die by that. */
    static @Nullable Origin letter(ConsumerRecord<byte[], byte[]> from) {
        return origin(from, LETTER);
    }

    /** The dead letter that a message was; null if it was none. */
    static @Nullable Origin back(ConsumerRecord<byte[], byte[]> from) {
        return origin(from, BACK);
    }

    /** The dead letter that is gone; null if this tells of none. */
    static @Nullable Origin gone(ConsumerRecord<byte[], byte[]> from) {
        return origin(from, GONE);
    }

    private static @Nullable Origin origin(ConsumerRecord<byte[], byte[]> from, String name) {
        Header header = from.headers().lastHeader(name);
        return header == null ? null : Origin.read(text(header));
    }

    private static void putProperties(
            Headers headers, String channel, Message.Properties given, @Nullable Duration ttl) {
        put(headers, ID, given.id());
        put(headers, TYPE, given.type());
        put(headers, SOURCE, given.source());
        put(headers, DESTINATION, channel.equals(given.destination()) ? null : given.destination());
        put(headers, CORRELATION, given.correlationId());
        put(headers, REPLY_TO, given.replyTo());
        put(headers, CONTENT_TYPE, given.contentType());
        put(headers, VERSION, given.version());
        put(headers, PRIORITY, given.priority() == 0 ? null : given.priority());
        put(headers, TTL, given.ttl() == null ? null : given.ttl().toMillis());
        Duration lives = TimeToLive.of(given.ttl(), ttl);
        put(headers, EXPIRES, lives == null ? null : System.currentTimeMillis() + lives.toMillis());
    }

    private static void put(Headers headers, String name, @Nullable Object value) {
        if (value != null) {
            headers.add(name, value.toString().getBytes(StandardCharsets.UTF_8));
        }
    }

    /** When the record's time to live ends, in milliseconds; the largest number for never. */
    static long expires(ConsumerRecord<byte[], byte[]> from) {
        Header header = from.headers().lastHeader(EXPIRES);
        return header == null ? Long.MAX_VALUE : number(text(header), Long.MAX_VALUE);
    }

    static Message<byte[], byte[]> message(String channel, ConsumerRecord<byte[], byte[]> from) {
        Map<String, String> headers = Map.of();
        String id = null;
        String type = null;
        String source = null;
        String destination = null;
        String correlation = null;
        String replyTo = null;
        String contentType = null;
        String version = null;
        long priority = 0;
        long ttl = 0;
        for (Header header : from.headers()) {
            String name = header.key();
            switch (name) {
                case ID -> id = id(header);
                case TYPE -> type = text(header);
                case SOURCE -> source = text(header);
                case DESTINATION -> destination = text(header);
                case CORRELATION -> correlation = text(header);
                case REPLY_TO -> replyTo = text(header);
                case CONTENT_TYPE -> contentType = text(header);
                case VERSION -> version = text(header);
                case PRIORITY -> priority = number(text(header), 0);
                case TTL -> ttl = number(text(header), 0);
                default -> {
                    if (!name.startsWith(OWN)) {
                        headers = headers.isEmpty() ? new LinkedHashMap<>() : headers;
                        headers.put(name, text(header));
                    }
                }
            }
        }
        if (id == null) {
            // Where it lies is the same whenever it is read.
            String place = from.topic() + "/" + from.partition() + "/" + from.offset();
            id = UUID.nameUUIDFromBytes(place.getBytes(StandardCharsets.UTF_8)).toString();
        }
        Message.Properties properties = new Message.Properties(
                id,
                type,
                source,
                destination == null ? origin(headers, channel) : destination,
                correlation,
                replyTo,
                contentType,
                version,
                Math.clamp(priority, 0, Message.HIGHEST_PRIORITY),
                ttl < 1 ? null : Duration.ofMillis(ttl),
                null);
        return new Message<>(from.key(), from.value(), headers, Instant.ofEpochMilli(from.timestamp()), properties);
    }

    private static String origin(Map<String, String> headers, String channel) {
        return headers.isEmpty() ? channel : headers.getOrDefault(DeadLetter.ORIGIN_HEADER, channel);
    }

    /** Null for what is no id of the contract. */
    private static @Nullable String id(Header header) {
        byte[] value = header.value();
        return value == null || value.length == 0 || value.length > MAX_ID_BYTES ? null : text(header);
    }

    private static String text(Header header) {
        byte[] value = header.value();
        return value == null ? "" : new String(value, StandardCharsets.UTF_8);
    }

    private static long number(@Nullable String text, long otherwise) {
        try {
            return text == null ? otherwise : Long.parseLong(text);
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }
}
