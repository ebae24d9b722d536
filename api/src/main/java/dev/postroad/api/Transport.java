package dev.postroad.api;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * What carries messages: the service-provider interface that every broker is reached through. It deals in bytes; serdes,
 * handlers, retries by policy and request-reply are built on it once, in this module, for all transports.
 *
 * <p>Safe for use by many threads. Futures are completed on threads of the transport, in the order of the calls of one
 * thread on one channel where the broker allows it; callbacks must not block.
 */
public interface Transport extends AutoCloseable {

    /** The url it was opened with, without secrets. */
    String url();

    /** How each need is met. All needs are present. */
    Map<Need, Capability> capabilities();

    /**
     * Makes sure that the channel exists as declared, together with its dead-letter channel.
     *
     * @throws MessagingException {@code CHANNEL_MISMATCH} with the difference, if it exists otherwise
     */
    void declare(Channel channel);

    /** The channel as it was declared, or empty if there is none of this name. */
    Optional<Channel> find(String channel);

    /**
     * Sends one message. The message has an id.
     *
     * @return completes when it is as safe as its channel promises; fails with a {@link MessagingException}
     */
    CompletableFuture<Receipt> send(String channel, Message<byte[], byte[]> message);

    /**
     * As {@link #send}. A transport that sends hundreds of thousands of messages a second overrides this, where its own client tells
     * it of the end: what is hung on a future costs as much as the future.
     *
     * @param ended run once, when the future is complete, on any thread; never if this throws. Does not block
     */
    default CompletableFuture<Receipt> send(String channel, Message<byte[], byte[]> message, Runnable ended) {
        CompletableFuture<Receipt> sent = send(channel, message);
        sent.whenComplete((receipt, failure) -> ended.run());
        return sent;
    }

    /**
     * As {@link #send}, and waits for the receipt. A transport that can do the waiting thread's part of the work on that thread
     * overrides this: each hand-over between threads that is saved makes a durable send a third faster.
     *
     * @throws MessagingException as {@link #send} fails; {@code TIMEOUT} if interrupted, with the interrupt kept
     */
    default Receipt sendAndWait(String channel, Message<byte[], byte[]> message) {
        return Blocking.await(
                send(channel, message), "waiting for the confirmation of a message on channel '" + channel + "'");
    }

    /** As {@link #sendBatch}, and waits for the receipts, as {@link #sendAndWait} does. */
    default List<Receipt> sendBatchAndWait(String channel, List<Message<byte[], byte[]>> messages) {
        return Blocking.await(
                sendBatch(channel, messages),
                "waiting for the confirmation of a batch of " + messages.size() + " messages on channel '" + channel
                        + "'");
    }

    /** Sends a batch that is stored whole or not at all where {@link Need#ATOMIC_BATCH} is met; receipts in its order. */
    CompletableFuture<List<Receipt>> sendBatch(String channel, List<Message<byte[], byte[]>> messages);

    /**
     * Begins to receive.
     *
     * @param channels declared channels, at least one
     * @param options prefetch and lease fall back to each channel's own
     */
    Receiver receive(List<String> channels, ConsumerOptions options);

    /** A new transaction. @throws MessagingException {@code IMPOSSIBLE_NEED} where there are none */
    Transaction<byte[], byte[]> begin();

    /** Looking after channels. */
    Administration administration();

    /** Closes receivers, waits for what was sent to be confirmed or refused, then lets go. Idempotent. */
    @Override
    void close();

    /** A stream of deliveries to one consumer. {@link #receive} is for one thread at a time, the rest for any. */
    interface Receiver extends AutoCloseable {
        /**
         * Takes deliveries, waiting for the first.
         *
         * @param max 1 or more
         * @param timeout how long to wait; zero does not wait
         * @return in order of delivery; empty when none came in time
         * @throws InterruptedException if interrupted while it waited; nothing is lost by it
         * @throws MessagingException {@code CLOSED} after close; others when the transport failed
         */
        List<Delivery<byte[], byte[]>> receive(int max, Duration timeout) throws InterruptedException;

        /** Acknowledges all of these at once; as if each had been acknowledged, only cheaper. */
        CompletableFuture<Void> acknowledge(List<Delivery<byte[], byte[]>> deliveries);

        /**
         * As {@link #acknowledge}, and waits until all of it is recorded. A transport that can do part of the work on the thread that
         * waits overrides this, as with {@link Transport#sendAndWait}. By the thread that receives.
         *
         * @throws MessagingException as {@link #acknowledge} fails; {@code TIMEOUT} if interrupted, with the interrupt kept
         */
        default void acknowledgeAndWait(List<Delivery<byte[], byte[]>> deliveries) {
            Blocking.await(
                    acknowledge(deliveries), "waiting for " + deliveries.size() + " acknowledgements to be recorded");
        }

        /** Takes no more, gives unsettled deliveries back. Idempotent. */
        @Override
        void close();
    }

    /** Opens transports of some url schemes. Found by {@link java.util.ServiceLoader}. */
    interface Provider {
        /** The schemes it opens, {@code embedded} for example. */
        List<String> schemes();

        /**
         * @param url with one of the schemes
         * @throws MessagingException if the url is not understood ({@code INVALID}) or the broker can't be opened
         */
        Transport open(String url);
    }
}
