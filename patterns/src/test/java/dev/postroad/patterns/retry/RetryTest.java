package dev.postroad.patterns.retry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.patterns.retry.RetrySettings.Verdict;
import dev.postroad.testkit.Await;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RetryTest {
    private static final RetryPolicy QUICK =
            new RetryPolicy(5, Duration.ofMillis(1), Duration.ofMillis(2), 2.0, RetryPolicy.FULL_JITTER);

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final MessageProducer<String, String> producer = postroad.producer(Format.strings());

    @AfterEach
    void close() {
        postroad.close();
    }

    private List<DeadLetter> dead() {
        return postroad.administration().browse("orders.dead", null, 100).stream()
                .map(found -> DeadLetter.of(found.message()).orElseThrow())
                .toList();
    }

    private void declare(RetryPolicy policy) {
        postroad.declare(Channel.command("orders").withRetry(policy));
    }

    @Test
    void a_failure_that_no_retry_helps_is_a_dead_letter_at_once_with_what_was_thrown() {
        declare(QUICK);
        Retry retry = new Retry(RetrySettings.DEFAULT.withNotRetryable(IllegalArgumentException.class));
        producer.send("orders", Message.of("k", "tea"));
        try (var subscription = postroad.listen(
                "orders",
                Format.strings(),
                ConsumerOptions.DEFAULT,
                retry.around(delivery ->
                        Integer.parseInt(String.valueOf(delivery.message().value()))))) {
            Await.until("the dead letter", () -> subscription.counts().deadLettered() == 1);
        }
        DeadLetter told = dead().getFirst();
        assertThat(told.attempts()).isEqualTo(1);
        assertThat(told.exception()).isEqualTo("java.lang.NumberFormatException");
        assertThat(told.reason()).isEqualTo("java.lang.NumberFormatException: For input string: \"tea\"");
        assertThat(told.firstFailure()).isEqualTo(told.time());
        assertThat(retry.givenUp()).isEqualTo(1);
    }

    @Test
    void a_failure_that_does_not_matter_is_acknowledged_and_counted() {
        declare(QUICK);
        Retry retry = new Retry(RetrySettings.DEFAULT.withSkipped(FileNotFoundException.class));
        producer.send("orders", Message.of("k", "tea"));
        try (var subscription =
                postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, retry.around(delivery -> {
                    throw new FileNotFoundException("gone already");
                }))) {
            Await.until("the settlement", () -> subscription.counts().acknowledged() == 1);
        }
        assertThat(retry.skipped()).isEqualTo(1);
        assertThat(dead()).isEmpty();
    }

    @Test
    void an_error_is_tried_again_by_the_channels_policy_and_the_dead_letter_tells_the_first_and_the_last_failure() {
        declare(QUICK.withMaxAttempts(3).withDecorrelatedJitter());
        Retry retry = new Retry(RetrySettings.DEFAULT);
        producer.send(
                "orders",
                Message.<String, String>of("k", "tea").withType("Order").withHeader("mine", "yes"));
        List<Integer> attempts = new CopyOnWriteArrayList<>();
        try (var subscription =
                postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, retry.around(delivery -> {
                    attempts.add(delivery.attempt());
                    throw new AssertionError("never so");
                }))) {
            Await.until("the dead letter", () -> subscription.counts().deadLettered() == 1);
        }
        assertThat(attempts).containsExactly(1, 2, 3);
        DeadLetter told = dead().getFirst();
        assertThat(told.exception()).isEqualTo("java.lang.AssertionError");
        assertThat(told.firstFailure()).isNotNull().isBeforeOrEqualTo(told.time());
        Message<byte[], byte[]> letter = postroad.administration()
                .browse("orders.dead", null, 1)
                .getFirst()
                .message();
        assertThat(letter.type()).isEqualTo("Order");
        assertThat(DeadLetter.removedFrom(letter.headers())).containsExactly(java.util.Map.entry("mine", "yes"));
    }

    @Test
    void a_policy_of_the_handlers_own_ends_before_the_channels() {
        declare(QUICK.withMaxAttempts(50));
        Retry retry = new Retry(RetrySettings.DEFAULT.withPolicy(QUICK.withMaxAttempts(2)));
        producer.send("orders", Message.of("k", "tea"));
        AtomicInteger calls = new AtomicInteger();
        try (var subscription =
                postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, retry.around(delivery -> {
                    calls.incrementAndGet();
                    throw new IOException("the till is closed");
                }))) {
            Await.until("the dead letter", () -> subscription.counts().deadLettered() == 1);
        }
        assertThat(calls).hasValue(2);
        assertThat(retry.retried()).isEqualTo(1);
        assertThat(dead().getFirst().reason()).isEqualTo("java.io.IOException: the till is closed");
    }

    @Test
    void no_attempt_begins_past_the_longest_time_since_the_first_failure() {
        declare(new RetryPolicy(1_000, Duration.ofMillis(20), Duration.ofMillis(20), 1.0, 0)
                .withMaxElapsed(Duration.ofMillis(150)));
        producer.send("orders", Message.of("k", "tea"));
        try (var subscription = postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, delivery -> {
            throw new IOException("the till is closed");
        })) {
            Await.until("the dead letter", () -> subscription.counts().deadLettered() == 1);
        }
        DeadLetter told = dead().getFirst();
        assertThat(told.reason()).contains("no other attempt within PT0.15S");
        assertThat(told.attempts()).isBetween(1, 8);
    }

    @Test
    void a_handlers_own_retry_after_is_taken_at_its_word() {
        declare(new RetryPolicy(3, Duration.ofHours(1), Duration.ofHours(1), 1.0, 0));
        Retry retry = new Retry(RetrySettings.DEFAULT);
        producer.send("orders", Message.of("k", "tea"));
        List<Instant> begun = new CopyOnWriteArrayList<>();
        try (var subscription =
                postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, retry.around(delivery -> {
                    begun.add(Instant.now());
                    if (delivery.attempt() == 1) {
                        throw new Handler.RetryAfterException("busy until then", Duration.ofMillis(50));
                    }
                }))) {
            Await.until("the settlement", () -> subscription.counts().acknowledged() == 1);
        }
        assertThat(begun).hasSize(2);
        assertThat(Duration.between(begun.get(0), begun.get(1)))
                .isGreaterThanOrEqualTo(Duration.ofMillis(48))
                .isLessThan(Duration.ofMinutes(30));
    }

    @Test
    void a_message_that_is_too_old_is_not_tried_again() {
        Instant sent = Instant.parse("2026-01-01T00:00:00Z");
        Clock clock = Clock.fixed(sent.plusSeconds(3_601), ZoneOffset.UTC);
        declare(QUICK);
        Retry retry = new Retry(RetrySettings.DEFAULT.withMaxAge(Duration.ofHours(1)), clock);
        producer.send("orders", Message.<String, String>of("k", "tea").withTimestamp(sent));
        try (var subscription =
                postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, retry.around(delivery -> {
                    throw new IOException("the till is closed");
                }))) {
            Await.until("the dead letter", () -> subscription.counts().deadLettered() == 1);
        }
        assertThat(dead().getFirst().reason()).contains("older than PT1H");
        assertThat(dead().getFirst().attempts()).isEqualTo(1);
    }

    @Test
    void the_first_case_that_fits_decides_and_wrappers_are_looked_through() {
        RetrySettings settings = RetrySettings.DEFAULT
                .withRetryable(FileNotFoundException.class)
                .withNotRetryable(IOException.class)
                .withCase(e -> String.valueOf(e.getMessage()).contains("duplicate"), Verdict.SKIP)
                .withOtherwise(Verdict.GIVE_UP);
        assertThat(settings.verdictOn(new FileNotFoundException())).isEqualTo(Verdict.RETRY);
        assertThat(settings.verdictOn(new IOException())).isEqualTo(Verdict.GIVE_UP);
        assertThat(settings.verdictOn(new ExecutionException(new FileNotFoundException())))
                .isEqualTo(Verdict.RETRY);
        assertThat(settings.verdictOn(new IllegalStateException("a duplicate key")))
                .isEqualTo(Verdict.SKIP);
        assertThat(settings.verdictOn(new IllegalStateException("else"))).isEqualTo(Verdict.GIVE_UP);
        assertThatThrownBy(() -> settings.withMaxAge(Duration.ZERO)).hasMessageContaining("maxAge is PT0S");
    }

    @Test
    void while_one_key_waits_for_its_retry_all_others_flow_and_no_thread_waits() {
        postroad.declare(Channel.command("orders")
                .withOrderedByKey(true)
                .withRetry(new RetryPolicy(2, Duration.ofHours(1), Duration.ofHours(1), 1.0, 0)));
        List<String> handled = new CopyOnWriteArrayList<>();
        Handler<String, String> handler = new Retry(RetrySettings.DEFAULT)
                .around((Delivery<String, String> delivery) -> {
                    if ("a1".equals(delivery.message().value())) {
                        throw new IOException("the till is closed");
                    }
                    handled.add(delivery.message().value());
                });
        for (String value : List.of("a1", "a2", "b1", "a3", "b2")) {
            producer.send("orders", Message.of(value.substring(0, 1), value));
        }
        try (var subscription = postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, handler)) {
            Await.until("b is through", () -> handled.equals(List.of("b1", "b2")));
            assertThat(subscription.counts().retried()).isEqualTo(1);
        }
    }
}
