package dev.postroad.examples.shop;

import dev.postroad.api.Message;
import dev.postroad.patterns.eventstore.VersionConflictException;
import dev.postroad.patterns.jdbc.Transactions;
import dev.postroad.patterns.outbox.Outbox;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import javax.sql.DataSource;

/**
 * Takes orders. The row, the event and the message about it are one transaction: there is no order without its message, and no
 * message without its order, whatever dies in between. The broker may be away; the relay sends when it is back.
 */
final class Checkout {
    private final DataSource database;
    private final History history;
    private final Outbox<String, Order> outbox;
    private final Plan plan;

    Checkout(DataSource database, History history, Outbox<String, Order> outbox, Plan plan) {
        this.database = database;
        this.history = history;
        this.outbox = outbox;
        this.plan = plan;
    }

    /** Places an order. @return false if it has been placed before: the customer clicked twice */
    boolean place(Order order) throws SQLException {
        try {
            Transactions.run(database, connection -> {
                history.begin(connection, order, Text.pieces(order) + " for " + Text.money(order.total()));
                try (PreparedStatement insert =
                        connection.prepareStatement("insert into shop_order (id, customer, cents) values (?, ?, ?)")) {
                    insert.setString(1, order.id());
                    insert.setString(2, order.customer());
                    insert.setLong(3, order.total());
                    insert.executeUpdate();
                }
                return outbox.record(connection, plan.events(), placed(order));
            });
            return true;
        } catch (VersionConflictException clickedTwice) {
            return false;
        }
    }

    private static Message<String, Order> placed(Order order) {
        return Message.of(order.id(), order).withId(order.id() + "/placed").withType(History.PLACED);
    }
}
