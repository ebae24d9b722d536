package dev.postroad.integrations.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.RetryPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TestBrokerTest {
    private static final Channel ORDERS = Channel.command("orders");

    private static List<String> numbered(int count) {
        return IntStream.range(0, count).mapToObj(i -> "order-" + i).toList();
    }

    /** Sends them as their own ids, and until each got through. */
    private static void send(TestBroker broker, String channel, List<String> values) {
        MessageProducer<String, String> producer = broker.postroad().producer(Format.strings());
        for (String value : values) {
            Message<String, String> message = Message.<String, String>of("k" + value.hashCode() % 3, value)
                    .withId(value);
            boolean sent = broker.run(() -> producer.send(channel, message));
            if (!sent) {
                sent = broker.run(() -> producer.send(channel, message));
            }
            assertThat(sent).isTrue();
        }
    }

    private static List<String> listen(TestBroker broker, String channel, List<String> handled) {
        List<String> out = Collections.synchronizedList(handled);
        broker.postroad()
                .listen(
                        channel,
                        Format.strings(),
                        ConsumerOptions.DEFAULT,
                        d -> out.add(String.valueOf(d.message().value())));
        return out;
    }

    @Test
    void a_message_for_next_month_comes_next_month_and_the_test_does_not_wait() {
        Instant begin = Instant.parse("2030-01-01T00:00:00Z");
        try (TestBroker broker = TestBroker.start(Faults.none(), begin)) {
            broker.postroad().declare(ORDERS);
            List<String> at = Collections.synchronizedList(new ArrayList<>());
            broker.postroad()
                    .listen(
                            "orders",
                            Format.strings(),
                            ConsumerOptions.DEFAULT,
                            d -> at.add(
                                    d.message().value() + " " + broker.clock().instant()));
            broker.postroad()
                    .producer(Format.strings())
                    .send(
                            "orders",
                            Message.<String, String>of("k", "late")
                                    .withDeliverAt(broker.clock().instant().plus(Duration.ofDays(30))));
            broker.advance(Duration.ofDays(29));
            assertThat(at).isEmpty();
            broker.advance(Duration.ofDays(2));
            assertThat(at).containsExactly("late 2030-01-31T00:00:00Z");
            assertThat(broker.clock().instant()).isEqualTo(begin.plus(Duration.ofDays(31)));
        }
    }

    @Test
    void retries_are_waited_for_by_moving_the_clock() {
        try (TestBroker broker = TestBroker.start()) {
            broker.postroad().declare(ORDERS.withRetry(RetryPolicy.DEFAULT.withMaxAttempts(4)));
            Instant begin = broker.clock().instant();
            List<Integer> attempts = Collections.synchronizedList(new ArrayList<>());
            broker.postroad().listen("orders", Format.strings(), ConsumerOptions.DEFAULT, d -> {
                attempts.add(d.attempt());
                throw new IllegalStateException("no stock");
            });
            send(broker, "orders", List.of("order-1"));
            broker.assertSettled();
            assertThat(attempts).containsExactly(1, 2, 3, 4);
            broker.assertDeadLettered("orders", "no stock");
            assertThat(Duration.between(begin, broker.clock().instant()))
                    .isBetween(Duration.ofSeconds(5), Duration.ofMinutes(2));
            assertThatThrownBy(broker::assertNoDeadLetters).hasMessageContaining("order-1");
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_sound_program_survives_each_fault_with_each_message_handled_and_none_given_up(Fault fault) {
        Faults faults = Faults.of(11, fault).withRate(fault, 0.3);
        try (TestBroker broker = TestBroker.start(faults)) {
            broker.postroad().declare(ORDERS);
            List<String> orders = numbered(40);
            List<String> handled = listen(broker, "orders", new ArrayList<>());
            send(broker, "orders", orders);
            broker.assertSettled();
            broker.assertNoDeadLetters();
            assertThat(handled).containsAll(orders);
            broker.assertPublished("orders", 40);
            assertThat(broker.explain(new AssertionError())).contains("FAULT");
            switch (fault) {
                case DUPLICATE, CRASH_BEFORE_SETTLE, LEASE_LOSS, CRASH_AFTER_SEND ->
                    assertThat(handled).hasSizeGreaterThan(40);
                case REORDER, DELAY -> assertThat(handled).isNotEqualTo(orders).hasSize(40);
                case POISON ->
                    assertThat(broker.postroad().administration().browse("orders.dead", null, 100))
                            .isNotEmpty()
                            .allMatch(letter ->
                                    String.valueOf(letter.message().id()).startsWith("poison-"));
                case CRASH_BEFORE_SEND, CRASH_AFTER_SETTLE ->
                    assertThat(handled).hasSize(40);
                case RESTART -> assertThat(handled).hasSizeGreaterThanOrEqualTo(40);
            }
        }
    }

    @Test
    void order_per_key_survives_all_faults_of_deliveries() {
        Faults faults = Faults.of(
                5, Fault.REORDER, Fault.CRASH_BEFORE_SETTLE, Fault.CRASH_AFTER_SETTLE, Fault.LEASE_LOSS, Fault.RESTART);
        try (TestBroker broker = TestBroker.start(faults)) {
            broker.postroad().declare(ORDERS.withOrderedByKey(true));
            List<String> handled = listen(broker, "orders", new ArrayList<>());
            send(broker, "orders", numbered(60));
            broker.assertSettled();
            broker.assertOrderPerKey("orders");
            assertThat(handled).containsAll(numbered(60));
        }
    }

    @Test
    void a_restarted_broker_knows_what_it_knew() {
        try (TestBroker broker = TestBroker.start()) {
            broker.postroad().declare(ORDERS);
            send(broker, "orders", List.of("a", "b"));
            broker.restart();
            List<String> handled = listen(broker, "orders", new ArrayList<>());
            broker.settle();
            assertThat(handled).containsExactly("a", "b");
            broker.restart();
            send(broker, "orders", List.of("c"));
            broker.settle();
            assertThat(handled).containsExactly("a", "b", "c");
        }
    }

    @Test
    void the_same_seed_strikes_the_same_messages() {
        List<String> first = strokes(3);
        assertThat(strokes(3)).isEqualTo(first).isNotEmpty();
        assertThat(strokes(4)).isNotEqualTo(first);
    }

    private static List<String> strokes(long seed) {
        try (TestBroker broker = TestBroker.start(Faults.all(seed))) {
            broker.postroad().declare(ORDERS);
            listen(broker, "orders", new ArrayList<>());
            send(broker, "orders", numbered(30));
            broker.settle();
            return numbered(30).stream()
                    .map(id -> id
                            + broker.story(id)
                                    .lines()
                                    .filter(line -> line.contains("FAULT"))
                                    .map(line -> line.substring(line.indexOf("FAULT")))
                                    .sorted()
                                    .toList())
                    .toList();
        }
    }

    @Test
    void what_is_not_as_it_should_be_is_told() {
        try (TestBroker broker = TestBroker.start()) {
            broker.postroad().declare(ORDERS);
            send(broker, "orders", List.of("a", "b"));
            assertThatThrownBy(() -> broker.assertPublished("orders", 3))
                    .hasMessageContaining("got 2 messages, not 3")
                    .hasMessageContaining("a");
            assertThatThrownBy(() -> broker.assertPublished("orders", "c")).hasMessageContaining("'c'");
            assertThatThrownBy(() -> broker.assertDeadLettered("orders", "no stock"))
                    .hasMessageContaining("no message because of 'no stock'");
            assertThatThrownBy(() -> broker.assertExactlyOnce(List.of("a", "b", "c"), List.of("a", "b", "b", "d")))
                    .hasMessageContaining("b had its effect 2 times")
                    .hasMessageContaining("c had no effect")
                    .hasMessageContaining("nobody asked for [d]");
            Handler<String, String> slow = delivery -> {
                throw new Handler.RetryAfterException("later", Duration.ofDays(3));
            };
            broker.postroad().listen("orders", Format.strings(), ConsumerOptions.DEFAULT, slow);
            assertThatThrownBy(broker::assertSettled).hasMessageContaining("2 delayed");
        }
    }
}
