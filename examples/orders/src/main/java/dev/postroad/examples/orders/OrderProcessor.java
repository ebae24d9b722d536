package dev.postroad.examples.orders;

import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/** Works on orders: charges each once, in the order in which its customer placed them. */
final class OrderProcessor implements Handler<String, Order> {
    private final Ledger ledger = new Ledger();
    private final Latencies latencies = new Latencies();
    private final AtomicLong failures = new AtomicLong();
    private final Payments payments;

    OrderProcessor(Payments payments) {
        this.payments = payments;
    }

    /**
     * Where a transport keeps order behind a dead letter, an order never comes before the one that its customer placed before.
     * Elsewhere it may, when that one was given up: then it fails too, and waits among the dead letters behind it.
     */
    @Override
    public void handle(Delivery<String, Order> delivery) throws Payments.Declined {
        Order order = Objects.requireNonNull(delivery.message().value(), "an order");
        if (ledger.knows(order)) {
            return;
        }
        try {
            if (!ledger.isNext(order)) {
                throw new Payments.Declined("an earlier order of " + order.customer() + " is not done");
            }
            payments.charge(order);
        } catch (Payments.Declined e) {
            failures.incrementAndGet();
            throw e;
        }
        if (ledger.note(order)) {
            latencies.add(Duration.between(order.placed(), Instant.now()));
        }
    }

    Ledger ledger() {
        return ledger;
    }

    Latencies latencies() {
        return latencies;
    }

    /** Attempts that failed. */
    long failures() {
        return failures.get();
    }
}
