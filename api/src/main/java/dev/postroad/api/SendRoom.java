package dev.postroad.api;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Bounds how many sends of a producer are under way. Who sends and who confirms are different threads, mostly on different cores: each
 * side counts by itself, and looks at the other's count only now and then. A semaphore, whose one count both change for each message,
 * took a tenth of the time of a fast send. Safe for use by many threads.
 */
final class SendRoom {
    /** So far apart in an array that two counts share no line of the processor's cache. */
    private static final int APART = 16;

    private static final int ENTERED = APART;
    private static final int LEFT = 2 * APART;
    private static final int WAITING = 3 * APART;

    /** Who waits is woken once for so many that left. A power of two. */
    private static final int WOKEN_FOR = 512;

    private final int size;
    private final AtomicLongArray counts = new AtomicLongArray(4 * APART);
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** How many had left when somebody looked last. Often read and seldom written. */
    private volatile long seenLeaving;

    /** @param size under way at most; a multiple of {@value #WOKEN_FOR}, and twice that at least */
    SendRoom(int size) {
        this.size = size;
    }

    /**
     * Begins a send; waits while there are too many.
     *
     * @throws InterruptedException if interrupted while it waited; then nothing is begun
     */
    void enter() throws InterruptedException {
        long number = counts.getAndIncrement(ENTERED);
        if (number - seenLeaving >= size) {
            long left = counts.get(LEFT);
            seenLeaving = left;
            if (number - left >= size) {
                await(number);
            }
        }
    }

    private void await(long number) throws InterruptedException {
        boolean entered = false;
        lock.lock();
        try {
            counts.incrementAndGet(WAITING);
            while (number - counts.get(LEFT) >= size) {
                changed.await();
            }
            entered = true;
        } finally {
            counts.decrementAndGet(WAITING);
            lock.unlock();
            if (!entered) {
                leave();
            }
        }
    }

    /** Ends a send, once for each. */
    void leave() {
        long left = counts.incrementAndGet(LEFT);
        if (counts.get(WAITING) > 0 && ((left & (WOKEN_FOR - 1)) == 0 || left == counts.get(ENTERED))) {
            lock.lock();
            try {
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** How many are under way. */
    long underWay() {
        // In this order: one that ends in between counts as under way still.
        long left = counts.get(LEFT);
        return counts.get(ENTERED) - left;
    }

    /**
     * Waits until none is under way.
     *
     * @return false if the time ran out before
     */
    boolean awaitEmpty(long seconds) throws InterruptedException {
        long nanos = TimeUnit.SECONDS.toNanos(seconds);
        lock.lock();
        try {
            counts.incrementAndGet(WAITING);
            while (underWay() > 0) {
                if (nanos <= 0) {
                    return false;
                }
                nanos = changed.awaitNanos(nanos);
            }
            return true;
        } finally {
            counts.decrementAndGet(WAITING);
            lock.unlock();
        }
    }
}
