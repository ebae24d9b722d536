package dev.postroad.patterns.saga;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Serdes;
import dev.postroad.integrations.junit.Fault;
import dev.postroad.integrations.junit.Faults;
import dev.postroad.integrations.junit.PostroadTest;
import dev.postroad.integrations.junit.SeededTest;
import dev.postroad.integrations.junit.TestBroker;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.patterns.saga.SagaState.Status;
import dev.postroad.patterns.schedule.Cron;
import dev.postroad.patterns.schedule.ScheduleSettings;
import dev.postroad.patterns.schedule.Scheduler;
import dev.postroad.testkit.Await;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Checkouts: reserve the goods, take the money, ship; the order's number is the saga's id and all of its data. */
@PostroadTest
class SagaTest {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final Saga<String> CHECKOUT = Saga.of("checkout", Serdes.string())
            .withStep(step("reserve")
                    .withCompensation("reserve", STRINGS, order -> Message.of(order, "release " + order)))
            .withStep(step("pay").withCompensation("pay", STRINGS, order -> Message.of(order, "refund " + order)))
            .withStep(step("ship"));

    private static Step<String> step(String name) {
        return Step.of(name, name, STRINGS, order -> Message.of(order, name + " " + order));
    }

    /** The services: each writes down what it does, and fails or keeps silent for the orders it is told. */
    private static final class Services {
        private final List<String> done = Collections.synchronizedList(new ArrayList<>());
        private final Set<String> failing = ConcurrentHashMap.newKeySet();
        private final Set<String> silent = ConcurrentHashMap.newKeySet();

        void open(TestBroker broker) {
            for (String name : List.of("reserve", "pay", "ship")) {
                broker.postroad().declare(Channel.command(name).withOrderedByKey(true));
                Participant<String, String> participant = Participant.of(broker.postroad(), this::perform);
                broker.postroad().listen(name, STRINGS, ConsumerOptions.DEFAULT, delivery -> {
                    if (!silent.contains(String.valueOf(delivery.message().value()))) {
                        participant.handle(delivery);
                    }
                });
            }
        }

        private byte[] perform(Message<String, String> command) {
            String what = String.valueOf(command.value());
            if (failing.contains(what)) {
                throw new StepFailedException("no " + what);
            }
            done.add(what);
            return Participant.nothing();
        }
    }

    private static Orchestrator<String> open(TestBroker broker, SagaStore store) {
        return Orchestrator.open(broker.postroad(), CHECKOUT, store, SagaSettings.DEFAULT.withClock(broker.clock()));
    }

    @Test
    void steps_are_done_in_order(TestBroker broker) {
        Services services = new Services();
        services.open(broker);
        try (Orchestrator<String> checkouts = open(broker, new MemorySagaStore())) {
            checkouts.start("order-1", "order-1");
            checkouts.start("order-1", "order-1");
            broker.settle();
            assertThat(services.done).containsExactly("reserve order-1", "pay order-1", "ship order-1");
            assertThat(checkouts.find("order-1")).hasValueSatisfying(state -> {
                assertThat(state.status()).isEqualTo(Status.COMPLETED);
                assertThat(state.failure()).isNull();
                assertThat(state.deadline()).isNull();
            });
            assertThat(checkouts.completed()).isEqualTo(1);
            assertThat(checkouts.find("order-2")).isEmpty();
        }
    }

    @Test
    void a_step_that_fails_has_the_ones_before_it_undone_in_reverse(TestBroker broker) {
        Services services = new Services();
        services.open(broker);
        services.failing.add("ship order-1");
        try (Orchestrator<String> checkouts = open(broker, new MemorySagaStore())) {
            checkouts.start("order-1", "order-1");
            broker.settle();
            assertThat(services.done)
                    .containsExactly("reserve order-1", "pay order-1", "refund order-1", "release order-1");
            assertThat(checkouts.find("order-1")).hasValueSatisfying(state -> {
                assertThat(state.status()).isEqualTo(Status.COMPENSATED);
                assertThat(state.failure()).isEqualTo("step ship: no ship order-1");
            });
        }
    }

