package dev.postroad.patterns.inbox;

import dev.postroad.api.Delivery;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.patterns.jdbc.Dialect;
import dev.postroad.patterns.jdbc.Transactions;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import javax.sql.DataSource;

/**
 * Has each message handled once in effect, by remembering it in the transaction in which it is handled. Safe for use by many
 * threads and by many instances on one table.
 *
 * <pre>{@code
 *   Inbox inbox = new Inbox(database, InboxSettings.of("billing"));
 *   postroad.listen("orders", format, options, inbox.around((delivery, connection) ->
 *           invoices.insert(connection, delivery.message().value())));
 * }</pre>
 *
 * <p>The table:
 *
 * <pre>
 *   consumer, message_id   primary key
 *   handled_at             by the database's clock
 * </pre>
 */
public final class Inbox {
    private static final System.Logger LOG = System.getLogger(Inbox.class.getName());
    private static final int CLEANED_AT_ONCE = 10_000;
    private static final int MAX_ID = 255;

    private final DataSource database;
    private final InboxSettings settings;
    private final AtomicLong handled = new AtomicLong();
    private final AtomicLong duplicates = new AtomicLong();
    private final AtomicLong nextCleanup = new AtomicLong(System.nanoTime());

    /** An inbox on a database where its table is, see {@link #create}. */
    public Inbox(DataSource database, InboxSettings settings) {
        this.database = database;
        this.settings = settings;
    }

    /** The statements that make the table, for those who make theirs with a tool of their own. */
    public static String schema(Dialect dialect, InboxSettings settings) {
        return "create table if not exists " + settings.table() + " ("
                + "consumer " + dialect.textType(100) + " not null, "
                + "message_id " + dialect.textType(MAX_ID) + " not null, "
                + "handled_at " + dialect.momentType() + " default " + dialect.now() + " not null, "
                + "primary key (consumer, message_id))";
    }

    /** Makes the table, where it is not there yet; fine to be called by each program at its start. */
    public static void create(Connection connection, InboxSettings settings) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(schema(Dialect.of(connection), settings));
        }
    }

    /** A handler that does its work once for each message id. */
    public <K, V> Handler<K, V> around(TransactionalHandler<K, V> handler) {
        return around(message -> String.valueOf(message.id()), handler);
    }

    /**
     * A handler that does its work once for each identity, where that is something else than the message id: the number of a
     * payment, say.
     *
     * @param identity of a message, at most {@value #MAX_ID} characters; never a checksum, which two messages may share
     */
    public <K, V> Handler<K, V> around(Function<Message<K, V>, String> identity, TransactionalHandler<K, V> handler) {
        return delivery -> handle(identity.apply(delivery.message()), delivery, handler);
    }

    private <K, V> void handle(String identity, Delivery<K, V> delivery, TransactionalHandler<K, V> handler)
            throws Exception {
        if (identity.length() > MAX_ID) {
            throw new Handler.DeadLetterException("the identity of the message has " + identity.length()
                    + " characters; an inbox remembers " + MAX_ID + " at most");
        }
        // First the memory, and then the work: two at once with the same message wait for each other here. It counts
        // only if the
        // work is committed with it.
        boolean first = Transactions.<Boolean, Exception>run(database, connection -> {
            if (!remember(connection, identity)) {
                return false;
            }
            handler.handle(delivery, connection);
            return true;
        });
        (first ? handled : duplicates).incrementAndGet();
        cleanUp();
    }

    private boolean remember(Connection connection, String identity) throws SQLException {
        Dialect dialect = Dialect.of(connection);
        try (PreparedStatement insert = connection.prepareStatement(
                dialect.insertIfAbsent(settings.table(), "consumer, message_id", "?, ?", "consumer, message_id"))) {
            insert.setString(1, settings.consumer());
            insert.setString(2, identity);
            return insert.executeUpdate() > 0;
        } catch (SQLException e) {
            if (dialect.isDuplicate(e)) {
                return false;
            }
            throw e;
        }
    }

    /** What fails here is tried again later: the message is handled. */
    private void cleanUp() {
        long now = System.nanoTime();
        long due = nextCleanup.get();
        if (now < due
                || !nextCleanup.compareAndSet(
                        due, now + settings.cleanupInterval().toNanos())) {
            return;
        }
        try {
            Transactions.run(database, this::forgetOld);
        } catch (SQLException e) {
            LOG.log(Level.WARNING, "the inbox " + settings.table() + " could not be cleaned up: " + e.getMessage());
        }
    }

    private int forgetOld(Connection connection) throws SQLException {
        Dialect dialect = Dialect.of(connection);
        String old = "consumer = ? and handled_at < " + dialect.millisAgo();
        String sql = switch (dialect) {
            case POSTGRESQL ->
                "delete from " + settings.table() + " where ctid in (select ctid from " + settings.table() + " where "
                        + old + " limit " + CLEANED_AT_ONCE + ")";
            case MYSQL -> "delete from " + settings.table() + " where " + old + " limit " + CLEANED_AT_ONCE;
            case H2 ->
                "delete from " + settings.table() + " where " + old + " fetch first " + CLEANED_AT_ONCE + " rows only";
        };
        try (PreparedStatement delete = connection.prepareStatement(sql)) {
            delete.setString(1, settings.consumer());
            delete.setLong(2, settings.window().toMillis());
            return delete.executeUpdate();
        }
    }

    /** Messages that were handled. */
    public long handled() {
        return handled.get();
    }

    /** Messages that had been handled before, and were acknowledged without being handled again. */
    public long duplicates() {
        return duplicates.get();
    }
}
