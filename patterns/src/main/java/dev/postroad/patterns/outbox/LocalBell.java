package dev.postroad.patterns.outbox;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** A bell within the process. */
final class LocalBell implements OutboxRelay.Bell {
    private final Semaphore rung = new Semaphore(0);

    @Override
    public void await(Duration atMost) {
        try {
            if (rung.tryAcquire(atMost.toNanos(), TimeUnit.NANOSECONDS)) {
                rung.drainPermits();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void ring() {
        if (rung.availablePermits() == 0) {
            rung.release();
        }
    }

    @Override
    public void close() {}
}