    @Test
    void a_step_that_does_not_answer_is_asked_again_and_then_undone_itself_too(TestBroker broker) {
        Services services = new Services();
        services.open(broker);
        services.silent.add("pay order-1");
        try (Orchestrator<String> checkouts = open(broker, new MemorySagaStore())) {
            checkouts.start("order-1", "order-1");
            broker.advance(Duration.ofSeconds(90));
            assertThat(checkouts.find("order-1"))
                    .hasValueSatisfying(state -> assertThat(state.attempt()).isEqualTo(2));
            broker.advance(Duration.ofMinutes(10));
            assertThat(services.done).containsExactly("reserve order-1", "refund order-1", "release order-1");
            assertThat(checkouts.find("order-1").orElseThrow().failure())
                    .isEqualTo("step pay: no answer within PT1M, asked 3 times");
            assertThat(broker.publishedValues("pay")).containsExactly("pay order-1", "refund order-1");
        }
    }

    @Test
    void an_answer_that_comes_late_counts_while_it_is_waited_for_and_not_after(TestBroker broker) {
        Services services = new Services();
        services.open(broker);
        services.silent.add("pay order-1");
        try (Orchestrator<String> checkouts = open(broker, new MemorySagaStore())) {
            checkouts.start("order-1", "order-1");
            broker.advance(Duration.ofSeconds(90));
            services.silent.clear();
            broker.advance(Duration.ofSeconds(60));
            assertThat(checkouts.find("order-1").orElseThrow().status()).isEqualTo(Status.COMPLETED);
            SagaState before = checkouts.find("order-1").orElseThrow();
            broker.postroad()
                    .producer(STRINGS)
                    .send(
                            "checkout",
                            Message.<String, String>of("order-1", "")
                                    .withCorrelationId("order-1")
                                    .withHeader(SagaHeaders.STEP, "do/pay")
                                    .withHeader(SagaHeaders.OUTCOME, SagaHeaders.FAILED));
            broker.settle();
            assertThat(checkouts.find("order-1")).contains(before);
        }
    }

    @Test
    void a_saga_that_cannot_be_undone_is_stuck_listed_and_resumed(TestBroker broker) {
        Services services = new Services();
        services.open(broker);
        services.failing.addAll(Set.of("ship order-1", "refund order-1"));
        try (Orchestrator<String> checkouts = open(broker, new MemorySagaStore())) {
            checkouts.start("order-1", "order-1");
            broker.settle();
            assertThat(checkouts.stuck(10)).singleElement().satisfies(state -> {
                assertThat(state.status()).isEqualTo(Status.STUCK);
                assertThat(state.failure())
                        .isEqualTo("step ship: no ship order-1; undoing step pay: no refund order-1");
                assertThat(state).asString().contains("STUCK at pay");
            });
            assertThat(checkouts.gotStuck()).isEqualTo(1);
            services.failing.clear();
            checkouts.resume("order-1");
            broker.settle();
            assertThat(checkouts.stuck(10)).isEmpty();
            assertThat(services.done)
                    .containsExactly("reserve order-1", "pay order-1", "refund order-1", "release order-1");
            assertThatThrownBy(() -> checkouts.resume("nobody"))
                    .isInstanceOf(MessagingException.class)
                    .hasMessageContaining("nobody");
        }
    }

    @Test
    void a_saga_whose_channel_is_missing_is_listed_as_overdue_and_goes_on_when_it_is_there(TestBroker broker) {
        try (Orchestrator<String> checkouts = open(broker, new MemorySagaStore())) {
            checkouts.start("order-1", "order-1");
            broker.settle();
            broker.advance(Duration.ofHours(2));
            assertThat(checkouts.stuck(10)).extracting(SagaState::id).containsExactly("order-1");
            Services services = new Services();
            services.open(broker);
            checkouts.resume("order-1");
            broker.settle();
            assertThat(checkouts.find("order-1").orElseThrow().status().ended()).isTrue();
        }
    }

