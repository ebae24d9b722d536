package dev.postroad.transports.http;

import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transport;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What its sources bring, for one consumer to take. Queues are bounded by the prefetch that the server keeps to. */
final class HttpReceiver implements Transport.Receiver {
    private static final int MAX_READ_AHEAD = 1_000;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Delivery<byte[], byte[]>> ready = new ArrayDeque<>();
    private final List<Source> sources = new CopyOnWriteArrayList<>();
    private final Consumer<HttpReceiver> whenClosed;
    private @Nullable MessagingException failure;
    private boolean closed;

    HttpReceiver(Consumer<HttpReceiver> whenClosed) {
        this.whenClosed = whenClosed;
    }

    void add(Source source) {
        sources.add(source);
        source.open();
    }

    List<Source> sources() {
        return sources;
    }

    // ── From the sources ─────────────────────────────────────────────────────────────────────────────────────────────

    void arrived(Delivery<byte[], byte[]> delivery) {
        lock.lock();
        try {
            ready.addLast(delivery);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The same, waiting while much lies here that nobody has taken. */
    void arrivedBounded(Delivery<byte[], byte[]> delivery) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (ready.size() >= MAX_READ_AHEAD && !closed) {
                changed.await();
            }
            ready.addLast(delivery);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Drops what came through a connection that is gone: it went back. */
    void forget(ConsumeSource.Connection connection) {
        lock.lock();
        try {
            ready.removeIf(delivery -> delivery instanceof HttpDelivery ours && ours.connection() == connection);
        } finally {
            lock.unlock();
        }
    }

    /** A source ended for good. */
    void failed(MessagingException cause) {
        lock.lock();
        try {
            failure = cause;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ── To the consumer ──────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public List<Delivery<byte[], byte[]>> receive(int max, Duration timeout) throws InterruptedException {
        if (max < 1) {
            throw new MessagingException(Reason.INVALID, "max is " + max + "; it must be 1 or more");
        }
        long left = nanos(timeout);
        lock.lockInterruptibly();
        try {
            while (ready.isEmpty()) {
                if (closed) {
                    throw new MessagingException(Reason.CLOSED, "the receiver is closed");
                }
                if (failure != null) {
                    throw new MessagingException(failure.reason(), String.valueOf(failure.getMessage()), failure);
                }
                if (left <= 0) {
                    return List.of();
                }
                left = changed.awaitNanos(left);
            }
            List<Delivery<byte[], byte[]>> taken = new ArrayList<>(Math.min(max, ready.size()));
            while (taken.size() < max && !ready.isEmpty()) {
                Delivery<byte[], byte[]> delivery = ready.removeFirst();
                if (delivery instanceof HttpDelivery ours) {
                    ours.connection().received();
                }
                taken.add(delivery);
            }
            changed.signalAll();
            return taken;
        } finally {
            lock.unlock();
        }
    }

    private static long nanos(Duration timeout) {
        try {
            return timeout.toNanos();
        } catch (ArithmeticException e) {
            return timeout.isNegative() ? 0 : Long.MAX_VALUE;
        }
    }

    @Override
    public CompletableFuture<Void> acknowledge(List<Delivery<byte[], byte[]>> deliveries) {
        Map<ConsumeSource.Connection, List<String>> names = new LinkedHashMap<>();
        List<CompletableFuture<Void>> parts = new ArrayList<>();
        for (Delivery<byte[], byte[]> delivery : deliveries) {
            if (delivery instanceof HttpDelivery ours) {
                if (ours.take()) {
                    names.computeIfAbsent(ours.connection(), c -> new ArrayList<>())
                            .add(ours.name());
                } else {
                    parts.add(CompletableFuture.failedFuture(ours.alreadySettled()));
                }
            } else {
                parts.add(delivery.acknowledge());
            }
        }
        names.forEach((connection, list) -> parts.add(connection.settle(list, null)));
        return parts.size() == 1 ? parts.getFirst() : all(parts);
    }

    private static CompletableFuture<Void> all(List<CompletableFuture<Void>> parts) {
        CompletableFuture<Void> all = new CompletableFuture<>();
        CompletableFuture.allOf(parts.toArray(CompletableFuture[]::new)).whenComplete((done, failure) -> {
            if (failure == null) {
                all.complete(done);
            } else {
                all.completeExceptionally(failure.getCause() == null ? failure : failure.getCause());
            }
        });
        return all;
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            ready.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        sources.forEach(Source::close);
        whenClosed.accept(this);
    }
}
