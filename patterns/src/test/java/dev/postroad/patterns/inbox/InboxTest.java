package dev.postroad.patterns.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.testkit.Await;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class InboxTest {
    private static final Channel ORDERS = Channel.command("orders");

    private static InboxSettings create(DataSource database, String effects) throws SQLException {
        InboxSettings settings = InboxSettings.of("billing").withTable(TestDatabase.tableName("inbox"));
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            Inbox.create(connection, settings);
            Inbox.create(connection, settings);
            statement.execute("create table " + effects + " (id varchar(100))");
        }
        return settings;
    }

    private static TransactionalHandler<String, String> insertInto(String effects) {
        return (delivery, connection) -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("insert into " + effects + " (id) values ('"
                        + delivery.message().value() + "')");
            }
        };
    }

    private static int count(DataSource database, String sql) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getInt(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_message_that_comes_again_is_acknowledged_without_effect(TestDatabase kind) throws Exception {
        DataSource database = kind.open();
        String effects = TestDatabase.tableName("effects");
        Inbox inbox = new Inbox(database, create(database, effects));
        try (Postroad postroad = Postroad.connect("embedded:memory");
                MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
            postroad.declare(ORDERS);
            for (int i = 0; i < 3; i++) {
                producer.send("orders", Message.<String, String>of("k", "one").withId("m-1"));
            }
            producer.send("orders", Message.<String, String>of("k", "two").withId("m-2"));
            try (var subscription = postroad.listen(
                    "orders", Format.strings(), ConsumerOptions.DEFAULT, inbox.around(insertInto(effects)))) {
                Await.until("four settled", () -> subscription.counts().acknowledged() == 4);
            }
        }
        assertThat(inbox.handled()).isEqualTo(2);
        assertThat(inbox.duplicates()).isEqualTo(2);
        assertThat(count(database, "select count(*) from " + effects)).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource
    void a_handler_that_fails_is_not_remembered_and_its_work_is_undone(TestDatabase kind) throws Exception {
        DataSource database = kind.open();
        String effects = TestDatabase.tableName("effects");
        InboxSettings settings = create(database, effects);
        Inbox inbox = new Inbox(database, settings);
        AtomicInteger calls = new AtomicInteger();
        TransactionalHandler<String, String> failsTwice = (delivery, connection) -> {
            insertInto(effects).handle(delivery, connection);
            if (calls.incrementAndGet() < 3) {
                throw new IllegalStateException("not yet");
            }
        };
        try (Postroad postroad = Postroad.connect("embedded:memory");
                MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
            postroad.declare(ORDERS.withRetry(ORDERS.retry().withDelays(Duration.ofMillis(1), Duration.ofMillis(2))));
            producer.send("orders", Message.of("k", "one"));
            try (var subscription =
                    postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, inbox.around(failsTwice))) {
                Await.until("the settlement", () -> subscription.counts().acknowledged() == 1);
            }
        }
        assertThat(calls).hasValue(3);
        assertThat(inbox.duplicates()).isZero();
        assertThat(count(database, "select count(*) from " + effects)).isEqualTo(1);
        assertThat(count(database, "select count(*) from " + settings.table())).isEqualTo(1);
    }

    @ParameterizedTest
    @EnumSource
    void two_at_once_with_one_identity_have_one_effect(TestDatabase kind) throws Exception {
        DataSource database = kind.open();
        String effects = TestDatabase.tableName("effects");
        Inbox inbox = new Inbox(database, create(database, effects));
        CountDownLatch inside = new CountDownLatch(1);
        try (Postroad postroad = Postroad.connect("embedded:memory");
                MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
            postroad.declare(ORDERS);
            TransactionalHandler<String, String> slow = (delivery, connection) -> {
                inside.countDown();
                insertInto(effects).handle(delivery, connection);
            };
            try (var subscription = postroad.listen(
                    "orders",
                    Format.strings(),
                    ConsumerOptions.DEFAULT.withConcurrency(8),
                    inbox.around(message -> "payment-7", slow))) {
                for (int i = 0; i < 8; i++) {
                    producer.send("orders", Message.of("k" + i, "v" + i));
                }
                Await.until("eight settled", () -> subscription.counts().acknowledged() == 8);
            }
        }
        assertThat(inside.getCount()).isZero();
        assertThat(count(database, "select count(*) from " + effects)).isEqualTo(1);
        assertThat(inbox.duplicates()).isEqualTo(7);
    }

    @ParameterizedTest
    @EnumSource
    void what_is_older_than_the_window_is_forgotten(TestDatabase kind) throws Exception {
        DataSource database = kind.open();
        String effects = TestDatabase.tableName("effects");
        InboxSettings settings =
                create(database, effects).withWindow(Duration.ofMillis(1)).withCleanupInterval(Duration.ofMillis(1));
        Inbox inbox = new Inbox(database, settings);
        try (Postroad postroad = Postroad.connect("embedded:memory");
                MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
            postroad.declare(ORDERS);
            try (var subscription = postroad.listen(
                    "orders", Format.strings(), ConsumerOptions.DEFAULT, inbox.around(insertInto(effects)))) {
                Await.until("a table that stays small", () -> {
                    producer.send("orders", Message.of("k", "v"));
                    return subscription.counts().acknowledged() > 50
                            && count(database, "select count(*) from " + settings.table()) < 20;
                });
            }
        }
    }
}
