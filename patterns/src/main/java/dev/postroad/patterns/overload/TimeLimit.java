package dev.postroad.patterns.overload;

import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Bounds the time of a handler, so that one message that hangs does not hang its consumer.
 *
 * <pre>
 *   begins ──── lease extended each third of it ────▶ limit: interrupted ──▶ grace ──▶ left to itself, and counted
 *      └─ returns or throws: as without this              └─ ends: TimeLimitException, or its own success
 * </pre>
 *
 * The handler runs on a thread of its own: a platform thread, because what spins for ever on a virtual one would keep a
 * carrier from all others. While it is within its limit the delivery's lease is extended. When the time is up it is
 * interrupted; what ends then without a failure counts as done, and what does not end is left to itself: the delivery is
 * tried again or dead-lettered, and what the forgotten handler does to it later has no effect on the message. Its other
 * effects have: such a handler may be at work beside its successor, also of the same key.
 *
 * <p>Safe for use by many threads.
 */
public final class TimeLimit {
    private static final System.Logger LOG = System.getLogger("dev.postroad.patterns.overload");

    private final TimeLimitSettings settings;
    private final AtomicLong exceeded = new AtomicLong();
    private final AtomicLong extended = new AtomicLong();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition fewer = lock.newCondition();
    private int abandoned;

    public TimeLimit(TimeLimitSettings settings) {
        this.settings = settings;
    }

    /** A handler whose time is bounded. */
    public <K, V> Handler<K, V> around(Handler<K, V> handler) {
        return delivery -> {
            awaitRoom(delivery);
            Run<K, V> run = new Run<>(handler, delivery);
            run.thread.start();
            await(run);
        };
    }

    private <K, V> void await(Run<K, V> run) throws Exception {
        try {
            if (run.within(settings.limit(), true)) {
                return;
            }
            exceeded.incrementAndGet();
            run.thread.interrupt();
            boolean ended;
            try {
                if (run.within(settings.grace(), false)) {
                    return;
                }
                ended = false;
            } catch (InterruptedException e) {
                if (!run.ended.isDone()) {
                    throw e;
                }
                ended = true;
            } catch (Exception | Error e) {
                // Failing is how an interrupted handler ends.
                ended = true;
            }
            if (!ended) {
                abandon(run);
            }
            TimeLimitException late = new TimeLimitException(settings.limit(), ended);
            if (settings.giveUp()) {
                throw new Handler.DeadLetterException(String.valueOf(late.getMessage()), late);
            }
            throw late;
        } catch (InterruptedException e) {
            // The subscription closes, or the handler itself says that it was interrupted.
            run.thread.interrupt();
            throw e;
        }
    }

    private <K, V> void abandon(Run<K, V> run) {
        lock.lock();
        try {
            abandoned++;
        } finally {
            lock.unlock();
        }
        LOG.log(
                Level.WARNING,
                "a handler of channel {0} is still at work on message {1} after {2} and heeds no interrupt",
                run.delivery.channel(),
                run.delivery.message().id(),
                settings.limit().plus(settings.grace()));
        run.ended.whenComplete((done, failure) -> {
            lock.lock();
            try {
                abandoned--;
                fewer.signalAll();
            } finally {
                lock.unlock();
            }
        });
    }

    private void awaitRoom(Delivery<?, ?> delivery) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (abandoned >= settings.maxAbandoned()) {
                Duration lease = settings.lease();
                if (lease == null) {
                    fewer.await();
                } else {
                    extend(delivery, lease);
                    boolean signalled = fewer.await(lease.toMillis() / 3, TimeUnit.MILLISECONDS);
                    if (signalled) {
                        continue;
                    }
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void extend(Delivery<?, ?> delivery, Duration lease) {
        delivery.extend(lease).whenComplete((done, failure) -> {
            if (failure == null) {
                extended.incrementAndGet();
            } else {
                LOG.log(
                        Level.WARNING,
                        "the lease of message {0} of channel {1} could not be extended: {2}",
                        delivery.message().id(),
                        delivery.channel(),
                        failure.getMessage());
            }
        });
    }

    /** One delivery at work. */
    private final class Run<K, V> {
        private final Delivery<K, V> delivery;
        private final CompletableFuture<@Nullable Void> ended = new CompletableFuture<>();
        private final Thread thread;

        Run(Handler<K, V> handler, Delivery<K, V> delivery) {
            this.delivery = delivery;
            this.thread = Thread.ofPlatform()
                    .daemon()
                    .name("postroad-limited-" + delivery.channel())
                    .unstarted(() -> {
                        try {
                            handler.handle(delivery);
                            ended.complete(null);
                        } catch (Throwable e) {
                            ended.completeExceptionally(e);
                        }
                    });
        }

        /** True if it ended in time; throws as it did. */
        boolean within(Duration time, boolean extending) throws Exception {
            long deadline = System.nanoTime() + time.toNanos();
            Duration lease = extending ? settings.lease() : null;
            while (true) {
                long left = deadline - System.nanoTime();
                if (left <= 0 && !ended.isDone()) {
                    return false;
                }
                long wait = lease == null ? left : Math.min(left, lease.toNanos() / 3);
                try {
                    ended.get(Math.max(0, wait), TimeUnit.NANOSECONDS);
                    return true;
                } catch (TimeoutException e) {
                    if (lease != null && deadline - System.nanoTime() > 0) {
                        extend(delivery, lease);
                    }
                } catch (ExecutionException e) {
                    rethrow(e.getCause());
                }
            }
        }

        private static void rethrow(@Nullable Throwable failure) throws Exception {
            if (failure instanceof Error error) {
                throw error;
            }
            if (failure instanceof Exception exception) {
                throw exception;
            }
        }
    }

    /** Handlers whose time was up. */
    public long exceeded() {
        return exceeded.get();
    }

    /** Handlers that are at work beyond their time and heed no interrupt. */
    public int abandoned() {
        lock.lock();
        try {
            return abandoned;
        } finally {
            lock.unlock();
        }
    }

    /** Extensions of leases. */
    public long extended() {
        return extended.get();
    }
}
