package dev.postroad.engine;

import dev.postroad.engine.routing.TopicPattern;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Turns what a publisher says into the queues, shared groups and partition that a message goes to. Reads only. */
final class Routes {
    private final Engine engine;

    Routes(Engine engine) {
        this.engine = engine;
    }

    /** The message with the way it is published, where a receiver could not tell it from the channel it finds it in. */
    static EngineMessage routed(@Nullable String topic, String channel, EngineMessage message) {
        Route route = message.route();
        if (route != null && route.key().equals(channel) && Objects.equals(route.topic(), topic)) {
            return message;
        }
        if (topic == null && route == null) {
            return message;
        }
        return message.withRoute(topic == null ? null : Route.of(topic, channel));
    }

    /** The channels that a message goes to, by name; empty if no binding takes it. */
    Collection<String> channels(@Nullable String topic, String channel, EngineMessage message) {
        Route route = message.route();
        if (route != null && route.key().equals(channel) && Objects.equals(route.topic(), topic)) {
            return channels(topic, route.keys(), message);
        }
        return channels(topic, List.of(channel), message);
    }

    /** The channels that a message goes to with these routing keys; of those that are named straight, the ones there are. */
    Collection<String> channels(@Nullable String topic, List<String> keys, EngineMessage message) {
        if (topic != null) {
            return engine.state.router.route(topic, keys, message);
        }
        return keys.stream().distinct().filter(engine.state::hasChannel).toList();
    }

    /** True if the message goes to the one channel that its publish names, and nowhere else. */
    static boolean straight(Command.Publish publish, EngineMessage message) {
        Route route = message.route();
        return publish.topic() == null
                && (route == null || route.topic() != null || route.keys().size() == 1);
    }

    /** @throws EngineException {@code NOT_FOUND} if there is no such topic, or no such channel where none is given */
    void checkExists(@Nullable String topic, String channel) {
        if (topic != null) {
            TopicDefinition known = engine.state.router.topic(topic);
            if (known != null && known.internal()) {
                throw new EngineException(
                        EngineException.Reason.INVALID,
                        "topic '" + topic + "' is internal: only other topics lead to it");
            }
            if (known == null) {
                throw new EngineException(
                        EngineException.Reason.NOT_FOUND, "there is no topic '" + topic + "'; declare it first");
            }
            try {
                TopicPattern.checkTopic(channel);
            } catch (IllegalArgumentException e) {
                throw new EngineException(EngineException.Reason.INVALID, "the routing key: " + e.getMessage(), e);
            }
        } else if (!engine.state.hasChannel(channel)) {
            throw noChannel(channel);
        }
    }

    static EngineException noChannel(String channel) {
        return new EngineException(
                EngineException.Reason.NOT_FOUND, "there is no channel '" + channel + "'; declare it first");
    }

    /** Adds a stream's partition and its shared groups, or a queue, to the target. */
    void resolve(String channel, EngineMessage message, int partition, Records.Target target) {
        QueueState queue = engine.state.queue(channel);
        if (queue != null) {
            target.add(queue);
            return;
        }
        StreamState stream = engine.state.stream(channel);
        if (stream != null) {
            target.stream = stream;
            target.partition = partition >= 0 ? partition : stream.partitionFor(message);
            for (QueueState group : engine.state.sharedGroups(channel)) {
                target.add(group);
            }
        }
    }

    /** The partition that a shared group's message came from; -1 for messages of queues. */
    int partition(QueueState queue, Stored stored) {
        String name = queue.stream;
        StreamState stream = name == null ? null : engine.state.stream(name);
        if (stream == null || stored.partition() < 0) {
            return -1;
        }
        // Messages from memory carry the partition's number, those from disk the id it has in records.
        return stored.fromDisk() ? stored.partition() - stream.firstChannelId() : stored.partition();
    }

    boolean isStream(String channel) {
        return engine.state.stream(channel) != null;
    }

    /** True if the channel's confirms mean that its messages are on disk. */
    boolean durable(Records.Target target) {
        for (int i = 0; i < target.queueCount; i++) {
            if (target.queues[i].durable()) {
                return true;
            }
        }
        StreamState stream = target.stream;
        return stream != null && stream.definition().durability() == Durability.DURABLE;
    }
}
