package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Between the messages of a program and those of a transport: serdes, ids, sizes, compression. What is out of bounds is
 * refused here, before it travels. Safe for use by many threads.
 */
final class MessageCodec<K, V> {
    private static final int MAX_HEADERS = 1_000;
    private static final int MAX_NAME_BYTES = 255;

    private final Format<K, V> format;
    private final KnownChannels channels;
    private final Needs needs;
    private final @Nullable String contentType;

    MessageCodec(Format<K, V> format, KnownChannels channels, Needs needs) {
        this.format = format;
        this.channels = channels;
        this.needs = needs;
        this.contentType = format.value().contentType();
    }

    /** A message as it travels, with id, destination and content type. */
    Message<byte[], byte[]> encode(String channelName, Message<K, V> message) {
        long now = PresentTime.millis(message.timestamp());
        Channel channel = channels.get(channelName, now);
        Message.Properties given = message.properties();
        String id = given.id() == null ? MessageIds.next(now) : given.id();
        checkName(channelName, "message id", id);
        checkTimes(channel, id, given);

        K key = message.key();
        V value = message.value();
        byte[] keyBytes = key == null ? null : serialize(format.key(), key, "key", channelName, id);
        byte[] valueBytes = value == null ? null : serialize(format.value(), value, "value", channelName, id);
        Map<String, String> headers = message.headers();
        if (!headers.isEmpty()) {
            checkHeaders(channel, id, headers);
        }
        if (valueBytes == null) {
            checkTombstone(channel, id, keyBytes);
        } else {
            checkSize(channel, id, valueBytes);
            if (channel.compressed() && valueBytes.length > Gzip.THRESHOLD_BYTES) {
                byte[] gzipped = Gzip.compress(valueBytes);
                if (gzipped.length < valueBytes.length) {
                    valueBytes = gzipped;
                    headers = with(headers, Gzip.HEADER, Gzip.NAME);
                }
            }
        }
        return new Message<>(
                keyBytes,
                valueBytes,
                headers,
                message.timestamp(),
                new Message.Properties(
                        id,
                        given.type(),
                        given.source(),
                        channelName,
                        given.correlationId(),
                        given.replyTo(),
                        given.contentType() == null ? contentType : given.contentType(),
                        given.version(),
                        given.priority(),
                        given.ttl(),
                        given.deliverAt()));
    }

    /**
     * A message as the program sees it.
     *
     * @throws MessagingException {@code SERDE} if it can't be read; {@code TOO_LARGE} if it unpacks to more than its channel
     *     takes
     */
    Message<K, V> decode(String channelName, Message<byte[], byte[]> message) {
        byte[] valueBytes = message.value();
        Map<String, String> headers = message.headers();
        if (valueBytes != null && !headers.isEmpty() && Gzip.NAME.equals(headers.get(Gzip.HEADER))) {
            valueBytes = unpack(channels.get(channelName), message, valueBytes);
            headers = new LinkedHashMap<>(headers);
            headers.remove(Gzip.HEADER);
        }
        byte[] keyBytes = message.key();
        K key = keyBytes == null ? null : deserialize(format.key(), keyBytes, "key", channelName, message);
        V value = valueBytes == null ? null : deserialize(format.value(), valueBytes, "value", channelName, message);
        if (key == keyBytes && value == message.value()) {
            // Bytes as they came.
            @SuppressWarnings("unchecked")
            Message<K, V> same = (Message<K, V>) message;
            return same;
        }
        return new Message<>(key, value, headers, message.timestamp(), message.properties());
    }

    private static byte[] unpack(Channel channel, Message<?, ?> message, byte[] gzipped) {
        // A dead letter may lie gzipped on a channel that does not compress, and was larger where it came from.
        int limit = channel.compressed() ? channel.maxMessageBytes() : Channel.MAX_MESSAGE_BYTES;
        try {
            return Gzip.undo(gzipped, limit);
        } catch (IOException e) {
            throw new MessagingException(
                    Reason.SERDE,
                    "message " + message.id() + " of channel '" + channel.name() + "' is marked as gzipped but can't be"
                            + " unpacked: " + e.getMessage(),
                    e);
        }
    }

