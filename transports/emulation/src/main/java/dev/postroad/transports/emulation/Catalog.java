package dev.postroad.transports.emulation;

import dev.postroad.api.Channel;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The channels of a broker that does not keep all that a channel says, by a {@link Table}. Of two that declare one name at the same
 * time, the first wins and the other is refused. Safe for use by many threads.
 */
public final class Catalog implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports");

    private final Map<String, Channel> channels = new ConcurrentHashMap<>();
    private final Table table;

    /** Opens the table and reads what is in it. */
    public Catalog(Table.Opener opener) {
        this.table = opener.open("catalog", this::read);
        table.catchUp();
    }

    private void read(String name, @Nullable String text) {
        if (text == null) {
            channels.remove(name);
            return;
        }
        try {
            channels.putIfAbsent(name, ChannelText.read(text));
        } catch (RuntimeException e) {
            // Written by a later version, or by a stranger: the other channels are of use all the same.
            LOG.log(Level.WARNING, "channel {0} can''t be read in the catalog: {1}", name, e.toString());
        }
    }

    /** The channel as it was declared; asks the broker where it is not known here. */
    public Optional<Channel> find(String name) {
        Channel known = channels.get(name);
        if (known == null) {
            table.catchUp();
            known = channels.get(name);
        }
        return Optional.ofNullable(known);
    }

    /** @throws MessagingException {@code NOT_FOUND} */
    public Channel get(String name, String url) {
        Channel known = channels.get(name);
        return known != null ? known : findNow(name, url);
    }

    private Channel findNow(String name, String url) {
        return find(name)
                .orElseThrow(() -> new MessagingException(
                        Reason.NOT_FOUND, "there is no channel '" + name + "' on " + url + "; declare it first"));
    }

    /** All channels, by name, as they were when this was called or later. */
    public List<Channel> all() {
        table.catchUp();
        return List.copyOf(new TreeMap<>(channels).values());
    }

    /**
     * Enters a channel whose queues or topics are there.
     *
     * @throws MessagingException {@code CHANNEL_MISMATCH} if it is entered otherwise
     */
    public void enter(Channel channel) {
        if (channel.equals(channels.get(channel.name()))) {
            return;
        }
        table.enter(channel.name(), ChannelText.write(channel));
        Channel there = channels.get(channel.name());
        if (there != null && !there.equals(channel)) {
            // Where the broker forgets all but the last, that is to be the first.
            table.enter(there.name(), ChannelText.write(there));
        }
        requireSame(channel);
    }

    /** @throws MessagingException {@code CHANNEL_MISMATCH} if it is entered otherwise; returns if it is not entered */
    public void requireSame(Channel channel) {
        Channel there = find(channel.name()).orElse(null);
        String difference = there == null ? null : ChannelText.difference(there, channel);
        if (difference != null) {
            throw new MessagingException(
                    Reason.CHANNEL_MISMATCH,
                    "channel '" + channel.name() + "' exists otherwise: " + difference
                            + "; declare it as it is, or delete it first");
        }
    }

    /** Strikes a channel out. */
    public void strike(String name) {
        table.strike(name);
    }

    @Override
    public void close() {
        table.close();
    }
}
