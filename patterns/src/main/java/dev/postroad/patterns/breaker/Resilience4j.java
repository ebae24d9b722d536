package dev.postroad.patterns.breaker;

import dev.postroad.api.Handler;
import dev.postroad.patterns.hold.Hold;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * For those who have their circuit breakers and rate limiters from Resilience4j: handlers behind these pause as behind ours.
 * Needs {@code io.github.resilience4j:resilience4j-circuitbreaker} or {@code resilience4j-ratelimiter} on the class path.
 */
public final class Resilience4j {
    private static final Duration LEASE = BreakerSettings.DEFAULT.lease();
    private static final Duration LOOK = Duration.ofMillis(100);

    private Resilience4j() {}

    /**
     * A handler that is called only while the circuit lets it, and holds its delivery otherwise, as {@link
     * CircuitBreaker#around}. What counts as a failure is what the circuit's own configuration records.
     */
    public static <K, V> Handler<K, V> around(
            io.github.resilience4j.circuitbreaker.CircuitBreaker circuit, Handler<K, V> handler) {
        return new Guarded<>(
                new CircuitGate(circuit),
                handler,
                BreakerSettings.DEFAULT.triesPerMessage(),
                LEASE,
                new AtomicInteger());
    }

    /** A handler that waits for a permission before each call, however long, and holds its delivery meanwhile. */
    public static <K, V> Handler<K, V> around(
            io.github.resilience4j.ratelimiter.RateLimiter limiter, Handler<K, V> handler) {
        return delivery -> {
            Hold hold = new Hold(delivery, LEASE);
            long wait = limiter.reservePermission();
            while (wait < 0) {
                // More wait already than its timeout allows for.
                hold.pause(limiter.getRateLimiterConfig().getLimitRefreshPeriod());
                wait = limiter.reservePermission();
            }
            if (wait > 0) {
                hold.pause(Duration.ofNanos(wait));
            }
            handler.handle(delivery);
        };
    }

    private static final class CircuitGate implements Gate {
        private final io.github.resilience4j.circuitbreaker.CircuitBreaker circuit;
        private volatile CompletableFuture<Void> change = new CompletableFuture<>();

        CircuitGate(io.github.resilience4j.circuitbreaker.CircuitBreaker circuit) {
            this.circuit = circuit;
            circuit.getEventPublisher().onStateTransition(event -> {
                CompletableFuture<Void> before = change;
                change = new CompletableFuture<>();
                before.complete(null);
            });
        }

        @Override
        public Entry enter() {
            CompletableFuture<Void> next = change;
            return circuit.tryAcquirePermission() ? new Entry.Go(0) : new Entry.Wait(LOOK, next);
        }

        @Override
        public void succeeded(Entry.Go entry, Duration took) {
            circuit.onSuccess(took.toNanos(), TimeUnit.NANOSECONDS);
        }

        @Override
        public boolean failed(Entry.Go entry, Duration took, Throwable failure) {
            circuit.onError(took.toNanos(), TimeUnit.NANOSECONDS, failure);
            State state = circuit.getState();
            return BreakerSettings.DEFAULT.failures().test(failure)
                    && (state == State.OPEN || state == State.HALF_OPEN || state == State.FORCED_OPEN);
        }
    }
}
