package dev.postroad.patterns.claimcheck;

import dev.postroad.patterns.jdbc.Dialect;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/**
 * Blobs as rows of a table.
 *
 * <pre>
 *   id         primary key
 *   body       the bytes, up to 16 MiB on MySQL and MariaDB where the server takes packets that large
 *   stored_at  by the database's clock
 * </pre>
 */
public final class JdbcBlobs implements BlobStore {
    private static final Pattern NAME = Pattern.compile("([A-Za-z_][A-Za-z0-9_]{0,40}\\.)?[A-Za-z_][A-Za-z0-9_]{0,40}");

    private final DataSource database;
    private final String table;

    /** @param table name of the table, with its schema where that is not the default */
    public JdbcBlobs(DataSource database, String table) {
        requireName(table);
        this.database = database;
        this.table = table;
    }

    private static void requireName(String table) {
        if (!NAME.matcher(table).matches()) {
            throw new IllegalArgumentException(
                    "table is " + table + "; it must be a name of letters, digits and _, with a schema or without");
        }
    }

    /** Makes the table, where it is not there yet. */
    public static void create(Connection connection, String table) throws SQLException {
        requireName(table);
        Dialect dialect = Dialect.of(connection);
        try (Statement statement = connection.createStatement()) {
            statement.execute("create table if not exists " + table + " (id " + dialect.textType(100)
                    + " not null primary key, body " + dialect.bytesType() + " not null, stored_at "
                    + dialect.momentType() + " default " + dialect.now() + " not null)");
        }
    }

    @Override
    public void put(String id, byte[] bytes) throws IOException {
        update("insert into " + table + " (id, body) values (?, ?)", insert -> {
            insert.setString(1, id);
            insert.setBytes(2, bytes);
        });
    }

    @Override
    public Optional<byte[]> get(String id, int size) throws IOException {
        try (Connection connection = database.getConnection();
                PreparedStatement select = connection.prepareStatement("select body from " + table + " where id = ?")) {
            select.setString(1, id);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? Optional.of(row.getBytes(1)) : Optional.empty();
            }
        } catch (SQLException e) {
            throw new IOException("reading from table " + table + " failed: " + e.getMessage(), e);
        }
    }

    @Override
    public void delete(String id) throws IOException {
        update("delete from " + table + " where id = ?", delete -> delete.setString(1, id));
    }

    @Override
    public int deleteOlderThan(Duration age) throws IOException {
        try (Connection connection = database.getConnection()) {
            String old = Dialect.of(connection).millisAgo();
            return update(
                    "delete from " + table + " where stored_at < " + old, delete -> delete.setLong(1, age.toMillis()));
        } catch (SQLException e) {
            throw new IOException("connecting to the database of table " + table + " failed: " + e.getMessage(), e);
        }
    }

    @FunctionalInterface
    private interface Values {
        void set(PreparedStatement statement) throws SQLException;
    }

    private int update(String sql, Values values) throws IOException {
        try (Connection connection = database.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            values.set(statement);
            int count = statement.executeUpdate();
            if (!connection.getAutoCommit()) {
                connection.commit();
            }
            return count;
        } catch (SQLException e) {
            throw new IOException("writing to table " + table + " failed: " + e.getMessage(), e);
        }
    }
}
