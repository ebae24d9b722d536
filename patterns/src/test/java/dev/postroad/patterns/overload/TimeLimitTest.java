package dev.postroad.patterns.overload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.testkit.Await;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TimeLimitTest {
    private static final RetryPolicy TWICE = RetryPolicy.NONE.withMaxAttempts(2);

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final MessageProducer<String, String> producer = postroad.producer(Format.strings());

    @AfterEach
    void close() {
        postroad.close();
    }

    private Subscription listen(TimeLimit limit, dev.postroad.api.Handler<String, String> handler) {
        return postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, limit.around(handler));
    }

    private DeadLetter dead() {
        return DeadLetter.of(postroad.administration()
                        .browse("orders.dead", null, 1)
                        .getFirst()
                        .message())
                .orElseThrow();
    }

    @Test
    void a_handler_that_hangs_is_interrupted_and_its_message_is_tried_again_and_given_up() {
        postroad.declare(Channel.command("orders").withRetry(TWICE));
        TimeLimit limit = new TimeLimit(TimeLimitSettings.DEFAULT.withLimit(Duration.ofMillis(20)));
        List<String> handled = new CopyOnWriteArrayList<>();
        try (Subscription subscription = listen(limit, delivery -> {
            if ("hangs".equals(delivery.message().value())) {
                new CountDownLatch(1).await();
            }
            handled.add(delivery.message().value());
        })) {
            producer.send("orders", Message.of("k", "hangs"));
            producer.send("orders", Message.of("k", "tea"));
            Await.until(
                    "the hanging one is given up", () -> subscription.counts().deadLettered() == 1);
            Await.until("the next is handled", () -> handled.equals(List.of("tea")));
        }
        assertThat(limit.exceeded()).isEqualTo(2);
        assertThat(limit.abandoned()).isZero();
        assertThat(dead().exception()).isEqualTo(TimeLimitException.class.getName());
        assertThat(dead().attempts()).isEqualTo(2);
        assertThat(dead().reason()).contains("longer than PT0.02S");
    }

    @Test
    void a_handler_that_never_returns_is_left_to_itself_and_no_more_than_allowed_of_them() {
        postroad.declare(Channel.command("orders").withRetry(RetryPolicy.NONE));
        TimeLimit limit = new TimeLimit(TimeLimitSettings.DEFAULT
                .withLimit(Duration.ofMillis(10))
                .withGrace(Duration.ofMillis(10))
                .withMaxAbandoned(2)
                .withGiveUp(true));
        CountDownLatch end = new CountDownLatch(1);
        AtomicInteger begun = new AtomicInteger();
        AtomicBoolean handled = new AtomicBoolean();
        try (Subscription subscription = listen(limit, delivery -> {
            if ("tea".equals(delivery.message().value())) {
                handled.set(true);
                return;
            }
            begun.incrementAndGet();
            while (end.getCount() > 0) {
                try {
                    end.await();
                } catch (InterruptedException e) {
                    // It does not listen: that is what this is about.
                    continue;
                }
            }
            delivery.acknowledge();
        })) {
            for (String value : List.of("one", "two", "three", "tea")) {
                producer.send("orders", Message.of("k", value));
            }
            Await.until("two are given up", () -> subscription.counts().deadLettered() == 2);
            assertThat(limit.abandoned()).isEqualTo(2);
            assertThat(begun).as("the third waits").hasValue(2);
            assertThat(handled).isFalse();
            end.countDown();
            Await.until("the last is handled", handled::get);
            Await.until("none is left to itself", () -> limit.abandoned() == 0);
        }
        assertThat(postroad.administration().browse("orders.dead", null, 10))
                .as("what a forgotten handler settles later has no effect")
                .hasSize(2);
    }

    @Test
    void within_its_limit_a_handler_keeps_its_lease() throws Exception {
        postroad.declare(Channel.command("orders").withLease(Duration.ofSeconds(3)));
        TimeLimit limit = new TimeLimit(TimeLimitSettings.DEFAULT.withLease(Duration.ofSeconds(3)));
        AtomicInteger deliveries = new AtomicInteger();
        CountDownLatch go = new CountDownLatch(1);
        try (Subscription subscription = listen(limit, delivery -> {
            deliveries.incrementAndGet();
            go.await();
        })) {
            producer.send("orders", Message.of("k", "long"));
            // Four extensions, each after a third of the lease, are more than one lease.
            Await.until("it is at work for longer than its lease", () -> limit.extended() >= 4);
            go.countDown();
            Await.until("the settlement", () -> subscription.counts().acknowledged() == 1);
        }
        assertThat(deliveries).hasValue(1);
    }

    @Test
    void an_error_and_an_exception_come_through_as_they_are() {
        postroad.declare(Channel.command("orders").withRetry(RetryPolicy.NONE));
        TimeLimit limit = new TimeLimit(TimeLimitSettings.DEFAULT);
        try (Subscription subscription = listen(limit, delivery -> {
            throw new StackOverflowError("deep");
        })) {
            producer.send("orders", Message.of("k", "tea"));
            Await.until("it is given up", () -> subscription.counts().deadLettered() == 1);
        }
        assertThat(dead().exception()).isEqualTo("java.lang.StackOverflowError");
        assertThat(limit.exceeded()).isZero();
    }

    @Test
    void closing_interrupts_a_handler_that_is_within_its_limit() throws Exception {
        postroad.declare(Channel.command("orders").withRetry(TWICE));
        TimeLimit limit = new TimeLimit(TimeLimitSettings.DEFAULT);
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        Subscription subscription = listen(limit, delivery -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
                throw e;
            }
        });
        producer.send("orders", Message.of("k", "tea"));
        assertThat(begun.await(30, TimeUnit.SECONDS)).isTrue();
        subscription.close(Duration.ofMillis(1));
        assertThat(interrupted.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(postroad.administration().browse("orders", null, 10)).hasSize(1);
    }

    @Test
    void settings_out_of_bounds_are_refused_by_name() {
        assertThatThrownBy(() -> TimeLimitSettings.DEFAULT.withLimit(Duration.ZERO))
                .hasMessageContaining("limit is PT0S");
        assertThatThrownBy(() -> TimeLimitSettings.DEFAULT.withMaxAbandoned(0))
                .hasMessageContaining("maxAbandoned is 0");
    }
}
