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
import dev.postroad.testkit.Await;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MessageFilterTest {
    private static final Format<String, String> STRINGS = Format.strings();

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final MessageProducer<String, String> producer = postroad.producer(STRINGS);
    private final ConcurrentLinkedQueue<String> handled = new ConcurrentLinkedQueue<>();

    @AfterEach
    void close() {
        postroad.close();
    }

    private Subscription listen(MessageFilter<String, String> filter) {
        return postroad.listen(
                "orders",
                STRINGS,
                ConsumerOptions.DEFAULT,
                filter.around(delivery -> handled.add(delivery.message().value())));
    }

    private void send(String... values) {
        Stream.of(values).forEach(value -> producer.send("orders", Message.of(value)));
    }

    @Test
    void the_handler_sees_what_is_accepted_and_the_rest_is_settled_too() {
        postroad.declare(Channel.command("orders"));
        send("tea 1", "milk 2", "tea 3");
        MessageFilter<String, String> filter = MessageFilter.accepting(Rules.value(value -> value.startsWith("tea")));
        try (Subscription subscription = listen(filter)) {
            Await.until("all are settled", () -> subscription.counts().acknowledged() == 3);
        }
        assertThat(handled).containsExactly("tea 1", "tea 3");
        assertThat(filter.accepted()).isEqualTo(2);
        assertThat(filter.discarded()).isEqualTo(1);
    }

    @Test
    void what_is_left_out_goes_to_its_channel_with_its_id_even_if_that_is_full_at_first() {
        postroad.declare(Channel.command("orders").withRetry(RetryPolicy.NONE).withDeadLetter(null));
        postroad.declare(Channel.command("others").withMaxMessages(1L));
        producer.send("orders", Message.<String, String>of("milk 1").withId("m-1"));
        send("milk 2", "tea 3");
        MessageFilter<String, String> filter = MessageFilter.accepting(
                        Rules.<String, String>value(value -> value.startsWith("tea")))
                .withDiscards(postroad, STRINGS, "others");
        ConcurrentLinkedQueue<Message<String, String>> others = new ConcurrentLinkedQueue<>();
        try (Subscription subscription = listen(filter)) {
            assertThat(subscription.active()).isTrue();
            Await.until("one is left out", () -> filter.discarded() == 1);
            postroad.listen("others", STRINGS, ConsumerOptions.DEFAULT, delivery -> others.add(delivery.message()));
            Await.until("all have come through", () -> others.size() == 2 && handled.size() == 1);
        }
        assertThat(others.peek().id()).isEqualTo("m-1");
    }

    @Test
    void a_rule_that_throws_does_not_drop_the_message() {
        postroad.declare(
                Channel.command("orders").withRetry(new RetryPolicy(2, Duration.ZERO, Duration.ZERO, 1.0, 0.0)));
        send("tea");
        MessageFilter<String, String> filter = MessageFilter.accepting(message -> {
            throw new IllegalStateException("no rule today");
        });
        try (Subscription subscription = listen(filter)) {
            Await.until("it is given up", () -> subscription.counts().deadLettered() == 1);
            assertThat(subscription.counts().retried()).isEqualTo(1);
        }
        assertThat(filter.discarded()).isZero();
        assertThat(postroad.administration().browse("orders.dead", null, 10)).hasSize(1);
    }
}
