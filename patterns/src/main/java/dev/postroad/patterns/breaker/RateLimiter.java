package dev.postroad.patterns.breaker;

import dev.postroad.api.Handler;
import dev.postroad.patterns.hold.Hold;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Lets handlers be called no more often than they may. One limiter may be around several handlers, which then share its rate.
 * Who has to wait holds its delivery; the rest waits in the broker. Served in order of arrival. Safe for use by many threads.
 *
 * <p>It limits this process: two processes with a limiter each call twice as often.
 */
public final class RateLimiter {
    private final RateSettings settings;
    private final LongSupplier nanoTime;
    private final AtomicInteger held = new AtomicInteger();
    private final AtomicLong delayed = new AtomicLong();

    /** When the next call may be made if no burst is left; guarded by this. */
    private long next;

    /** A limiter with its whole burst to begin with. */
    public RateLimiter(RateSettings settings) {
        this(settings, System::nanoTime);
    }

    RateLimiter(RateSettings settings, LongSupplier nanoTime) {
        this.settings = settings;
        this.nanoTime = nanoTime;
        this.next = nanoTime.getAsLong() - (settings.burst() - 1) * settings.interval();
    }

    /** A handler that waits for its turn before each call. */
    public <K, V> Handler<K, V> around(Handler<K, V> handler) {
        return delivery -> {
            long wait = reserve();
            if (wait > 0) {
                delayed.incrementAndGet();
                held.incrementAndGet();
                try {
                    new Hold(delivery, settings.lease()).pause(Duration.ofNanos(wait));
                } finally {
                    held.decrementAndGet();
                }
            }
            handler.handle(delivery);
        };
    }

    /** Takes the next turn. @return nanoseconds until then; zero or less for now */
    synchronized long reserve() {
        long now = nanoTime.getAsLong();
        long earliest = now - (settings.burst() - 1) * settings.interval();
        long mine = next - earliest > 0 ? next : earliest;
        next = mine + settings.interval();
        return mine - now;
    }

    /** Deliveries that wait for their turn now. */
    public int held() {
        return held.get();
    }

    /** Deliveries that had to wait. */
    public long delayed() {
        return delayed.get();
    }
}
