package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The way a message was published: to which topic, with which routing keys. A message with several keys goes to each queue
 * that takes any of them, once.
 *
 * @param topic the topic; null for straight to the channels that the keys name
 * @param keys the routing key, and those of further copies behind it; 1 to 1,000
 * @param blind how many of the keys, the last ones, receivers are not told of
 */
public record Route(@Nullable String topic, List<String> keys, int blind) {
    private static final int MOST_KEYS = 1_000;
    private static final int LONGEST_KEY = 64 * 1024;

    /** @throws IllegalArgumentException if there is no key, or if all are blind */
    public Route {
        keys = List.copyOf(keys);
        if (keys.isEmpty() || blind < 0 || blind >= keys.size()) {
            throw new IllegalArgumentException(
                    "a route has " + keys.size() + " keys, " + blind + " of them blind; one at least must be seen");
        }
    }

    /** A route of one key. */
    public static Route of(@Nullable String topic, String key) {
        return new Route(topic, List.of(key), 0);
    }

    /** The routing key that the message was published with. */
    public String key() {
        return keys.getFirst();
    }

    /** The keys that receivers are told of. */
    public List<String> visibleKeys() {
        return keys.subList(0, keys.size() - blind);
    }

    /** @throws EngineException {@code TOO_LARGE} with the bound */
    void check() {
        if (keys.size() > MOST_KEYS) {
            throw new EngineException(
                    EngineException.Reason.TOO_LARGE,
                    "the message has " + keys.size() + " routing keys; at most " + MOST_KEYS + " are taken");
        }
        for (String key : keys) {
            if (key.length() > LONGEST_KEY / 3 && key.getBytes(StandardCharsets.UTF_8).length > LONGEST_KEY) {
                throw new EngineException(
                        EngineException.Reason.TOO_LARGE,
                        "a routing key has " + key.length() + " characters; it may have " + LONGEST_KEY
                                + " bytes of UTF-8");
            }
        }
    }

    static long maxBytes(@Nullable String topic, List<String> keys) {
        long bytes = 12L + Bytes.maxBytes(topic);
        for (int i = 0; i < keys.size(); i++) {
            bytes += Bytes.maxBytes(keys.get(i));
        }
        return bytes;
    }

    static void encodeKeys(List<String> keys, ByteBuffer out) {
        Bytes.putVarint(out, keys.size());
        for (String key : keys) {
            Bytes.putString(out, key);
        }
    }

    static List<String> decodeKeys(ByteBuffer in) {
        long count = Bytes.getVarint(in);
        if (count == 1) {
            return List.of(Bytes.getString(in));
        }
        List<String> keys = new ArrayList<>();
        for (; count > 0; count--) {
            keys.add(Bytes.getString(in));
        }
        return keys;
    }

    void encode(ByteBuffer out) {
        Bytes.putNullable(out, topic);
        encodeKeys(keys, out);
        Bytes.putVarint(out, blind);
    }

    static Route decode(ByteBuffer in) {
        return new Route(Bytes.getNullable(in), decodeKeys(in), (int) Bytes.getVarint(in));
    }
}
