package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Requests under way and the one channel where all their replies come in, opened with the first of them. A reply finds its
 * request by the correlation id.
 */
final class Requests implements AutoCloseable {
    /** Header of a reply that tells of a failure in place of an answer. */
    static final String ERROR_HEADER = "postroad-reply-error";

    private static final System.Logger LOG = System.getLogger("dev.postroad.api");
    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration REPLY_TTL = Duration.ofMinutes(1);
    private static final int DEFAULT_BOUND = 100_000;
    private static final int REPLY_PREFETCH = 1_000;
    private static final int REPLY_CONCURRENCY = 16;

    private record Waiter<A, B>(
            CompletableFuture<Message<A, B>> reply, MessageCodec<A, B> codec, ScheduledFuture<?> deadline) {}

    private final Postroad postroad;
    private final Needs needs;
    private final Channel replies;
    private final ConcurrentHashMap<String, Waiter<?, ?>> waiters = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, AtomicInteger> waiting = new ConcurrentHashMap<>();
    private final AtomicLong late = new AtomicLong();
    private final ReentrantLock opening = new ReentrantLock();
    private final ScheduledThreadPoolExecutor deadlines;
    private volatile @Nullable Subscription subscription;
    private volatile boolean closed;

    Requests(Postroad postroad, Needs needs) {
        this.postroad = postroad;
        this.needs = needs;
        Channel plain = Channel.request("replies." + UUID.randomUUID())
                .withDurability(Durability.TRANSIENT)
                .withTtl(needs.meets(Need.TTL, REPLY_TTL) ? REPLY_TTL : null)
                .withMaxMessages(null)
                .withPrefetch(REPLY_PREFETCH);
        this.replies =
                needs.meets(Need.LARGE_MESSAGES, null) ? plain.withMaxMessageBytes(Channel.MAX_MESSAGE_BYTES) : plain;
        this.deadlines = new ScheduledThreadPoolExecutor(
                1,
                Thread.ofPlatform().daemon().name("postroad-request-deadlines").factory());
        deadlines.setRemoveOnCancelPolicy(true);
    }

    <K, V, A, B> CompletableFuture<Message<A, B>> request(
            Channel channel, Message<K, V> request, MessageCodec<K, V> codec, MessageCodec<A, B> replyCodec) {
        open();
        Duration timeout = timeout(channel, request);
        String correlation = request.correlationId() == null ? MessageIds.next() : request.correlationId();
        Message<byte[], byte[]> encoded = codec.encode(
                channel.name(),
                request.withProperties(request.properties()
                        .withCorrelationId(correlation)
                        .withReplyTo(replies.name())
                        .withTtl(needs.meets(Need.TTL, timeout) ? timeout : null)));
        CompletableFuture<Message<A, B>> reply = new CompletableFuture<>();
        enter(channel, correlation, new Waiter<>(reply, replyCodec, schedule(channel, correlation, timeout)));
        reply.whenComplete((message, failure) -> leave(channel, correlation));
        postroad.transport().send(channel.name(), encoded).whenComplete((receipt, failure) -> {
            if (failure != null) {
                reply.completeExceptionally(
                        Blocking.rethrowable(failure, "sending a request to channel '" + channel.name() + "'"));
            }
        });
        return reply;
    }

    /** Replies that came when nobody waited any more. */
    long late() {
        return late.get();
    }

    private static Duration timeout(Channel channel, Message<?, ?> request) {
        Duration own = request.properties().ttl();
        if (own != null) {
            return own;
        }
        return channel.timeout() == null ? DEFAULT_TIMEOUT : channel.timeout();
    }

    private void enter(Channel channel, String correlation, Waiter<?, ?> waiter) {
        long bound = channel.maxMessages() == null ? DEFAULT_BOUND : channel.maxMessages();
        AtomicInteger count = waiting.computeIfAbsent(channel.name(), name -> new AtomicInteger());
        if (count.incrementAndGet() > bound) {
            count.decrementAndGet();
            waiter.deadline.cancel(false);
            throw new MessagingException(
                    Reason.FULL,
                    bound + " requests wait for replies from channel '" + channel.name()
                            + "' already (its maxMessages); this one was not sent");
        }
        if (waiters.putIfAbsent(correlation, waiter) != null) {
            count.decrementAndGet();
            waiter.deadline.cancel(false);
            throw new MessagingException(
                    Reason.INVALID,
                    "a request with the correlation id " + correlation + " waits for its reply already");
        }
        if (closed) {
            waiter.reply.completeExceptionally(closedWhileWaiting());
        }
    }