    @Test
    void answers_change_the_data_that_later_steps_see(TestBroker broker) {
        Saga<String> booking = Saga.of("booking", Serdes.string())
                .withStep(step("reserve")
                        .withOnReply((data, reply) -> data + " " + new String(reply, StandardCharsets.UTF_8)))
                .withStep(step("ship"));
        List<String> shipped = Collections.synchronizedList(new ArrayList<>());
        broker.postroad().declare(Channel.command("reserve"), Channel.command("ship"));
        broker.postroad()
                .listen(
                        "reserve",
                        STRINGS,
                        ConsumerOptions.DEFAULT,
                        Participant.of(broker.postroad(), command -> "place-7".getBytes(StandardCharsets.UTF_8)));
        broker.postroad()
                .listen("ship", STRINGS, ConsumerOptions.DEFAULT, Participant.of(broker.postroad(), command -> {
                    shipped.add(String.valueOf(command.value()));
                    return Participant.nothing();
                }));
        try (Orchestrator<String> bookings =
                Orchestrator.open(broker.postroad(), booking, new MemorySagaStore(), SagaSettings.DEFAULT)) {
            bookings.start("order-1", "order-1");
            broker.settle();
            assertThat(shipped).containsExactly("ship order-1 place-7");
            assertThat(bookings.data(bookings.find("order-1").orElseThrow())).isEqualTo("order-1 place-7");
        }
    }

    @Test
    void messages_that_are_no_answers_are_dead_letters_with_the_reason(TestBroker broker) {
        try (Orchestrator<String> checkouts = open(broker, new MemorySagaStore())) {
            broker.postroad().producer(STRINGS).send("checkout", Message.of("k", "v"));
            broker.postroad()
                    .producer(STRINGS)
                    .send(
                            "checkout",
                            Message.<String, String>of("k", "v")
                                    .withCorrelationId("nobody")
                                    .withHeader(SagaHeaders.OUTCOME, SagaHeaders.DONE));
            broker.settle();
            broker.assertDeadLettered("checkout", "lacks a correlation id");
            broker.assertDeadLettered("checkout", "no saga 'nobody'");
            assertThat(checkouts.completed()).isZero();
        }
    }

    @Test
    void a_timeout_that_is_not_needed_any_more_does_not_wait_for_its_day(TestBroker broker) {
        Services services = new Services();
        services.open(broker);
        Saga<String> patient = Saga.of("patient", Serdes.string())
                .withStep(step("reserve").withTimeout(Duration.ofDays(3)))
                .withStep(step("pay").withTimeout(Duration.ofDays(30)));
        services.silent.add("pay order-2");
        try (Orchestrator<String> sagas = Orchestrator.open(
                broker.postroad(), patient, new MemorySagaStore(), SagaSettings.DEFAULT.withClock(broker.clock()))) {
            sagas.start("order-1", "order-1");
            sagas.start("order-2", "order-2");
            broker.settle(Duration.ofSeconds(1));
            assertThat(sagas.completed()).isEqualTo(1);
            assertThat(broker.postroad().administration().browse("patient.timeouts", null, 10))
                    .as("order-2's payment is still waited for")
                    .singleElement()
                    .satisfies(waiting ->
                            assertThat(waiting.message().correlationId()).isEqualTo("order-2"));
        }
    }

    @Test
    void an_ended_saga_is_forgotten_in_time_and_what_comes_for_it_then_is_passed_over(TestBroker broker) {
        Services services = new Services();
        services.open(broker);
        SagaSettings settings = SagaSettings.DEFAULT.withClock(broker.clock()).withRetention(Duration.ofDays(1));
        try (Orchestrator<String> checkouts =
                Orchestrator.open(broker.postroad(), CHECKOUT, new MemorySagaStore(), settings)) {
            checkouts.start("order-1", "order-1");
            broker.settle();
            broker.advance(Duration.ofHours(23));
            checkouts.start("order-2", "order-2");
            broker.settle();
            assertThat(checkouts.find("order-1")).as("23 hours later").isPresent();
            broker.advance(Duration.ofHours(2));
            checkouts.start("order-3", "order-3");
            broker.settle();
            assertThat(checkouts.find("order-1")).as("25 hours later").isEmpty();
            assertThat(checkouts.find("order-2")).isPresent();
            broker.postroad()
                    .producer(STRINGS)
                    .send(
                            "checkout",
                            Message.<String, String>of("order-1", "")
                                    .withCorrelationId("order-1")
                                    .withHeader(SagaHeaders.STEP, "do/pay")
                                    .withHeader(SagaHeaders.OUTCOME, SagaHeaders.DONE));
            broker.settle();
            broker.assertNoDeadLetters();
            assertThat(checkouts.find("order-1")).isEmpty();
        }
    }

