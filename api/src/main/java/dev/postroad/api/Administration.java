package dev.postroad.api;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Looking after the channels of a transport. Safe for use by many threads; all calls block. */
public interface Administration {

    /** Stands for a count that the broker does not tell. */
    long NOT_TOLD = -1;

    /** All channels, by name. */
    List<ChannelStatus> channels();

    /** The groups of a stream, by name. */
    List<GroupStatus> groups(String channel);

    /**
     * Looks at messages without consuming them, oldest first.
     *
     * @param channel a declared channel
     * @param filter a rule they must match, or null
     * @param max 1 to 10,000
     */
    List<Browsed> browse(String channel, @Nullable String filter, int max);

    /** Drops all messages that wait in a queue, or all that a stream keeps; returns how many. */
    long purge(String channel);

    /** Deletes a channel and its messages; not while it has consumers. */
    void delete(String channel);

    /**
     * Puts dead letters back where they came from, oldest first, in order per key, with attempts counted anew.
     *
     * @param deadLetterChannel where they lie
     * @param filter a rule they must match, or null
     * @param max at most so many, 1 or more
     * @return how many were put back
     */
    long redrive(String deadLetterChannel, @Nullable String filter, long max);

    /** Cancels a message that waits for its time. @return false if it is not there or was delivered already */
    boolean cancel(String channel, String messageId);

    /**
     * A channel at a glance. What a broker does not tell is {@link #NOT_TOLD}; ready and consumers every one tells.
     *
     * @param channel as declared
     * @param ready messages that could be delivered now; for a stream, messages kept
     * @param inFlight delivered and not settled
     * @param delayed waiting for their time
     * @param consumers at work
     * @param bytes of all these messages
     * @param accepted messages since the broker started
     * @param acknowledged deliveries since the broker started
     * @param redelivered deliveries after the first since the broker started
     * @param deadLettered messages since the broker started
     */
    record ChannelStatus(
            Channel channel,
            long ready,
            long inFlight,
            long delayed,
            int consumers,
            long bytes,
            long accepted,
            long acknowledged,
            long redelivered,
            long deadLettered) {}

    /**
     * A consumer group at a glance.
     *
     * @param group its name
     * @param lag messages it has yet to settle
     * @param inFlight of these, delivered
     * @param consumers at work
     * @param positions next offset by partition, where the group has positions
     */
    record GroupStatus(String group, long lag, long inFlight, int consumers, Map<Integer, Long> positions) {}

    /**
     * A message looked at.
     *
     * @param message as sent
     * @param state where it stands
     * @param attempts deliveries so far
     * @param deliverAt when it becomes ready; null if it is
     * @param origin partition and offset for streams
     */
    record Browsed(
            Message<byte[], byte[]> message,
            State state,
            int attempts,
            @Nullable Instant deliverAt,
            Delivery.Origin origin) {}

    /** Where a message stands. */
    enum State {
        /** Could be delivered now. */
        READY,
        /** Delivered and not settled. */
        IN_FLIGHT,
        /** Waits for its time or its retry. */
        DELAYED,
        /** Waits behind an earlier message of its key. */
        PARKED,
        /** Kept by a stream. */
        KEPT
    }
}
