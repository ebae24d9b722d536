package dev.postroad.transports.kafka;

import dev.postroad.api.Channel;
import dev.postroad.api.Durability;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/** The topics that channels are. */
final class Topics {
    private static final int LONGEST_NAME = 249;
    private static final int SHORTENED = 200;
    private static final int OVERHEAD_BYTES = 1024 * 1024;
    private static final String QUEUE_GROUP = "postroad-queue-";
    private static final long DELETED_SECONDS = 20;
    private static final long PAUSE_MILLIS = 50;

    private final Admin admin;
    private final KafkaUrl url;

    Topics(Admin admin, KafkaUrl url) {
        this.admin = admin;
        this.url = url;
    }

    /** The channel's name where Kafka allows it; else what it allows of it, and a hash. */
    static String name(String channel) {
        if (channel.length() <= LONGEST_NAME && !channel.equals(".") && !channel.equals("..") && allowed(channel)) {
            return channel;
        }
        String allowed = channel.replaceAll("[^a-zA-Z0-9._-]", "-");
        String start = allowed.substring(0, Math.min(SHORTENED, allowed.length()));
        return start + "-" + UUID.nameUUIDFromBytes(channel.getBytes(StandardCharsets.UTF_8));
    }

    /** Asked for each message that is sent. */
    private static boolean allowed(String name) {
        for (int i = 0; i < name.length(); i++) {
            if (!allowed(name.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean allowed(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || c == '.'
                || c == '_'
                || c == '-';
    }

    /** The one group that reads a queue. */
    static String queueGroup(String channel) {
        return QUEUE_GROUP + name(channel);
    }

    int partitions(Channel channel) {
        return channel.kind().isStream() ? channel.partitions() : url.queuePartitions();
    }

    List<TopicPartition> partitionsOf(Channel channel) {
        String topic = name(channel.name());
        return java.util.stream.IntStream.range(0, partitions(channel))
                .mapToObj(partition -> new TopicPartition(topic, partition))
                .toList();
    }

    /** Creates the channel's topic. @throws MessagingException {@code CHANNEL_MISMATCH} if there is one that differs */
    void create(Channel channel) {
        Map<String, String> settings = new HashMap<>();
        settings.put("max.message.bytes", Integer.toString(channel.maxMessageBytes() + OVERHEAD_BYTES));
        settings.put("message.timestamp.type", "CreateTime");
        settings.put("cleanup.policy", channel.compacted() ? "compact" : "delete");
        long retention = channel.retention() == null ? -1 : channel.retention().toMillis();
        settings.put("retention.ms", Long.toString(retention));
        if (channel.maxBytes() != null) {
            settings.put("retention.bytes", Long.toString(Math.max(1, channel.maxBytes() / partitions(channel))));
        }
        if (url.flushed() && channel.durability() == Durability.DURABLE) {
            settings.put("flush.messages", "1");
        }
        create(name(channel.name()), partitions(channel), settings, "channel '" + channel.name() + "'");
    }

    /** @return false if there is one like it already */
    boolean create(String topic, int partitions, Map<String, String> settings, String what) {
        NewTopic wanted = new NewTopic(topic, partitions, url.replication()).configs(settings);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DELETED_SECONDS);
        while (true) {
            try {
                admin.createTopics(List.of(wanted)).all().get();
                awaitKnown(topic, deadline);
                return true;
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw Failures.of("creating the topic '" + topic + "' of " + what, url, e);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MessagingException(Reason.TIMEOUT, "interrupted while creating the topic of " + what, e);
            }
            TopicDescription there = describe(topic);
            if (there != null) {
                if (there.partitions().size() != partitions) {
                    throw new MessagingException(
                            Reason.CHANNEL_MISMATCH,
                            "the topic '" + topic + "' of " + what + " exists on " + url.shown() + " with "
                                    + there.partitions().size() + " partitions, not " + partitions
                                    + "; declare the channel to match (partitions, or queue-partitions in the url), rename"
                                    + " it, or delete the topic");
                }
                return false;
            }
            // It is being deleted.
            pause(deadline, "the topic '" + topic + "' on " + url.shown() + " is being deleted");
        }
    }

    /**
     * Returns when each partition answers. That the topic is described is not enough: what is produced to a partition that its
     * broker is just making may stay without an answer until its time is over.
     */
    private void awaitKnown(String topic, long deadline) {
        while (!answers(topic)) {
            pause(deadline, "the topic '" + topic + "' on " + url.shown() + " was created and is not there yet");
        }
    }

    /** False while one of the brokers that were asked has not heard of it. */
    private boolean answers(String topic) {
        TopicDescription made = describe(topic);
        if (made == null) {
            return false;
        }
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        made.partitions().forEach(each -> ends.put(new TopicPartition(topic, each.partition()), OffsetSpec.latest()));
        try {
            Failures.await(
                    "waiting for the partitions of the new topic '" + topic + "'",
                    url,
                    admin.listOffsets(ends).all());
            return true;
        } catch (MessagingException e) {
            if (e.reason() == Reason.NOT_FOUND) {
                return false;
            }
            throw e;
        }
    }

    @Nullable
    TopicDescription describe(String topic) {
        try {
            return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return null;
            }
            throw Failures.of("looking at the topic '" + topic + "'", url, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted while looking at the topic '" + topic + "'", e);
        }
    }

    private static void pause(long deadline, String why) {
        if (System.nanoTime() > deadline) {
            throw new MessagingException(Reason.TIMEOUT, why);
        }
        try {
            Thread.sleep(PAUSE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted: " + why, e);
        }
    }
}
