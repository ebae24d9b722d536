package dev.postroad.patterns.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Serde;
import dev.postroad.api.Serdes;
import dev.postroad.api.Subscription;
import dev.postroad.testkit.Await;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WireTapTest {
    private static final Format<String, String> STRINGS = Format.strings();

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final MessageProducer<String, String> producer = postroad.producer(STRINGS);
    private final AtomicInteger handled = new AtomicInteger();

    @AfterEach
    void close() {
        postroad.close();
    }

    private void sendAndHandle(int count, WireTap<String, String> tap) {
        for (int i = 0; i < count; i++) {
            producer.sendAsync(
                    "orders", Message.<String, String>of("order " + i).withId("m-" + i));
        }
        try (Subscription subscription = postroad.listen(
                "orders", STRINGS, ConsumerOptions.DEFAULT, tap.around(delivery -> handled.incrementAndGet()))) {
            Await.until("all are handled", () -> subscription.counts().acknowledged() == count);
            assertThat(subscription.counts().retried()).isZero();
        }
    }

    @Test
    void the_tap_gets_each_message_as_it_is_and_where_it_came_from() {
        postroad.declare(Channel.command("orders"), Channel.command("tap"));
        try (WireTap<String, String> tap = new WireTap<>(postroad, STRINGS, "tap", TapSettings.all())) {
            sendAndHandle(3, tap);
            Await.until("all are tapped", () -> tap.tapped() == 3);
        }
        var copy = postroad.administration().browse("tap", null, 10).getFirst().message();
        assertThat(copy.id()).isEqualTo("m-0");
        assertThat(copy.headers())
                .containsEntry(WireTap.CHANNEL_HEADER, "orders")
                .containsEntry(WireTap.ATTEMPT_HEADER, "1");
    }

    @Test
    void a_failed_attempt_is_tapped_as_well() {
        postroad.declare(
                Channel.command("orders").withRetry(new RetryPolicy(2, Duration.ZERO, Duration.ZERO, 1.0, 0.0)));
        postroad.declare(Channel.command("tap"));
        producer.send("orders", Message.of("order"));
        try (WireTap<String, String> tap = new WireTap<>(postroad, STRINGS, "tap", TapSettings.all());
                Subscription subscription =
                        postroad.listen("orders", STRINGS, ConsumerOptions.DEFAULT, tap.around(delivery -> {
                            throw new IllegalStateException("no");
                        }))) {
            Await.until("both attempts are tapped", () -> tap.tapped() == 2);
            Await.until("it is given up", () -> subscription.counts().deadLettered() == 1);
        }
    }

    @Test
    void a_tap_that_hangs_holds_nobody_up_and_its_copies_stay_bounded() {
        postroad.declare(Channel.command("orders"), Channel.command("tap"));
        CountDownLatch stuck = new CountDownLatch(1);
        Serde<String> hanging = new Serde<>() {
            @Override
            public byte[] serialize(String value) {
                try {
                    stuck.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                return Serdes.string().serialize(value);
            }

            @Override
            public String deserialize(byte[] bytes) {
                return Serdes.string().deserialize(bytes);
            }
        };
        TapSettings<String, String> ten = TapSettings.<String, String>all().withMaxWaiting(10);
        try (WireTap<String, String> tap = new WireTap<>(postroad, Format.of(hanging), "tap", ten)) {
            sendAndHandle(500, tap);
            assertThat(tap.dropped()).isEqualTo(490);
            stuck.countDown();
            Await.until("the ten that waited are tapped", () -> tap.tapped() == 10);
        }
    }

    @Test
    void a_tap_whose_rule_fails_or_whose_channel_is_full_or_gone_costs_copies_only() {
        postroad.declare(Channel.command("orders"), Channel.command("tap").withMaxMessages(1L));
        TapSettings<String, String> broken = TapSettings.<String, String>all().withRule(message -> {
            throw new StackOverflowError();
        });
        try (WireTap<String, String> failing = new WireTap<>(postroad, STRINGS, "tap", broken);
                WireTap<String, String> full = new WireTap<>(postroad, STRINGS, "tap", TapSettings.all());
                WireTap<String, String> gone = new WireTap<>(postroad, STRINGS, "nowhere", TapSettings.all())) {
            sendAndHandle(20, failing);
            Await.until("all are dropped", () -> failing.dropped() == 20);
            sendAndHandle(20, full);
            Await.until("all but one are dropped", () -> full.tapped() == 1 && full.dropped() == 19);
            sendAndHandle(20, gone);
            Await.until("all are dropped", () -> gone.dropped() == 20);
        }
        assertThat(handled).hasValue(60);
    }

    @Test
    void a_tap_to_a_connection_that_is_closed_costs_copies_only() {
        postroad.declare(Channel.command("orders"));
        Postroad other = Postroad.connect("embedded:memory");
        other.declare(Channel.command("tap"));
        try (WireTap<String, String> tap = new WireTap<>(other, STRINGS, "tap", TapSettings.all())) {
            other.close();
            sendAndHandle(20, tap);
            Await.until("all are dropped", () -> tap.dropped() == 20);
        }
        assertThat(handled).hasValue(20);
    }
}
