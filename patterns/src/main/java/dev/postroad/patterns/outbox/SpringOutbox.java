package dev.postroad.patterns.outbox;

import dev.postroad.api.Message;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Records messages in the transaction that Spring has under way in the calling thread: that of a {@code @Transactional} method or
 * a {@code TransactionTemplate}, by JDBC or JPA. Safe for use by many threads. Needs {@code spring-jdbc}; the rest of this
 * package does not.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public final class SpringOutbox<K, V> {
    private final DataSource database;
    private final Outbox<K, V> outbox;

    /** @param database the one whose transactions Spring's transaction manager begins, not a proxy of it */
    public SpringOutbox(DataSource database, Outbox<K, V> outbox) {
        this.database = database;
        this.outbox = outbox;
    }

    /**
     * Records a message, to be sent when the transaction has committed.
     *
     * @return the message's id, assigned here where it has none
     * @throws IllegalStateException if no transaction of Spring's on this database is under way in this thread
     * @throws SQLException as {@link Outbox#record(Connection, String, Message)}
     */
    public String record(String channel, Message<K, V> message) throws SQLException {
        if (!TransactionSynchronizationManager.isActualTransactionActive()
                || !TransactionSynchronizationManager.hasResource(database)) {
            throw new IllegalStateException(
                    "no transaction of Spring's on this database is under way in this thread, so that"
                            + " the message for channel '" + channel
                            + "' would not be part of any; record it in a @Transactional method");
        }
        Connection connection = DataSourceUtils.getConnection(database);
        try {
            return outbox.record(connection, channel, message);
        } finally {
            DataSourceUtils.releaseConnection(connection, database);
        }
    }
}
