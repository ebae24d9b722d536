package dev.postroad.transports.emulation;

import dev.postroad.api.Channel;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The channels of a broker that does not keep all that a channel says, by a {@link Log}. Of two that declare one name at the same
 * time, the first in the log wins and the other is refused. Safe for use by many threads.
 */
public final class Catalog implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports");
    private static final char DECLARED = '+';
    private static final char DELETED = '-';

    private final Map<String, Channel> channels = new ConcurrentHashMap<>();
    private final Log log;

    /** Opens the log and reads what is in it. */
    public Catalog(Log.Opener opener) {
        this.log = opener.open("channels", this::read);
        log.catchUp();
    }

    private void read(byte[] entry) {
        String text = new String(entry, StandardCharsets.UTF_8);
        if (text.isEmpty()) {
            return;
        }
        try {
            if (text.charAt(0) == DECLARED) {
                Channel channel = ChannelText.read(text.substring(1));
                channels.putIfAbsent(channel.name(), channel);
            } else if (text.charAt(0) == DELETED) {
                channels.remove(text.substring(1));
            }
        } catch (RuntimeException e) {
            // Written by a later version, or by a stranger: the other channels are of use all the same.
            LOG.log(Level.WARNING, "an entry of the catalog of channels can''t be read: {0}", e.toString());
        }
    }

    /** The channel as it was declared; asks the broker where it is not known here. */
    public Optional<Channel> find(String name) {
        Channel known = channels.get(name);
        if (known == null) {
            log.catchUp();
            known = channels.get(name);
        }
        return Optional.ofNullable(known);
    }

    /** @throws MessagingException {@code NOT_FOUND} */
    public Channel get(String name, String url) {
        return find(name)
                .orElseThrow(() -> new MessagingException(
                        Reason.NOT_FOUND, "there is no channel '" + name + "' on " + url + "; declare it first"));
    }

    /** All channels, by name, as they were when this was called or later. */
    public List<Channel> all() {
        log.catchUp();
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
        Waiting.await(
                log.append((DECLARED + ChannelText.write(channel)).getBytes(StandardCharsets.UTF_8)),
                "entering channel '" + channel.name() + "' in the catalog");
        log.catchUp();
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
        Waiting.await(
                log.append((DELETED + name).getBytes(StandardCharsets.UTF_8)),
                "striking channel '" + name + "' from the catalog");
        log.catchUp();
    }

    @Override
    public void close() {
        log.close();
    }
}
