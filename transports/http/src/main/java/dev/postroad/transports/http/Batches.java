package dev.postroad.transports.http;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Carries things in batches: while one batch is under way the next gathers, so that under load a request carries many and
 * without load nothing waits. One batch at a time, in order. Bounded in bytes: beyond that who adds waits.
 *
 * @param <T> what is carried
 */
final class Batches<T extends Batches.Item> {
    private final int maxItems;
    private final long maxBatchBytes;
    private final long maxBytes;
    private final Consumer<List<T>> carrier;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<T> waiting = new ArrayDeque<>();
    private long bytes;
    private boolean running;

    /** Something to be carried. */
    interface Item {
        int bytes();
    }

    /** @param carrier called on a virtual thread, with one batch at a time; must not throw */
    Batches(int maxItems, long maxBatchBytes, long maxBytes, Consumer<List<T>> carrier) {
        this.maxItems = maxItems;
        this.maxBatchBytes = maxBatchBytes;
        this.maxBytes = maxBytes;
        this.carrier = carrier;
    }

    void add(T item) {
        lock.lock();
        try {
            while (bytes > maxBytes) {
                changed.awaitUninterruptibly();
            }
            waiting.addLast(item);
            bytes += item.bytes();
            if (!running) {
                running = true;
                Thread.ofVirtual().name("postroad-http-batch").start(this::run);
            }
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        List<T> batch = next();
        while (!batch.isEmpty()) {
            carrier.accept(batch);
            batch = next();
        }
    }

    private List<T> next() {
        lock.lock();
        try {
            List<T> batch = new ArrayList<>();
            long size = 0;
            while (!waiting.isEmpty()
                    && batch.size() < maxItems
                    && (batch.isEmpty() || size + waiting.getFirst().bytes() <= maxBatchBytes)) {
                T item = waiting.removeFirst();
                size += item.bytes();
                batch.add(item);
            }
            bytes -= size;
            if (batch.isEmpty()) {
                running = false;
            }
            changed.signalAll();
            return batch;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until all that was added has been carried, or the time is over. */
    void drain(long millis) {
        long left = TimeUnit.MILLISECONDS.toNanos(millis);
        lock.lock();
        try {
            while (running && left > 0) {
                left = changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }
}
