package dev.postroad.benchmarks;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Bounds how far one sender runs ahead of the confirmations, and of the consumer. A sender that waits is woken once for many
 * confirmations, so that the generator costs little.
 */
final class Window {
    private static final int SPINS = 100;

    /** Each count is written by a thread of its own: so far apart they share no line of the processor's cache. */
    private static final int APART = 16;

    private static final int SENT = APART;
    private static final int CONFIRMED = 2 * APART;
    private static final int CONSUMED = 3 * APART;
    private static final long MOST_WAITED_NANOS = 1_000_000;

    private final int size;
    private final long backlog;
    private final AtomicLongArray counts = new AtomicLongArray(3 * APART + APART);
    private volatile @Nullable Thread waiting;

    /**
     * @param size messages sent and not confirmed at most
     * @param backlog messages sent and not consumed at most; where nothing consumes, {@link Long#MAX_VALUE}
     */
    Window(int size, long backlog) {
        this.size = size;
        this.backlog = backlog;
    }

    /** By the sender, before each message: waits for room. False if it was told to stop meanwhile. */
    boolean enter(Stop stop) {
        while (full()) {
            if (stop.stopped()) {
                return false;
            }
            for (int i = 0; i < SPINS && full(); i++) {
                Thread.onSpinWait();
            }
            if (full()) {
                waiting = Thread.currentThread();
                if (full()) {
                    LockSupport.parkNanos(MOST_WAITED_NANOS);
                }
                waiting = null;
            }
        }
        counts.setRelease(SENT, counts.getPlain(SENT) + 1);
        return true;
    }

    private boolean full() {
        return sent() - confirmed() >= size || sent() - consumed() >= backlog;
    }

    void confirm() {
        wake(sent() - counts.incrementAndGet(CONFIRMED), size);
    }

    void consume() {
        wake(sent() - counts.incrementAndGet(CONSUMED), backlog);
    }

    private void wake(long outstanding, long bound) {
        Thread sender = waiting;
        if (sender != null && outstanding <= bound - (bound >> 2)) {
            waiting = null;
            LockSupport.unpark(sender);
        }
    }

    long sent() {
        return counts.get(SENT);
    }

    long confirmed() {
        return counts.get(CONFIRMED);
    }

    long consumed() {
        return counts.get(CONSUMED);
    }

    /** Whether a load is to end. */
    interface Stop {
        boolean stopped();
    }
}
