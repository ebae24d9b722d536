package dev.postroad.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the engine holds, at one moment. Lists are in order of names.
 *
 * @param queues all queues
 * @param streams all streams
 * @param topics all topics
 * @param bindings all bindings
 * @param groups all groups of streams, shared ones and others
 * @param policies all policies, and what they make of the definitions, which are as they were declared
 * @param journal the log on disk
 */
public record EngineStatus(
        List<Queue> queues,
        List<Stream> streams,
        List<TopicDefinition> topics,
        List<Binding> bindings,
        List<Group> groups,
        PolicySet policies,
        Journal journal) {

    /**
     * A queue.
     *
     * @param ready could be delivered now
     * @param inFlight delivered, not settled
     * @param delayed wait for their time or their retry
     * @param parked wait behind an earlier message of their key
     * @param bytes of all messages
     * @param oldestMillis acceptance of the oldest message; 0 if there is none
     * @param counters since the engine was opened
     */
    public record Queue(
            QueueDefinition definition,
            long ready,
            long inFlight,
            long delayed,
            long parked,
            long bytes,
            long oldestMillis,
            List<Consumer> consumers,
            Counters counters) {}

    /** Counts since the engine was opened. */
    public record Counters(
            long accepted,
            long refused,
            long delivered,
            long redelivered,
            long acknowledged,
            long deadLettered,
            long expired,
            long dropped,
            long duplicates) {}

    /** A consumer. */
    public record Consumer(long id, String name, int credit, int inFlight, boolean active) {}

    /** A stream. */
    public record Stream(StreamDefinition definition, List<Partition> partitions, Counters counters) {}

    /** A partition: offsets from earliest (inclusive) to next (exclusive). */
    public record Partition(int number, long earliest, long next, long messages, long bytes) {}

    /**
     * A group.
     *
     * @param stream the stream of a shared group; null for a group of positions
     * @param shared the queue of a shared group; null for a group of positions
     */
    public record Group(
            String name,
            @Nullable String stream,
            @Nullable Queue shared,
            int generation,
            List<String> members,
            List<GroupPosition> positions) {}

    /** Where a group stands in a partition. */
    public record GroupPosition(String stream, int partition, long offset, long lag) {}

    /**
     * The journal.
     *
     * @param appendPosition where the next record goes
     * @param durablePosition everything below is on disk
     * @param segments files in use
     * @param usedBytes of these
     * @param liveBytes of messages and pages that are still needed
     * @param syncs since the engine was opened
     * @param heapBytes estimate of what the engine's indexes take
     */
    public record Journal(
            long appendPosition,
            long durablePosition,
            int segments,
            long usedBytes,
            long liveBytes,
            long syncs,
            long heapBytes,
            @Nullable String failure) {}
}
