package dev.postroad.api;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Sends messages. Safe for use by many threads; messages one thread sends to one channel keep their order.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public interface MessageProducer<K, V> extends AutoCloseable {

    /**
     * Sends one message and returns when it is as safe as its channel promises: on disk, for a durable one.
     *
     * @param channel a declared channel
     * @param message the message; an id is assigned where it has none
     * @throws MessagingException if it was not accepted, with the reason; for {@link MessagingException.Reason#TIMEOUT},
     *     {@code CLOSED} and {@code STORAGE_FAILED} it may or may not have been stored, so that a repetition should carry
     *     the same message id
     */
    void send(String channel, Message<K, V> message);

    /**
     * Sends the messages as one batch: all of them are stored, in this order, or none.
     *
     * @param channel a declared channel
     * @param messages the messages; an empty list is no error
     * @throws MessagingException as {@link #send}; also if the batch as a whole is over the transport's limit
     */
    void sendBatch(String channel, List<Message<K, V>> messages);

    /**
     * Sends one message without waiting. The future completes when {@link #send} would have returned, or with the
     * exception it would have thrown. It may block the caller, as backpressure, while too many sends are under way. The
     * future is completed on a thread of the transport: what is chained to it must not block.
     */
    CompletableFuture<Receipt> sendAsync(String channel, Message<K, V> message);

    /** Waits until what was sent is confirmed or refused, then releases what the producer holds. Idempotent. */
    @Override
    void close();
}
