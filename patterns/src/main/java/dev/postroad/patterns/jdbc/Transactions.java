package dev.postroad.patterns.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Work in a database transaction: done whole or not at all.
 *
 * <pre>{@code
 *   Transactions.run(database, connection -> {
 *       orders.insert(connection, order);
 *       return outbox.record(connection, "order-events", Message.of(order.customer(), order));
 *   });
 * }</pre>
 */
public final class Transactions {
    private Transactions() {}

    /**
     * What is done in a transaction.
     *
     * @param <R> type of its result
     * @param <E> what it throws of its own; {@link RuntimeException} where that is nothing
     */
    @FunctionalInterface
    public interface Work<R extends @Nullable Object, E extends Exception> {
        /** Does it; committing, rolling back and closing is left to who called it. */
        R with(Connection connection) throws SQLException, E;
    }

    /**
     * Does the work on a connection of its own and commits. Whatever it throws rolls back and is thrown; that rolling back failed
     * too is told with it, as suppressed. The connection is closed, and commits by itself then if it did before.
     *
     * @throws SQLException as the database or the work says; a failed commit may have taken effect or not
     */
    public static <R extends @Nullable Object, E extends Exception> R run(DataSource database, Work<R, E> work)
            throws SQLException, E {
        try (Connection connection = database.getConnection()) {
            return run(connection, work);
        }
    }

    /** As the other, on a connection that has no transaction under way; it stays open. */
    public static <R extends @Nullable Object, E extends Exception> R run(Connection connection, Work<R, E> work)
            throws SQLException, E {
        boolean autoCommit = connection.getAutoCommit();
        connection.setAutoCommit(false);
        R result;
        try {
            result = work.with(connection);
            connection.commit();
        } catch (Throwable e) {
            undo(connection, autoCommit, e);
            throw e;
        }
        connection.setAutoCommit(autoCommit);
        return result;
    }

    private static void undo(Connection connection, boolean autoCommit, Throwable why) {
        try {
            connection.rollback();
            connection.setAutoCommit(autoCommit);
        } catch (SQLException e) {
            why.addSuppressed(e);
        }
    }
}
