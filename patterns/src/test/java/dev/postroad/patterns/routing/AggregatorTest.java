package dev.postroad.patterns.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.jdbc.FaultyDatabase;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.patterns.outbox.Outbox;
import dev.postroad.patterns.outbox.OutboxRelay;
import dev.postroad.patterns.outbox.OutboxSchema;
import dev.postroad.patterns.outbox.OutboxSettings;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Generator;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AggregatorTest {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final Duration LONG = Duration.ofHours(1);

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final MessageProducer<String, String> producer = postroad.producer(STRINGS);

    @AfterEach
    void close() {
        postroad.close();
    }

    /** A database with the tables of an aggregator and an outbox. */
    private record Store(DataSource database, AggregatorSettings settings, OutboxSettings outbox) {
        static Store in(TestDatabase kind) throws Exception {
            DataSource database = kind.open();
            AggregatorSettings settings = AggregatorSettings.of("orders")
                    .withTable(TestDatabase.tableName("aggregate"))
                    .withTimeout(LONG)
                    .withSweepInterval(Duration.ofMillis(20));
            OutboxSettings outbox = OutboxSettings.DEFAULT
                    .withTable(TestDatabase.tableName("outbox"))
                    .withPollInterval(Duration.ofMillis(20));
            try (Connection connection = database.getConnection()) {
                Aggregator.create(connection, settings);
                Aggregator.create(connection, settings);
                OutboxSchema.create(connection, outbox);
            }
            return new Store(database, settings, outbox);
        }

        Store with(AggregatorSettings other) {
            return new Store(database, other, outbox);
        }

        Aggregator<String, String, String, String> start(
                Completion<String, String> completion, Aggregator.Combiner<String, String, String, String> combiner) {
            return Aggregator.start(
                    database,
                    settings,
                    STRINGS,
                    Aggregator::splitGroup,
                    completion,
                    combiner,
                    new Outbox<>(STRINGS, outbox),
                    "whole");
        }

        int rows(String table) throws Exception {
            try (Connection connection = database.getConnection();
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("select count(*) from " + table)) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    private static Message<String, String> joined(Group<String, String> group) {
        String text = group.parts().stream().map(Message::value).collect(Collectors.joining(" "));
        return Message.of(group.id(), text + " " + group.ending());
    }

    private static Message<String, String> part(String group, int place, int parts) {
        return Message.<String, String>of("w" + place)
                .withId(group + "/" + place)
                .withHeader(Splitter.GROUP_HEADER, group)
                .withHeader(Splitter.PART_HEADER, Integer.toString(place))
                .withHeader(Splitter.PARTS_HEADER, Integer.toString(parts));
    }

    private List<String> whole() {
        return postroad.administration().browse("whole", null, 10_000).stream()
                .map(browsed -> new String(browsed.message().value(), StandardCharsets.UTF_8))
                .sorted()
                .toList();
    }

    private void declare() {
        postroad.declare(
                Channel.command("orders"),
                Channel.command("parts")
                        .withRetry(RetryPolicy.DEFAULT
                                .withMaxAttempts(1_000)
                                .withDelays(Duration.ZERO, Duration.ofMillis(5))),
                Channel.command("whole"));
    }

    private Subscription listen(Aggregator<String, String, String, String> aggregator, int concurrency) {
        return postroad.listen("parts", STRINGS, ConsumerOptions.DEFAULT.withConcurrency(concurrency), aggregator);
    }

    @ParameterizedTest
    @EnumSource
    void shuffled_and_repeated_parts_of_many_groups_come_together_once_and_in_order(TestDatabase kind)
            throws Exception {
        declare();
        Store store = Store.in(kind);
        Generator gen = Generator.announced("groups on " + kind);
        List<Message<String, String>> parts = new ArrayList<>();
        List<String> expected = new ArrayList<>();
        for (int g = 0; g < 6; g++) {
            int count = gen.between(1, 8);
            String group = "group-" + g;
            for (int i = 0; i < count; i++) {
                for (int copies = gen.chance(1, 4) ? 2 : 1; copies > 0; copies--) {
                    parts.add(part(group, i, count));
                }
            }
            expected.add(
                    IntStream.range(0, count).mapToObj(i -> "w" + i + " ").collect(Collectors.joining()) + "COMPLETE");
        }
        gen.shuffled(parts).forEach(part -> producer.send("parts", part));
        AtomicInteger combined = new AtomicInteger();
        Aggregator.Combiner<String, String, String, String> failingNowAndThen = group -> {
            if (combined.incrementAndGet() % 3 == 0) {
                throw new IllegalStateException("not now");
            }
            return joined(group);
        };
        // Two instances of a program, on one database.
        try (OutboxRelay relay = OutboxRelay.start(store.database(), postroad, store.outbox());
                var one = store.start(new Completion.Sequence<>(), failingNowAndThen);
                var two = store.start(new Completion.Sequence<>(), failingNowAndThen);
                Subscription a = listen(one, 4);
                Subscription b = listen(two, 4)) {
            Await.until(
                    "all parts are settled",
                    () -> a.counts().acknowledged() + b.counts().acknowledged() == parts.size());
            Await.until("all results are sent", () -> relay.relayed() == 6);
            assertThat(one.complete() + two.complete()).isEqualTo(6);
            assertThat(one.open()).isZero();
        }
        assertThat(whole()).isEqualTo(expected.stream().sorted().toList());
        assertThat(store.rows(store.settings().parts())).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void a_group_that_is_never_complete_ends_at_its_timeout_and_leaves_nothing(TestDatabase kind) throws Exception {
        declare();
        Store store = Store.in(kind);
        producer.send("parts", part("torn", 2, 3));
        producer.send("parts", part("torn", 0, 3));
        try (var aggregator = store.start(new Completion.Sequence<>(), AggregatorTest::joined);
                Subscription subscription = listen(aggregator, 1)) {
            Await.until("both are kept", () -> subscription.counts().acknowledged() == 2);
            assertThat(aggregator.open()).isEqualTo(1);
        }
        // The program has ended, and another one begins with a shorter patience: the parts are still there.
        Store hasty = store.with(store.settings().withTimeout(Duration.ofMillis(1)));
        try (OutboxRelay relay = OutboxRelay.start(store.database(), postroad, store.outbox());
                var aggregator = hasty.start(new Completion.Sequence<>(), AggregatorTest::joined);
                Subscription subscription = listen(aggregator, 1)) {
            Await.until("it is sent", () -> relay.relayed() == 1);
            producer.send("parts", part("torn", 1, 3));
            Await.until("the late one is counted", () -> aggregator.late() == 1);
            Await.until("it is settled", () -> subscription.counts().acknowledged() == 1);
        }
        assertThat(whole()).containsExactly("w0 w2 TIMEOUT");
        assertThat(store.rows(store.settings().parts())).isZero();
        Store forgetful = hasty.with(hasty.settings().withRemembered(Duration.ofMillis(1)));
        try (var aggregator = forgetful.start(new Completion.Sequence<>(), AggregatorTest::joined)) {
            Await.until("it is forgotten", () -> store.rows(store.settings().groups()) == 0);
            assertThat(aggregator.open()).isZero();
        }
    }

    @Test
    void size_and_predicate_complete_a_group_as_well_and_bounds_end_it() throws Exception {
        declare();
        Store store = Store.in(TestDatabase.H2);
        for (int i = 0; i < 5; i++) {
            producer.send("parts", part("a", i, 99));
        }
        try (OutboxRelay relay = OutboxRelay.start(store.database(), postroad, store.outbox())) {
            try (var aggregator = store.start(new Completion.Size<>(2), AggregatorTest::joined);
                    Subscription subscription = listen(aggregator, 1)) {
                Await.until("all are settled", () -> subscription.counts().acknowledged() == 5);
                assertThat(aggregator.late()).isEqualTo(3);
            }
            for (int i = 0; i < 3; i++) {
                producer.send("parts", part("b", i, 99));
            }
            Completion<String, String> untilTwo =
                    new Completion.When<>(parts -> parts.getLast().value().equals("w2"));
            try (var aggregator = store.start(untilTwo, AggregatorTest::joined);
                    Subscription subscription = listen(aggregator, 1)) {
                Await.until("all are settled", () -> subscription.counts().acknowledged() == 3);
                assertThat(aggregator.complete()).isEqualTo(1);
            }
            for (int i = 0; i < 3; i++) {
                producer.send("parts", part("c", i, 99));
            }
            Store shallow = store.with(store.settings().withBounds(3, 100));
            try (var aggregator = shallow.start(new Completion.Sequence<>(), AggregatorTest::joined);
                    Subscription subscription = listen(aggregator, 1)) {
                Await.until("all are settled", () -> subscription.counts().acknowledged() == 3);
                assertThat(aggregator.partial()).isEqualTo(1);
            }
            for (int i = 0; i < 3; i++) {
                producer.send("parts", part("d" + i, 0, 99));
            }
            Store narrow = store.with(store.settings().withBounds(100, 1));
            try (var aggregator = narrow.start(new Completion.Sequence<>(), AggregatorTest::joined);
                    Subscription subscription = listen(aggregator, 1)) {
                Await.until("all are settled", () -> subscription.counts().acknowledged() == 3);
                Await.until("the oldest two have ended", () -> aggregator.partial() == 2);
                assertThat(aggregator.open()).isEqualTo(1);
                Await.until("the results are sent", () -> relay.relayed() == 5);
            }
        }
        assertThat(whole())
                .containsExactly(
                        "w0 OVERFLOW", "w0 OVERFLOW", "w0 w1 COMPLETE", "w0 w1 w2 COMPLETE", "w0 w1 w2 OVERFLOW");
    }

    @Test
    void at_whatever_step_the_program_dies_each_group_has_its_result_once() throws Exception {
        declare();
        Store store = Store.in(TestDatabase.H2);
        FaultyDatabase faulty = new FaultyDatabase(store.database());
        Store breaking = new Store(faulty, store.settings().withSweepInterval(LONG), store.outbox());
        int groups = 0;
        try (var aggregator = breaking.start(new Completion.Sequence<>(), AggregatorTest::joined);
                Subscription subscription = listen(aggregator, 1)) {
            for (boolean afterwards : new boolean[] {false, true}) {
                for (int step = 1; ; step++) {
                    faulty.breakAt(step, afterwards);
                    for (int i = 0; i < 3; i++) {
                        producer.send("parts", part("group-" + groups, i, 3));
                    }
                    int settled = 3 * ++groups;
                    Await.until("all are settled", () -> subscription.counts().acknowledged() == settled);
                    boolean broke = faulty.broke();
                    faulty.heal();
                    if (!broke) {
                        assertThat(step).isGreaterThan(12);
                        break;
                    }
                }
            }
            assertThat(subscription.counts().retried()).isPositive();
        }
        int expected = groups;
        try (OutboxRelay relay = OutboxRelay.start(store.database(), postroad, store.outbox())) {
            Await.until("all are sent", () -> relay.relayed() >= expected);
        }
        assertThat(whole()).hasSize(groups).containsOnly("w0 w1 w2 COMPLETE");
        assertThat(store.rows(store.settings().parts())).isZero();
    }

    @Test
    void what_is_split_comes_together_again_even_if_the_splitter_is_interrupted_by_a_full_channel() throws Exception {
        declare();
        postroad.declare(Channel.command("narrow").withMaxMessages(4L));
        Store store = Store.in(TestDatabase.H2);
        Splitter<String, String, String, String> splitter = new Splitter<>(
                postroad,
                STRINGS,
                "narrow",
                message -> Arrays.stream(message.value().split(" "))
                        .map(word -> Message.<String, String>of(word))
                        .toList());
        List<String> sentences = List.of("one two three", "a b c d", "to be or", "x");
        sentences.forEach(sentence -> producer.send("orders", Message.of(sentence)));
        AtomicBoolean begun = new AtomicBoolean();
        try (OutboxRelay relay = OutboxRelay.start(store.database(), postroad, store.outbox());
                var aggregator = store.start(new Completion.Sequence<>(), group -> {
                    begun.set(true);
                    return joined(group);
                });
                Subscription splitting = postroad.listen("orders", STRINGS, ConsumerOptions.DEFAULT, splitter)) {
            Await.until("the parts' channel is full", () -> splitter.refused() > 0);
            assertThat(begun).isFalse();
            try (Subscription gathering = postroad.listen("narrow", STRINGS, ConsumerOptions.DEFAULT, aggregator)) {
                Await.until("all are whole again", () -> relay.relayed() == sentences.size());
                assertThat(gathering.active()).isTrue();
            }
            assertThat(splitting.counts().deadLettered()).isZero();
        }
        assertThat(whole())
                .containsExactlyInAnyOrderElementsOf(sentences.stream()
                        .map(sentence -> sentence + " COMPLETE")
                        .toList());
        assertThat(splitter.parts()).isEqualTo(11);
    }
}
