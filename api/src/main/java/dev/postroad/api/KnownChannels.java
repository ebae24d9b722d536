package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The channels as they were declared, remembered for some seconds so that not every send asks the broker. A channel that
 * was deleted and declared otherwise by somebody else is noticed that late; the broker itself checks every message.
 */
final class KnownChannels {
    private static final long FRESH_MILLIS = 5_000;

    /** Reply channels come and go: beyond this many names all are asked for anew. */
    private static final int MAX_REMEMBERED = 10_000;

    private record Known(Channel channel, long askedAt) {
        /** A clock that was set makes all old. */
        boolean isFresh(long now) {
            return now >= askedAt && now - askedAt < FRESH_MILLIS;
        }
    }

    private final Transport transport;
    private final ConcurrentHashMap<String, Known> known = new ConcurrentHashMap<>();

    /** The one that was asked for last: most programs send to few channels, and one after the other. */
    private volatile @Nullable Known last;

    KnownChannels(Transport transport) {
        this.transport = transport;
    }

    /** @throws MessagingException {@code NOT_FOUND} if there is none of this name */
    Channel get(String name) {
        return get(name, PresentTime.millis());
    }

    /**
     * @param now in milliseconds
     * @throws MessagingException {@code NOT_FOUND} if there is none of this name
     */
    Channel get(String name, long now) {
        Known found = last;
        if (found == null || !found.channel.name().equals(name)) {
            found = known.get(name);
            last = found;
            if (!Objects.equals(found, known.get(name))) {
                // Forgotten in between.
                last = null;
            }
        }
        return found != null && found.isFresh(now) ? found.channel : ask(name, now);
    }

    void forget(String name) {
        known.remove(name);
        last = null;
    }

    private Channel ask(String name, long now) {
        Optional<Channel> channel = transport.find(name);
        if (channel.isEmpty()) {
            forget(name);
            throw new MessagingException(
                    Reason.NOT_FOUND,
                    "channel '" + name + "' is not known on " + transport.url() + "; declare it first");
        }
        if (known.size() >= MAX_REMEMBERED) {
            known.clear();
        }
        Known fresh = new Known(channel.get(), now);
        known.put(name, fresh);
        last = fresh;
        return channel.get();
    }
}
