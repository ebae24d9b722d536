package dev.postroad.transports.kafka;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.kafka.clients.producer.KafkaProducer;

/**
 * Bounds how many bytes of messages are on their way to one topic. Kafka's client has a few batches of each partition on the wire; all
 * else that is sent ahead of them waits in memory and gains nothing: what four thousand messages hold is no longer in the processor's
 * cache when their confirms come, and sending was a fifth slower. Safe for use by many threads; who sends and who confirms count apart,
 * for they are different threads.
 */
final class SendAhead {
    /** So far apart in an array that two counts share no line of the processor's cache. */
    private static final int APART = 16;

    private static final int ENTERED = APART;
    private static final int LEFT = 2 * APART;
    private static final int WAITING = 3 * APART;

    private final long most;
    private final int step;
    private final AtomicLongArray counts = new AtomicLongArray(4 * APART);
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** How many had left when somebody looked last. Often read and seldom written. */
    private volatile long seenLeaving;

    /**
     * @param most bytes under way with which another message may still begin, 1 or more: one of any size is never too large, and all
     *     are as many and the last one at most
     */
    SendAhead(long most) {
        this.most = most;
        // Who waits is woken once for an eighth to a quarter of it.
        this.step = Math.max(0, 61 - Long.numberOfLeadingZeros(most));
    }

    /**
     * Begins to send so many bytes; waits while there are too many, in the order in which they came. Does not wait on the thread that
     * tells of confirms, where what it waits for could not come.
     *
     * @throws InterruptedException if interrupted while it waited; then nothing is begun
     */
    void enter(long bytes) throws InterruptedException {
        long before = counts.getAndAdd(ENTERED, bytes);
        if (before - seenLeaving >= most) {
            long left = counts.get(LEFT);
            seenLeaving = left;
            if (before - left >= most && !confirming()) {
                await(before, bytes);
            }
        }
    }

    private static boolean confirming() {
        return Thread.currentThread().getName().startsWith(KafkaProducer.NETWORK_THREAD_PREFIX);
    }

    private void await(long before, long bytes) throws InterruptedException {
        boolean entered = false;
        lock.lock();
        try {
            counts.incrementAndGet(WAITING);
            while (before - counts.get(LEFT) >= most) {
                changed.await();
            }
            entered = true;
        } finally {
            counts.decrementAndGet(WAITING);
            lock.unlock();
            if (!entered) {
                leave(bytes);
            }
        }
    }

    /** So many bytes are confirmed or refused; once for each that were begun. */
    void leave(long bytes) {
        long left = counts.addAndGet(LEFT, bytes);
        if (counts.get(WAITING) > 0 && left >> step != left - bytes >> step) {
            lock.lock();
            try {
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
