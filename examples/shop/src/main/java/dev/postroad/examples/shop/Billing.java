package dev.postroad.examples.shop;

import dev.postroad.api.Delivery;
import dev.postroad.patterns.inbox.TransactionalHandler;
import java.sql.Connection;
import java.sql.SQLException;

/** Writes an invoice for each order that was shipped. For an inbox: called once for each event, in the transaction that says so. */
final class Billing implements TransactionalHandler<String, Order> {
    @Override
    public void handle(Delivery<String, Order> delivery, Connection connection) throws SQLException {
        if (History.SHIPPED.equals(delivery.message().type())) {
            Order order = Orders.of(delivery.message());
            Orders.update(
                    connection, "insert into shop_invoice (order_id, cents) values (?, ?)", order.id(), order.total());
        }
    }
}
