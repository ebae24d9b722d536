package dev.postroad.patterns.inbox;

import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ChannelKind;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.api.Transaction;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * Has each message handled once in effect, remembered in the broker itself: for work whose effects are messages. Safe for
 * use by many threads and by many instances.
 *
 * <pre>{@code
 *   ChannelInbox inbox = ChannelInbox.open(postroad, "orders", ChannelInboxSettings.of("billing"));
 *   inbox.listen(format, options, (delivery, transaction) ->
 *           transaction.send("invoices", invoiceFor(delivery.message())));
 * }</pre>
 *
 * <pre>
 *   orders ──▶ acknowledged, and sent with its identity as its id, in one transaction ──▶ orders.inbox.billing
 *              (a repetition within the channel's dedup window is acknowledged and dropped)        │
 *                                                                                                   ▼
 *              handler: what it sends and the acknowledgement are one transaction ◀──────────────────
 * </pre>
 *
 * <p>So a message is admitted once, whatever fails, and stays until a handler has succeeded with it. Retries, order per key
 * and dead letters are those of the channel it came from. One that became a dead letter is still remembered: put the letter
 * back, rather than sending the message again.
 */
public final class ChannelInbox {
    private static final int MAX_ID = 255;
    private static final Format<byte[], byte[]> BYTES = Format.bytes();

    private final Postroad postroad;
    private final String source;
    private final Channel admittedTo;
    private final AtomicLong handled = new AtomicLong();

    private ChannelInbox(Postroad postroad, String source, Channel admittedTo) {
        this.postroad = postroad;
        this.source = source;
        this.admittedTo = admittedTo;
    }

    /**
     * Declares the channel of what is admitted, {@code SOURCE.inbox.CONSUMER}.
     *
     * @param source a declared channel, of any kind but request
     * @throws MessagingException {@code NOT_FOUND} if there is no such channel, {@code IMPOSSIBLE_NEED} where the transport
     *     has no dedup window so long, or no transactions
     */
    public static ChannelInbox open(Postroad postroad, String source, ChannelInboxSettings settings) {
        Channel from = postroad.find(source)
                .orElseThrow(() -> new MessagingException(
                        Reason.NOT_FOUND, "channel '" + source + "' is not declared; declare it before its inbox"));
        if (from.kind() == ChannelKind.REQUEST) {
            throw new IllegalArgumentException("channel '" + source
                    + "' is a request channel, whose replies an inbox can't give; let its handler be idempotent");
        }
        Capability dedup = postroad.transport().capabilities().get(Need.DEDUP);
        if (dedup == null || dedup.support() != Capability.Support.NATIVE) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "an inbox in the broker needs a dedup window of the broker's own, which takes part in transactions; "
                            + postroad.transport().url() + " has none"
                            + (dedup == null ? "" : ": " + dedup.note()));
        }
        // Whether the transport has transactions shows here, not at the first message.
        postroad.begin(BYTES).close();
        Channel admitted = Channel.command(source + ".inbox." + settings.consumer())
                .withDurability(from.durability())
                .withOrderedByKey(from.orderedByKey())
                .withRetry(from.retry())
                .withDeadLetter(from.deadLetter())
                .withPrefetch(from.prefetch())
                .withLease(from.lease())
                .withPriorities(from.priorities())
                .withMaxMessageBytes(from.maxMessageBytes())
                .withCompressed(from.compressed())
                .withDedupWindow(settings.window());
        postroad.declare(admitted);
        return new ChannelInbox(postroad, source, admitted);
    }

    /** What one handler does: sends messages that take effect with the acknowledgement of its delivery, or not at all. */
    @FunctionalInterface
    public interface Work<K, V> {
        /**
         * Handles one delivery; throwing drops what was sent.
         *
         * @param transaction for sending; it must leave committing it and settling the delivery to who called it
         */
        void handle(Delivery<K, V> delivery, Transaction<K, V> transaction) throws Exception;
    }

    /** Handles each message id once. Closing the subscription ends admitting too. */
    public <K, V> Subscription listen(Format<K, V> format, ConsumerOptions options, Work<K, V> work) {
        return listen(format, options, message -> String.valueOf(message.id()), work);
    }

    /**
     * Handles each identity once.
     *
     * @param options group, start, filter and the like are those of the source; concurrency is of the handlers
     * @param identity of a message, at most {@value #MAX_ID} characters; never a checksum, which two messages may share
     */
    public <K, V> Subscription listen(
            Format<K, V> format, ConsumerOptions options, Function<Message<K, V>, String> identity, Work<K, V> work) {
        ConsumerOptions ofWork = ConsumerOptions.DEFAULT
                .withConcurrency(options.concurrency())
                .withPrefetch(options.prefetch())
                .withName(options.name());
        AtomicLong acknowledged = new AtomicLong();
        Subscription worker = postroad.listen(admittedTo.name(), format, ofWork, delivery -> {
            handle(format, delivery, work);
            acknowledged.incrementAndGet();
        });
        try {
            return new Both(
                    postroad.listen(source, format, options, delivery -> admit(format, delivery, identity)),
                    worker,
                    acknowledged);
        } catch (RuntimeException e) {
            worker.close();
            throw e;
        }
    }

    private <K, V> void admit(Format<K, V> format, Delivery<K, V> delivery, Function<Message<K, V>, String> identity) {
        String id = identity.apply(delivery.message());
        if (id.isEmpty() || id.length() > MAX_ID) {
            throw new Handler.DeadLetterException("the identity of the message has " + id.length()
                    + " characters; an inbox remembers 1 to " + MAX_ID);
        }
        try (Transaction<K, V> transaction = postroad.begin(format)) {
            transaction.acknowledge(delivery);
            transaction.send(admittedTo.name(), delivery.message().withId(id));
            transaction.commit();
        }
    }

    private <K, V> void handle(Format<K, V> format, Delivery<K, V> delivery, Work<K, V> work) throws Exception {
        try (Transaction<K, V> transaction = postroad.begin(format)) {
            transaction.acknowledge(delivery);
            work.handle(delivery, transaction);
            transaction.commit();
        }
        handled.incrementAndGet();
    }

    /** The channel of what was admitted, where messages wait for their handler. */
    public String channel() {
        return admittedTo.name();
    }

    /** Messages that were handled, by this instance. Which of them were duplicates only the broker knows. */
    public long handled() {
        return handled.get();
    }

    /** @param acknowledged handled well; their transactions settled them, not the subscription, which counts only its own */
    private record Both(Subscription admitting, Subscription working, AtomicLong acknowledged) implements Subscription {
        @Override
        public boolean active() {
            return admitting.active() && working.active();
        }

        @Override
        public Counts counts() {
            Counts counts = working.counts();
            return new Counts(acknowledged.get(), counts.retried(), counts.deadLettered());
        }

        @Override
        public boolean close(Duration timeout) {
            long end = System.nanoTime() + timeout.toNanos();
            boolean admitted = admitting.close(timeout);
            return working.close(Duration.ofNanos(Math.max(0, end - System.nanoTime()))) && admitted;
        }

        @Override
        public void close() {
            admitting.close();
            working.close();
        }
    }
}