    private static <T> byte[] serialize(Serde<T> serde, T object, String part, String channel, String id) {
        try {
            return serde.serialize(object);
        } catch (RuntimeException e) {
            throw new MessagingException(
                    Reason.SERDE,
                    "the " + part + " of message " + id + " for channel '" + channel + "', a "
                            + object.getClass().getName() + ", can't be turned into bytes: " + e,
                    e);
        }
    }

    private static <T> T deserialize(Serde<T> serde, byte[] bytes, String part, String channel, Message<?, ?> message) {
        try {
            return serde.deserialize(bytes);
        } catch (RuntimeException e) {
            throw new MessagingException(
                    Reason.SERDE,
                    "the " + part + " of message " + message.id() + " of channel '" + channel + "', " + bytes.length
                            + " bytes, can't be read by " + serde.getClass().getName() + ": " + e,
                    e);
        }
    }

    private void checkTimes(Channel channel, String id, Message.Properties given) {
        Instant deliverAt = given.deliverAt();
        if (deliverAt != null) {
            needs.require(
                    Need.DELAY,
                    Duration.between(Instant.now(), deliverAt),
                    "message " + id + " has deliverAt = " + deliverAt,
                    channel.name());
        }
        Duration ttl = given.ttl();
        if (ttl != null) {
            needs.require(Need.TTL, ttl, "message " + id + " has ttl = " + ttl, channel.name());
        }
    }

    private static void checkHeaders(Channel channel, String id, Map<String, String> headers) {
        if (headers.size() > MAX_HEADERS) {
            throw new MessagingException(
                    Reason.INVALID,
                    "message " + id + " for channel '" + channel.name() + "' has " + headers.size()
                            + " headers; it may have " + MAX_HEADERS);
        }
        for (Map.Entry<String, String> header : headers.entrySet()) {
            if (header.getKey() == null || header.getValue() == null) {
                throw new MessagingException(
                        Reason.INVALID,
                        "message " + id + " for channel '" + channel.name() + "' has a header with a null in it: "
                                + header.getKey());
            }
            checkName(channel.name(), "header name", header.getKey());
        }
        if (headers.containsKey(Gzip.HEADER)) {
            throw new MessagingException(
                    Reason.INVALID,
                    "message " + id + " for channel '" + channel.name() + "' has the header '" + Gzip.HEADER
                            + "', which marks what a channel has compressed: send the plain value without it");
        }
    }

    private static void checkSize(Channel channel, String id, byte[] value) {
        if (value.length > channel.maxMessageBytes()) {
            throw new MessagingException(
                    Reason.TOO_LARGE,
                    "message " + id + " has a value of " + value.length + " bytes; channel '" + channel.name()
                            + "' takes " + channel.maxMessageBytes() + " at most (maxMessageBytes)");
        }
    }

    private static void checkTombstone(Channel channel, String id, byte @Nullable [] key) {
        if (!channel.compacted() || key == null) {
            throw new MessagingException(
                    Reason.INVALID,
                    "message " + id + " for channel '" + channel.name() + "' has no value; only a message with a key"
                            + " on a compacted stream may lack one, to delete that key");
        }
    }

    private static void checkName(String channel, String what, String name) {
        // Three bytes at most for each char of a string: the short ones need no counting.
        boolean fits = !name.isEmpty()
                && (name.length() <= MAX_NAME_BYTES / 3
                        || name.getBytes(StandardCharsets.UTF_8).length <= MAX_NAME_BYTES);
        if (!fits) {
            throw new MessagingException(
                    Reason.INVALID,
                    "a message for channel '" + channel + "' has a " + what + " of "
                            + name.getBytes(StandardCharsets.UTF_8).length + " bytes; it must have 1 to "
                            + MAX_NAME_BYTES);
        }
    }

    private static Map<String, String> with(Map<String, String> headers, String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return more;
    }
}
