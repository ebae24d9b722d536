package dev.postroad.api;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A channel as declared: its name, its kind, and its settings. Begin with {@link #command}, {@link #event}, {@link
 * #request} or {@link #document}, whose defaults the kind sets, and change what differs with the {@code with…} methods.
 *
 * <p>Declaring the same channel again is fine; declaring it otherwise is refused with the difference.
 *
 * @param name 1 to 255 bytes of UTF-8, no control characters, not beginning with {@code postroad.}
 * @param kind what it is for
 * @param durability what a confirm means
 * @param orderedByKey true if one key has one delivery in flight and keeps its order through failures
 * @param retry how a failed delivery is repeated
 * @param deadLetter name of the channel for messages given up; null drops them. Declared with this one, as a command
 *     channel with default settings and without a dead-letter channel, if it does not exist
 * @param ttl time to live of messages, at most: one that says a shorter time of its own keeps to that; at least 1 ms; null for ever
 * @param lease how long a delivery may stay unsettled before it goes to somebody else, at least 1 ms; null for as long as
 *     its consumer lives. For streams: of their groups
 * @param prefetch deliveries a consumer holds unsettled at most, 1 to 65,535, where it does not say itself
 * @param dedupWindow how long message ids are remembered so that a repetition is confirmed and dropped; null for not at all
 * @param priorities levels of strict priority, 1 (none) to 10; queues only, not with orderedByKey
 * @param maxMessages messages held at most (for a queue: delivered, delayed and waiting), 1 or more; null for no bound
 * @param maxBytes bytes of messages held at most, 1 or more; null for no bound; for a stream, the size its retention keeps
 * @param overflow what happens at maxMessages or maxBytes of a queue
 * @param partitions of a stream, 1 to 1,000; 1 for queues
 * @param retention how long a stream keeps messages; null for ever, and for queues
 * @param compacted true if a stream keeps, of each key, the last message only
 * @param maxMessageBytes largest value, 1 byte to 16 MiB
 * @param compressed true if values of over 1 KiB travel and lie gzipped
 * @param timeout how long a request waits for its reply where it does not say itself; null except for requests
 */
public record Channel(
        String name,
        ChannelKind kind,
        Durability durability,
        boolean orderedByKey,
        RetryPolicy retry,
        @Nullable String deadLetter,
        @Nullable Duration ttl,
        @Nullable Duration lease,
        int prefetch,
        @Nullable Duration dedupWindow,
        int priorities,
        @Nullable Long maxMessages,
        @Nullable Long maxBytes,
        Overflow overflow,
        int partitions,
        @Nullable Duration retention,
        boolean compacted,
        int maxMessageBytes,
        boolean compressed,
        @Nullable Duration timeout) {

    /** The largest value any channel takes: 16 MiB. */
    public static final int MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

    /** What happens when a queue is at its bound. */
    public enum Overflow {
        /** The newcomer is refused with {@link MessagingException.Reason#FULL}. */
        REJECT_PUBLISH,
        /** The oldest waiting message is dropped. */
        DROP_OLDEST,
        /** The oldest waiting message goes to the dead-letter channel. */
        DEAD_LETTER_OLDEST
    }

    /** @throws IllegalArgumentException naming the setting that is out of bounds or contradicts another */
    public Channel {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(durability, "durability");
        Objects.requireNonNull(retry, "retry");
        Objects.requireNonNull(overflow, "overflow");
        ChannelRules.check(
                name,
                kind,
                orderedByKey,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                timeout);
    }

    /**
     * A command channel: durable, five attempts with backoff, dead letters to {@code NAME.dead}, prefetch 32, values up to
     * 1 MiB.
     */
    public static Channel command(String name) {
        return new Channel(
                name,
                ChannelKind.COMMAND,
                Durability.DURABLE,
                false,
                RetryPolicy.DEFAULT,
                name + ".dead",
                null,
                null,
                32,
                null,
                1,
                null,
                null,
                Overflow.REJECT_PUBLISH,
                1,
                null,
                false,
                1024 * 1024,
                false,
                null);
    }

    /**
     * An event channel: durable, 4 partitions, kept 7 days, ordered by key, five attempts with backoff per group, dead
     * letters to {@code NAME.dead}, prefetch 256, values up to 1 MiB.
     */
    public static Channel event(String name) {
        return new Channel(
                name,
                ChannelKind.EVENT,
                Durability.DURABLE,
                true,
                RetryPolicy.DEFAULT,
                name + ".dead",
                null,
                null,
                256,
                null,
                1,
                null,
                null,
                Overflow.REJECT_PUBLISH,
                4,
                Duration.ofDays(7),
                false,
                1024 * 1024,
                false,
                null);
    }

    /**
     * A request channel: buffered, no retries, no dead letters, deadline 5 s, at most 100 requests waiting, values up to
     * 1 MiB.
     */
    public static Channel request(String name) {
        return new Channel(
                name,
                ChannelKind.REQUEST,
                Durability.BUFFERED,
                false,
                RetryPolicy.NONE,
                null,
                Duration.ofSeconds(5),
                null,
                32,
                null,
                1,
                100L,
                null,
                Overflow.REJECT_PUBLISH,
                1,
                null,
                false,
                1024 * 1024,
                false,
                Duration.ofSeconds(5));
    }

    /**
     * A document channel: durable, 4 partitions, kept for ever, ordered by key, compressed, values up to 10 MiB before
     * compression.
     */
    public static Channel document(String name) {
        return new Channel(
                name,
                ChannelKind.DOCUMENT,
                Durability.DURABLE,
                true,
                RetryPolicy.DEFAULT,
                name + ".dead",
                null,
                null,
                16,
                null,
                1,
                null,
                null,
                Overflow.REJECT_PUBLISH,
                4,
                null,
                false,
                10 * 1024 * 1024,
                true,
                null);
    }

    /** This channel with another meaning of its confirms. */
    public Channel withDurability(Durability newDurability) {
        return new Channel(
                name,
                kind,
                newDurability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with or without order per key. */
    public Channel withOrderedByKey(boolean newOrderedByKey) {
        return new Channel(
                name,
                kind,
                durability,
                newOrderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with another way to repeat failed deliveries. */
    public Channel withRetry(RetryPolicy newRetry) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                newRetry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with another dead-letter channel, or null to drop what is given up. */
    public Channel withDeadLetter(@Nullable String newDeadLetter) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                newDeadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with another time to live, or null for ever. */
    public Channel withTtl(@Nullable Duration newTtl) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                newTtl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with a lease on deliveries, or null for none. */
    public Channel withLease(@Nullable Duration newLease) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                newLease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with another bound on unsettled deliveries per consumer. */
    public Channel withPrefetch(int newPrefetch) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                newPrefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with a window in which message ids are remembered, or null for none. */
    public Channel withDedupWindow(@Nullable Duration newDedupWindow) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                newDedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with so many levels of strict priority, 1 to 10. */
    public Channel withPriorities(int newPriorities) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                newPriorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with a bound on the messages it holds, or null for none. */
    public Channel withMaxMessages(@Nullable Long newMaxMessages) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                newMaxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with a bound on the bytes it holds, or null for none. */
    public Channel withMaxBytes(@Nullable Long newMaxBytes) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                newMaxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with another behaviour at its bound. */
    public Channel withOverflow(Overflow newOverflow) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                newOverflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with so many partitions. */
    public Channel withPartitions(int newPartitions) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                newPartitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel, keeping messages for so long, or null for ever. */
    public Channel withRetention(@Nullable Duration newRetention) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                newRetention,
                compacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel, keeping the last message of each key only, or all. */
    public Channel withCompacted(boolean newCompacted) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                newCompacted,
                maxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with another largest value. */
    public Channel withMaxMessageBytes(int newMaxMessageBytes) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                newMaxMessageBytes,
                compressed,
                timeout);
    }

    /** This channel with or without compression. */
    public Channel withCompressed(boolean newCompressed) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                newCompressed,
                timeout);
    }

    /** This channel with another deadline for replies. */
    public Channel withTimeout(@Nullable Duration newTimeout) {
        return new Channel(
                name,
                kind,
                durability,
                orderedByKey,
                retry,
                deadLetter,
                ttl,
                lease,
                prefetch,
                dedupWindow,
                priorities,
                maxMessages,
                maxBytes,
                overflow,
                partitions,
                retention,
                compacted,
                maxMessageBytes,
                compressed,
                newTimeout);
    }
}
