package dev.postroad.patterns.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TransactionsTest {
    private final DataSource database = TestDatabase.H2.open();

    @BeforeEach
    void table() throws SQLException {
        execute("create table notes (text varchar(20))");
    }

    @Test
    void what_returns_is_committed_and_what_throws_is_not() throws SQLException {
        int written = Transactions.run(database, connection -> write(connection, "kept"));

        assertThatThrownBy(() -> Transactions.run(database, connection -> {
                    write(connection, "undone");
                    throw new IOException("of the work's own");
                }))
                .isExactlyInstanceOf(IOException.class)
                .hasMessage("of the work's own")
                .hasNoSuppressedExceptions();
        assertThat(written).isEqualTo(1);
        assertThat(notes()).isEqualTo(1);
    }

    @Test
    void that_rolling_back_failed_too_does_not_hide_why() throws SQLException {
        FaultyDatabase faulty = new FaultyDatabase(database);
        faulty.breakAt(2, false); // the write is the first step, rolling back the second

        assertThatThrownBy(() -> Transactions.run(faulty, connection -> {
                    write(connection, "undone");
                    throw new IllegalStateException("why");
                }))
                .isExactlyInstanceOf(IllegalStateException.class)
                .satisfies(why -> assertThat(why.getSuppressed())
                        .singleElement()
                        .asString()
                        .contains("broken at rollback"));
        assertThat(notes()).isZero();
    }

    @Test
    void a_commit_that_fails_is_told() throws SQLException {
        FaultyDatabase faulty = new FaultyDatabase(database);
        faulty.breakAt(2, false);

        assertThatThrownBy(() -> Transactions.run(faulty, connection -> write(connection, "undone")))
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("broken at commit");
        assertThat(notes()).isZero();
    }

    private static int write(Connection connection, String text) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return statement.executeUpdate("insert into notes values ('" + text + "')");
        }
    }

    private int notes() throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select count(*) from notes")) {
            row.next();
            return row.getInt(1);
        }
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
