package dev.postroad.transports.emulation;

import dev.postroad.api.Channel;
import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Transport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What its inflows bring, for one consumer to take in turn. */
public final class SharedReceiver implements Transport.Receiver {
    private static final long GATHER_NANOS = 1_000_000;
    private static final long FLOW_NANOS = 2_000_000;
    private static final int ENOUGH = 128;

    /** Part of the prefetch that is enough: what is taken together is settled together, and the rest must last until then. */
    private static final int PIECES = 4;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Inflow> inflows = new CopyOnWriteArrayList<>();
    private final ScheduledExecutorService timer;
    private final Consumer<SharedReceiver> whenClosed;

    /** True while somebody may wait for what comes. */
    private volatile boolean asleep;

    /** What the consumer's thread works at while it waits. */
    private @Nullable Driven driven;

    /** Waits a moment for more to come. */
    private volatile @Nullable Thread gatherer;

    private @Nullable MessagingException failure;
    private int turn;

    /** How many deliveries were taken last, and when. */
    private int takenLast;

    private long takenAt;
    private boolean closed;

    /**
     * @param timer for leases and retries; its tasks here are short
     * @param whenClosed is told once
     */
    public SharedReceiver(ScheduledExecutorService timer, Consumer<SharedReceiver> whenClosed) {
        this.timer = timer;
        this.whenClosed = whenClosed;
    }

    /**
     * Adds a channel, or a group of a stream.
     *
     * @param keepsRetries true if failed deliveries wait here, their keys with them, instead of going back to the broker
     */
    public Inflow add(Channel channel, int prefetch, @Nullable Duration lease, boolean keepsRetries, Settler settler) {
        Inflow inflow = new Inflow(this, channel, prefetch, lease, keepsRetries, false, settler, timer);
        inflows.add(inflow);
        return inflow;
    }

    /** Adds a stream that is read alone: nothing of it is remembered, and its settler is only closed. */
    public Inflow addAlone(Channel stream, Settler settler) {
        Inflow inflow = new Inflow(this, stream, Integer.MAX_VALUE, null, false, true, settler, timer);
        inflows.add(inflow);
        return inflow;
    }

    void awaitWhile(BooleanSupplier full) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (!closed && full.getAsBoolean()) {
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }

    /** It ended for good: receiving tells so. */
    public void failed(MessagingException cause) {
        locked(() -> failure = cause);
    }

    void locked(Runnable change) {
        lock.lock();
        try {
            change.run();
            signal();
        } finally {
            lock.unlock();
        }
    }

    /** Under the lock: tells whoever waits here, and whoever drives, if there is something to take. */
    private void signal() {
        changed.signalAll();
        Driven at = driven;
        if (at != null && inflows.stream().anyMatch(Inflow::hasReady)) {
            at.wake();
        }
    }

    /** Something came where nothing lay: wakes who waits for it, and costs next to nothing where nobody does. */
    void came() {
        if (asleep) {
            locked(() -> asleep = false);
        }
    }

    /** Many came at once: nobody needs to gather them. */
    void cameTogether() {
        LockSupport.unpark(gatherer);
    }

    /** Asks only: nobody is woken. */
    boolean is(BooleanSupplier question) {
        lock.lock();
        try {
            return question.getAsBoolean();
        } finally {
            lock.unlock();
        }
    }

