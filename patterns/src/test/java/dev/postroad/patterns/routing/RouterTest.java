package dev.postroad.patterns.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Administration.Browsed;
import dev.postroad.api.Administration.ChannelStatus;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Property;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RouterTest {
    private static final Format<String, String> STRINGS = Format.strings();

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final MessageProducer<String, String> producer = postroad.producer(STRINGS);

    @AfterEach
    void close() {
        postroad.close();
    }

    private static Routes<String, String> routes() {
        return Routes.<String, String>none().withMaxPause(Duration.ofMillis(20));
    }

    private Subscription route(Routes<String, String> routes, int concurrency) {
        return postroad.listen(
                "orders",
                STRINGS,
                ConsumerOptions.DEFAULT.withConcurrency(concurrency),
                new Router<>(postroad, STRINGS, routes));
    }

    private List<String> valuesIn(String channel) {
        return postroad.administration().browse(channel, null, 10_000).stream()
                .map(RouterTest::value)
                .toList();
    }

    private static String value(Browsed browsed) {
        return new String(browsed.message().value(), StandardCharsets.UTF_8);
    }

    private ChannelStatus status(String channel) {
        return postroad.administration().channels().stream()
                .filter(status -> status.channel().name().equals(channel))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void each_message_reaches_exactly_the_channels_that_its_content_asks_for() {
        Property.forAll("routed as the rules say", 6, gen -> {
            try (Postroad broker = Postroad.connect("embedded:memory")) {
                int targets = gen.between(1, 5);
                boolean all = gen.flip();
                Routes<String, String> routes = routes().withAll(all).withOtherwise("rest");
                broker.declare(Channel.command("orders"), Channel.command("rest"));
                List<String> letters = new ArrayList<>();
                for (int i = 0; i < targets; i++) {
                    String letter = gen.choose("a", "b", "c", "d");
                    letters.add(letter);
                    broker.declare(Channel.command("to-" + i));
                    routes = routes.withRoute("route " + i, Rules.value(value -> value.contains(letter)), "to-" + i);
                }
                Map<String, List<String>> expected = new HashMap<>();
                int count = gen.between(1, 60);
                try (MessageProducer<String, String> orders = broker.producer(STRINGS)) {
                    for (int i = 0; i < count; i++) {
                        String value = i + gen.choose("a", "b", "c", "ab", "cd", "abcd", "");
                        orders.send("orders", Message.of(value));
                        List<Integer> matching = IntStream.range(0, targets)
                                .filter(at -> value.contains(letters.get(at)))
                                .boxed()
                                .toList();
                        (all ? matching : matching.subList(0, Math.min(1, matching.size())))
                                .forEach(at -> expected.computeIfAbsent("to-" + at, name -> new ArrayList<>())
                                        .add(value));
                        if (matching.isEmpty()) {
                            expected.computeIfAbsent("rest", name -> new ArrayList<>())
                                    .add(value);
                        }
                    }
                }
                Router<String, String> router = new Router<>(broker, STRINGS, routes);
                try (Subscription subscription = broker.listen("orders", STRINGS, ConsumerOptions.DEFAULT, router)) {
                    assertThat(subscription.active()).isTrue();
                    Await.until(
                            "all are routed",
                            () -> broker.administration().channels().stream()
                                    .anyMatch(status -> status.channel().name().equals("orders")
                                            && status.acknowledged() == count));
                }
                for (ChannelStatus status : broker.administration().channels()) {
                    String name = status.channel().name();
                    if (name.startsWith("to-") && !name.endsWith(".dead") || name.equals("rest")) {
                        assertThat(broker.administration().browse(name, null, 10_000).stream()
                                        .map(RouterTest::value))
                                .as(name)
                                .isEqualTo(expected.getOrDefault(name, List.of()));
                    }
                }
            }
        });
    }

    @Test
    void nothing_is_lost_and_nothing_is_given_up_while_a_target_is_full() {
        // One attempt, and nowhere to put dead letters: whatever is given up here is gone.
        postroad.declare(Channel.command("orders").withRetry(RetryPolicy.NONE).withDeadLetter(null));
        postroad.declare(Channel.command("eu").withMaxMessages(3L));
        for (int i = 0; i < 40; i++) {
            producer.send("orders", Message.of("order " + i));
        }
        Router<String, String> router = new Router<>(postroad, STRINGS, routes().withRoute(message -> true, "eu"));
        ConcurrentLinkedQueue<String> received = new ConcurrentLinkedQueue<>();
        try (Subscription subscription = postroad.listen("orders", STRINGS, ConsumerOptions.DEFAULT, router)) {
            assertThat(subscription.active()).isTrue();
            Await.until("the target has refused", () -> router.refused() > 2);
            postroad.listen("eu", STRINGS, ConsumerOptions.DEFAULT, delivery -> {
                received.add(delivery.message().value());
            });
            Await.until("all have come through", () -> received.size() == 40);
        }
        assertThat(received)
                .containsExactlyElementsOf(
                        IntStream.range(0, 40).mapToObj(i -> "order " + i).toList());
        assertThat(status("orders").deadLettered()).isZero();
    }

    @Test
    void a_router_that_waits_for_a_full_target_lets_its_subscription_close_and_the_message_stay() {
        postroad.declare(Channel.command("orders"));
        postroad.declare(Channel.command("eu").withMaxMessages(1L));
        producer.send("eu", Message.of("in the way"));
        producer.send("orders", Message.of("order"));
        Router<String, String> router = new Router<>(postroad, STRINGS, routes().withRoute(message -> true, "eu"));
        Subscription subscription = postroad.listen("orders", STRINGS, ConsumerOptions.DEFAULT, router);
        Await.until("the target has refused", () -> router.refused() > 0);
        assertThat(subscription.close(Duration.ofMinutes(5))).isTrue();
        Await.until("the message is back", () -> status("orders").ready() == 1);
        assertThat(subscription.counts()).isEqualTo(new Subscription.Counts(0, 0, 0));
    }

    @Test
    void what_a_target_refuses_for_good_becomes_a_dead_letter_with_the_reason_where_dead_letters_are_kept() {
        postroad.declare(Channel.command("orders"));
        postroad.declare(Channel.command("small").withMaxMessageBytes(10));
        producer.send("orders", Message.of("longer than ten bytes"));
        producer.send("orders", Message.of("short"));
        try (Subscription subscription = route(routes().withRoute(message -> true, "small"), 1)) {
            assertThat(subscription.active()).isTrue();
            Await.until(
                    "both are settled",
                    () -> status("small").ready() == 1 && status("orders.dead").ready() == 1);
        }
        assertThat(valuesIn("small")).containsExactly("short");
        DeadLetter letter = DeadLetter.of(postroad.administration()
                        .browse("orders.dead", null, 10)
                        .getFirst()
                        .message())
                .orElseThrow();
        assertThat(letter.reason()).contains("could not be passed on to [small]");
    }

    @Test
    void what_a_target_refuses_for_good_waits_where_no_dead_letters_are_kept() {
        postroad.declare(Channel.command("orders").withDeadLetter(null));
        postroad.declare(Channel.command("small").withMaxMessageBytes(10));
        producer.send("orders", Message.of("longer than ten bytes"));
        Router<String, String> router = new Router<>(postroad, STRINGS, routes().withRoute(message -> true, "small"));
        try (Subscription subscription = postroad.listen("orders", STRINGS, ConsumerOptions.DEFAULT, router)) {
            assertThat(subscription.active()).isTrue();
            Await.until("it was refused", () -> router.refused() > 2);
        }
        Await.until("it is still there", () -> status("orders").ready() == 1);
    }

    @Test
    void what_no_route_takes_becomes_a_dead_letter_where_there_is_no_default() {
        postroad.declare(Channel.command("orders"), Channel.command("eu"));
        Router<String, String> router =
                new Router<>(postroad, STRINGS, routes().withRoute(Rules.header("region", "eu"), "eu"));
        producer.send("orders", Message.<String, String>of("a").withHeader("region", "us"));
        producer.send("orders", Message.<String, String>of("b").withHeader("region", "eu"));
        try (Subscription subscription = postroad.listen("orders", STRINGS, ConsumerOptions.DEFAULT, router)) {
            assertThat(subscription.active()).isTrue();
            Await.until(
                    "both are settled",
                    () -> status("eu").ready() == 1 && status("orders.dead").ready() == 1);
        }
        assertThat(router.unroutable()).isEqualTo(1);
        assertThat(router.routed()).isEqualTo(Map.of("eu", 1L));
    }

    @Test
    void a_rule_that_throws_is_a_failure_and_no_answer() {
        postroad.declare(
                Channel.command("orders").withRetry(RetryPolicy.DEFAULT.withDelays(Duration.ZERO, Duration.ZERO)));
        postroad.declare(Channel.command("eu"), Channel.command("rest"));
        AtomicInteger asked = new AtomicInteger();
        producer.send("orders", Message.of("a"));
        try (Subscription subscription = route(
                routes().withRoute(
                                message -> {
                                    if (asked.incrementAndGet() < 3) {
                                        throw new IllegalStateException("the rates are not loaded yet");
                                    }
                                    return true;
                                },
                                "eu")
                        .withOtherwise("rest"),
                1)) {
            assertThat(subscription.active()).isTrue();
            Await.until("it is routed", () -> status("eu").ready() == 1);
        }
        assertThat(status("rest").ready()).isZero();
    }

    @Test
    void a_route_to_a_channel_that_is_not_declared_is_refused_by_name() {
        postroad.declare(Channel.command("orders"));
        assertThatThrownBy(() -> new Router<>(postroad, STRINGS, routes().withOtherwise("nowhere")))
                .isInstanceOf(MessagingException.class)
                .hasMessageContaining("'nowhere'");
    }
}
