package dev.postroad.engine;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A topic as declared: it keeps nothing and routes what is published to it along its bindings.
 *
 * @param name 1 to 255 bytes of UTF-8
 * @param routing how a message is matched with bindings
 * @param alternate topic that receives what no binding takes; null for none
 * @param autoDelete true if it is deleted when its last binding goes
 * @param attributes what a protocol or the declaration adds, kept as it is and compared when declared again; null for none
 */
public record TopicDefinition(
        String name,
        Routing routing,
        @Nullable String alternate,
        boolean autoDelete,
        @Nullable String attributes) implements Definition {

    /** How a message is matched with bindings. */
    public enum Routing {
        /** The binding's routing key equals the message's. */
        DIRECT,
        /** Every binding takes every message. */
        FANOUT,
        /** The binding's pattern matches the routing key: words separated by '.', {@code *} one, {@code #} any number. */
        PATTERN,
        /** The same with levels separated by '/', {@code +} one, {@code #} at the end any number. */
        LEVELS,
        /** The binding's header conditions hold. */
        HEADERS,
        /** The binding's rule holds. */
        RULE
    }

    /** @throws EngineException {@code INVALID} naming what is out of bounds */
    public TopicDefinition {
        Definition.checkName("topic", name);
        if (alternate != null) {
            Definition.checkName("alternate topic", alternate);
            Definition.exclude(
                    alternate.equals(name),
                    "topic '" + name + "': ",
                    "alternate = " + alternate,
                    "its own name",
                    "it would route in a circle");
        }
    }

    /** A topic without an alternate. */
    public static TopicDefinition named(String name, Routing routing) {
        return new TopicDefinition(name, routing, null, false, null);
    }

    /** This definition with an alternate. */
    public TopicDefinition withAlternate(@Nullable String newAlternate) {
        return new TopicDefinition(name, routing, newAlternate, autoDelete, attributes);
    }

    /** This definition with another autoDelete. */
    public TopicDefinition withAutoDelete(boolean newAutoDelete) {
        return new TopicDefinition(name, routing, alternate, newAutoDelete, attributes);
    }

    /** This definition with other attributes. */
    public TopicDefinition withAttributes(@Nullable String newAttributes) {
        return new TopicDefinition(name, routing, alternate, autoDelete, newAttributes);
    }

    @Override
    public byte tag() {
        return Definition.TOPIC;
    }

    @Override
    public void encode(ByteBuffer out) {
        Bytes.putString(out, name);
        out.put((byte) routing.ordinal());
        Bytes.putNullable(out, alternate);
        out.put((byte) (autoDelete ? 1 : 0));
        Bytes.putNullable(out, attributes);
    }

    static TopicDefinition decode(ByteBuffer in) {
        return new TopicDefinition(
                Bytes.getString(in),
                Routing.values()[in.get()],
                Bytes.getNullable(in),
                in.get() != 0,
                Bytes.getNullable(in));
    }
}
