package dev.postroad.patterns.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.patterns.jdbc.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

class SpringOutboxTest {
    private static final Message<String, String> MESSAGE = Message.of("k", "v");

    private final DataSource database = TestDatabase.H2.open();
    private final OutboxTable table = new OutboxTable(OutboxSettings.DEFAULT);
    private final SpringOutbox<String, String> outbox =
            new SpringOutbox<>(database, new Outbox<>(Format.strings(), OutboxSettings.DEFAULT));
    private final TransactionTemplate transaction = new TransactionTemplate(new DataSourceTransactionManager(database));

    @BeforeEach
    void create() throws SQLException {
        try (Connection connection = database.getConnection()) {
            OutboxSchema.create(connection, OutboxSettings.DEFAULT);
        }
    }

    private long recorded() throws SQLException {
        try (Connection connection = database.getConnection()) {
            return table.backlog(connection).messages();
        }
    }

    private String record() {
        try {
            return outbox.record("events", MESSAGE);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void a_message_is_there_when_the_transaction_of_spring_commits_and_not_before() throws Exception {
        transaction.execute(status -> {
            assertThat(record()).isNotEmpty();
            try {
                assertThat(recorded()).isZero();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
            return null;
        });
        assertThat(recorded()).isEqualTo(1);
    }

    @Test
    void a_message_of_a_transaction_that_spring_rolls_back_is_never_there() throws Exception {
        transaction.execute(status -> {
            record();
            status.setRollbackOnly();
            return null;
        });
        assertThatThrownBy(() -> transaction.execute(status -> {
                    record();
                    throw new IllegalArgumentException("no such customer");
                }))
                .hasMessage("no such customer");
        assertThat(recorded()).isZero();
    }

    @Test
    void without_a_transaction_or_in_one_of_another_database_nothing_is_recorded() throws Exception {
        assertThatThrownBy(this::record)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("record it in a @Transactional method");
        TransactionTemplate elsewhere =
                new TransactionTemplate(new DataSourceTransactionManager(TestDatabase.H2.open()));
        assertThatThrownBy(() -> elsewhere.execute(status -> record())).isInstanceOf(IllegalStateException.class);
        TransactionTemplate none = new TransactionTemplate(new DataSourceTransactionManager(database));
        none.setPropagationBehavior(TransactionDefinition.PROPAGATION_SUPPORTS);
        assertThatThrownBy(() -> none.execute(status -> record())).isInstanceOf(IllegalStateException.class);
        assertThat(recorded()).isZero();
    }
}
