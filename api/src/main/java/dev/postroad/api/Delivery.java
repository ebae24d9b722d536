package dev.postroad.api;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One message in the hands of one consumer, to be settled exactly once: {@link #acknowledge}, {@link #retry}, {@link
 * #giveBack} or {@link #deadLetter}. Until then nobody else receives it, unless its lease runs out or its consumer closes.
 *
 * <p>May be settled from any thread. The futures complete when the settlement is as safe as the channel promises, on a
 * thread of the transport. Settling twice completes them with {@link MessagingException.Reason#ALREADY_SETTLED}, settling
 * too late with {@code LEASE_LOST}; neither has an effect on the message.
 *
 * @param <K> type of the key
 * @param <V> type of the value
 */
public interface Delivery<K, V> {

    /** What was sent. */
    Message<K, V> message();

    /** The channel it came from. */
    String channel();

    /** 1 for the first delivery, one more for each that follows; as durable as the message itself. */
    int attempt();

    /**
     * When an earlier delivery of it failed first, as durable as the number of its attempts; null where none failed, or the
     * transport does not tell.
     */
    default @Nullable Instant firstFailure() {
        return null;
    }

    /** Where the message lies: partition and offset of a stream, -1 each for queues. */
    Origin origin();

    /** Done: the message is not delivered again (to this group). */
    CompletableFuture<Void> acknowledge();

    /** Back to the channel, for another attempt at once. Past the channel's attempts it becomes a dead letter. */
    default CompletableFuture<Void> retry() {
        return retry(Duration.ZERO);
    }

    /**
     * Back to the channel, for another attempt after the delay. Where the channel keeps order per key, later messages of
     * the same key wait behind it and all other keys go on.
     *
     * @param delay zero or more
     */
    CompletableFuture<Void> retry(Duration delay);

    /**
     * Back to the channel untouched, to be delivered again at once, here or elsewhere: this delivery was no attempt and is not
     * counted as one. For a consumer that stops, or that cannot work just now; what failed is for {@link #retry}. A transport that
     * does not implement it counts the attempt, as {@link #retry()} does. Of a stream that is read alone nothing is given back, and
     * the future completes at once.
     */
    default CompletableFuture<Void> giveBack() {
        return retry();
    }

    /**
     * To the channel's dead-letter channel, with the reason and the origin in its headers. Where the channel has none the
     * message is dropped.
     *
     * @param reason said to whoever looks at the dead letter, at most 1,000 characters kept
     */
    CompletableFuture<Void> deadLetter(String reason);

    /**
     * As {@link #deadLetter(String)}, and the dead letter tells the class of what was thrown, where the transport keeps it.
     *
     * @param failure why the message is given up
     */
    default CompletableFuture<Void> deadLetter(String reason, Throwable failure) {
        return deadLetter(reason);
    }

    /**
     * Keeps the message for longer.
     *
     * @param lease how long from now
     * @throws MessagingException {@code IMPOSSIBLE_NEED} by the future, where the channel has no lease
     */
    CompletableFuture<Void> extend(Duration lease);

    /**
     * True once its subscription closes. A handler that waits for better times looks now and then, and ends with an {@link
     * InterruptedException}: the message is {@linkplain #giveBack given back}, which costs it no attempt.
     */
    default boolean closing() {
        return false;
    }

    /**
     * Where a delivery comes from.
     *
     * @param partition partition of a stream, or -1
     * @param offset offset in the partition, or -1
     * @param group the consumer group, or null for a queue
     */
    record Origin(int partition, long offset, @Nullable String group) {
        /** The origin of what comes from a queue. */
        public static final Origin QUEUE = new Origin(-1, -1, null);
    }
}
