package dev.postroad.examples.shop;

import dev.postroad.patterns.eventstore.Projection;
import dev.postroad.patterns.eventstore.StoredEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** A table for reading: where each order stands, and whether that is its end. */
final class OrderStatus implements Projection.View {
    static final String NAME = "shop_status";

    @Override
    public void create(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("create table " + table
                    + " (order_id varchar(50) primary key, status varchar(20) not null, ended int not null)");
        }
    }

    @Override
    public void apply(Connection connection, String table, StoredEvent event) throws SQLException {
        String order = event.stream();
        switch (event.event().type()) {
            case History.PLACED ->
                Orders.update(
                        connection,
                        "insert into " + table + " (order_id, status, ended) values (?, 'placed', 0)",
                        order);
            case History.RESERVED -> status(connection, table, order, "reserved");
            case History.PAID -> status(connection, table, order, "paid");
            case History.DECLINED -> status(connection, table, order, "declined");
            case History.CANCELLED -> status(connection, table, order, "timed out");
            case History.REFUNDED -> status(connection, table, order, "refunded");
            case History.SHIPPED -> {
                status(connection, table, order, "shipped");
                end(connection, table, order);
            }
            case History.RELEASED -> end(connection, table, order);
            default -> {
                // what a later version of the shop may tell
            }
        }
    }

    private static void status(Connection connection, String table, String order, String status) throws SQLException {
        Orders.update(connection, "update " + table + " set status = ? where order_id = ?", status, order);
    }

    private static void end(Connection connection, String table, String order) throws SQLException {
        Orders.update(connection, "update " + table + " set ended = 1 where order_id = ?", order);
    }
}
