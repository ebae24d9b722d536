package dev.postroad.protocols.http;

import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.EngineDelivery;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where the deliveries of one consumer wait for its connection. Bounded by the consumer's credit. While nobody listens,
 * what comes is passed to whoever gives it back.
 */
final class Inbox implements DeliverySink {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<EngineDelivery> ready = new ArrayDeque<>();
    private final Consumer<List<EngineDelivery>> late;
    /** Touched by the engine's thread only. */
    private final List<EngineDelivery> turn = new ArrayList<>();

    private boolean listening;
    private boolean stopped;
    private @Nullable String cancelled;

    /** @param late takes what comes while nobody listens; called on a thread of its own */
    Inbox(boolean listening, Consumer<List<EngineDelivery>> late) {
        this.listening = listening;
        this.late = late;
    }

    @Override
    public void deliver(EngineDelivery delivery) {
        turn.add(delivery);
    }

    @Override
    public void flush() {
        if (turn.isEmpty()) {
            return;
        }
        List<EngineDelivery> unwanted = List.of();
        lock.lock();
        try {
            if (listening) {
                ready.addAll(turn);
                changed.signalAll();
            } else {
                unwanted = List.copyOf(turn);
            }
        } finally {
            lock.unlock();
        }
        turn.clear();
        giveBack(unwanted);
    }

    private void giveBack(List<EngineDelivery> unwanted) {
        if (!unwanted.isEmpty()) {
            // Not on the engine's thread: giving back may wait for the engine.
            Thread.startVirtualThread(() -> late.accept(unwanted));
        }
    }

    @Override
    public void cancelled(String reason) {
        lock.lock();
        try {
            cancelled = reason;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Says that somebody listens from now on, or nobody; what lies here then is given back. */
    void listen(boolean on) {
        List<EngineDelivery> unwanted = List.of();
        lock.lock();
        try {
            listening = on;
            if (!on) {
                unwanted = List.copyOf(ready);
                ready.clear();
            }
        } finally {
            lock.unlock();
        }
        giveBack(unwanted);
    }

    /** Nobody listens any more, for good; what lies here is the caller's to give back. */
    List<EngineDelivery> close() {
        lock.lock();
        try {
            listening = false;
            stopped = true;
            List<EngineDelivery> unwanted = List.copyOf(ready);
            ready.clear();
            changed.signalAll();
            return unwanted;
        } finally {
            lock.unlock();
        }
    }

    /** Wakes who waits, for good. */
    void stop() {
        lock.lock();
        try {
            stopped = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    boolean stopped() {
        lock.lock();
        try {
            return stopped;
        } finally {
            lock.unlock();
        }
    }

    /** Why the broker ended the consumer; null while it has not. */
    @Nullable
    String cancelledReason() {
        lock.lock();
        try {
            return cancelled;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Takes what is there, waiting for the first.
     *
     * @param max 1 or more
     * @param waitMillis how long; 0 not at all
     * @return empty when nothing came in time, or the inbox was stopped or cancelled
     */
    List<EngineDelivery> take(int max, long waitMillis) throws InterruptedException {
        long left = TimeUnit.MILLISECONDS.toNanos(waitMillis);
        lock.lockInterruptibly();
        try {
            while (ready.isEmpty() && left > 0 && !stopped && cancelled == null) {
                left = changed.awaitNanos(left);
            }
            List<EngineDelivery> taken = new ArrayList<>(Math.min(max, ready.size()));
            while (taken.size() < max && !ready.isEmpty()) {
                taken.add(ready.removeFirst());
            }
            return taken;
        } finally {
            lock.unlock();
        }
    }
}
