package dev.postroad.patterns.breaker;

import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import dev.postroad.patterns.hold.Hold;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A handler behind a gate. A message whose failure was the outage's own is held and tried again once the gate opens, which
 * costs none of its attempts; after so many tries it is treated like any other failed message all the same, because it may be
 * the one that nobody can handle.
 */
final class Guarded<K, V> implements Handler<K, V> {
    private final Gate gate;
    private final Handler<K, V> handler;
    private final int triesPerMessage;
    private final Duration lease;
    private final AtomicInteger held;

    Guarded(Gate gate, Handler<K, V> handler, int triesPerMessage, Duration lease, AtomicInteger held) {
        this.gate = gate;
        this.handler = handler;
        this.triesPerMessage = triesPerMessage;
        this.lease = lease;
        this.held = held;
    }

    @Override
    public void handle(Delivery<K, V> delivery) throws Exception {
        Hold hold = new Hold(delivery, lease);
        for (int tries = 1; ; tries++) {
            Gate.Entry.Go entry = enter(hold);
            long begin = System.nanoTime();
            try {
                handler.handle(delivery);
            } catch (Throwable e) {
                boolean keep = gate.failed(entry, since(begin), e);
                if (keep && tries < triesPerMessage) {
                    continue;
                }
                throw e;
            }
            gate.succeeded(entry, since(begin));
            return;
        }
    }

    private Gate.Entry.Go enter(Hold hold) throws InterruptedException {
        Gate.Entry entry = gate.enter();
        if (entry instanceof Gate.Entry.Go go) {
            return go;
        }
        held.incrementAndGet();
        try {
            while (true) {
                switch (entry) {
                    case Gate.Entry.Go go -> {
                        return go;
                    }
                    case Gate.Entry.Wait wait -> hold.pause(wait.time(), wait.change());
                }
                entry = gate.enter();
            }
        } finally {
            held.decrementAndGet();
        }
    }

    private static Duration since(long begin) {
        return Duration.ofNanos(System.nanoTime() - begin);
    }
}
