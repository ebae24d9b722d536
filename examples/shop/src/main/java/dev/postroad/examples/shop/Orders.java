package dev.postroad.examples.shop;

import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** What the services share. */
final class Orders {
    private Orders() {}

    /** The order that a message is about. */
    static Order of(Message<String, Order> message) {
        Order order = message.value();
        if (order == null) {
            throw new Handler.DeadLetterException("message " + message.id() + " is about no order");
        }
        return order;
    }

    /** How many rows it changed. */
    static int update(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                update.setObject(i + 1, parameters[i]);
            }
            return update.executeUpdate();
        }
    }

    /** The number that a statement tells. */
    static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }
}
