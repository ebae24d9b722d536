package dev.postroad.api;

import dev.postroad.api.TypedDelivery.Outcome;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Handlers at work on one channel.
 *
 * <pre>
 *   receiver ──▶ ReceiveLoop ──▶ Lanes ──▶ up to `concurrency` virtual threads ──▶ Handler ──▶ settle
 * </pre>
 *
 * A thread that is through with one delivery takes the next; it ends when there is none. Nothing here waits for a retry:
 * the delivery goes back with its delay, and the broker brings it again.
 */
final class HandlerSubscription<K, V> implements Subscription, TypedDelivery.Settlements {
    private static final System.Logger LOG = System.getLogger("dev.postroad.api");
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);

    private final Channel channel;
    private final MessageCodec<K, V> codec;
    private final Handler<K, V> handler;
    private final Transport.Receiver receiver;
    private final int concurrency;
    private final Runnable onClose;
    private final ReceiveLoop loop;
    private final AtomicLongArray outcomes = new AtomicLongArray(Outcome.values().length);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition quieter = lock.newCondition();
    private final Lanes lanes;
    private final Set<Thread> workers = new HashSet<>();
    private final AtomicLong settlements = new AtomicLong();
    private volatile boolean closing;
    private volatile boolean interrupting;

    HandlerSubscription(
            Channel channel,
            MessageCodec<K, V> codec,
            Handler<K, V> handler,
            Transport.Receiver receiver,
            int concurrency,
            Runnable onClose) {
        this.channel = channel;
        this.codec = codec;
        this.handler = handler;
        this.receiver = receiver;
        this.concurrency = concurrency;
        this.onClose = onClose;
        this.lanes = new Lanes(channel.orderedByKey());
        this.loop = new ReceiveLoop(channel.name(), receiver, this::arrived);
    }

    void start() {
        loop.start();
    }

    @Override
    public boolean active() {
        return loop.active();
    }

    @Override
    public Counts counts() {
        return new Counts(
                outcomes.get(Outcome.ACKNOWLEDGED.ordinal()),
                outcomes.get(Outcome.RETRIED.ordinal()),
                outcomes.get(Outcome.DEAD_LETTERED.ordinal()));
    }

    private void arrived(List<Delivery<byte[], byte[]>> deliveries) {
        lock.lock();
        try {
            for (Delivery<byte[], byte[]> delivery : deliveries) {
                lanes.arrived(delivery);
            }
            while (!closing && workers.size() < concurrency) {
                Delivery<byte[], byte[]> first = lanes.next();
                if (first == null) {
                    return;
                }
                Thread worker = Thread.ofVirtual()
                        .name("postroad-handle-" + channel.name())
                        .unstarted(() -> work(first));
                workers.add(worker);
                worker.start();
            }
        } finally {
            lock.unlock();
        }
    }

    private void work(Delivery<byte[], byte[]> first) {
        try {
            Delivery<byte[], byte[]> delivery = first;
            while (delivery != null) {
                handle(delivery);
                delivery = nextAfter(delivery);
            }
        } finally {
            lock.lock();
            try {
                workers.remove(Thread.currentThread());
                quieter.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** Null tells the worker to end; it counts as one until then, so that nothing is left lying without one. */
    private @Nullable Delivery<byte[], byte[]> nextAfter(Delivery<byte[], byte[]> done) {
        lock.lock();
        try {
            if (closing) {
                workers.remove(Thread.currentThread());
                return null;
            }
            lanes.done(done);
            Delivery<byte[], byte[]> next = lanes.next();
            if (next == null) {
                workers.remove(Thread.currentThread());
            }
            return next;
        } finally {
            lock.unlock();
        }
    }

    private void handle(Delivery<byte[], byte[]> raw) {
        TypedDelivery<K, V> delivery;
        try {
            delivery = new TypedDelivery<>(raw, codec.decode(channel.name(), raw.message()), this);
        } catch (Throwable e) {
            unreadable(raw, e);
            return;
        }
        try {
            handler.handle(delivery);
            if (!delivery.taken()) {
                settle(Outcome.ACKNOWLEDGED, raw::acknowledge);
            }
        } catch (Throwable e) {
            failed(raw, delivery, e);
        } finally {
            if (!interrupting) {
                // A handler's stray interrupt must not hit the next delivery.
                Thread.interrupted();
            }
        }
    }

    private void unreadable(Delivery<byte[], byte[]> raw, Throwable why) {
        boolean forGood = switch (why) {
            case MessagingException messaging ->
                messaging.reason() == MessagingException.Reason.SERDE
                        || messaging.reason() == MessagingException.Reason.TOO_LARGE;
            case RuntimeException broken -> true;
            case StackOverflowError nested -> true;
            // No memory, a class that is missing: this may be the process and not the message.
            default -> false;
        };
        if (forGood) {
            giveUp(raw, why instanceof StackOverflowError ? why.toString() : String.valueOf(why.getMessage()), why);
        } else {
            retryOrGiveUp(raw, why.toString(), why, backoff(raw));
        }
    }

    private void failed(Delivery<byte[], byte[]> raw, TypedDelivery<K, V> delivery, Throwable failure) {
        if (delivery.taken()) {
            LOG.log(
                    Level.WARNING,
                    "a handler of channel " + channel.name() + " failed after it had settled message "
                            + Text.line(raw.message().id()) + " itself",
                    failure);
            return;
        }
        if (interrupting) {
            // Cut short by close(): the message goes back when the receiver closes.
            return;
        }
        if (closing && failure instanceof InterruptedException) {
            // It waited for better times, and has begun nothing.
            settle(Outcome.GIVEN_BACK, raw::giveBack);
            return;
        }
        switch (failure) {
            case Handler.DeadLetterException e -> giveUp(raw, String.valueOf(e.getMessage()), orItself(e));
            case Handler.RetryAfterException e -> retryOrGiveUp(raw, reason(e), orItself(e), e.delay());
            default -> retryOrGiveUp(raw, failure.toString(), failure, backoff(raw));
        }
    }

    private static Throwable orItself(RuntimeException e) {
        return e.getCause() == null ? e : e.getCause();
    }

    private static String reason(Handler.RetryAfterException e) {
        return e.getCause() == null ? e.toString() : String.valueOf(e.getMessage());
    }

    private Duration backoff(Delivery<byte[], byte[]> raw) {
        return channel.retry()
                .delayAfter(raw.attempt(), String.valueOf(raw.message().id()));
    }

    private void retryOrGiveUp(Delivery<byte[], byte[]> raw, String reason, Throwable failure, Duration delay) {
        if (raw.attempt() >= channel.retry().maxAttempts()) {
            giveUp(raw, reason, failure);
            return;
        }
        Instant now = Instant.now();
        if (!channel.retry().allows(failedFirst(raw, now), now, delay)) {
            giveUp(raw, reason + " (no other attempt within " + channel.retry().maxElapsed() + ")", failure);
            return;
        }
        if (LOG.isLoggable(Level.DEBUG)) {
            LOG.log(
                    Level.DEBUG,
                    "attempt " + raw.attempt() + " at message "
                            + Text.line(raw.message().id()) + " of channel " + channel.name() + " failed, next in "
                            + delay + ": " + Text.line(reason));
        }
        settle(Outcome.RETRIED, () -> raw.retry(delay));
        // What came behind it with the same key must not overtake it now.
        for (Delivery<byte[], byte[]> parked : takeParkedBehind(raw)) {
            settle(Outcome.RETRIED, () -> parked.retry(delay));
        }
    }

    private static Instant failedFirst(Delivery<byte[], byte[]> raw, Instant now) {
        Instant first = raw.firstFailure();
        return first != null ? first : raw.attempt() == 1 ? now : raw.message().timestamp();
    }

    private void giveUp(Delivery<byte[], byte[]> raw, String reason, Throwable failure) {
        LOG.log(
                Level.WARNING,
                "giving up message " + Text.line(raw.message().id()) + " of channel " + channel.name()
                        + " after attempt " + raw.attempt() + ": " + Text.line(reason));
        settle(Outcome.DEAD_LETTERED, () -> raw.deadLetter(reason, failure));
    }

    private List<Delivery<byte[], byte[]>> takeParkedBehind(Delivery<byte[], byte[]> raw) {
        lock.lock();
        try {
            return lanes.takeParkedBehind(raw);
        } finally {
            lock.unlock();
        }
    }

    private void settle(Outcome outcome, Supplier<CompletableFuture<Void>> settlement) {
        try {
            settling(outcome, settlement.get());
        } catch (RuntimeException e) {
            notSettled(outcome, e);
        }
    }

    @Override
    public boolean closing() {
        return closing;
    }

    @Override
    public void settling(Outcome outcome, CompletableFuture<Void> settled) {
        settlements.incrementAndGet();
        settled.whenComplete((done, failure) -> {
            if (failure == null) {
                outcomes.incrementAndGet(outcome.ordinal());
            } else {
                notSettled(outcome, failure);
            }
            if (settlements.decrementAndGet() == 0 && closing) {
                signalQuieter();
            }
        });
    }

    private void notSettled(Outcome outcome, Throwable failure) {
        LOG.log(
                Level.WARNING,
                "a message of channel " + channel.name() + " could not be settled (" + outcome
                        + ") and will be delivered again: "
                        + Text.line(Blocking.unwrap(failure).toString()));
    }

    private void signalQuieter() {
        lock.lock();
        try {
            quieter.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean close(Duration timeout) {
        if (calledByHandler()) {
            // Waiting for oneself would never end.
            Thread.ofVirtual().name("postroad-close-" + channel.name()).start(() -> close(timeout));
            return false;
        }
        long deadline = System.nanoTime() + timeout.toNanos();
        boolean ended = false;
        try {
            ended = drain(deadline);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!ended) {
            interruptHandlers();
        }
        try {
            receiver.close();
        } finally {
            onClose.run();
        }
        return ended;
    }

    @Override
    public void close() {
        close(CLOSE_TIMEOUT);
    }

    private boolean calledByHandler() {
        lock.lock();
        try {
            return workers.contains(Thread.currentThread());
        } finally {
            lock.unlock();
        }
    }

    private boolean drain(long deadline) throws InterruptedException {
        closing = true;
        loop.stop(deadline);
        for (Delivery<byte[], byte[]> unbegun : takeUnbegun()) {
            settle(Outcome.GIVEN_BACK, unbegun::giveBack);
        }
        lock.lock();
        try {
            while (!workers.isEmpty() || settlements.get() > 0) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return workers.isEmpty();
                }
                quieter.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }

    private List<Delivery<byte[], byte[]>> takeUnbegun() {
        lock.lock();
        try {
            return lanes.takeAll();
        } finally {
            lock.unlock();
        }
    }

    private void interruptHandlers() {
        lock.lock();
        try {
            interrupting = true;
            workers.forEach(Thread::interrupt);
        } finally {
            lock.unlock();
        }
    }
}