    private void leave(Channel channel, String correlation) {
        Waiter<?, ?> waiter = waiters.remove(correlation);
        if (waiter != null) {
            waiter.deadline.cancel(false);
            AtomicInteger count = waiting.get(channel.name());
            if (count != null) {
                count.decrementAndGet();
            }
        }
    }

    private ScheduledFuture<?> schedule(Channel channel, String correlation, Duration timeout) {
        try {
            return deadlines.schedule(
                    () -> timedOut(channel, correlation, timeout), timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (java.util.concurrent.RejectedExecutionException e) {
            throw new MessagingException(Reason.CLOSED, "the connection is closed; no request was sent", e);
        }
    }

    private void timedOut(Channel channel, String correlation, Duration timeout) {
        Waiter<?, ?> waiter = waiters.get(correlation);
        if (waiter != null) {
            MessagingException failure = new MessagingException(
                    Reason.TIMEOUT,
                    "no reply from channel '" + channel.name() + "' within " + timeout
                            + "; whether the request was handled is unknown");
            // What is chained to the reply must not hold up the other deadlines.
            Thread.startVirtualThread(() -> waiter.reply.completeExceptionally(failure));
        }
    }

    private void open() {
        if (subscription != null) {
            return;
        }
        opening.lock();
        try {
            if (closed) {
                throw new MessagingException(Reason.CLOSED, "the connection is closed; no request was sent");
            }
            if (subscription == null) {
                postroad.declare(replies);
                ConsumerOptions options = ConsumerOptions.DEFAULT
                        .withConcurrency(REPLY_CONCURRENCY)
                        .withName(replies.name());
                subscription = postroad.listen(replies.name(), Format.bytes(), options, this::replied);
            }
        } finally {
            opening.unlock();
        }
    }

    private void replied(Delivery<byte[], byte[]> delivery) {
        Message<byte[], byte[]> message = delivery.message();
        String correlation = message.correlationId();
        Waiter<?, ?> waiter = correlation == null ? null : waiters.get(correlation);
        if (waiter == null) {
            late.incrementAndGet();
            LOG.log(
                    System.Logger.Level.DEBUG,
                    "dropping a reply to request " + Text.line(correlation) + " that nobody waits for, at "
                            + Instant.now());
            return;
        }
        // Acknowledged at once: what the requester does with its reply is no matter of the reply channel.
        Thread.startVirtualThread(() -> complete(waiter, message));
    }

    private <A, B> void complete(Waiter<A, B> waiter, Message<byte[], byte[]> message) {
        String error = message.headers().get(ERROR_HEADER);
        if (error != null) {
            waiter.reply.completeExceptionally(new MessagingException(
                    Reason.FAILED, "the request was received, but handling it failed: " + error));
            return;
        }
        try {
            waiter.reply.complete(waiter.codec.decode(replies.name(), message));
        } catch (RuntimeException e) {
            waiter.reply.completeExceptionally(e);
        }
    }

    private static MessagingException closedWhileWaiting() {
        return new MessagingException(
                Reason.CLOSED,
                "the connection was closed before the reply came; whether the request was handled is unknown");
    }

    @Override
    public void close() {
        opening.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            opening.unlock();
        }
        deadlines.shutdownNow();
        waiters.values().forEach(waiter -> waiter.reply.completeExceptionally(closedWhileWaiting()));
        Subscription open = subscription;
        if (open != null) {
            open.close();
            try {
                postroad.administration().delete(replies.name());
            } catch (MessagingException e) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "the reply channel " + replies.name() + " could not be deleted: " + Text.line(e.getMessage()));
            }
        }
    }
}
