package dev.postroad.api;

import java.time.Duration;
import java.util.List;

/**
 * Receives messages, the simple way: poll, work, commit. For one thread at a time.
 *
 * <p>What was polled and not committed is delivered again, after the consumer closes, dies, or lets its lease run out.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public interface MessageConsumer<K, V> extends AutoCloseable {

    /**
     * Says which channels to receive from, in place of those said before.
     *
     * @param channels declared channels, at least one
     * @throws MessagingException if one is unknown or can't be consumed with the options given
     */
    void subscribe(List<String> channels);

    /**
     * Takes the messages that have come, waiting for the first one.
     *
     * @param timeout how long to wait at most; zero does not wait
     * @return the messages in order of delivery; empty when none came in time
     * @throws MessagingException if nothing was subscribed, the consumer is closed, or the transport failed; a message
     *     that can't be deserialized is dead-lettered (where its channel has a dead-letter channel) and skipped
     */
    List<Message<K, V>> poll(Duration timeout);

    /**
     * Acknowledges everything that polls have returned since the last commit, and returns when that is recorded.
     *
     * @throws MessagingException with {@link MessagingException.Reason#LEASE_LOST} if some of it was meanwhile given to
     *     another consumer; the rest is acknowledged all the same
     */
    void commit();

    /** Gives back what was polled and not committed, then closes. Idempotent. */
    @Override
    void close();
}
