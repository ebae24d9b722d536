package dev.postroad.patterns.saga;

import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.patterns.jdbc.Dialect;
import dev.postroad.patterns.jdbc.Transactions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A participant whose work is a database transaction, done once in effect: that it was done, and the answer, are remembered in
 * the same transaction, so that a command that comes again is answered again without being done again. What failed is not
 * remembered.
 *
 * <p>A command to undo a step also keeps that step from being done later: one that was held up on its way does nothing.
 *
 * <pre>
 *   postroad_saga_step
 *     message_id   of the command; primary key
 *     reply        the answer's value
 *     done_at      by the database's clock
 * </pre>
 */
public final class JdbcParticipant {
    private static final String TABLE = "postroad_saga_step";
    private static final int MAX_ID = 400;

    private final Postroad postroad;
    private final DataSource database;

    /**
     * Work in a database transaction.
     *
     * @param <K> type of the command's key
     * @param <V> type of the command's value
     */
    @FunctionalInterface
    public interface Work<K, V> {
        /**
         * As {@link Participant.Work#perform}, with the connection whose transaction it is part of; committing, rolling back and
         * closing is left to who called it.
         */
        byte[] perform(Message<K, V> command, Connection connection) throws Exception;
    }

    /** A participant with the table in this database, see {@link #create}; answers on this connection. */
    public JdbcParticipant(Postroad postroad, DataSource database) {
        this.postroad = postroad;
        this.database = database;
    }

    /** The statement that makes the table, for those who make theirs with a tool of their own. */
    public static String schema(Dialect dialect) {
        return "create table if not exists " + TABLE + " (message_id " + dialect.textType(MAX_ID)
                + " not null primary key, reply " + dialect.bytesType() + ", done_at " + dialect.momentType()
                + " default " + dialect.now() + " not null)";
    }

    /** Makes the table, where it is not there yet; fine to be called by each program at its start. */
    public void create() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(schema(Dialect.of(connection)));
        }
    }

    /** A participant that does this work once for each command. */
    public <K, V> Participant<K, V> around(Work<K, V> work) {
        return Participant.of(postroad, command -> perform(command, work));
    }

    private <K, V> byte[] perform(Message<K, V> command, Work<K, V> work) throws Exception {
        String id = String.valueOf(command.id());
        if (id.length() > MAX_ID) {
            throw new StepFailedException(
                    "the command's id has " + id.length() + " characters; " + MAX_ID + " can be remembered");
        }
        return Transactions.run(database, connection -> {
            // First the memory: two at once with the same command wait for each other here.
            if (!remember(connection, id)) {
                byte[] before = kept(connection, id);
                return before == null ? Participant.nothing() : before;
            }
            if (Participant.undoes(command)) {
                remember(connection, id.replace("/undo/", "/do/"));
            }
            byte[] answer = work.perform(command, connection);
            keep(connection, id, answer);
            return answer;
        });
    }

    private static boolean remember(Connection connection, String id) throws SQLException {
        Dialect dialect = Dialect.of(connection);
        try (PreparedStatement insert =
                connection.prepareStatement(dialect.insertIfAbsent(TABLE, "message_id", "?", "message_id"))) {
            insert.setString(1, id);
            return insert.executeUpdate() > 0;
        } catch (SQLException e) {
            if (dialect.isDuplicate(e)) {
                return false;
            }
            throw e;
        }
    }

    private static void keep(Connection connection, String id, byte[] reply) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("update " + TABLE + " set reply = ? where message_id = ?")) {
            update.setBytes(1, reply);
            update.setString(2, id);
            update.executeUpdate();
        }
    }

    private static byte @Nullable [] kept(Connection connection, String id) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("select reply from " + TABLE + " where message_id = ?")) {
            select.setString(1, id);
            try (ResultSet rows = select.executeQuery()) {
                return rows.next() ? rows.getBytes(1) : null;
            }
        }
    }
}
