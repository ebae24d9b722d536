package dev.postroad.examples.orders;

import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import java.util.Objects;

/** A service that gets every event, as a consumer group of its own: inventory, billing, notification. */
final class Subscriber implements Handler<String, Order> {
    private final String name;
    private final Ledger ledger = new Ledger();

    Subscriber(String name) {
        this.name = name;
    }

    @Override
    public void handle(Delivery<String, Order> delivery) {
        Order order = Objects.requireNonNull(delivery.message().value(), "an order");
        if (!ledger.knows(order)) {
            ledger.note(order);
        }
    }

    String name() {
        return name;
    }

    Ledger ledger() {
        return ledger;
    }
}
