package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A way from a topic to a channel or to another topic.
 *
 * @param topic where messages come from
 * @param destination where they go: a queue, a stream, or a topic if toTopic
 * @param toTopic true if the destination is a topic
 * @param pattern routing key, pattern, rule or weight, as the topic's routing wants it; of no matter to FANOUT and HEADERS
 * @param arguments conditions of HEADERS, with {@code x-match} all, any, all-with-x or any-with-x; otherwise of no matter.
 *     Bindings that differ in anything are different bindings
 */
public record Binding(
        String topic, String destination, boolean toTopic, String pattern, Map<String, Object> arguments) {

    /** A binding without arguments to a queue or stream. */
    public static Binding toChannel(String topic, String channel, String pattern) {
        return new Binding(topic, channel, false, pattern, Map.of());
    }

    /** A binding without arguments to another topic. */
    public static Binding toTopic(String topic, String destination, String pattern) {
        return new Binding(topic, destination, true, pattern, Map.of());
    }

    void encode(ByteBuffer out) {
        Bytes.putString(out, topic);
        Bytes.putString(out, destination);
        out.put((byte) (toTopic ? 1 : 0));
        Bytes.putString(out, pattern);
        MessageCodec.encodeHeaders(arguments, out);
    }

    static Binding decode(ByteBuffer in) {
        return new Binding(
                Bytes.getString(in),
                Bytes.getString(in),
                in.get() != 0,
                Bytes.getString(in),
                new LinkedHashMap<>(MessageCodec.decodeHeaders(in)));
    }
}
