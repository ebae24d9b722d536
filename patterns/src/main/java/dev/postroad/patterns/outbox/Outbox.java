package dev.postroad.patterns.outbox;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.patterns.jdbc.MessageBytes;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * Records messages in the caller's transaction. Safe for use by many threads, each with its own connection.
 *
 * <pre>{@code
 *   connection.setAutoCommit(false);
 *   orders.insert(connection, order);
 *   outbox.record(connection, "order-events", Message.of(order.customer(), order));
 *   connection.commit();
 * }</pre>
 *
 * <p>Messages of one key reach their channel in the order in which their rows were made. Two transactions at once that both
 * record messages of one key have no order among themselves, unless something else orders them: the row of the order or the
 * customer that both change, as a rule.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public final class Outbox<K, V> {
    private final Format<K, V> format;
    private final OutboxTable table;

    /**
     * @param format of the messages
     * @param settings the same as the relays'; the tables must be there, see {@link OutboxSchema}
     */
    public Outbox(Format<K, V> format, OutboxSettings settings) {
        this.format = format;
        this.table = new OutboxTable(settings);
    }

    /**
     * Records a message, to be sent when the connection's transaction has committed.
     *
     * @param connection with a transaction under way; it is neither committed nor closed here
     * @param channel where the message goes: whether there is such a channel shows when it is relayed
     * @return the message's id, assigned here where it has none
     * @throws MessagingException {@code SERDE} if it can't be turned into bytes
     * @throws SQLException as the database says; {@code 25000} if the connection commits by itself, since the message would
     *     then be sent whatever becomes of the caller's work
     */
    public String record(Connection connection, String channel, Message<K, V> message) throws SQLException {
        return record(connection, channel, List.of(message)).getFirst();
    }

    /** As {@link #record(Connection, String, Message)}, for several: their ids, in their order. */
    public List<String> record(Connection connection, String channel, List<Message<K, V>> messages)
            throws SQLException {
        if (connection.getAutoCommit()) {
            throw new SQLException(
                    "the connection commits by itself (auto-commit), so that the message for channel '" + channel
                            + "' would not be part of any transaction; call setAutoCommit(false) first",
                    "25000");
        }
        List<Message<byte[], byte[]>> recorded = new ArrayList<>(messages.size());
        for (Message<K, V> message : messages) {
            Message<K, V> named =
                    message.id() == null ? message.withId(UUID.randomUUID().toString()) : message;
            recorded.add(MessageBytes.serialize(format, named));
        }
        table.insert(connection, channel, recorded);
        return recorded.stream().map(message -> String.valueOf(message.id())).toList();
    }
}
