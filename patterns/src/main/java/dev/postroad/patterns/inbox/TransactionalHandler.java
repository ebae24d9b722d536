package dev.postroad.patterns.inbox;

import dev.postroad.api.Delivery;
import java.sql.Connection;

/**
 * A handler whose work is part of a database transaction. It must leave committing, rolling back and closing the connection,
 * and settling the delivery, to who called it.
 *
 * @param <K> type of the key
 * @param <V> type of the value
 */
@FunctionalInterface
public interface TransactionalHandler<K, V> {
    /** Handles one delivery; throwing undoes what was done on the connection. */
    void handle(Delivery<K, V> delivery, Connection connection) throws Exception;
}
