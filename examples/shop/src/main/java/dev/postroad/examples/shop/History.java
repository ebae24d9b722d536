package dev.postroad.examples.shop;

import dev.postroad.patterns.eventstore.Event;
import dev.postroad.patterns.eventstore.EventStore;
import dev.postroad.patterns.eventstore.JdbcEventStore;
import dev.postroad.patterns.eventstore.Repository;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** What happened to orders: a stream of events for each. */
final class History {
    static final String PLACED = "OrderPlaced";
    static final String RESERVED = "StockReserved";
    static final String RELEASED = "StockReleased";
    static final String PAID = "PaymentTaken";
    static final String DECLINED = "PaymentDeclined";
    static final String CANCELLED = "PaymentCancelled";
    static final String REFUNDED = "PaymentRefunded";
    static final String SHIPPED = "OrderShipped";

    /** For people. */
    static final String NOTE = "note";

    private final JdbcEventStore store;
    private final Repository<Boolean> declined;

    History(JdbcEventStore store) {
        this.store = store;
        this.declined = Repository.of(
                store, false, (before, event) -> before || event.type().equals(DECLINED));
    }

    /** The first event of an order. @throws dev.postroad.patterns.eventstore.VersionConflictException if it was placed before */
    void begin(Connection connection, Order order, String note) throws SQLException {
        store.append(connection, order.id(), 0, List.of(event(PLACED, order, note)));
    }

    /** One event more, in the transaction of what happened. */
    void add(Connection connection, String type, Order order, String note) throws SQLException {
        store.append(connection, order.id(), EventStore.ANY, List.of(event(type, order, note)));
    }

    /**
     * That a payment was declined, once however often it is told. In a transaction of its own: that of a step that fails is rolled
     * back.
     */
    void decline(Order order, String note) {
        declined.update(order.id(), already -> already ? List.of() : List.of(event(DECLINED, order, note)));
    }

    private static Event event(String type, Order order, String note) {
        return new Event(order.id() + "/" + type, type, 1, Order.JSON.serialize(order), Map.of(NOTE, note));
    }
}
