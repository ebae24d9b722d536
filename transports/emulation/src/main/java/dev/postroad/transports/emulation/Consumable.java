package dev.postroad.transports.emulation;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;

/** Which options go with which channels. */
public final class Consumable {
    private Consumable() {}

    /** @throws MessagingException {@code INVALID} naming the option; {@code IMPOSSIBLE_NEED} for a filter */
    public static void require(Channel channel, ConsumerOptions options) {
        String name = channel.name();
        boolean stream = channel.kind().isStream();
        if (!stream && (options.group() != null || options.start() != null)) {
            throw new MessagingException(
                    Reason.INVALID,
                    "channel '" + name + "' is a queue: its consumers compete for its messages and take no "
                            + (options.group() != null
                                    ? "group, here '" + options.group() + "'"
                                    : "start, here " + options.start()));
        }
        if (stream && options.group() == null && options.start() == null) {
            throw new MessagingException(
                    Reason.INVALID,
                    "channel '" + name + "' is a stream: name a group (ConsumerOptions.withGroup), or a start to read"
                            + " it alone (ConsumerOptions.withStart)");
        }
        if (stream && options.group() == null && (options.lease() != null || options.exclusive())) {
            throw new MessagingException(
                    Reason.INVALID,
                    "reading the stream '" + name + "' alone takes no "
                            + (options.lease() != null ? "lease, here " + options.lease() : "exclusive = true")
                            + ": nothing is settled and nobody shares it; name a group (ConsumerOptions.withGroup)");
        }
        if (options.filter() != null) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "a consumer of channel '" + name + "' asks for a filter, " + options.filter()
                            + ": the broker can't leave what does not match for others");
        }
    }
}
