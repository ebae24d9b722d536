package dev.postroad.transports.embedded;

import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transport;
import dev.postroad.engine.Command;
import dev.postroad.engine.runtime.Broker;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Hands deliveries from the engine's thread to those who receive. The engine takes the lock once per source and turn, and wakes
 * the receiver once for all that came in it.
 */
final class EmbeddedReceiver implements Transport.Receiver {
    /** How often a receiver that waits looks whether the broker is still there. */
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final Broker broker;
    private final java.util.function.Consumer<EmbeddedReceiver> onClose;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // with the lock
    private final ArrayDeque<Source.Arrival> arrived = new ArrayDeque<>();
    private final List<Source> sources = new ArrayList<>();
    private @Nullable MessagingException ended;
    private boolean closed;

    EmbeddedReceiver(Broker broker, java.util.function.Consumer<EmbeddedReceiver> onClose) {
        this.broker = broker;
        this.onClose = onClose;
    }

    void add(Source source) {
        lock.lock();
        try {
            sources.add(source);
        } finally {
            lock.unlock();
        }
    }

    // ── On the engine's thread ───────────────────────────────────────────────────────────────────────────────────────

    /**
     * Deliveries of one turn.
     *
     * @param bound what the source holds at most: what lies here beyond it has lost its lease, the oldest first
     */
    void arrived(Source source, List<Source.Arrival> arrivals, int bound) {
        lock.lock();
        try {
            arrived.addAll(arrivals);
            source.waiting += arrivals.size();
            if (source.waiting > bound) {
                dropOldest(source, source.waiting - bound);
            }
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    private void dropOldest(Source source, int surplus) {
        int left = surplus;
        for (Iterator<Source.Arrival> each = arrived.iterator(); left > 0 && each.hasNext(); ) {
            if (each.next().source() == source) {
                each.remove();
                left--;
            }
        }
        source.waiting -= surplus - left;
    }

    /** Nothing comes from the source any more, and what it handed over is not its own any more. */
    void ended(Source source, MessagingException why) {
        lock.lock();
        try {
            ended = why;
            arrived.removeIf(arrival -> arrival.source() == source);
            source.waiting = 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Something may have to be requested. */
    void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ── Receiving ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public List<Delivery<byte[], byte[]>> receive(int max, Duration timeout) throws InterruptedException {
        if (max < 1) {
            throw new MessagingException(Reason.INVALID, "max is " + max + "; it must be 1 or more");
        }
        long begun = System.nanoTime();
        long wait = Times.nanos(timeout);
        List<Source.Arrival> taken = new ArrayList<>();
        while (true) {
            request();
            lock.lockInterruptibly();
            try {
                take(max, taken);
                if (taken.isEmpty()) {
                    long left = wait - (System.nanoTime() - begun);
                    if (left <= 0) {
                        return List.of();
                    }
                    changed.awaitNanos(Math.min(left, LOOK_NANOS));
                    take(max, taken);
                }
            } finally {
                lock.unlock();
            }
            if (!taken.isEmpty()) {
                List<Delivery<byte[], byte[]>> deliveries = new ArrayList<>(taken.size());
                for (Source.Arrival arrival : taken) {
                    deliveries.add(arrival.toDelivery());
                }
                return deliveries;
            }
            broker.failure().ifPresent(why -> {
                throw new MessagingException(Reason.STORAGE_FAILED, why);
            });
        }
    }

    private void request() {
        for (Source source : sources) {
            source.request();
        }
    }

    private void take(int max, List<Source.Arrival> into) {
        if (closed) {
            throw new MessagingException(Reason.CLOSED, "the receiver is closed");
        }
        while (into.size() < max) {
            Source.Arrival next = arrived.poll();
            if (next == null) {
                break;
            }
            next.source().waiting--;
            into.add(next);
        }
        MessagingException why = ended;
        if (into.isEmpty() && why != null) {
            throw new MessagingException(why.reason(), String.valueOf(why.getMessage()), why);
        }
    }

    // ── Settling many ────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    @SuppressWarnings("NullAway") // the one value of Void
    public CompletableFuture<Void> acknowledge(List<Delivery<byte[], byte[]>> deliveries) {
        Map<QueueSource, List<EmbeddedDelivery>> bySource = new LinkedHashMap<>();
        MessagingException twice = null;
        for (Delivery<byte[], byte[]> delivery : deliveries) {
            switch (delivery) {
                case EmbeddedDelivery ours -> {
                    if (ours.take()) {
                        bySource.computeIfAbsent(ours.source(), source -> new ArrayList<>(deliveries.size()))
                                .add(ours);
                    } else {
                        twice = ours.alreadySettled();
                    }
                }
                case ReadDelivery read -> read.acknowledge();
                default -> throw EmbeddedTransaction.foreign(delivery);
            }
        }
        List<CompletableFuture<Void>> settled = new ArrayList<>();
        bySource.forEach((source, mine) -> settled.add(source.settle(mine, Command.Outcome.Acknowledge.INSTANCE)));
        if (twice != null) {
            settled.add(CompletableFuture.failedFuture(twice));
        }
        return switch (settled.size()) {
            case 0 -> CompletableFuture.completedFuture(null);
            case 1 -> settled.getFirst();
            default -> CompletableFuture.allOf(settled.toArray(CompletableFuture[]::new));
        };
    }

    // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            sources.forEach(Source::stop);
            Map<Source, List<Source.Arrival>> untouched = takeUntouched();
            sources.forEach(source -> source.close(untouched.getOrDefault(source, List.of())));
        } finally {
            onClose.accept(this);
        }
    }

    private Map<Source, List<Source.Arrival>> takeUntouched() {
        Map<Source, List<Source.Arrival>> untouched = new HashMap<>();
        lock.lock();
        try {
            for (Source.Arrival arrival : arrived) {
                untouched
                        .computeIfAbsent(arrival.source(), source -> new ArrayList<>())
                        .add(arrival);
            }
            arrived.clear();
            return untouched;
        } finally {
            lock.unlock();
        }
    }
}
