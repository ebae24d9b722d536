package dev.postroad.patterns.routing;

import dev.postroad.patterns.jdbc.Dialect;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The tables of aggregators, a statement a method. A group's row is locked by whoever changes anything of the group.
 *
 * <pre>
 *   NAME_group   aggregator, group_id          primary key
 *                parts                         how many have come
 *                opened_at, closed_at          by the database's clock; closed_at is null while it is open; indexed
 *   NAME_part    aggregator, group_id, part_id primary key: a part that comes again is known
 *                place, arrival                its order
 *                message                       MessageBytes
 * </pre>
 */
final class GroupTables {
    private static final int AT_ONCE = 100;

    private final AggregatorSettings settings;

    GroupTables(AggregatorSettings settings) {
        this.settings = settings;
    }

    static List<String> schema(Dialect dialect, AggregatorSettings settings) {
        String who =
                "aggregator " + dialect.textType(100) + " not null, group_id " + dialect.textType(255) + " not null, ";
        // Open groups by age, and closed ones by theirs: without the index each sweep would read the whole table.
        List<String> statements = new ArrayList<>(dialect.tableByAge(
                settings.groups(),
                who + "parts integer not null, opened_at " + dialect.momentType() + " default " + dialect.now()
                        + " not null, closed_at " + dialect.momentType() + (dialect == Dialect.MYSQL ? " null" : "")
                        + ", primary key (aggregator, group_id)",
                "aggregator, closed_at, opened_at"));
        statements.add("create table if not exists " + settings.parts() + " (" + who + "part_id "
                + dialect.textType(255) + " not null, place integer not null, arrival integer not null, message "
                + dialect.bytesType() + " not null, primary key (aggregator, group_id, part_id))");
        return statements;
    }

    /** @param parts so far; -1 if the group has ended */
    record Locked(int parts) {
        boolean ended() {
            return parts < 0;
        }
    }

    /** Makes the group's row where there is none. */
    void open(Connection connection, String group) throws SQLException {
        insert(
                connection,
                Dialect.of(connection)
                        .insertIfAbsent(
                                settings.groups(), "aggregator, group_id, parts", "?, ?, 0", "aggregator, group_id"),
                group);
    }

    /** Locks the group until the transaction ends; as ended if it is not there. */
    Locked lock(Connection connection, String group) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("select parts, closed_at from " + settings.groups()
                + " where aggregator = ? and group_id = ? for update")) {
            select.setString(1, settings.name());
            select.setString(2, group);
            try (ResultSet row = select.executeQuery()) {
                return new Locked(row.next() && row.getTimestamp(2) == null ? row.getInt(1) : -1);
            }
        }
    }

    /** @return false if the part was there already */
    boolean add(Connection connection, String group, String part, int place, int arrival, byte[] message)
            throws SQLException {
        boolean added = insert(
                connection,
                Dialect.of(connection)
                        .insertIfAbsent(
                                settings.parts(),
                                "aggregator, group_id, part_id, place, arrival, message",
                                "?, ?, ?, ?, ?, ?",
                                "aggregator, group_id, part_id"),
                group,
                part,
                place,
                arrival,
                message);
        if (added) {
            update(connection, "update " + settings.groups() + " set parts = parts + 1" + where(), group);
        }
        return added;
    }

    List<byte[]> parts(Connection connection, String group) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select message from " + settings.parts() + where() + " order by place, arrival")) {
            select.setString(1, settings.name());
            select.setString(2, group);
            List<byte[]> parts = new ArrayList<>();
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    parts.add(rows.getBytes(1));
                }
            }
            return parts;
        }
    }

    /** Its parts go, and it stays known as ended. */
    void close(Connection connection, String group) throws SQLException {
        update(connection, "delete from " + settings.parts() + where(), group);
        update(
                connection,
                "update " + settings.groups() + " set closed_at = "
                        + Dialect.of(connection).now() + where(),
                group);
    }

    /** Open groups that are older, oldest first, a hundred at most. */
    List<String> olderThan(Connection connection, Duration age) throws SQLException {
        return groups(
                connection,
                " and opened_at < " + Dialect.of(connection).millisAgo() + " order by opened_at limit " + AT_ONCE,
                age.toMillis());
    }

    /** Open groups that are too many, oldest first, a hundred at most. */
    List<String> beyondBound(Connection connection) throws SQLException {
        int tooMany = Math.min(AT_ONCE, open(connection) - settings.maxGroups());
        return tooMany <= 0 ? List.of() : groups(connection, " order by opened_at limit " + tooMany);
    }

    int open(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select count(*) from " + settings.groups() + " where aggregator = ? and closed_at is null")) {
            select.setString(1, settings.name());
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    /** Gives an open group its whole time again: what it came to could not be made. */
    void postpone(Connection connection, String group) throws SQLException {
        update(
                connection,
                "update " + settings.groups() + " set opened_at = "
                        + Dialect.of(connection).now() + where(),
                group);
    }

    void forget(Connection connection) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement(
                "delete from " + settings.groups() + " where aggregator = ? and closed_at < "
                        + Dialect.of(connection).millisAgo())) {
            delete.setString(1, settings.name());
            delete.setLong(2, settings.remembered().toMillis());
            delete.executeUpdate();
        }
    }

    private static String where() {
        return " where aggregator = ? and group_id = ?";
    }

    private List<String> groups(Connection connection, String rest, Object... values) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select group_id from " + settings.groups() + " where aggregator = ? and closed_at is null" + rest)) {
            bind(select, values);
            List<String> groups = new ArrayList<>();
            try (ResultSet rows = select.executeQuery()) {
                while (rows.next()) {
                    groups.add(rows.getString(1));
                }
            }
            return groups;
        }
    }

    private boolean insert(Connection connection, String sql, Object... values) throws SQLException {
        try {
            return update(connection, sql, values) > 0;
        } catch (SQLException e) {
            if (Dialect.of(connection).isDuplicate(e)) {
                return false;
            }
            throw e;
        }
    }

    private int update(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, values);
            return statement.executeUpdate();
        }
    }

    private void bind(PreparedStatement statement, Object... values) throws SQLException {
        statement.setString(1, settings.name());
        for (int i = 0; i < values.length; i++) {
            statement.setObject(i + 2, values[i]);
        }
    }

    static void create(Connection connection, AggregatorSettings settings) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : schema(Dialect.of(connection), settings)) {
                statement.execute(sql);
            }
        }
    }
}
