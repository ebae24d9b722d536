package dev.postroad.patterns.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.inbox.InboxSettings;
import dev.postroad.patterns.jdbc.FaultyDatabase;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Generator;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OutboxTest {
    private static final Channel EVENTS = Channel.command("events").withOrderedByKey(true);

    private static OutboxSettings settings() {
        return OutboxSettings.DEFAULT
                .withTable(TestDatabase.tableName("outbox"))
                .withPollInterval(Duration.ofMillis(20))
                .withMaxBackoff(Duration.ofMillis(20));
    }

    private static OutboxSettings create(DataSource database) throws SQLException {
        OutboxSettings settings = settings();
        try (Connection connection = database.getConnection()) {
            OutboxSchema.create(connection, settings);
            OutboxSchema.create(connection, settings);
        }
        return settings;
    }

    private static void record(
            DataSource database, Outbox<String, String> outbox, String key, String value, boolean commit)
            throws SQLException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            outbox.record(connection, "events", Message.of(key, value));
            if (commit) {
                connection.commit();
            } else {
                connection.rollback();
            }
        }
    }

    private static List<String> receive(Postroad postroad, String channel, int count) {
        List<String> values = new ArrayList<>();
        try (var consumer = postroad.consumer(Format.strings(), ConsumerOptions.DEFAULT)) {
            consumer.subscribe(List.of(channel));
            Await.until(count + " messages of " + channel, () -> {
                consumer.poll(Duration.ofMillis(100))
                        .forEach(message -> values.add(message.key() + ":" + message.value()));
                consumer.commit();
                return values.size() >= count;
            });
        }
        return values;
    }

    @ParameterizedTest
    @EnumSource
    void what_commits_is_sent_in_order_of_its_key_and_what_is_rolled_back_is_not(TestDatabase kind) throws Exception {
        DataSource database = kind.open();
        OutboxSettings settings = create(database);
        Outbox<String, String> outbox = new Outbox<>(Format.strings(), settings);
        try (Postroad postroad = Postroad.connect("embedded:memory")) {
            postroad.declare(EVENTS);
            for (int i = 0; i < 300; i++) {
                record(database, outbox, "key-" + i % 7, Integer.toString(i), i % 10 != 9);
            }
            try (OutboxRelay relay = OutboxRelay.start(database, postroad, settings)) {
                List<String> received = receive(postroad, "events", 270);
                for (int key = 0; key < 7; key++) {
                    String prefix = "key-" + key + ":";
                    List<String> expected = new ArrayList<>();
                    for (int i = key; i < 300; i += 7) {
                        if (i % 10 != 9) {
                            expected.add(prefix + i);
                        }
                    }
                    assertThat(received.stream().filter(value -> value.startsWith(prefix)))
                            .containsExactlyElementsOf(expected);
                }
                Await.until("an empty outbox", () -> relay.backlog().messages() == 0);
                assertThat(relay.relayed()).isEqualTo(270);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_connection_that_commits_by_itself_is_refused(TestDatabase kind) throws Exception {
        DataSource database = kind.open();
        Outbox<String, String> outbox = new Outbox<>(Format.strings(), create(database));
        try (Connection connection = database.getConnection()) {
            assertThatThrownBy(() -> outbox.record(connection, "events", Message.of("k", "v")))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("setAutoCommit(false)");
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_table_of_other_lanes_is_refused(TestDatabase kind) throws Exception {
        DataSource database = kind.open();
        OutboxSettings settings = create(database);
        try (Connection connection = database.getConnection()) {
            assertThatThrownBy(() -> OutboxSchema.create(connection, settings.withLanes(3, 1)))
                    .hasMessageContaining("has 16 lanes and the settings say 3");
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_refused_message_holds_its_key_alone_until_somebody_decides(TestDatabase kind) throws Exception {
        DataSource database = kind.open();
        OutboxSettings settings = create(database);
        Outbox<String, String> outbox = new Outbox<>(Format.strings(), settings);
        try (Postroad postroad = Postroad.connect("embedded:memory")) {
            postroad.declare(EVENTS.withMaxMessageBytes(100));
            record(database, outbox, "a", "1", true);
            record(database, outbox, "a", "x".repeat(200), true);
            record(database, outbox, "a", "3", true);
            record(database, outbox, "b", "1", true);
            try (OutboxRelay relay = OutboxRelay.start(database, postroad, settings)) {
                assertThat(receive(postroad, "events", 2)).containsExactlyInAnyOrder("a:1", "b:1");
                Await.until("one refused", () -> relay.refused() == 1);
                List<FailedMessage> failed = relay.failed(10);
                assertThat(failed).hasSize(1);
                assertThat(failed.getFirst().failure()).contains("TOO_LARGE").contains("maxMessageBytes");
                assertThat(relay.backlog().messages()).isEqualTo(2);
                assertThat(relay.retryFailed(failed.getFirst().messageId())).isTrue();
                Await.until("refused again", () -> relay.refused() == 2);
                assertThat(relay.discardFailed(failed.getFirst().messageId())).isTrue();
                assertThat(receive(postroad, "events", 1)).containsExactly("a:3");
                assertThat(relay.discardFailed("nobody")).isFalse();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void the_alarm_goes_off_when_the_oldest_has_waited_too_long_and_again_when_it_is_over(TestDatabase kind)
            throws Exception {
        DataSource database = kind.open();
        OutboxSettings settings = create(database).withAlarmAge(Duration.ofMillis(50));
        Outbox<String, String> outbox = new Outbox<>(Format.strings(), settings);
        ConcurrentLinkedQueue<Backlog> alarms = new ConcurrentLinkedQueue<>();
        try (Postroad postroad = Postroad.connect("embedded:memory")) {
            postroad.declare(EVENTS.withMaxMessages(1L));
            record(database, outbox, "a", "1", true);
            record(database, outbox, "a", "2", true);
            try (OutboxRelay relay = OutboxRelay.start(database, postroad, settings.withBatch(1, 1), alarms::add)) {
                Await.until("the alarm", () -> alarms.size() == 1);
                assertThat(alarms.peek().messages()).isEqualTo(1);
                assertThat(alarms.peek().oldestAge()).isGreaterThanOrEqualTo(Duration.ofMillis(50));
                receive(postroad, "events", 2);
                Await.until("the end of the alarm", () -> alarms.size() == 2);
                assertThat(relay.relayed()).isEqualTo(2);
            }
        }
    }

    /** Many writers and three relays whose connections break at random steps, and a handler behind an inbox. */
    @ParameterizedTest
    @EnumSource
    void every_committed_row_has_its_message_once_in_effect_whatever_breaks(TestDatabase kind) throws Exception {
        broken(kind, 120, 1, 60);
    }

    @Tag("soak")
    @ParameterizedTest
    @EnumSource
    void a_thousand_breaks_at_random_steps_lose_and_double_nothing(TestDatabase kind) throws Exception {
        broken(kind, 120, 1_000, 12);
    }

    /** @param within so many steps at most from one break to the next */
    private static void broken(TestDatabase kind, int rows, int breaks, int within) throws Exception {
        long seed = Generator.announced("outbox on " + kind).seed();
        Random random = new Random(seed);
        DataSource database = kind.open();
        OutboxSettings settings = create(database).withBatch(20, 1 << 20);
        InboxSettings inboxSettings = InboxSettings.of("test").withTable(TestDatabase.tableName("inbox"));
        String business = TestDatabase.tableName("business");
        String effects = TestDatabase.tableName("effects");
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            Inbox.create(connection, inboxSettings);
            statement.execute("create table " + business + " (id int primary key)");
            statement.execute("create table " + effects + " (seq int, id int)");
        }
        Outbox<String, String> outbox = new Outbox<>(Format.strings(), settings);
        FaultyDatabase faulty = new FaultyDatabase(database);
        Map<String, List<Integer>> order = new ConcurrentHashMap<>();
        AtomicBoolean done = new AtomicBoolean();
        try (Postroad postroad = Postroad.connect("embedded:memory")) {
            postroad.declare(EVENTS.withRetry(
                    EVENTS.retry().withMaxAttempts(1_000).withDelays(Duration.ofMillis(1), Duration.ofMillis(5))));
            Inbox inbox = new Inbox(faulty, inboxSettings);
            try (Subscription effect = postroad.listen(
                            "events",
                            Format.strings(),
                            ConsumerOptions.DEFAULT.withConcurrency(4),
                            inbox.around((Delivery<String, String> delivery, Connection connection) -> {
                                int id = Integer.parseInt(
                                        String.valueOf(delivery.message().value()));
                                try (PreparedStatement insert = connection.prepareStatement(
                                        "insert into " + effects + " (seq, id) values (0, ?)")) {
                                    insert.setInt(1, id);
                                    insert.executeUpdate();
                                }
                                order.computeIfAbsent(
                                                String.valueOf(
                                                        delivery.message().key()),
                                                key -> new ArrayList<>())
                                        .add(id);
                            }));
                    OutboxRelay first = OutboxRelay.start(faulty, postroad, settings);
                    OutboxRelay second = OutboxRelay.start(faulty, postroad, settings);
                    OutboxRelay third = OutboxRelay.start(database, postroad, settings)) {
                Thread breaking = Thread.ofPlatform().start(() -> {
                    Random steps = new Random(seed);
                    while (!done.get()) {
                        faulty.breakAt(1 + steps.nextInt(within), steps.nextBoolean());
                        Await.until("a break, or the end", () -> done.get() || faulty.broke());
                    }
                    faulty.heal();
                });
                Set<Integer> committed = new HashSet<>();
                for (int i = 0; i < rows || faulty.breaks() < breaks; i++) {
                    boolean commits = random.nextInt(5) != 0;
                    try (Connection connection = database.getConnection();
                            Statement statement = connection.createStatement()) {
                        connection.setAutoCommit(false);
                        statement.execute("insert into " + business + " (id) values (" + i + ")");
                        outbox.record(connection, "events", Message.of("key-" + i % 5, Integer.toString(i)));
                        if (commits) {
                            connection.commit();
                            committed.add(i);
                        } else {
                            connection.rollback();
                        }
                    }
                }
                Await.until(
                        "all effects",
                        Duration.ofMinutes(5),
                        () -> ids(database, effects).size() >= committed.size());
                done.set(true);
                breaking.join();
                Await.until("an empty outbox", () -> third.backlog().messages() == 0);
                assertThat(ids(database, effects)).containsExactlyInAnyOrderElementsOf(committed);
                assertThat(new HashSet<>(ids(database, business))).isEqualTo(committed);
                assertThat(first.relayed() + second.relayed() + third.relayed())
                        .isGreaterThanOrEqualTo(committed.size() / 2);
                assertThat(effect.active()).isTrue();
                System.out.println(kind + ": " + faulty.breaks() + " breaks, " + committed.size()
                        + " committed rows, each once in effect");
            }
            order.forEach((key, ids) -> assertThat(firsts(ids)).as(key).isSorted());
        }
    }

    /** A handler whose commit broke may have been called again: what counts is the order of first calls. */
    private static List<Integer> firsts(List<Integer> ids) {
        return ids.stream().distinct().toList();
    }

    private static List<Integer> ids(DataSource database, String table) throws SQLException {
        List<Integer> ids = new ArrayList<>();
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select id from " + table)) {
            while (rows.next()) {
                ids.add(rows.getInt(1));
            }
        }
        return ids;
    }

    @ParameterizedTest
    @EnumSource
    void properties_and_headers_arrive_as_recorded(TestDatabase kind) throws Exception {
        DataSource database = kind.open();
        OutboxSettings settings = create(database);
        Outbox<String, String> outbox = new Outbox<>(Format.strings(), settings);
        Message<String, String> message = Message.of("schlüssel", "wert \uD83D\uDE00")
                .withId("id-1")
                .withType("Created")
                .withSource("shop")
                .withCorrelationId("c-1")
                .withReplyTo("replies")
                .withPriority(3)
                .withTtl(Duration.ofMinutes(1))
                .withHeader("one", "1")
                .withHeader("two", "zwei ü");
        Map<String, Message<String, String>> received = new HashMap<>();
        try (Postroad postroad = Postroad.connect("embedded:memory")) {
            postroad.declare(EVENTS);
            try (Connection connection = database.getConnection()) {
                connection.setAutoCommit(false);
                assertThat(outbox.record(connection, "events", message)).isEqualTo("id-1");
                connection.commit();
            }
            try (OutboxRelay relay = OutboxRelay.start(database, postroad, settings);
                    var consumer = postroad.consumer(Format.strings(), ConsumerOptions.DEFAULT)) {
                relay.wake();
                consumer.subscribe(List.of("events"));
                Await.until("the message", () -> {
                    consumer.poll(Duration.ofMillis(50)).forEach(each -> received.put(String.valueOf(each.id()), each));
                    return !received.isEmpty();
                });
            }
        }
        Message<String, String> got = received.get("id-1");
        assertThat(got.properties().withDestination(null))
                .isEqualTo(message.properties().withContentType(got.properties().contentType()));
        assertThat(got.headers()).isEqualTo(message.headers());
        assertThat(got.key()).isEqualTo(message.key());
        assertThat(got.value()).isEqualTo(message.value());
        assertThat(got.timestamp().toEpochMilli()).isEqualTo(message.timestamp().toEpochMilli());
    }
}
