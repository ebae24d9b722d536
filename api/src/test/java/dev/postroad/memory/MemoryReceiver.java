package dev.postroad.memory;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transport;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

final class MemoryReceiver implements Transport.Receiver {
    final ConsumerOptions options;
    final Predicate<Message<byte[], byte[]>> filter;

    private final MemoryBroker broker;
    private final List<Line> lines;
    private final Runnable onClose;
    private boolean closed;

    MemoryReceiver(MemoryBroker broker, List<Line> lines, ConsumerOptions options, Runnable onClose) {
        this.broker = broker;
        this.lines = lines;
        this.options = options;
        this.filter = Filter.of(options.filter());
        this.onClose = onClose;
        for (Line line : lines) {
            line.receivers.add(this);
        }
    }

    /** True if what comes on the line is to be kept for this one. */
    boolean outranks(MemoryReceiver other, Line line) {
        return options.priority() > other.options.priority() && hasRoom(line);
    }

    private boolean hasRoom(Line line) {
        return broker.bugs.contains(Bug.IGNORES_PREFETCH) || line.heldBy(this) < line.prefetch(options);
    }

    @Override
    public List<Delivery<byte[], byte[]>> receive(int max, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        broker.lock.lockInterruptibly();
        try {
            while (true) {
                if (closed) {
                    throw new MessagingException(Reason.CLOSED, "the receiver is closed");
                }
                RuntimeException failure = broker.nextReceiveFailure();
                if (failure != null) {
                    throw failure;
                }
                List<Delivery<byte[], byte[]>> taken = take(max);
                long left = deadline - System.nanoTime();
                if (!taken.isEmpty() || left <= 0) {
                    return taken;
                }
                broker.changed.awaitNanos(Math.min(left, nanosToNextChange()));
            }
        } finally {
            broker.lock.unlock();
        }
    }

    private long nanosToNextChange() {
        Instant now = broker.clock.instant();
        long nearest = Long.MAX_VALUE;
        for (Line line : lines) {
            Instant next = line.nextChange(now);
            if (next != null) {
                nearest = Math.min(
                        nearest, Math.max(1, Duration.between(now, next).toNanos()));
            }
        }
        return Math.max(nearest, TimeUnit.MICROSECONDS.toNanos(100));
    }

    private List<Delivery<byte[], byte[]>> take(int max) {
        Instant now = broker.clock.instant();
        List<Delivery<byte[], byte[]>> taken = new ArrayList<>();
        for (Line line : lines) {
            broker.sweep(line, now);
            while (taken.size() < max && hasRoom(line)) {
                Item item = line.take(this, now, broker.bugs);
                if (item == null) {
                    break;
                }
                taken.add(delivered(line, item));
            }
        }
        return taken;
    }

    private Delivery<byte[], byte[]> delivered(Line line, Item item) {
        if (broker.bugs.contains(Bug.ACKNOWLEDGES_ON_DELIVERY)) {
            line.items.remove(item);
        }
        boolean another = line.receivers.stream().anyMatch(receiver -> receiver != this);
        if (broker.bugs.contains(Bug.BROADCASTS_QUEUES) && line.group == null && another && item.attempts == 1) {
            line.add(new Item(item.sequence, item.message, -1, -1, item.expires), true);
            line.items.getFirst().attempts = 1;
        }
        return new MemoryDelivery(broker, line, item, this);
    }

    @Override
    public CompletableFuture<Void> acknowledge(List<Delivery<byte[], byte[]>> deliveries) {
        CompletableFuture<?>[] all =
                deliveries.stream().map(Delivery::acknowledge).toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(all);
    }

    @Override
    public void close() {
        broker.locked(() -> {
            if (closed) {
                return;
            }
            closed = true;
            for (Line line : lines) {
                line.receivers.remove(this);
                line.stored.alone.remove(line);
                giveBack(line);
            }
            broker.changed.signalAll();
        });
        onClose.run();
    }

    private void giveBack(Line line) {
        for (Iterator<Item> each = line.items.iterator(); each.hasNext(); ) {
            Item item = each.next();
            if (item.holder == this && !broker.bugs.contains(Bug.KEEPS_DELIVERIES_OF_THE_DEAD)) {
                item.release(null);
            }
        }
    }
}