    <T extends @Nullable Object> T locking(Supplier<T> change) {
        lock.lock();
        try {
            T result = change.get();
            signal();
            return result;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public List<Delivery<byte[], byte[]>> receive(int max, Duration timeout) throws InterruptedException {
        if (max < 1) {
            throw new MessagingException(Reason.INVALID, "max is " + max + "; it must be 1 or more");
        }
        long left = nanos(timeout);
        lock.lockInterruptibly();
        try {
            Driven driver = driver();
            boolean gather = left > 0 && driver == null;
            while (true) {
                if (gather) {
                    gather = false;
                    gather(max);
                }
                if (closed) {
                    throw new MessagingException(Reason.CLOSED, "the receiver is closed");
                }
                List<Delivery<byte[], byte[]>> taken = take(max);
                if (!taken.isEmpty()) {
                    takenLast = taken.size();
                    takenAt = System.nanoTime();
                    changed.signalAll();
                    return taken;
                }
                if (failure != null) {
                    throw new MessagingException(failure.reason(), String.valueOf(failure.getMessage()), failure);
                }
                inflows.forEach(Inflow::asked);
                if (left <= 0) {
                    return List.of();
                }
                long begun = System.nanoTime();
                if (driver == null) {
                    asleep = true;
                    if (inflows.stream().noneMatch(Inflow::hasFresh)) {
                        changed.awaitNanos(left);
                    }
                    gather = true;
                } else if (!drive(driver, left)) {
                    // Meanwhile it may have closed or failed: it looks once more, and waits then.
                    driver = null;
                }
                left -= System.nanoTime() - begun;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Who can be driven meanwhile: the only one there is, by a thread that has nothing of it in hand. Null if there is none. */
    private @Nullable Driven driver() {
        return inflows.size() == 1
                        && inflows.getFirst().settler() instanceof Driven only
                        && inflows.getFirst().nothingOut()
                        && !Thread.currentThread().isVirtual()
                ? only
                : null;
    }

    private boolean drive(Driven driver, long nanos) throws InterruptedException {
        driven = driver;
        lock.unlock();
        try {
            return driver.drive(nanos);
        } finally {
            lock.lock();
            driven = null;
        }
    }

    /**
     * While messages flow, but one by one, whoever waits a moment takes many at once, and acknowledges them together: that costs
     * less than to come for each, and nobody has to be woken. A message that comes alone does not wait.
     */
    private void gather(int max) {
        boolean flowing = takenLast > 1 && System.nanoTime() - takenAt < FLOW_NANOS;
        if (!flowing) {
            return;
        }
        // First this, then the look at what is there: who brings many at once does one before the other, too.
        gatherer = Thread.currentThread();
        if (waiting() < Math.min(enough(), max)) {
            lock.unlock();
            try {
                LockSupport.parkNanos(GATHER_NANOS);
            } finally {
                lock.lock();
            }
        }
        gatherer = null;
    }

    private int waiting() {
        int sum = 0;
        for (Inflow inflow : inflows) {
            sum += inflow.waiting();
        }
        return sum;
    }

    private int enough() {
        long prefetch = 0;
        for (Inflow inflow : inflows) {
            prefetch += inflow.prefetch();
        }
        return Math.clamp(prefetch / PIECES, 1, ENOUGH);
    }

    private List<Delivery<byte[], byte[]>> take(int max) {
        List<Delivery<byte[], byte[]>> taken = new ArrayList<>(Math.min(max, waiting()));
        int empty = 0;
        while (taken.size() < max && empty < inflows.size()) {
            turn = (turn + 1) % inflows.size();
            Held held = inflows.get(turn).take();
            if (held == null) {
                empty++;
            } else {
                empty = 0;
                taken.add(held);
            }
        }
        return taken;
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
        return acknowledge(deliveries, false);
    }

    @Override
    public void acknowledgeAndWait(List<Delivery<byte[], byte[]>> deliveries) {
        Waiting.awaitEnd(
                acknowledge(deliveries, !Thread.currentThread().isVirtual()),
                "recording " + deliveries.size() + " acknowledgements");
    }

    private CompletableFuture<Void> acknowledge(List<Delivery<byte[], byte[]>> deliveries, boolean driving) {
        Map<Inflow, List<Held>> ours = new LinkedHashMap<>();
        List<CompletableFuture<Void>> done = new ArrayList<>(1);
        Inflow last = null;
        List<Held> those = List.of();
        for (Delivery<byte[], byte[]> delivery : deliveries) {
            if (delivery instanceof Held held) {
                if (held.inflow() != last) {
                    last = held.inflow();
                    those = ours.computeIfAbsent(last, any -> new ArrayList<>(deliveries.size()));
                }
                those.add(held);
            } else {
                done.add(delivery.acknowledge());
            }
        }
        ours.forEach((inflow, held) -> done.add(inflow.acknowledge(held, driving)));
        return done.size() == 1 ? done.getFirst() : CompletableFuture.allOf(done.toArray(CompletableFuture[]::new));
    }

    @Override
    public void close() {
        boolean first = locking(() -> {
            boolean open = !closed;
            closed = true;
            return open;
        });
        if (first) {
            inflows.forEach(Inflow::close);
            whenClosed.accept(this);
        }
    }
}