    @Test
    void definitions_out_of_bounds_are_refused_by_name() {
        assertThatThrownBy(() -> CHECKOUT.withStep(step("pay"))).hasMessageContaining("two steps 'pay'");
        assertThatThrownBy(() -> step("pay").withAttempts(0)).hasMessageContaining("attempts of step pay is 0");
        assertThatThrownBy(() -> step("pay").withTimeout(Duration.ZERO)).hasMessageContaining("timeout of step pay");
        assertThatThrownBy(() -> SagaSettings.DEFAULT.withRetention(Duration.ZERO))
                .hasMessageContaining("retention is PT0S");
        assertThatThrownBy(() -> Saga.of("", Serdes.string())).hasMessageContaining("name is ''");
    }

    // ── Stores ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @ParameterizedTest
    @EnumSource
    void a_store_refuses_a_change_to_a_state_that_somebody_else_changed(TestDatabase kind) throws SQLException {
        JdbcSagaStore store = new JdbcSagaStore(kind.open(), TestDatabase.tableName("saga"));
        store.create();
        store.create();
        for (SagaStore each : List.of(store, new MemorySagaStore())) {
            Instant now = Instant.parse("2030-01-01T00:00:00Z");
            SagaState first = state(1, Status.RUNNING, now);
            assertThat(each.insert(first)).isTrue();
            assertThat(each.insert(first)).isFalse();
            assertThat(each.find("checkout", "order-1"))
                    .hasValueSatisfying(found ->
                            assertThat(found).usingRecursiveComparison().isEqualTo(first));
            assertThat(each.update(state(2, Status.COMPENSATING, now))).isTrue();
            assertThat(each.update(state(2, Status.STUCK, now))).isFalse();
            assertThat(each.find("checkout", "order-1").orElseThrow().status()).isEqualTo(Status.COMPENSATING);
            assertThat(each.stuck("checkout", now, 10)).isEmpty();
            assertThat(each.stuck("checkout", now.plusSeconds(61), 10)).hasSize(1);
            assertThat(each.update(state(3, Status.STUCK, now))).isTrue();
            assertThat(each.stuck("checkout", now, 10)).hasSize(1);
            assertThat(each.stuck("other", now, 10)).isEmpty();
            assertThat(each.forget("checkout", now.plusSeconds(1), 10))
                    .as("one that has not ended")
                    .isZero();
            assertThat(each.update(state(4, Status.COMPENSATED, now))).isTrue();
            assertThat(each.forget("checkout", now, 10))
                    .as("one that ended then")
                    .isZero();
            assertThat(each.forget("other", now.plusSeconds(1), 10)).isZero();
            assertThat(each.forget("checkout", now.plusSeconds(1), 10)).isEqualTo(1);
            assertThat(each.find("checkout", "order-1")).isEmpty();
        }
    }

    private static SagaState state(long version, Status status, Instant now) {
        return new SagaState(
                "checkout",
                "order-1",
                version,
                status,
                "pay",
                1,
                new byte[] {1, 2},
                version == 1 ? null : "why",
                now.plusSeconds(60),
                now);
    }

