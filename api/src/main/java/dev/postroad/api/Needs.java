package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What channels and their users ask for, held against what a transport can do. */
final class Needs {
    /** Beyond this, a channel's values count as large: what any transport is expected to carry without a word. */
    private static final int LARGE_BYTES = 1024 * 1024;

    private final String url;
    private final Map<Need, Capability> capabilities;

    Needs(Transport transport) {
        this.url = transport.url();
        this.capabilities = Map.copyOf(transport.capabilities());
    }

    /** A line for each need that follows from the channel's settings. */
    PortabilityReport report(Channel channel) {
        List<PortabilityReport.Entry> entries = new ArrayList<>();
        String kind = "kind = " + channel.kind();
        if (channel.durability() != Durability.TRANSIENT) {
            add(entries, Need.DURABLE, "durability = " + channel.durability(), null);
        }
        if (channel.kind().isStream()) {
            add(entries, Need.GROUPS, kind, null);
            add(entries, Need.REPLAY, kind, null);
        } else {
            add(entries, Need.COMPETING_CONSUMERS, kind, null);
        }
        if (channel.kind() == ChannelKind.REQUEST) {
            add(entries, Need.REQUEST_REPLY, kind, null);
        } else {
            add(entries, Need.REDELIVERY, kind, null);
        }
        if (channel.orderedByKey()) {
            add(entries, Need.ORDER_PER_KEY, "orderedByKey = true", null);
        }
        addRetry(entries, channel.retry());
        if (channel.deadLetter() != null) {
            add(entries, Need.DEAD_LETTER, "deadLetter = " + channel.deadLetter(), null);
        }
        addTimed(entries, Need.LEASE, "lease", channel.lease());
        addTimed(entries, Need.TTL, "ttl", channel.ttl());
        addTimed(entries, Need.DEDUP, "dedupWindow", channel.dedupWindow());
        if (channel.priorities() > 1) {
            add(entries, Need.PRIORITY, "priorities = " + channel.priorities(), null);
        }
        if (channel.maxMessages() != null) {
            add(entries, Need.MAX_LENGTH, "maxMessages = " + channel.maxMessages(), null);
        } else if (channel.maxBytes() != null) {
            add(entries, Need.MAX_LENGTH, "maxBytes = " + channel.maxBytes(), null);
        }
        if (channel.compacted()) {
            add(entries, Need.COMPACTION, "compacted = true", null);
        }
        if (channel.maxMessageBytes() > LARGE_BYTES) {
            add(entries, Need.LARGE_MESSAGES, "maxMessageBytes = " + channel.maxMessageBytes(), null);
        }
        return new PortabilityReport(channel.name(), url, entries);
    }

    /** @throws MessagingException {@code IMPOSSIBLE_NEED} with every need of these channels that can't be met */
    void requirePortable(List<PortabilityReport> reports) {
        StringBuilder impossible = new StringBuilder();
        for (PortabilityReport report : reports) {
            for (PortabilityReport.Entry entry : report.entries()) {
                if (entry.capability().support() == Capability.Support.IMPOSSIBLE) {
                    impossible
                            .append("\n  channel '")
                            .append(report.channel())
                            .append("' needs ")
                            .append(entry.need())
                            .append(" (")
                            .append(entry.need().description())
                            .append(") because ")
                            .append(entry.because())
                            .append(": ")
                            .append(entry.capability().note());
                }
            }
        }
        if (!impossible.isEmpty()) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    url + " can't do what is asked of it; nothing was declared. Change these settings or the transport:"
                            + impossible);
        }
    }

    /** True if the need can be met, so far in time. */
    boolean meets(Need need, @Nullable Duration reach) {
        return reaching(need, reach).support() != Capability.Support.IMPOSSIBLE;
    }

    /** @throws MessagingException {@code IMPOSSIBLE_NEED} if the need of this one call can't be met, so far in time */
    void require(Need need, @Nullable Duration reach, String because, String channel) {
        Capability capability = reaching(need, reach);
        if (capability.support() == Capability.Support.IMPOSSIBLE) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    because + " on channel '" + channel + "', which needs " + need + " (" + need.description() + "); "
                            + url + " can't do that: " + capability.note());
        }
    }

    /** @throws MessagingException if the channel can't be consumed with these options */
    void requireConsumable(Channel channel, ConsumerOptions options) {
        String name = channel.name();
        if (channel.kind().isStream()) {
            if (options.group() == null && options.start() == null) {
                throw new MessagingException(
                        Reason.INVALID,
                        "channel '" + name + "' is a stream: name a group (ConsumerOptions.withGroup), or a start"
                                + " (withStart) to read it alone");
            }
            if (options.start() != null) {
                require(Need.REPLAY, null, "start = " + options.start(), name);
            }
        } else if (options.group() != null || options.start() != null) {
            throw new MessagingException(
                    Reason.INVALID,
                    "channel '" + name + "' is a queue: it takes no "
                            + (options.group() != null ? "group, here '" + options.group() + "'" : "start")
                            + "; only streams do");
        }
        if (options.filter() != null) {
            require(Need.FILTER, null, "filter = " + options.filter(), name);
        }
        if (options.lease() != null) {
            require(Need.LEASE, options.lease(), "lease = " + options.lease(), name);
        }
    }

    private void addRetry(List<PortabilityReport.Entry> entries, RetryPolicy retry) {
        if (retry.maxAttempts() > 1) {
            add(entries, Need.DELIVERY_COUNT, "retry.maxAttempts = " + retry.maxAttempts(), null);
            if (!retry.maxDelay().isZero()) {
                add(entries, Need.RETRY_DELAY, "retry.maxDelay = " + retry.maxDelay(), retry.maxDelay());
            }
        }
    }

    private void addTimed(List<PortabilityReport.Entry> entries, Need need, String setting, @Nullable Duration reach) {
        if (reach != null) {
            add(entries, need, setting + " = " + reach, reach);
        }
    }

    private void add(List<PortabilityReport.Entry> entries, Need need, String because, @Nullable Duration reach) {
        entries.add(new PortabilityReport.Entry(need, because, reaching(need, reach)));
    }

    /** How the need is met; impossible also where the transport reaches less far in time. */
    private Capability reaching(Need need, @Nullable Duration reach) {
        Capability capability = capabilities.get(need);
        if (capability == null) {
            return Capability.impossible(need, "the transport does not say how it would");
        }
        Duration upTo = capability.upTo();
        if (reach == null || upTo == null || reach.compareTo(upTo) <= 0) {
            return capability;
        }
        return Capability.impossible(need, "it reaches " + upTo + " at most").withUpTo(upTo);
    }
}
