package dev.postroad.examples.shop;

import dev.postroad.patterns.eventstore.Projection;
import dev.postroad.patterns.eventstore.StoredEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** A table for reading: what was sold of each product. */
final class Sales implements Projection.View {
    static final String NAME = "shop_sales";

    @Override
    public void create(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("create table " + table
                    + " (product varchar(50) primary key, pieces bigint not null, goods bigint not null,"
                    + " shipping bigint not null)");
        }
    }

    @Override
    public void apply(Connection connection, String table, StoredEvent event) throws SQLException {
        if (!event.event().type().equals(History.SHIPPED)) {
            return;
        }
        Order order = Order.JSON.deserialize(event.event().data());
        int there = Orders.update(
                connection,
                "update " + table
                        + " set pieces = pieces + ?, goods = goods + ?, shipping = shipping + ? where product = ?",
                order.pieces(),
                order.goods(),
                order.shipping(),
                order.product());
        if (there == 0) {
            Orders.update(
                    connection,
                    "insert into " + table + " (product, pieces, goods, shipping) values (?, ?, ?, ?)",
                    order.product(),
                    order.pieces(),
                    order.goods(),
                    order.shipping());
        }
    }
}
