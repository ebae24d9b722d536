package dev.postroad.patterns.eventstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.Serdes;
import dev.postroad.integrations.junit.Fault;
import dev.postroad.integrations.junit.SeededTest;
import dev.postroad.integrations.junit.TestBroker;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.testkit.Await;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EventStoreTest {
    private final List<AutoCloseable> open = new ArrayList<>();

    /** Where events may lie. */
    enum Kind {
        BROKER,
        H2,
        POSTGRESQL,
        MARIADB
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }

    /** Two instances of one store. */
    private List<EventStore> instances(Kind kind) throws SQLException {
        if (kind == Kind.BROKER) {
            Postroad postroad = Postroad.connect("embedded:memory");
            open.add(postroad);
            ChannelEventStore one = ChannelEventStore.open(postroad, "events");
            ChannelEventStore other = ChannelEventStore.open(postroad, "events");
            open.add(one);
            open.add(other);
            return List.of(one, other);
        }
        DataSource database = TestDatabase.valueOf(kind.name()).open();
        JdbcEventStore one = new JdbcEventStore(database, TestDatabase.tableName("event"));
        one.create();
        one.create();
        return List.of(one, one);
    }

    private static List<Event> events(String... texts) {
        return List.of(texts).stream().map(text -> Event.of("Noted", text)).toList();
    }

    private static List<String> texts(List<StoredEvent> events) {
        return events.stream().map(event -> event.event().text()).toList();
    }

    @ParameterizedTest
    @EnumSource
    void events_are_read_as_they_were_appended(Kind kind) throws SQLException {
        EventStore store = instances(kind).getFirst();
        Event event = new Event("e-1", "OrderPlaced", 3, new byte[] {0, -1, 7}, Map.of("who", "Anna"));
        assertThat(store.append("order-1", 0, List.of(event))).isEqualTo(1);
        assertThat(store.append("order-2", 0, events("x"))).isEqualTo(1);
        assertThat(store.append("order-1", 1, events("a", "b"))).isEqualTo(3);
        assertThat(store.read("order-1", 1, 10))
                .extracting(StoredEvent::version)
                .containsExactly(1L, 2L, 3L);
        assertThat(store.read("order-1", 1, 10).getFirst()).satisfies(first -> {
            assertThat(first.stream()).isEqualTo("order-1");
            assertThat(first.event()).usingRecursiveComparison().isEqualTo(event);
        });
        assertThat(texts(store.read("order-1", 2, 1))).containsExactly("a");
        assertThat(texts(store.read("order-1", 3, 9))).containsExactly("b");
        assertThat(store.read("order-1", 4, 9)).isEmpty();
        assertThat(store.read("nobody", 1, 9)).isEmpty();
        assertThat(store.version("order-1")).isEqualTo(3);
        assertThat(store.version("nobody")).isZero();
        List<StoredEvent> all = store.readAll(0, 10);
        assertThat(all).extracting(StoredEvent::stream).containsExactly("order-1", "order-2", "order-1", "order-1");
        assertThat(all).extracting(StoredEvent::position).isSorted().doesNotHaveDuplicates();
        assertThat(store.readAll(all.get(1).position(), 1))
                .usingRecursiveFieldByFieldElementComparator()
                .isEqualTo(all.subList(2, 3))
                .hasSize(1);
        assertThat(store.readAll(all.get(3).position(), 10)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void what_was_decided_on_an_old_version_is_refused_whole(Kind kind) throws SQLException {
        List<EventStore> instances = instances(kind);
        instances.get(0).append("order-1", 0, events("a"));
        assertThatThrownBy(() -> instances.get(1).append("order-1", 0, events("b", "c")))
                .isInstanceOf(VersionConflictException.class)
                .hasMessageContaining("'order-1' is at version 1, and was expected at 0");
        assertThat(instances.get(1).append("order-1", EventStore.ANY, events("d")))
                .isEqualTo(2);
        assertThatThrownBy(() -> instances.get(0).append("order-1", 7, events("e")))
                .isInstanceOf(VersionConflictException.class);
        assertThat(texts(instances.get(0).readAll(0, 10))).containsExactly("a", "d");
        assertThatThrownBy(() -> instances.get(0).append("order-1", -2, events("e")))
                .hasMessageContaining("expected is -2");
        assertThatThrownBy(() -> instances.get(0).append("order-1", 0, List.of()))
                .hasMessageContaining("there are 0 events");
    }

    @ParameterizedTest
    @EnumSource
    void who_knows_a_version_from_another_instance_can_append_to_it(Kind kind) throws SQLException {
        List<EventStore> instances = instances(kind);
        for (int version = 0; version < 100; version++) {
            assertThat(instances.get(version % 2).append("order-1", version, events("a")))
                    .isEqualTo(version + 1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void many_at_once_append_without_losing_or_repeating_anything(Kind kind) throws Exception {
        List<EventStore> instances = instances(kind);
        AtomicInteger made = new AtomicInteger();
        List<Future<?>> done = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int thread = 0; thread < 4; thread++) {
                Repository<Integer> counters = Repository.of(instances.get(thread % 2), 0, (sum, event) -> sum + 1);
                done.add(threads.submit(() -> {
                    for (int i = 0; i < 15; i++) {
                        counters.update("counter", sum -> events(sum + 1 + "/" + made.incrementAndGet()));
                    }
                }));
            }
        }
        for (Future<?> each : done) {
            each.get();
        }
        // The other instance may have appended last.
        List<StoredEvent> all =
                Await.value("all events", () -> instances.getFirst().readAll(0, 1_000), found -> found.size() >= 60);
        assertThat(all)
                .extracting(StoredEvent::version)
                .containsExactlyElementsOf(
                        IntStream.rangeClosed(1, 60).mapToObj(Long::valueOf).toList());
        assertThat(all).allSatisfy(event -> assertThat(event.event().text()).startsWith(event.version() + "/"));
    }

    @ParameterizedTest
    @EnumSource
    void a_state_is_loaded_from_its_snapshot_and_what_came_after_it(Kind kind) throws SQLException {
        EventStore store = instances(kind).getFirst();
        List<String> folded = new ArrayList<>();
        Repository<String> notes = Repository.of(store, "", (String state, Event event) -> {
                    folded.add(event.text());
                    return state + event.text();
                })
                .withSnapshots(3, 1, Serdes.string());
        for (String each : List.of("a", "b", "c", "d")) {
            notes.update("notes", state -> events(each));
        }
        assertThat(store.snapshot("notes")).hasValueSatisfying(snapshot -> {
            assertThat(snapshot.version()).isEqualTo(3);
            assertThat(new String(snapshot.state(), StandardCharsets.UTF_8)).isEqualTo("abc");
        });
        folded.clear();
        assertThat(notes.load("notes")).isEqualTo(new Repository.Loaded<>("abcd", 4));
        assertThat(folded).containsExactly("d");
        folded.clear();
        assertThat(notes.withSnapshots(3, 2, Serdes.string()).load("notes").state())
                .isEqualTo("abcd");
        assertThat(folded).hasSize(4);
    }

    @Test
    void a_broker_that_is_opened_again_has_the_events_and_passes_over_what_is_none() throws SQLException {
        Postroad postroad = Postroad.connect("embedded:memory");
        open.add(postroad);
        try (ChannelEventStore store = ChannelEventStore.open(postroad, "events")) {
            store.append("order-1", 0, events("a", "b"));
            store.saveSnapshot("order-1", new Snapshot(2, 1, new byte[] {1}));
            for (int i = 0; i < 600; i++) {
                store.append("other", EventStore.ANY, events("o"));
            }
            postroad.producer(Format.strings()).send("events", Message.of("order-1", "no events"));
            store.append("order-1", 2, events("c"));
        }
        ChannelEventStore again = ChannelEventStore.open(postroad, "events");
        open.add(again);
        assertThat(texts(again.read("order-1", 1, 10))).containsExactly("a", "b", "c");
        assertThat(again.snapshot("order-1"))
                .hasValueSatisfying(s -> assertThat(s.version()).isEqualTo(2));
        assertThat(again.readAll(0, 10_000)).hasSize(603);
        assertThat(again.version("other")).isEqualTo(600);
    }

    @SeededTest(
            runs = 3,
            faults = {Fault.DUPLICATE, Fault.CRASH_BEFORE_SEND, Fault.CRASH_AFTER_SEND, Fault.RESTART, Fault.POISON})
    void whatever_dies_each_event_is_there_once(TestBroker broker) {
        ChannelEventStore store = ChannelEventStore.open(broker.postroad(), "events");
        open.add(store);
        Repository<List<String>> notes = Repository.of(store, List.of(), (ids, event) -> {
            List<String> more = new ArrayList<>(ids);
            more.add(event.id());
            return more;
        });
        List<String> wanted = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            Event event = new Event("event-" + i, "Noted", 1, new byte[0], Map.of());
            wanted.add(event.id());
            boolean[] done = {false};
            while (!done[0]) {
                broker.run(() -> {
                    try {
                        notes.update("notes", ids -> ids.contains(event.id()) ? List.of() : List.of(event));
                        done[0] = true;
                    } catch (MessagingException unanswered) {
                        assertThat(unanswered.reason()).isEqualTo(MessagingException.Reason.TIMEOUT);
                    }
                });
            }
        }
        assertThat(store.readAll(0, 1_000))
                .extracting(each -> each.event().id())
                .containsExactlyElementsOf(wanted);
        assertThat(notes.load("notes").version()).isEqualTo(40);
    }

    @Test
    void old_events_are_read_in_their_present_form() throws SQLException {
        EventStore stored = instances(Kind.H2).getFirst();
        stored.append("order-1", 0, events("20"));
        EventStore store = Upcasters.NONE
                .with(
                        "Noted",
                        1,
                        event -> event.withSchema(2, (event.text() + " EUR").getBytes(StandardCharsets.UTF_8)))
                .with("Noted", 2, event -> new Event(event.id(), "Priced", 1, event.data(), event.headers()))
                .over(stored);
        store.append("order-1", 1, List.of(Event.of("Priced", "30 USD")));
        assertThat(texts(store.read("order-1", 1, 10))).containsExactly("20 EUR", "30 USD");
        assertThat(store.readAll(0, 10)).extracting(each -> each.event().type()).containsOnly("Priced");
        assertThat(texts(stored.readAll(0, 10))).containsExactly("20", "30 USD");
        Upcasters circle = Upcasters.NONE.with("Noted", 1, event -> event);
        assertThatThrownBy(() -> circle.upcast(Event.of("Noted", "x"))).hasMessageContaining("a higher one");
    }

    @ParameterizedTest
    @EnumSource
    void a_subscription_hands_over_all_events_from_any_position_and_one_that_failed_again(Kind kind)
            throws SQLException {
        EventStore store = instances(kind).getFirst();
        store.append("s", 0, events("a", "b", "c"));
        long from = store.readAll(0, 10).getFirst().position();
        List<String> got = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger failures = new AtomicInteger(1);
        try (EventSubscription subscription = EventSubscription.start(store, from, Duration.ofMillis(5), event -> {
            if (event.event().text().equals("c") && failures.getAndDecrement() > 0) {
                throw new IllegalStateException("not now");
            }
            got.add(event.event().text());
        })) {
            Await.until("b and c", () -> got.size() == 2);
            store.append("s", 3, events("d"));
            subscription.wake();
            Await.until("d", () -> got.size() == 3);
        }
        assertThat(got).containsExactly("b", "c", "d");
    }

    // ── Projections ──────────────────────────────────────────────────────────────────────────────────────────────────

    /** How many events each stream has. */
    private record Counts(int each) implements Projection.View {
        @Override
        public void create(Connection connection, String table) throws SQLException {
            try (Statement statement = connection.createStatement()) {
                statement.execute("create table " + table + " (stream varchar(100) primary key, events int)");
            }
        }

        @Override
        public void apply(Connection connection, String table, StoredEvent event) throws SQLException {
            if (event.event().text().equals("broken")) {
                throw new SQLException("broken");
            }
            try (PreparedStatement update = connection.prepareStatement(
                            "update " + table + " set events = events + ? where stream = ?");
                    PreparedStatement insert =
                            connection.prepareStatement("insert into " + table + " (stream, events) values (?, ?)")) {
                update.setInt(1, each);
                update.setString(2, event.stream());
                if (update.executeUpdate() == 0) {
                    insert.setString(1, event.stream());
                    insert.setInt(2, each);
                    insert.executeUpdate();
                }
            }
        }
    }

    private static int count(DataSource database, Projection projection, String stream) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "select events from " + projection.liveTable() + " where stream = '" + stream + "'")) {
            return rows.next() ? rows.getInt(1) : 0;
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_projection_counts_each_event_once_and_is_rebuilt_beside_the_live_one(TestDatabase kind) throws SQLException {
        EventStore store = instances(Kind.valueOf(kind.name())).getFirst();
        DataSource database = kind.open();
        String name = TestDatabase.tableName("counts");
        for (String stream : List.of("s-0", "s-1", "s-2")) {
            store.append(stream, 0, Collections.nCopies(200, events("x").getFirst()));
        }
        Projection counts = Projection.open(store, database, name, new Counts(1));
        assertThat(counts.catchUp()).isEqualTo(600);
        assertThat(Projection.open(store, database, name, new Counts(1)).catchUp())
                .isZero();
        assertThat(count(database, counts, "s-1")).isEqualTo(200);

        Projection changed = Projection.open(store, database, name, new Counts(10));
        String before = counts.liveTable();
        store.append("s-1", EventStore.ANY, events("y"));
        counts.catchUp();
        changed.rebuild();
        assertThat(changed.liveTable()).isNotEqualTo(before);
        assertThat(count(database, changed, "s-1")).isEqualTo(2010);
        assertThat(changed.catchUp()).isZero();
        assertThat(changed.position())
                .isEqualTo(store.readAll(0, 1_000).getLast().position());
        assertThatThrownBy(() -> {
                    try (Connection connection = database.getConnection();
                            Statement statement = connection.createStatement()) {
                        statement.executeQuery("select * from " + before);
                    }
                })
                .isInstanceOf(SQLException.class);
    }

    @Test
    void what_a_projection_cannot_apply_leaves_it_where_it_was() throws SQLException {
        EventStore store = instances(Kind.BROKER).getFirst();
        DataSource database = TestDatabase.H2.open();
        Projection counts = Projection.open(store, database, "counts", new Counts(1));
        store.append("s", 0, events("a"));
        counts.catchUp();
        store.append("s", 1, events("b", "broken"));
        assertThatThrownBy(counts::catchUp).hasMessageContaining("broken");
        assertThat(count(database, counts, "s")).isEqualTo(1);
        assertThatThrownBy(() -> Projection.open(store, database, "no name", new Counts(1)))
                .hasMessageContaining("'no name'");
    }
}
