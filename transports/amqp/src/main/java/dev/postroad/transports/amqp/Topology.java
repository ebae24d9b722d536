package dev.postroad.transports.amqp;

import dev.postroad.api.Channel;
import dev.postroad.api.ChannelKind;
import dev.postroad.api.Durability;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The queues that a channel is. */
final class Topology {
    private Topology() {}

    /** Names of the queues of a channel: its own; for a stream one for each partition. */
    static List<String> queues(Channel channel) {
        if (channel.partitions() == 1) {
            return List.of(channel.name());
        }
        List<String> queues = new ArrayList<>(channel.partitions());
        for (int partition = 0; partition < channel.partitions(); partition++) {
            queues.add(queue(channel, partition));
        }
        return queues;
    }

    static String queue(Channel channel, int partition) {
        return channel.partitions() == 1 ? channel.name() : channel.name() + "#" + partition;
    }

    /** Declares them; declaring again is fine. */
    static void declare(com.rabbitmq.client.Channel on, Channel channel, String queueType) throws IOException {
        Map<String, Object> arguments = channel.kind().isStream() ? stream(channel) : queue(channel, queueType);
        for (String queue : queues(channel)) {
            on.queueDeclare(queue, true, false, false, arguments);
        }
    }

    private static Map<String, Object> stream(Channel channel) {
        Map<String, Object> arguments = new HashMap<>();
        arguments.put("x-queue-type", "stream");
        if (channel.retention() != null) {
            arguments.put("x-max-age", Math.max(1, channel.retention().toSeconds()) + "s");
        }
        if (channel.maxBytes() != null) {
            arguments.put("x-max-length-bytes", channel.maxBytes());
        }
        return arguments;
    }

    private static Map<String, Object> queue(Channel channel, String queueType) {
        Map<String, Object> arguments = new HashMap<>();
        boolean quorum = quorum(channel, queueType);
        if (quorum) {
            arguments.put("x-queue-type", "quorum");
        }
        if (channel.priorities() > 1) {
            arguments.put("x-max-priority", channel.priorities() - 1);
        }
        if (channel.orderedByKey()) {
            arguments.put("x-single-active-consumer", true);
        }
        if (channel.maxMessages() != null) {
            arguments.put("x-max-length", channel.maxMessages());
        }
        if (channel.maxBytes() != null) {
            arguments.put("x-max-length-bytes", channel.maxBytes());
        }
        boolean bounded = channel.maxMessages() != null || channel.maxBytes() != null;
        boolean rejects = channel.overflow() == Channel.Overflow.REJECT_PUBLISH;
        String dead = brokersDeadLetters(channel);
        if (dead != null) {
            arguments.put("x-dead-letter-exchange", "");
            arguments.put("x-dead-letter-routing-key", dead);
            if (quorum && rejects) {
                arguments.put("x-dead-letter-strategy", "at-least-once");
            }
        }
        if (rejects ? bounded || (quorum && dead != null) : bounded) {
            arguments.put("x-overflow", rejects ? "reject-publish" : "drop-head");
        }
        return arguments;
    }

    /** Priorities and what may be lost are no matter of replicated queues, and these notice late that they are full. */
    static boolean quorum(Channel channel, String queueType) {
        return queueType.equals("quorum")
                && channel.priorities() == 1
                && channel.maxMessages() == null
                && channel.maxBytes() == null
                && channel.durability() != Durability.TRANSIENT
                && channel.kind() != ChannelKind.REQUEST;
    }

    /** Where the broker puts what is too old, or is the oldest of too many; null if it drops it. */
    private static @Nullable String brokersDeadLetters(Channel channel) {
        boolean drops = channel.overflow() == Channel.Overflow.DROP_OLDEST;
        return drops ? null : channel.deadLetter();
    }
}
