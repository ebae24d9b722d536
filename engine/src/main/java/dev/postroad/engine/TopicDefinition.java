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
 * @param internal true if only other topics lead to it: publishes are refused
 * @param temporary true if it is deleted when the engine is opened again
 * @param hashOn of HASH routing, what is hashed: {@code header:NAME} or a well-known property; null for the routing key
 * @param attributes what a protocol or the declaration adds, kept as it is and compared when declared again; null for none
 */
public record TopicDefinition(
        String name,
        Routing routing,
        @Nullable String alternate,
        boolean autoDelete,
        boolean internal,
        boolean temporary,
        @Nullable String hashOn,
        @Nullable String attributes)
        implements Definition {

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
        RULE,
        /**
         * One of the bindings takes each message, the same one for what hashes alike; each as often as its pattern, a whole
         * number, weighs. A binding that comes or goes moves no more messages than it has to.
         */
        HASH
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
        Definition.exclude(
                hashOn != null && routing != Routing.HASH,
                "topic '" + name + "': ",
                "hashOn = " + hashOn,
                "routing = " + routing,
                "nothing is hashed");
    }

    /** A topic that anybody publishes to and that stays. */
    public TopicDefinition(
            String name, Routing routing, @Nullable String alternate, boolean autoDelete, @Nullable String attributes) {
        this(name, routing, alternate, autoDelete, false, false, null, attributes);
    }

    /** A topic without an alternate. */
    public static TopicDefinition named(String name, Routing routing) {
        return new TopicDefinition(name, routing, null, false, null);
    }

    /** This definition with an alternate. */
    public TopicDefinition withAlternate(@Nullable String newAlternate) {
        return new TopicDefinition(name, routing, newAlternate, autoDelete, internal, temporary, hashOn, attributes);
    }

    /** This definition with another autoDelete. */
    public TopicDefinition withAutoDelete(boolean newAutoDelete) {
        return new TopicDefinition(name, routing, alternate, newAutoDelete, internal, temporary, hashOn, attributes);
    }

    /** This definition with other attributes. */
    public TopicDefinition withAttributes(@Nullable String newAttributes) {
        return new TopicDefinition(name, routing, alternate, autoDelete, internal, temporary, hashOn, newAttributes);
    }

    /** This definition with another internal. */
    public TopicDefinition withInternal(boolean newInternal) {
        return new TopicDefinition(name, routing, alternate, autoDelete, newInternal, temporary, hashOn, attributes);
    }

    /** This definition with another temporary. */
    public TopicDefinition withTemporary(boolean newTemporary) {
        return new TopicDefinition(name, routing, alternate, autoDelete, internal, newTemporary, hashOn, attributes);
    }

    /** This definition with another hashOn. */
    public TopicDefinition withHashOn(@Nullable String newHashOn) {
        return new TopicDefinition(name, routing, alternate, autoDelete, internal, temporary, newHashOn, attributes);
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
        out.put((byte) ((autoDelete ? 1 : 0) | (internal ? 2 : 0) | (temporary ? 4 : 0) | (hashOn == null ? 0 : 8)));
        Bytes.putNullable(out, attributes);
        if (hashOn != null) {
            Bytes.putString(out, hashOn);
        }
    }

    static TopicDefinition decode(ByteBuffer in) {
        String name = Bytes.getString(in);
        Routing routing = Routing.values()[in.get()];
        String alternate = Bytes.getNullable(in);
        int flags = in.get();
        String attributes = Bytes.getNullable(in);
        return new TopicDefinition(
                name,
                routing,
                alternate,
                (flags & 1) != 0,
                (flags & 2) != 0,
                (flags & 4) != 0,
                (flags & 8) != 0 ? Bytes.getString(in) : null,
                attributes);
    }
}
