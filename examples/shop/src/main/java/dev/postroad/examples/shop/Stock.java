package dev.postroad.examples.shop;

import dev.postroad.api.Message;
import dev.postroad.patterns.saga.JdbcParticipant;
import dev.postroad.patterns.saga.Participant;
import dev.postroad.patterns.saga.StepFailedException;
import java.sql.Connection;
import java.sql.SQLException;

/** The warehouse: reserves the goods of an order, and puts them back. Called in the transaction in which it is remembered. */
final class Stock implements JdbcParticipant.Work<String, Order> {
    private final History history;

    Stock(History history) {
        this.history = history;
    }

    @Override
    public byte[] perform(Message<String, Order> command, Connection connection) throws SQLException {
        Order order = Orders.of(command);
        if (Participant.undoes(command)) {
            release(connection, order);
        } else {
            reserve(connection, order);
        }
        return Participant.nothing();
    }

    private void reserve(Connection connection, Order order) throws SQLException {
        int taken = Orders.update(
                connection,
                "update shop_stock set on_hand = on_hand - ? where product = ? and on_hand >= ?",
                order.pieces(),
                order.product(),
                order.pieces());
        if (taken == 0) {
            throw new StepFailedException(order.product() + " is sold out");
        }
        Orders.update(connection, "insert into shop_reservation (order_id) values (?)", order.id());
        history.add(connection, History.RESERVED, order, Text.pieces(order));
    }

    /** Harmless where nothing was reserved. */
    private void release(Connection connection, Order order) throws SQLException {
        if (Orders.update(connection, "delete from shop_reservation where order_id = ?", order.id()) == 1) {
            Orders.update(
                    connection,
                    "update shop_stock set on_hand = on_hand + ? where product = ?",
                    order.pieces(),
                    order.product());
            history.add(connection, History.RELEASED, order, Text.pieces(order) + " back on the shelf");
        }
    }
}
