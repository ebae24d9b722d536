package dev.postroad.patterns.inbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Generator;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChannelInboxTest {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final Channel ORDERS = Channel.command("orders")
            .withRetry(Channel.command("orders").retry().withDelays(Duration.ofMillis(1), Duration.ofMillis(2)));
    private static final ChannelInboxSettings BILLING = ChannelInboxSettings.of("billing");

    private static List<String> values(Postroad postroad, String channel) {
        return postroad.administration().browse(channel, null, 10_000).stream()
                .map(each -> new String(each.message().value(), java.nio.charset.StandardCharsets.UTF_8))
                .toList();
    }

    private static boolean empty(Postroad postroad, String channel) {
        return postroad.administration().channels().stream()
                .filter(status -> status.channel().name().equals(channel))
                .allMatch(status -> status.ready() + status.inFlight() + status.delayed() == 0);
    }

    @Test
    void a_message_has_its_effect_once_also_after_a_restart(@TempDir Path folder) {
        for (int run = 0; run < 2; run++) {
            try (Postroad postroad = Postroad.connect("embedded:" + folder);
                    MessageProducer<String, String> producer = postroad.producer(STRINGS)) {
                postroad.declare(ORDERS, Channel.command("invoices"));
                ChannelInbox inbox = ChannelInbox.open(postroad, "orders", BILLING);
                for (String id : List.of("m-1", "m-2", "m-1")) {
                    producer.send(
                            "orders",
                            Message.<String, String>of("k", "order " + id).withId(id));
                }
                try (Subscription subscription = inbox.listen(
                        STRINGS,
                        ConsumerOptions.DEFAULT,
                        (delivery, transaction) -> transaction.send(
                                "invoices",
                                Message.of("k", "for " + delivery.message().value())))) {
                    Await.until("all handled", () -> empty(postroad, "orders") && empty(postroad, inbox.channel()));
                    assertThat(subscription.active()).isTrue();
                }
                assertThat(inbox.handled()).isEqualTo(run == 0 ? 2 : 0);
                assertThat(values(postroad, "invoices")).containsExactly("for order m-1", "for order m-2");
            }
        }
    }

    @Test
    void a_handler_that_fails_sends_nothing_and_is_tried_again() {
        try (Postroad postroad = Postroad.connect("embedded:memory");
                MessageProducer<String, String> producer = postroad.producer(STRINGS)) {
            postroad.declare(ORDERS, Channel.command("invoices"));
            ChannelInbox inbox = ChannelInbox.open(postroad, "orders", BILLING);
            producer.send("orders", Message.of("k", "one"));
            AtomicInteger calls = new AtomicInteger();
            try (Subscription subscription = inbox.listen(STRINGS, ConsumerOptions.DEFAULT, (delivery, transaction) -> {
                transaction.send("invoices", Message.of("k", "attempt " + delivery.attempt()));
                if (calls.incrementAndGet() < 3) {
                    throw new IllegalStateException("not yet");
                }
            })) {
                Await.until("it to be handled", () -> inbox.handled() == 1);
                assertThat(subscription.counts().retried()).isEqualTo(2);
            }
            assertThat(values(postroad, "invoices")).containsExactly("attempt 3");
        }
    }

    /** Two instances on one broker, repetitions under other ids, handlers that fail at random: each once, keys in order. */
    @Test
    void whatever_fails_each_identity_has_one_effect_in_the_order_of_its_key() {
        Random random = new Random(Generator.announced("channel inbox").seed());
        int total = 300;
        try (Postroad postroad = Postroad.connect("embedded:memory");
                MessageProducer<String, String> producer = postroad.producer(STRINGS)) {
            postroad.declare(
                    ORDERS.withOrderedByKey(true).withRetry(ORDERS.retry().withMaxAttempts(1_000)),
                    Channel.command("invoices"));
            ChannelInbox inbox = ChannelInbox.open(postroad, "orders", BILLING);
            List<Subscription> instances = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                instances.add(inbox.listen(
                        STRINGS,
                        ConsumerOptions.DEFAULT.withConcurrency(8),
                        message -> String.valueOf(message.value()),
                        (delivery, transaction) -> {
                            transaction.send("invoices", delivery.message());
                            synchronized (random) {
                                if (random.nextInt(5) == 0) {
                                    throw new IllegalStateException("a failure that the test plans");
                                }
                            }
                        }));
            }
            for (int i = 0; i < total; i++) {
                for (int times = 0; times <= i % 3; times++) {
                    producer.send("orders", Message.of("k" + i % 7, String.valueOf(i)));
                }
            }
            Await.until("all handled", () -> inbox.handled() == total && empty(postroad, "orders"));
            instances.forEach(Subscription::close);
            List<String> effects = values(postroad, "invoices");
            assertThat(effects).hasSize(total).doesNotHaveDuplicates();
            Map<Integer, Integer> last = new HashMap<>();
            for (String effect : effects) {
                int number = Integer.parseInt(effect);
                Integer before = last.put(number % 7, number);
                assertThat(before == null || before < number).as(effect).isTrue();
            }
        }
    }

    @Test
    void dead_letters_go_where_those_of_the_source_go_and_can_be_put_back() {
        try (Postroad postroad = Postroad.connect("embedded:memory");
                MessageProducer<String, String> producer = postroad.producer(STRINGS)) {
            postroad.declare(ORDERS, Channel.command("invoices"));
            ChannelInbox inbox = ChannelInbox.open(postroad, "orders", BILLING);
            producer.send("orders", Message.of("k", "one"));
            try (Subscription subscription = inbox.listen(STRINGS, ConsumerOptions.DEFAULT, (delivery, transaction) -> {
                throw new IllegalStateException("never");
            })) {
                Await.until("a dead letter", () -> subscription.counts().deadLettered() == 1);
            }
            assertThat(values(postroad, "orders.dead")).containsExactly("one");
            assertThat(postroad.administration().redrive("orders.dead", null, 1))
                    .isEqualTo(1);
            try (Subscription subscription = inbox.listen(
                    STRINGS,
                    ConsumerOptions.DEFAULT,
                    (delivery, transaction) -> transaction.send("invoices", Message.of("k", "better now")))) {
                Await.until("it to be handled", () -> subscription.counts().acknowledged() == 1);
            }
            assertThat(values(postroad, "invoices")).containsExactly("better now");
        }
    }

    @Test
    void what_can_not_be_is_refused_by_name() {
        try (Postroad postroad = Postroad.connect("embedded:memory")) {
            assertThatThrownBy(() -> ChannelInbox.open(postroad, "nowhere", BILLING))
                    .isInstanceOf(MessagingException.class)
                    .hasMessageContaining("channel 'nowhere' is not declared");
            postroad.declare(Channel.request("questions"));
            assertThatThrownBy(() -> ChannelInbox.open(postroad, "questions", BILLING))
                    .hasMessageContaining("'questions' is a request channel");
        }
        assertThatThrownBy(() -> ChannelInboxSettings.of("a b")).hasMessageContaining("consumer is a b");
        assertThatThrownBy(() -> BILLING.withWindow(Duration.ZERO)).hasMessageContaining("window is PT0S");
    }
}
