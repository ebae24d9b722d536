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

    /**
     * As {@link #browse(String, String, int)}, page by page: what lies behind a message that was found before. Where messages
     * are large a page may be shorter than asked for; an empty one is the end.
     *
     * @param channel a declared queue
     * @param after {@link Browsed#number} of the last message found, which may be gone since; -1 for the first page
     * @throws MessagingException {@code IMPOSSIBLE_NEED} where the transport can't; {@code INVALID} for a stream and a page
     *     other than the first
     */
    default List<Browsed> browse(String channel, @Nullable String filter, long after, int max) {
        if (after < 0) {
            return browse(channel, filter, max);
        }
        throw new MessagingException(
                MessagingException.Reason.IMPOSSIBLE_NEED,
                "this transport looks at the oldest messages of channel '" + channel + "' only, not page by page");
    }

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

    /**
     * As {@link #redrive}, for chosen dead letters. In a channel that keeps order per key none overtakes an earlier letter of
     * its key: it stays, if that one does. Letters that are gone or being looked at are passed over.
     *
     * @param numbers {@link Browsed#number} of each, 1 to 10,000, in any order
     * @return how many were put back
     * @throws MessagingException {@code IMPOSSIBLE_NEED} where the transport can't choose
     */
    default long putBack(String deadLetterChannel, List<Long> numbers) {
        throw cannotChoose(deadLetterChannel);
    }

    /**
     * As {@link #putBack(String, List)}, for one dead letter, edited: what goes back, in its place, is this message without
     * the headers of a dead letter. Where the channel it came from keeps order per key, its key can't be edited.
     *
     * @return true if it was put back
     * @throws MessagingException {@code INVALID} with another key, {@code TOO_LARGE}; {@code IMPOSSIBLE_NEED} where the
     *     transport can't
     */
    default boolean putBack(String deadLetterChannel, long number, Message<byte[], byte[]> edited) {
        throw cannotChoose(deadLetterChannel);
    }

    private static MessagingException cannotChoose(String deadLetterChannel) {
        return new MessagingException(
                MessagingException.Reason.IMPOSSIBLE_NEED,
                "this transport puts the dead letters of '" + deadLetterChannel
                        + "' back by filter only, not one by one");
    }

    /** Cancels a message that waits for its time. @return false if it is not there or was delivered already */
    boolean cancel(String channel, String messageId);

    /**
     * A channel at a glance. What a broker does not tell is {@link #NOT_TOLD}; ready and consumers every one tells.
     *
     * @param channel as declared
     * @param ready messages that could be delivered now, where in flight is not told perhaps with these; for a stream,
     *     messages kept
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
     * @param number tells it from all others in its queue, for as long as it is there; -1 where the transport has none
     */
    record Browsed(
            Message<byte[], byte[]> message,
            State state,
            int attempts,
            @Nullable Instant deliverAt,
            Delivery.Origin origin,
            long number) {
        /** Without a number. */
        public Browsed(
                Message<byte[], byte[]> message,
                State state,
                int attempts,
                @Nullable Instant deliverAt,
                Delivery.Origin origin) {
            this(message, state, attempts, deliverAt, origin, -1);
        }
    }

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
