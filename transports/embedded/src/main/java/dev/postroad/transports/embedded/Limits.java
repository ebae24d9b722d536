package dev.postroad.transports.embedded;

import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.engine.Definition;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.runtime.Broker;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The largest values of channels, which the engine keeps but does not read. */
final class Limits {
    /** Reply channels come and go: beyond this many names all are looked up anew. */
    private static final int MAX_REMEMBERED = 10_000;

    private record Limit(Definition definition, int maxMessageBytes) {}

    private final Broker broker;
    private final ConcurrentHashMap<String, Limit> known = new ConcurrentHashMap<>();

    Limits(Broker broker) {
        this.broker = broker;
    }

    /** Why the message is refused; null if it is not, and if there is no such channel, which the engine says better. */
    @Nullable
    MessagingException check(String channel, Message<byte[], byte[]> message) {
        byte[] value = message.value();
        Definition definition = value == null ? null : broker.definition(channel);
        if (value == null || definition == null) {
            return null;
        }
        Limit limit = known.get(channel);
        if (limit == null || limit.definition != definition) {
            limit = remember(channel, definition);
        }
        if (value.length <= limit.maxMessageBytes) {
            return null;
        }
        return new MessagingException(
                Reason.TOO_LARGE,
                "message " + message.id() + " has a value of " + value.length + " bytes; channel '" + channel
                        + "' takes " + limit.maxMessageBytes + " at most (maxMessageBytes)");
    }

    private Limit remember(String channel, Definition definition) {
        Limit limit =
                new Limit(definition, ChannelDeclaration.nearest(definition).maxMessageBytes());
        if (known.size() >= MAX_REMEMBERED) {
            known.clear();
        }
        known.put(channel, limit);
        return limit;
    }
}
