package dev.postroad.patterns.saga;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.patterns.jdbc.Dialect;
import dev.postroad.patterns.jdbc.Transactions;
import dev.postroad.patterns.saga.SagaState.Status;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * States in a database: PostgreSQL, MySQL, MariaDB or H2.
 *
 * <pre>
 *   saga, id      primary key
 *   version       counts up; a change names the one before
 *   status, step, attempt, failure
 *   data          by the saga's serde
 *   deadline, updated   milliseconds since 1970, by the program's clock; indexed by saga, status, updated
 * </pre>
 */
public final class JdbcSagaStore implements SagaStore {
    /** The table where nothing else is said. */
    public static final String TABLE = "postroad_saga";

    private static final Pattern NAME = Pattern.compile("([A-Za-z_][A-Za-z0-9_]{0,40}\\.)?[A-Za-z_][A-Za-z0-9_]{0,40}");
    private static final String COLUMNS = "saga, id, version, status, step, attempt, data, failure, deadline, updated";
    private static final int MAX_FAILURE = 1_000;

    private final DataSource database;
    private final String table;

    /** States in the table {@value #TABLE}, which must be there: see {@link #create}. */
    public JdbcSagaStore(DataSource database) {
        this(database, TABLE);
    }

    /**
     * @param table letters, digits, {@code _} and one {@code .}
     * @throws IllegalArgumentException if it is named otherwise
     */
    public JdbcSagaStore(DataSource database, String table) {
        if (!NAME.matcher(table).matches()) {
            throw new IllegalArgumentException(
                    "table is '" + table + "'; it must be a name of letters, digits and _, with a schema or without");
        }
        this.database = database;
        this.table = table;
    }

    /** The statements that make the table, for those who make theirs with a tool of their own. */
    public List<String> schema(Dialect dialect) {
        return dialect.tableByAge(
                table,
                "saga " + dialect.textType(100) + " not null, "
                        + "id " + dialect.textType(200) + " not null, "
                        + "version bigint not null, "
                        + "status varchar(20) not null, "
                        + "step " + dialect.textType(100) + " not null, "
                        + "attempt int not null, "
                        + "data " + dialect.bytesType() + " not null, "
                        + "failure " + dialect.textType(MAX_FAILURE) + ", "
                        + "deadline bigint, "
                        + "updated bigint not null, "
                        + "primary key (saga, id)",
                "saga, status, updated");
    }

    /** Makes the table, where it is not there yet; fine to be called by each program at its start. */
    public void create() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            for (String sql : schema(Dialect.of(connection))) {
                statement.execute(sql);
            }
        }
    }

    @Override
    public Optional<SagaState> find(String saga, String id) {
        return query("select " + COLUMNS + " from " + table + " where saga = ? and id = ?", 1, saga, id).stream()
                .findFirst();
    }

    @Override
    public List<SagaState> stuck(String saga, Instant overdueSince, int max) {
        return query(
                "select " + COLUMNS + " from " + table
                        + " where saga = ? and (status = 'STUCK' or deadline < ?) order by updated",
                max,
                saga,
                overdueSince.toEpochMilli());
    }

    @Override
    public int forget(String saga, Instant endedBefore, int max) {
        return inTransaction(connection -> {
            // Chosen first, since not every database deletes so many and no more.
            List<String> old = new ArrayList<>();
            try (PreparedStatement select = connection.prepareStatement("select id from " + table
                    + " where saga = ? and status in ('COMPLETED', 'COMPENSATED') and updated < ? order by updated")) {
                select.setMaxRows(max);
                select.setString(1, saga);
                select.setLong(2, endedBefore.toEpochMilli());
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        old.add(rows.getString(1));
                    }
                }
            }
            // And asked again, since another instance may have forgotten one, which was then started anew.
            try (PreparedStatement delete = connection.prepareStatement("delete from " + table
                    + " where saga = ? and id = ? and status in ('COMPLETED', 'COMPENSATED') and updated < ?")) {
                for (String id : old) {
                    delete.setString(1, saga);
                    delete.setString(2, id);
                    delete.setLong(3, endedBefore.toEpochMilli());
                    delete.addBatch();
                }
                delete.executeBatch();
            }
            return old.size();
        });
    }

    private List<SagaState> query(String sql, int max, Object... parameters) {
        return inTransaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement(sql)) {
                select.setMaxRows(max);
                for (int i = 0; i < parameters.length; i++) {
                    select.setObject(i + 1, parameters[i]);
                }
                List<SagaState> found = new ArrayList<>();
                try (ResultSet rows = select.executeQuery()) {
                    while (rows.next()) {
                        found.add(state(rows));
                    }
                }
                return found;
            }
        });
    }

    private static SagaState state(ResultSet rows) throws SQLException {
        long deadline = rows.getLong(9);
        Instant until = rows.wasNull() ? null : Instant.ofEpochMilli(deadline);
        return new SagaState(
                rows.getString(1),
                rows.getString(2),
                rows.getLong(3),
                Status.valueOf(rows.getString(4)),
                rows.getString(5),
                rows.getInt(6),
                rows.getBytes(7),
                rows.getString(8),
                until,
                Instant.ofEpochMilli(rows.getLong(10)));
    }

    @Override
    public boolean insert(SagaState first) {
        return inTransaction(connection -> {
            Dialect dialect = Dialect.of(connection);
            try (PreparedStatement insert = connection.prepareStatement(
                    dialect.insertIfAbsent(table, COLUMNS, "?, ?, ?, ?, ?, ?, ?, ?, ?, ?", "saga, id"))) {
                insert.setString(1, first.saga());
                insert.setString(2, first.id());
                int next = set(insert, 3, first);
                assert next == 11;
                return insert.executeUpdate() > 0;
            } catch (SQLException e) {
                if (dialect.isDuplicate(e)) {
                    return false;
                }
                throw e;
            }
        });
    }

    @Override
    public boolean update(SagaState next) {
        return inTransaction(connection -> {
            try (PreparedStatement update = connection.prepareStatement("update " + table
                    + " set version = ?, status = ?, step = ?, attempt = ?, data = ?, failure = ?, deadline = ?,"
                    + " updated = ? where saga = ? and id = ? and version = ?")) {
                int at = set(update, 1, next);
                update.setString(at, next.saga());
                update.setString(at + 1, next.id());
                update.setLong(at + 2, next.version() - 1);
                return update.executeUpdate() == 1;
            }
        });
    }

    /** From the version on; returns the place behind. */
    private static int set(PreparedStatement statement, int from, SagaState state) throws SQLException {
        int at = from;
        statement.setLong(at++, state.version());
        statement.setString(at++, state.status().name());
        statement.setString(at++, state.step());
        statement.setInt(at++, state.attempt());
        statement.setBytes(at++, state.data());
        statement.setString(at++, shortened(state.failure()));
        Instant deadline = state.deadline();
        if (deadline == null) {
            statement.setNull(at++, Types.BIGINT);
        } else {
            statement.setLong(at++, deadline.toEpochMilli());
        }
        statement.setLong(at++, state.updated().toEpochMilli());
        return at;
    }

    private static @Nullable String shortened(@Nullable String text) {
        return text == null || text.length() <= MAX_FAILURE ? text : text.substring(0, MAX_FAILURE);
    }

    private <R> R inTransaction(Transactions.Work<R, RuntimeException> work) {
        try {
            return Transactions.run(database, work);
        } catch (SQLException e) {
            throw new MessagingException(
                    Reason.FAILED, "the table " + table + " of sagas cannot be read or written: " + e.getMessage(), e);
        }
    }
}
