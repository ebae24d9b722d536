package dev.postroad.patterns.eventstore;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.patterns.jdbc.Dialect;
import dev.postroad.patterns.jdbc.Transactions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * A table that is made from all events, for reading. What an event changes and how far the table has come are one transaction, so
 * that each event counts once. Safe for use by many threads and instances: they take turns.
 *
 * <pre>{@code
 *   Projection totals = Projection.open(store, database, "totals", new Totals());
 *   totals.catchUp();                                   // after an append, or on a schedule
 *   select("select * from " + totals.liveTable());
 *   totals.rebuild();                                   // beside the live one, and then in its place
 * }</pre>
 *
 * <pre>
 *   postroad_projection   name, generation (primary key), position, live (1 or 0)
 *   NAME_GENERATION       the table itself, made by its view
 * </pre>
 */
public final class Projection {
    private static final String TABLE = "postroad_projection";
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,40}");
    private static final int AT_ONCE = 500;

    private final EventStore store;
    private final DataSource database;
    private final String name;
    private final View view;

    /** What a projection is made of. */
    public interface View {
        /** Makes its table, which is not there yet. */
        void create(Connection connection, String table) throws SQLException;

        /** Changes the table by one event; committing is left to who called it. */
        void apply(Connection connection, String table, StoredEvent event) throws SQLException;
    }

    private Projection(EventStore store, DataSource database, String name, View view) {
        this.store = store;
        this.database = database;
        this.name = name;
        this.view = view;
    }

    /**
     * A projection; its tables are made if they are not there.
     *
     * @param name letters, digits and {@code _}, at most 41: the beginning of its tables' names
     */
    public static Projection open(EventStore store, DataSource database, String name, View view) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("name is '" + name + "'; it must consist of letters, digits and _");
        }
        Projection projection = new Projection(store, database, name, view);
        projection.inTransaction(connection -> {
            Dialect dialect = Dialect.of(connection);
            try (Statement statement = connection.createStatement()) {
                statement.execute("create table if not exists " + TABLE + " (name " + dialect.textType(50)
                        + " not null, generation int not null, position bigint not null, live int not null,"
                        + " primary key (name, generation))");
            }
            connection.commit();
            if (projection.generation(connection, true) == 0) {
                projection.begin(connection, 1, true);
            }
            return true;
        });
        return projection;
    }

    /** The live generation's number, or the highest one; 0 if there is none. */
    private int generation(Connection connection, boolean live) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select max(generation) from " + TABLE + " where name = ?" + (live ? " and live = 1" : ""))) {
            select.setString(1, name);
            try (ResultSet rows = select.executeQuery()) {
                return rows.next() ? rows.getInt(1) : 0;
            }
        }
    }

    /** Another instance that begins the same one at the same time is waited for, and then it is there. */
    private void begin(Connection connection, int generation, boolean live) throws SQLException {
        Dialect dialect = Dialect.of(connection);
        try (PreparedStatement insert = connection.prepareStatement(
                dialect.insertIfAbsent(TABLE, "name, generation, position, live", "?, ?, 0, ?", "name, generation"))) {
            insert.setString(1, name);
            insert.setInt(2, generation);
            insert.setInt(3, live ? 1 : 0);
            if (insert.executeUpdate() > 0) {
                view.create(connection, table(generation));
            }
        } catch (SQLException e) {
            if (!dialect.isDuplicate(e)) {
                throw e;
            }
        }
    }

    private String table(int generation) {
        return name + "_" + generation;
    }

    /** The table to read from at present. */
    public String liveTable() {
        return table(inTransaction(connection -> generation(connection, true)));
    }

    /** How far the live table has come: the position of the last event in it. */
    public long position() {
        return inTransaction(connection -> locked(connection, generation(connection, true)));
    }

    /**
     * Brings the live table up to the present.
     *
     * @return how many events it took
     * @throws MessagingException {@code FAILED} if an event cannot be applied; those before it are
     */
    public long catchUp() {
        long all = 0;
        while (true) {
            int taken = inTransaction(connection -> step(connection, generation(connection, true)));
            all += taken;
            if (taken < AT_ONCE) {
                return all;
            }
        }
    }

    /** Some events more, in one transaction with the position. */
    private int step(Connection connection, int generation) throws SQLException {
        long position = locked(connection, generation);
        if (position < 0) {
            // It was replaced in between; the next step is one of its successor's.
            return AT_ONCE;
        }
        List<StoredEvent> events = store.readAll(position, AT_ONCE);
        for (StoredEvent event : events) {
            view.apply(connection, table(generation), event);
        }
        if (!events.isEmpty()) {
            try (PreparedStatement update = connection.prepareStatement(
                    "update " + TABLE + " set position = ? where name = ? and generation = ?")) {
                update.setLong(1, events.getLast().position());
                update.setString(2, name);
                update.setInt(3, generation);
                update.executeUpdate();
            }
        }
        return events.size();
    }

    /** Its position, with its row locked; -1 if it is gone. */
    private long locked(Connection connection, int generation) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select position from " + TABLE + " where name = ? and generation = ? for update")) {
            select.setString(1, name);
            select.setInt(2, generation);
            try (ResultSet rows = select.executeQuery()) {
                return rows.next() ? rows.getLong(1) : -1;
            }
        }
    }

    /**
     * Makes the table anew from all events, beside the live one, which is read and goes on meanwhile; then takes its place in one
     * transaction, and drops it. For a view that has changed, or a table that is wrong.
     *
     * <p>One that was interrupted is begun again from the start.
     */
    public void rebuild() {
        int next = inTransaction(connection -> {
            int made = generation(connection, false) + 1;
            begin(connection, made, false);
            return made;
        });
        int before;
        do {
            while (inTransaction(connection -> step(connection, next)) == AT_ONCE) {
                // on
            }
            before = inTransaction(connection -> swap(connection, next));
        } while (before == 0);
        int old = before;
        inTransaction(connection -> {
            try (Statement statement = connection.createStatement()) {
                return statement.execute("drop table " + table(old));
            }
        });
    }

    /** The generation that was replaced; 0 if it is ahead. */
    private int swap(Connection connection, int next) throws SQLException {
        int live = generation(connection, true);
        if (locked(connection, live) > locked(connection, next)) {
            return 0;
        }
        try (PreparedStatement delete =
                        connection.prepareStatement("delete from " + TABLE + " where name = ? and generation <> ?");
                PreparedStatement update = connection.prepareStatement(
                        "update " + TABLE + " set live = 1 where name = ? and generation = ?")) {
            delete.setString(1, name);
            delete.setInt(2, next);
            delete.executeUpdate();
            update.setString(1, name);
            update.setInt(2, next);
            update.executeUpdate();
            return live;
        }
    }

    private <R> R inTransaction(Transactions.Work<R, RuntimeException> work) {
        try {
            return Transactions.run(database, work);
        } catch (SQLException e) {
            throw new MessagingException(Reason.FAILED, "the projection " + name + " failed: " + e.getMessage(), e);
        }
    }
}
