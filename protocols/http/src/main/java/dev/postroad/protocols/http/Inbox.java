package dev.postroad.protocols.http;

import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineMessage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where the deliveries of one consumer wait for its connection. Bounded by the consumer's credit, and in bytes: each may hold a
 * little, and more as long as all together hold no more than their share of the heap. While nobody listens, what comes is passed
 * to whoever gives it back.
 */
final class Inbox implements DeliverySink {
    /** What any may hold, however much the others do; one message, if it is larger. */
    private static final long LEAST_BYTES = 64 * 1024;

    private static final long MOST_BYTES = 8L * 1024 * 1024;
    private static final long OVERHEAD_BYTES = 256;

    /** What all inboxes together hold, beside what each may hold anyway. */
    record Share(AtomicLong taken, long mostBytes) {
        Share(long mostBytes) {
            this(new AtomicLong(), mostBytes);
        }
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<EngineDelivery> ready = new ArrayDeque<>();
    private final Consumer<List<EngineDelivery>> late;
    /** Touched by the engine's thread only. */
    private final List<EngineDelivery> turn = new ArrayList<>();

    private final Share share;
    private boolean listening;
    private boolean stopped;
    private @Nullable String cancelled;
    /** Bytes that were promised and have not been taken. */
    private long held;
    /** Something was refused for want of room. */
    private boolean starved;

    private Runnable resume = () -> {};

    /** @param late takes what comes while nobody listens; called on a thread of its own */
    Inbox(boolean listening, Share share, Consumer<List<EngineDelivery>> late) {
        this.listening = listening;
        this.share = share;
        this.late = late;
    }

    /** What to do when there is room again after something was refused: to tell the engine, without waiting for it. */
    void resumeWith(Runnable action) {
        lock.lock();
        try {
            resume = action;
        } finally {
            lock.unlock();
        }
    }

    private static long bytes(EngineMessage message) {
        byte[] payload = message.payload();
        return OVERHEAD_BYTES + (payload == null ? 0 : payload.length);
    }

    @Override
    public boolean takes(EngineMessage message) {
        long more = bytes(message);
        lock.lock();
        try {
            long then = held + more;
            boolean room = held == 0
                    || then <= LEAST_BYTES
                    || (then <= MOST_BYTES && share.taken.get() + more <= share.mostBytes);
            if (room) {
                held = then;
                share.taken.addAndGet(more);
            } else {
                starved = true;
            }
            return room;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void withheld(EngineMessage message) {
        lock.lock();
        try {
            free(bytes(message));
        } finally {
            lock.unlock();
        }
    }

    /** Under the lock. */
    private void free(List<EngineDelivery> deliveries) {
        deliveries.forEach(delivery -> free(bytes(delivery.message())));
    }

    private void free(long bytes) {
        held -= bytes;
        share.taken.addAndGet(-bytes);
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
                free(unwanted);
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
                free(unwanted);
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
            free(unwanted);
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
     * @param maxBytes about so many at most, but one delivery always
     * @param waitMillis how long; 0 not at all
     * @return empty when nothing came in time, or the inbox was stopped or cancelled
     */
    List<EngineDelivery> take(int max, long maxBytes, long waitMillis) throws InterruptedException {
        long left = TimeUnit.MILLISECONDS.toNanos(waitMillis);
        List<EngineDelivery> taken;
        Runnable then = () -> {};
        lock.lockInterruptibly();
        try {
            while (ready.isEmpty() && left > 0 && !stopped && cancelled == null) {
                left = changed.awaitNanos(left);
            }
            taken = new ArrayList<>(Math.min(max, ready.size()));
            long bytes = 0;
            while (taken.size() < max && bytes < maxBytes && !ready.isEmpty()) {
                EngineDelivery next = ready.removeFirst();
                bytes += bytes(next.message());
                taken.add(next);
            }
            free(bytes);
            if (starved && ready.isEmpty()) {
                starved = false;
                then = resume;
            }
        } finally {
            lock.unlock();
        }
        then.run();
        return taken;
    }
}
