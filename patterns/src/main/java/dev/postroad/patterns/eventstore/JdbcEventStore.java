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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * Events in a database: PostgreSQL, MySQL, MariaDB or H2.
 *
 * <pre>
 *   TABLE             position  primary key
 *                     stream, version   unique
 *                     event     its bytes
 *                     recorded_at  by the database's clock
 *   TABLE_position    one row: the last position given. Appending locks it until it commits, so that positions become visible
 *                     in their order: without that, a reader could pass by an event whose transaction was slower
 *   TABLE_snapshot    stream (primary key), version, schema_version, state
 * </pre>
 */
public final class JdbcEventStore implements EventStore {
    /** The table where nothing else is said. */
    public static final String TABLE = "postroad_event";

    private static final Pattern NAME = Pattern.compile("([A-Za-z_][A-Za-z0-9_]{0,30}\\.)?[A-Za-z_][A-Za-z0-9_]{0,30}");

    private final DataSource database;
    private final String table;

    /** Events in the table {@value #TABLE} and two beside it, which must be there: see {@link #create}. */
    public JdbcEventStore(DataSource database) {
        this(database, TABLE);
    }

    /**
     * @param table letters, digits, {@code _} and one {@code .}
     * @throws IllegalArgumentException if it is named otherwise
     */
    public JdbcEventStore(DataSource database, String table) {
        if (!NAME.matcher(table).matches()) {
            throw new IllegalArgumentException(
                    "table is '" + table + "'; it must be a name of letters, digits and _, with a schema or without");
        }
        this.database = database;
        this.table = table;
    }

    /** The statements that make the tables, for those who make theirs with a tool of their own. */
    public List<String> schema(Dialect dialect) {
        return List.of(
                "create table if not exists " + table + " (position bigint not null primary key, stream "
                        + dialect.textType(200) + " not null, version bigint not null, event " + dialect.bytesType()
                        + " not null, recorded_at " + dialect.momentType() + " default " + dialect.now()
                        + " not null, unique (stream, version))",
                "create table if not exists " + table
                        + "_position (id int not null primary key, position bigint not null)",
                "create table if not exists " + table + "_snapshot (stream " + dialect.textType(200)
                        + " not null primary key, version bigint not null, schema_version int not null, state "
                        + dialect.bytesType() + " not null)");
    }

    /** Makes the tables, where they are not there yet; fine to be called by each program at its start. */
    public void create() throws SQLException {
        try (Connection connection = database.getConnection()) {
            Dialect dialect = Dialect.of(connection);
            try (Statement statement = connection.createStatement()) {
                for (String sql : schema(dialect)) {
                    statement.execute(sql);
                }
                statement.execute(dialect.insertIfAbsent(table + "_position", "id, position", "1, 0", "id"));
            } catch (SQLException e) {
                if (!dialect.isDuplicate(e)) {
                    throw e;
                }
            }
        }
    }

    // ── Appending ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public long append(String stream, long expected, List<Event> events) {
        Checks.append(stream, expected, events);
        return inTransaction(connection -> append(connection, stream, expected, events));
    }

    /**
     * As {@link EventStore#append}, as part of the caller's transaction: the events are there if it commits. Until then all
     * others who append wait.
     */
    public long append(Connection connection, String stream, long expected, List<Event> events) throws SQLException {
        Checks.append(stream, expected, events);
        try (PreparedStatement lock =
                connection.prepareStatement("update " + table + "_position set position = position + ? where id = 1")) {
            lock.setInt(1, events.size());
            if (lock.executeUpdate() != 1) {
                throw new SQLException("the table " + table + "_position has no row; call create() first", "02000");
            }
        }
        long last = number(connection, "select position from " + table + "_position where id = 1");
        long version = version(connection, stream);
        if (expected != ANY && expected != version) {
            throw new VersionConflictException(stream, expected, version);
        }
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into " + table + " (position, stream, version, event) values (?, ?, ?, ?)")) {
            for (int i = 0; i < events.size(); i++) {
                insert.setLong(1, last - events.size() + 1 + i);
                insert.setString(2, stream);
                insert.setLong(3, version + 1 + i);
                insert.setBytes(4, EventBytes.encode(List.of(events.get(i))));
                insert.addBatch();
            }
            insert.executeBatch();
        }
        return version + events.size();
    }

    private static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            return rows.next() ? rows.getLong(1) : 0;
        }
    }

    private long version(Connection connection, String stream) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("select max(version) from " + table + " where stream = ?")) {
            select.setString(1, stream);
            try (ResultSet rows = select.executeQuery()) {
                return rows.next() ? rows.getLong(1) : 0;
            }
        }
    }

    @Override
    public long version(String stream) {
        return inTransaction(connection -> version(connection, stream));
    }

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public List<StoredEvent> read(String stream, long from, int max) {
        return inTransaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement("select stream, version, position, event,"
                    + " recorded_at from " + table + " where stream = ? and version >= ? order by version")) {
                select.setString(1, stream);
                select.setLong(2, from);
                return events(select, max);
            }
        });
    }

    @Override
    public List<StoredEvent> readAll(long after, int max) {
        return inTransaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement("select stream, version, position, event,"
                    + " recorded_at from " + table + " where position > ? order by position")) {
                select.setLong(1, after);
                return events(select, max);
            }
        });
    }

    private static List<StoredEvent> events(PreparedStatement select, int max) throws SQLException {
        select.setMaxRows(max);
        List<StoredEvent> events = new ArrayList<>();
        try (ResultSet rows = select.executeQuery()) {
            while (rows.next()) {
                events.add(new StoredEvent(
                        rows.getString(1),
                        rows.getLong(2),
                        rows.getLong(3),
                        EventBytes.decode(rows.getBytes(4)).getFirst(),
                        rows.getTimestamp(5).toInstant()));
            }
        }
        return events;
    }

    // ── Snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void saveSnapshot(String stream, Snapshot snapshot) {
        inTransaction(connection -> {
            try (PreparedStatement delete =
                            connection.prepareStatement("delete from " + table + "_snapshot where stream = ?");
                    PreparedStatement insert = connection.prepareStatement("insert into " + table
                            + "_snapshot (stream, version, schema_version, state) values (?, ?, ?, ?)")) {
                delete.setString(1, stream);
                delete.executeUpdate();
                insert.setString(1, stream);
                insert.setLong(2, snapshot.version());
                insert.setInt(3, snapshot.schema());
                insert.setBytes(4, snapshot.state());
                return insert.executeUpdate();
            }
        });
    }

    @Override
    public Optional<Snapshot> snapshot(String stream) {
        return inTransaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "select version, schema_version, state from " + table + "_snapshot where stream = ?")) {
                select.setString(1, stream);
                try (ResultSet rows = select.executeQuery()) {
                    return rows.next()
                            ? Optional.of(new Snapshot(rows.getLong(1), rows.getInt(2), rows.getBytes(3)))
                            : Optional.empty();
                }
            }
        });
    }

    private <R> R inTransaction(Transactions.Work<R, RuntimeException> work) {
        try {
            return Transactions.run(database, work);
        } catch (SQLException e) {
            throw new MessagingException(
                    Reason.FAILED, "the table " + table + " of events cannot be read or written: " + e.getMessage(), e);
        }
    }
}
