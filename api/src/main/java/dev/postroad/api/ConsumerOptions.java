package dev.postroad.api;

import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How a consumer receives. {@link #DEFAULT} suits a queue; a stream needs a {@link #withGroup group}, or a {@link
 * #withStart start} without one to read it alone from there, with nothing remembered.
 *
 * @param group consumer group of a stream, 1 to 255 bytes; null for queues and for reading alone. Refused for queues
 * @param start where a new group begins, or where reading alone begins; null for the group's own position, or the earliest
 *     message where the group is new. Refused for queues
 * @param prefetch deliveries held unsettled at most, 1 to 65,535; null for what the channel says
 * @param concurrency handlers at work at once ({@code listen} only), 1 to 10,000
 * @param filter a rule over headers and payload that messages must match; null for all. On a queue what does not match stays
 *     for others; in a group of a stream it is passed over
 * @param lease as {@link Channel#lease}, for this consumer; null for what the channel says
 * @param priority among consumers of one queue the higher is served first, while it has prefetch left
 * @param exclusive true to be the only consumer of the queue, or fail
 * @param name shown to operators; null for one made up
 */
public record ConsumerOptions(
        @Nullable String group,
        @Nullable Start start,
        @Nullable Integer prefetch,
        int concurrency,
        @Nullable String filter,
        @Nullable Duration lease,
        int priority,
        boolean exclusive,
        @Nullable String name) {

    /** No group, all messages, one handler at a time. */
    public static final ConsumerOptions DEFAULT = new ConsumerOptions(null, null, null, 1, null, null, 0, false, null);

    /** @throws IllegalArgumentException naming the option that is out of bounds */
    public ConsumerOptions {
        if (group != null) {
            ChannelRules.checkName("group", group);
        }
        if (prefetch != null && (prefetch < 1 || prefetch > 65_535)) {
            throw new IllegalArgumentException("prefetch is " + prefetch + "; it must be 1 to 65,535");
        }
        if (concurrency < 1 || concurrency > 10_000) {
            throw new IllegalArgumentException("concurrency is " + concurrency + "; it must be 1 to 10,000");
        }
        if (lease != null && lease.toMillis() < 1) {
            throw new IllegalArgumentException("lease is " + lease + "; it must be at least 1 ms");
        }
    }

    /** A place in a stream. */
    public sealed interface Start {
        /** The oldest message that is kept. */
        record Earliest() implements Start {}

        /** After the newest message. */
        record Latest() implements Start {}

        /** An offset, in each partition; the next that is kept where it is gone. */
        record Offset(long offset) implements Start {}

        /** The first message with this time stamp or a later one, in each partition. */
        record Timestamp(Instant timestamp) implements Start {}
    }

    /** These options for a consumer group. */
    public ConsumerOptions withGroup(@Nullable String newGroup) {
        return new ConsumerOptions(newGroup, start, prefetch, concurrency, filter, lease, priority, exclusive, name);
    }

    /** These options with a start. */
    public ConsumerOptions withStart(@Nullable Start newStart) {
        return new ConsumerOptions(group, newStart, prefetch, concurrency, filter, lease, priority, exclusive, name);
    }

    /** These options with a bound on unsettled deliveries. */
    public ConsumerOptions withPrefetch(@Nullable Integer newPrefetch) {
        return new ConsumerOptions(group, start, newPrefetch, concurrency, filter, lease, priority, exclusive, name);
    }

    /** These options with so many handlers at once. */
    public ConsumerOptions withConcurrency(int newConcurrency) {
        return new ConsumerOptions(group, start, prefetch, newConcurrency, filter, lease, priority, exclusive, name);
    }

    /** These options with a rule that messages must match. */
    public ConsumerOptions withFilter(@Nullable String newFilter) {
        return new ConsumerOptions(group, start, prefetch, concurrency, newFilter, lease, priority, exclusive, name);
    }

    /** These options with a lease on deliveries. */
    public ConsumerOptions withLease(@Nullable Duration newLease) {
        return new ConsumerOptions(group, start, prefetch, concurrency, filter, newLease, priority, exclusive, name);
    }

    /** These options with a priority among consumers. */
    public ConsumerOptions withPriority(int newPriority) {
        return new ConsumerOptions(group, start, prefetch, concurrency, filter, lease, newPriority, exclusive, name);
    }

    /** These options for a consumer that tolerates no other. */
    public ConsumerOptions withExclusive(boolean newExclusive) {
        return new ConsumerOptions(group, start, prefetch, concurrency, filter, lease, priority, newExclusive, name);
    }

    /** These options with a name for operators. */
    public ConsumerOptions withName(@Nullable String newName) {
        return new ConsumerOptions(group, start, prefetch, concurrency, filter, lease, priority, exclusive, newName);
    }
}