    // ── Faults ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @SeededTest(
            runs = 3,
            faults = {
                Fault.DUPLICATE,
                Fault.REORDER,
                Fault.DELAY,
                Fault.POISON,
                Fault.CRASH_BEFORE_SEND,
                Fault.CRASH_AFTER_SEND,
                Fault.CRASH_BEFORE_SETTLE,
                Fault.CRASH_AFTER_SETTLE,
                Fault.LEASE_LOSS,
                Fault.RESTART
            })
    void whatever_dies_each_saga_ends_with_all_done_or_all_undone_and_each_effect_once(TestBroker broker)
            throws SQLException {
        DataSource database = TestDatabase.H2.open();
        JdbcSagaStore store = new JdbcSagaStore(database);
        store.create();
        JdbcParticipant participant = new JdbcParticipant(broker.postroad(), database);
        participant.create();
        execute(database, "create table effects (what varchar(100))");
        for (String name : List.of("reserve", "pay", "ship")) {
            broker.postroad().declare(Channel.command(name).withOrderedByKey(true));
            Participant<String, String> service = participant.around((command, connection) -> {
                String what = String.valueOf(command.value());
                if (what.matches("ship order-.*[05]")) {
                    throw new StepFailedException("out of reach");
                }
                try (Statement statement = connection.createStatement()) {
                    statement.executeUpdate("insert into effects values ('" + what + "')");
                }
                return Participant.nothing();
            });
            broker.postroad().listen(name, STRINGS, ConsumerOptions.DEFAULT, service);
        }
        List<String> wanted = new ArrayList<>();
        try (Orchestrator<String> checkouts = open(broker, store);
                Orchestrator<String> more = open(broker, store)) {
            for (int i = 0; i < 20; i++) {
                String order = "order-" + i;
                while (!broker.run(() -> checkouts.start(order, order))) {
                    // Who ordered tries again, as one does.
                }
                wanted.addAll(
                        i % 5 == 0
                                ? List.of("reserve " + order, "pay " + order, "refund " + order, "release " + order)
                                : List.of("reserve " + order, "pay " + order, "ship " + order));
            }
            broker.settle(Duration.ofHours(6));
            for (int i = 0; i < 20; i++) {
                assertThat(checkouts.find("order-" + i).orElseThrow().status())
                        .as(checkouts.find("order-" + i).toString())
                        .isEqualTo(i % 5 == 0 ? Status.COMPENSATED : Status.COMPLETED);
            }
            assertThat(more.stuck(10)).isEmpty();
            broker.assertExactlyOnce(wanted, effects(database));
        }
    }

    private static void execute(DataSource database, String sql) throws SQLException {
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static List<String> effects(DataSource database) throws SQLException {
        List<String> effects = new ArrayList<>();
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select what from effects")) {
            while (rows.next()) {
                effects.add(rows.getString(1));
            }
        }
        return effects;
    }

    @Test
    void thirty_days_of_a_scheduler_and_sagas_pass_in_moments() {
        try (TestBroker broker = TestBroker.start(Faults.none(), Instant.parse("2030-01-01T00:30:00Z"))) {
            thirtyDays(broker);
        }
    }

    private static void thirtyDays(TestBroker broker) {
        Services services = new Services();
        services.open(broker);
        try (Orchestrator<String> checkouts = open(broker, new MemorySagaStore());
                Scheduler scheduler =
                        Scheduler.open(broker.postroad(), ScheduleSettings.DEFAULT.withClock(broker.clock()))) {
            broker.postroad().declare(Channel.command("orders"));
            scheduler.cron("order", Cron.parse("0 */2 * * *"), ZoneOffset.UTC, "orders", Message.of("k", "v"), STRINGS);
            broker.postroad().listen("orders", STRINGS, ConsumerOptions.DEFAULT, delivery -> {
                String order = String.valueOf(delivery.message().id());
                if (order.hashCode() % 4 == 0) {
                    services.silent.add("ship " + order);
                }
                checkouts.start(order, order);
            });
            broker.advance(Duration.ofDays(30));
            Await.until("360 counted", () -> scheduler.fired() == 360);
            broker.settle();
            assertThat(checkouts.completed() + checkouts.compensated()).isEqualTo(360);
            assertThat(checkouts.compensated()).isPositive();
        }
    }
}
