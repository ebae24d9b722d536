package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * The channels as they were declared, remembered for some seconds so that not every send asks the broker. A channel that
 * was deleted and declared otherwise by somebody else is noticed that late; the broker itself checks every message.
 */
final class KnownChannels {
    private static final long FRESH_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** Reply channels come and go: beyond this many names all are asked for anew. */
    private static final int MAX_REMEMBERED = 10_000;

    private record Known(Channel channel, long askedAt) {}

    private final Transport transport;
    private final ConcurrentHashMap<String, Known> known = new ConcurrentHashMap<>();

    KnownChannels(Transport transport) {
        this.transport = transport;
    }

    /** @throws MessagingException {@code NOT_FOUND} if there is none of this name */
    Channel get(String name) {
        Known found = known.get(name);
        long now = System.nanoTime();
        return found != null && now - found.askedAt < FRESH_NANOS ? found.channel : ask(name, now);
    }

    void forget(String name) {
        known.remove(name);
    }

    private Channel ask(String name, long now) {
        Optional<Channel> channel = transport.find(name);
        if (channel.isEmpty()) {
            known.remove(name);
            throw new MessagingException(
                    Reason.NOT_FOUND,
                    "channel '" + name + "' is not known on " + transport.url() + "; declare it first");
        }
        if (known.size() >= MAX_REMEMBERED) {
            known.clear();
        }
        known.put(name, new Known(channel.get(), now));
        return channel.get();
    }
}
