package dev.postroad.patterns.hold;

import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a delivery while its handler waits for better times. Holding what has come is how a handler pauses consumption: it
 * costs no attempt, keeps the order, and no more comes than the subscription's concurrency and prefetch allow.
 *
 * <p>For the thread of the handler.
 */
public final class Hold {
    /** How often a waiting handler looks whether its subscription closes. */
    private static final long LOOK_MILLIS = 50;

    private final Delivery<?, ?> delivery;
    private final Duration lease;
    private long nextExtension = System.nanoTime();
    private volatile boolean leased = true;
    private volatile @Nullable Throwable lost;

    /** @param lease for which the delivery is kept, and kept again, while it is held; where its channel has leases */
    public Hold(Delivery<?, ?> delivery, Duration lease) {
        this.delivery = delivery;
        this.lease = lease;
    }

    /**
     * Waits, and keeps the delivery meanwhile.
     *
     * @throws InterruptedException if the subscription closes or the thread is interrupted: to be passed on, so that the
     *     message is given back
     * @throws MessagingException {@code LEASE_LOST} if the delivery went to somebody else in spite of all
     */
    public void pause(Duration time) throws InterruptedException {
        CompletableFuture<Void> never = new CompletableFuture<>();
        pause(time, never);
    }

    /** As {@link #pause(Duration)}, ended early when {@code better} completes. */
    public void pause(Duration time, CompletableFuture<?> better) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        while (!better.isDone()) {
            if (delivery.closing()) {
                throw new InterruptedException("the subscription closes; the message is given back");
            }
            extend();
            long left = end - System.nanoTime();
            if (left <= 0) {
                return;
            }
            await(better, Math.min(left, TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS)));
        }
    }

    private static void await(CompletableFuture<?> better, long nanos) throws InterruptedException {
        try {
            better.get(nanos, TimeUnit.NANOSECONDS);
        } catch (java.util.concurrent.TimeoutException | java.util.concurrent.ExecutionException e) {
            // Either way the caller looks again.
            return;
        }
    }

    private void extend() {
        Throwable failure = lost;
        if (failure != null) {
            throw new MessagingException(
                    Reason.LEASE_LOST,
                    "message " + delivery.message().id() + " of channel '" + delivery.channel()
                            + "' was held too long and is lost to another consumer",
                    failure);
        }
        if (!leased || System.nanoTime() < nextExtension) {
            return;
        }
        nextExtension = System.nanoTime() + lease.toNanos() / 3;
        delivery.extend(lease).whenComplete((done, refused) -> {
            if (refused instanceof MessagingException messaging) {
                switch (messaging.reason()) {
                    case LEASE_LOST, ALREADY_SETTLED, CLOSED -> lost = refused;
                    case IMPOSSIBLE_NEED -> leased = false;
                    // The next extension may reach the broker again.
                    default -> {}
                }
            }
        });
    }
}
