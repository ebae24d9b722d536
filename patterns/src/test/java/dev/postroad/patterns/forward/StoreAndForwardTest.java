package dev.postroad.patterns.forward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.postroad.api.Administration.Browsed;
import dev.postroad.api.Channel;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.patterns.forward.FlakyTransport.Fault;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreAndForwardTest {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final ForwardSettings QUICK = ForwardSettings.of("outgoing").withMaxPause(Duration.ofMillis(5));

    private final Postroad remote = Postroad.connect("embedded:memory");
    private final Postroad local = Postroad.connect("embedded:memory");
    private volatile boolean away;

    @TempDir
    Path folder;

    @AfterEach
    void close() {
        local.close();
        remote.close();
    }

    private Postroad line() {
        if (away) {
            throw new MessagingException(Reason.UNREACHABLE, "nobody answers at the remote broker's address");
        }
        return Postroad.over(new FlakyTransport(remote.transport(), () -> away ? Fault.BEFORE : Fault.NONE));
    }

    private static List<String> valuesIn(Postroad broker, String channel) {
        return broker.administration().browse(channel, null, 10_000).stream()
                .map(StoreAndForwardTest::value)
                .toList();
    }

    private static String value(Browsed browsed) {
        return new String(browsed.message().value(), StandardCharsets.UTF_8);
    }

    private static List<String> orders(int count) {
        return IntStream.range(0, count).mapToObj(i -> "order " + i).toList();
    }

    @Test
    void what_is_sent_while_the_remote_broker_is_away_arrives_in_order_when_it_is_back() {
        away = true;
        remote.declare(Channel.command("orders"));
        try (StoreAndForward forward = StoreAndForward.start(local, this::line, QUICK);
                MessageProducer<String, String> producer = forward.producer(STRINGS)) {
            for (String order : orders(100)) {
                producer.send("orders", Message.of(order));
            }
            assertThat(forward.waiting().messages()).isEqualTo(100);
            assertThat(valuesIn(remote, "orders")).isEmpty();
            away = false;
            Await.until("all are forwarded", () -> forward.forwarded() == 100);
            assertThat(forward.waiting()).isEqualTo(new Waiting(0, Duration.ZERO, 0));
        }
        assertThat(valuesIn(remote, "orders")).isEqualTo(orders(100));
    }

    @Test
    void a_message_arrives_as_it_was_sent() {
        remote.declare(Channel.command("orders"));
        Instant time = Instant.ofEpochMilli(1_700_000_000_000L);
        try (StoreAndForward forward = StoreAndForward.start(local, this::line, QUICK);
                MessageProducer<String, String> producer = forward.producer(STRINGS)) {
            producer.send(
                    "orders",
                    Message.<String, String>of("customer-7", "tea")
                            .withId("m-1")
                            .withType("OrderPlaced")
                            .withCorrelationId("c-1")
                            .withReplyTo("answers")
                            .withPriority(7)
                            .withHeader("region", "eu")
                            .withTimestamp(time));
            Await.until("it is forwarded", () -> forward.forwarded() == 1);
        }
        Message<byte[], byte[]> message =
                remote.administration().browse("orders", null, 1).getFirst().message();
        assertThat(message.key()).asString(StandardCharsets.UTF_8).isEqualTo("customer-7");
        assertThat(message.id()).isEqualTo("m-1");
        assertThat(message.type()).isEqualTo("OrderPlaced");
        assertThat(message.correlationId()).isEqualTo("c-1");
        assertThat(message.replyTo()).isEqualTo("answers");
        assertThat(message.properties().priority()).isEqualTo(7);
        assertThat(message.headers()).containsOnlyKeys("region");
        assertThat(message.timestamp()).isEqualTo(time);
    }

    @Test
    void whatever_breaks_on_the_way_each_message_arrives_once_and_in_order_where_repetitions_are_dropped() {
        AtomicInteger folders = new AtomicInteger();
        Property.forAll("once and in order", 3, gen -> {
            Path data = folder.resolve("local-" + folders.incrementAndGet());
            Files.createDirectories(data);
            int count = gen.between(1, 60);
            Generator faults = gen.fork();
            try (Postroad broker = Postroad.connect("embedded:memory")) {
                broker.declare(Channel.command("orders").withDedupWindow(Duration.ofHours(1)));
                Supplier<Fault> next = () -> {
                    synchronized (faults) {
                        return faults.chance(1, 2) ? Fault.NONE : faults.choose(Fault.class);
                    }
                };
                Supplier<Postroad> line = () -> Postroad.over(new FlakyTransport(broker.transport(), next));
                ForwardSettings settings = QUICK.withBatch(gen.between(1, 20)).withMaxPause(Duration.ofMillis(1));
                int sent = 0;
                while (sent < count) {
                    // Each round is a life of the program, which may end with anything under way.
                    try (Postroad here = Postroad.connect("embedded:" + data);
                            StoreAndForward forward = StoreAndForward.start(here, line, settings);
                            MessageProducer<String, String> producer = forward.producer(STRINGS)) {
                        int until = Math.min(count, sent + gen.between(10, 40));
                        while (sent < until) {
                            producer.send("orders", Message.of("order " + sent++));
                        }
                        if (sent == count) {
                            Await.until("nothing waits", () -> forward.waiting().messages() == 0);
                        }
                    }
                }
                assertThat(valuesIn(broker, "orders")).isEqualTo(orders(count));
            }
        });
    }

    @Test
    void what_the_remote_broker_refuses_for_good_is_put_aside_and_the_rest_goes_on() {
        remote.declare(Channel.command("orders").withMaxMessageBytes(20));
        away = true;
        try (StoreAndForward forward = StoreAndForward.start(local, this::line, QUICK);
                MessageProducer<String, String> producer = forward.producer(STRINGS)) {
            producer.send("orders", Message.of("order 0"));
            producer.send("orders", Message.of("an order of more than twenty bytes"));
            producer.send("nowhere", Message.of("lost?"));
            producer.send("orders", Message.of("order 1"));
            away = false;
            Await.until("the rest is forwarded", () -> forward.forwarded() == 2 && forward.refused() == 2);
            assertThat(forward.waiting().refused()).isEqualTo(2);
        }
        assertThat(valuesIn(remote, "orders")).isEqualTo(orders(2));
        List<String> reasons = local.administration().browse("outgoing.refused", null, 10).stream()
                .map(browsed -> DeadLetter.of(browsed.message()).orElseThrow().reason())
                .toList();
        assertThat(reasons.get(0)).contains("20");
        assertThat(reasons.get(1)).contains("'nowhere'");
    }

    @Test
    void a_remote_channel_that_is_full_is_waited_for() {
        remote.declare(Channel.command("orders").withMaxMessages(2L));
        List<String> received = new ArrayList<>();
        try (StoreAndForward forward = StoreAndForward.start(local, this::line, QUICK.withBatch(2));
                MessageProducer<String, String> producer = forward.producer(STRINGS)) {
            for (String order : orders(10)) {
                producer.send("orders", Message.of(order));
            }
            Await.until("it is full", () -> valuesIn(remote, "orders").size() == 2);
            try (var consumer = remote.consumer(STRINGS, dev.postroad.api.ConsumerOptions.DEFAULT)) {
                consumer.subscribe(List.of("orders"));
                Await.until("all have come", () -> {
                    consumer.poll(Duration.ofMillis(100)).forEach(message -> received.add(message.value()));
                    consumer.commit();
                    return received.size() == 10;
                });
            }
        }
        assertThat(received).isEqualTo(orders(10));
    }

    @Test
    void what_waits_is_bounded() {
        away = true;
        try (StoreAndForward forward = StoreAndForward.start(local, this::line, QUICK.withMaxMessages(2));
                MessageProducer<String, String> producer = forward.producer(STRINGS)) {
            producer.send("orders", Message.of("order 0"));
            producer.send("orders", Message.of("order 1"));
            MessagingException full = catchThrowableOfType(
                    MessagingException.class, () -> producer.send("orders", Message.of("one too many")));
            assertThat(full.reason()).isEqualTo(Reason.FULL);
        }
    }

    @Test
    void what_expires_while_it_waits_is_dropped_and_the_rest_has_less_time_to_live() {
        remote.declare(Channel.command("orders"));
        away = true;
        try (StoreAndForward forward = StoreAndForward.start(local, this::line, QUICK);
                MessageProducer<String, String> producer = forward.producer(STRINGS)) {
            producer.send("orders", Message.<String, String>of("stale").withTtl(Duration.ofMillis(2)));
            producer.send("orders", Message.<String, String>of("order 0").withTtl(Duration.ofHours(1)));
            Await.until("it has expired", () -> forward.expired() == 1);
            away = false;
            Await.until("the other is forwarded", () -> forward.forwarded() == 1);
        }
        Browsed arrived = remote.administration().browse("orders", null, 10).getFirst();
        assertThat(value(arrived)).isEqualTo("order 0");
        assertThat(arrived.message().properties().ttl())
                .isBetween(Duration.ofMinutes(1), Duration.ofHours(1).minusMillis(1));
    }

    @Test
    void fire_and_forget_never_throws_and_counts_what_is_dropped() {
        remote.declare(Channel.command("hints").withMaxMessages(3L));
        MessageProducer<String, String> producer = remote.producer(STRINGS);
        FireAndForget<String, String> hints = new FireAndForget<>(producer);
        for (int i = 0; i < 10; i++) {
            hints.send("hints", Message.of("hint " + i));
        }
        hints.send("nowhere", Message.of("hint"));
        Await.until("all are told", () -> hints.sent() + hints.dropped() == 11);
        assertThat(hints.sent()).isEqualTo(3);
        producer.close();
        hints.send("hints", Message.of("hint"));
        assertThat(hints.dropped()).isEqualTo(9);
    }
}
