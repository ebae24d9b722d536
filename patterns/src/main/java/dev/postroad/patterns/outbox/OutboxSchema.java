package dev.postroad.patterns.outbox;

import dev.postroad.patterns.jdbc.Dialect;
import dev.postroad.patterns.jdbc.Transactions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * The tables of an outbox.
 *
 * <pre>
 *   postroad_outbox           one row for each message that waits
 *     seq                     counts up; the order within a lane
 *     lane                    which line it stands in: its key's
 *     ordering_key            hash of its key; null without one
 *     channel, message_id     where it goes, and what it is known by
 *     message                 the whole message, see {@link dev.postroad.patterns.jdbc.MessageBytes}
 *     recorded_at             by the database's clock
 *     failure                 why the broker refused it for good; null while it waits
 *   postroad_outbox_lane      one row for each lane, for relays to lock
 * </pre>
 */
public final class OutboxSchema {
    private OutboxSchema() {}

    /** The statements that make the tables of an outbox, for those who make theirs with a tool of their own. */
    public static List<String> statements(Dialect dialect, OutboxSettings settings) {
        String table = settings.table();
        List<String> statements = new ArrayList<>();
        statements.add("create table if not exists " + table + " ("
                + "seq " + dialect.identity() + ", "
                + "lane smallint not null, "
                + "ordering_key bigint, "
                + "channel " + dialect.textType(255) + " not null, "
                + "message_id " + dialect.textType(255) + " not null, "
                + "message " + dialect.bytesType() + " not null, "
                + "recorded_at " + dialect.momentType() + " default " + dialect.now() + " not null, "
                + "failure " + dialect.textType(1000) + ", "
                + "primary key (lane, seq)"
                + (dialect == Dialect.MYSQL ? ", key (seq)" : "")
                + ")" + storage(dialect));
        if (dialect == Dialect.POSTGRESQL) {
            // Whether a key has a failed row is asked for each that is read: without it PostgreSQL may look through the
            // table.
            statements.add("create index if not exists " + table.substring(table.lastIndexOf('.') + 1) + "_failed on "
                    + table + " (lane, ordering_key, seq) where failure is not null");
        }
        statements.add("create table if not exists " + settings.lanesTable() + " (lane smallint not null primary key)");
        return statements;
    }

    /** Rows come and go all the time: PostgreSQL is to clear up after each few thousand, however large the table once was. */
    private static String storage(Dialect dialect) {
        return dialect == Dialect.POSTGRESQL
                ? " with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,"
                        + " autovacuum_vacuum_cost_delay = 0)"
                : "";
    }

    /**
     * Makes the tables, where they are not there yet, and commits; fine to be called by each program at its start.
     *
     * @throws SQLException as the database says; {@code 22023} if the table was made with another number of lanes
     */
    public static void create(Connection connection, OutboxSettings settings) throws SQLException {
        Dialect dialect = Dialect.of(connection);
        boolean autoCommit = connection.getAutoCommit();
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements(dialect, settings)) {
                statement.execute(sql);
            }
        } finally {
            connection.setAutoCommit(autoCommit);
        }
        addLanes(connection, settings);
    }

    private static void addLanes(Connection connection, OutboxSettings settings) throws SQLException {
        int there = OutboxTable.count(connection, "select count(*) from " + settings.lanesTable());
        if (there != 0 && there != settings.lanes()) {
            throw new SQLException(
                    "the outbox " + settings.table() + " has " + there + " lanes and the settings say "
                            + settings.lanes()
                            + ": a key would change its lane and lose its order. Use " + there
                            + ", or drain the outbox and drop both tables",
                    "22023");
        }
        if (there == settings.lanes()) {
            return;
        }
        try {
            Transactions.run(connection, each -> {
                try (PreparedStatement insert =
                        each.prepareStatement("insert into " + settings.lanesTable() + " (lane) values (?)")) {
                    for (int lane = 0; lane < settings.lanes(); lane++) {
                        insert.setInt(1, lane);
                        insert.addBatch();
                    }
                    return insert.executeBatch();
                }
            });
        } catch (SQLException e) {
            // Another program, starting as well, was faster.
            if (OutboxTable.count(connection, "select count(*) from " + settings.lanesTable()) != settings.lanes()) {
                throw e;
            }
        }
    }
}
