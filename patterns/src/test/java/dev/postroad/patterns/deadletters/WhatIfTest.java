package dev.postroad.patterns.deadletters;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Administration;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transaction;
import dev.postroad.patterns.deadletters.Prediction.Verdict;
import dev.postroad.testkit.Await;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WhatIfTest {
    private static final RetryPolicy THRICE = RetryPolicy.NONE.withMaxAttempts(3);

    private final Postroad postroad = Postroad.connect("embedded:memory?maxBytes=1500000000");

    @AfterEach
    void close() {
        postroad.close();
    }

    /** What it does follows from the message and the attempt; one in five of what it is asked fails. */
    private static Handler<String, String> deterministic(Postroad connection, AtomicInteger calls) {
        MessageProducer<String, String> producer = connection.producer(Format.strings());
        return delivery -> {
            calls.incrementAndGet();
            int number =
                    Integer.parseInt(String.valueOf(delivery.message().value()).substring(1));
            switch (number % 20) {
                case 7 -> throw new Handler.DeadLetterException("not at all");
                case 11 -> {
                    if (delivery.attempt() < 3) {
                        throw new IOException("not yet");
                    }
                }
                case 13 -> {
                    producer.send("shipped", Message.of("k", "half of m" + number));
                    throw new IOException("never");
                }
                case 17 -> delivery.retry();
                default -> {}
            }
            producer.send("shipped", Message.of("k", "m" + number));
        };
    }

    private void foretold(Channel orders, int count, int keys) throws Exception {
        postroad.declare(orders, Channel.command("shipped"));
        List<Message<byte[], byte[]>> messages = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            messages.add(Letters.message("k" + i % keys, "m" + i));
        }
        Letters.bury(postroad, orders, messages);
        AtomicInteger calls = new AtomicInteger();
        long began = System.nanoTime();
        WhatIfReport report = WhatIf.replay(
                postroad,
                "orders.dead",
                WhatIfSettings.DEFAULT.withConcurrency(4),
                Format.strings(),
                held -> deterministic(held, calls));
        long tookMillis = (System.nanoTime() - began) / 1_000_000;
        assertThat(Letters.count(postroad, "orders.dead")).isEqualTo(count);
        assertThat(Letters.count(postroad, "shipped")).isZero();
        assertThat(report.predictions()).hasSize(count);
        assertThat(report.notTried()).isZero();
        assertThat(report.unattributed()).isZero();

        new DeadLetters(postroad, "orders.dead").redrive(RedriveSettings.DEFAULT.withBatch(1_000));
        long shipped =
                report.predictions().stream().mapToLong(p -> p.sent().size()).sum();
        AtomicInteger really = new AtomicInteger();
        Handler<String, String> handler = deterministic(postroad, really);
        try (var subscription =
                postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT.withConcurrency(4), handler)) {
            Await.until(
                    "all are settled",
                    Duration.ofMinutes(5),
                    () -> subscription.active() && Letters.count(postroad, "orders") == 0);
        }
        Map<String, Verdict> outcome = new HashMap<>();
        messages.forEach(message -> outcome.put(String.valueOf(message.id()), Verdict.SUCCEEDS));
        new DeadLetters(postroad, "orders.dead")
                .forEach(
                        LetterFilter.ALL,
                        letter -> outcome.put(
                                String.valueOf(letter.message().id()),
                                letter.told().cause() == DeadLetter.Cause.KEY_ORDER ? Verdict.BEHIND : Verdict.FAILS));
        Map<String, Verdict> foretold = new HashMap<>();
        report.predictions().forEach(p -> foretold.put(p.id(), p.verdict()));
        assertThat(foretold).isEqualTo(outcome);
        assertThat(really).hasValue(calls.get());
        assertThat(Letters.count(postroad, "shipped")).isEqualTo(shipped);
        assertThat(report.count(Verdict.FAILS)).isPositive();
        System.getLogger("dev.postroad.patterns")
                .log(System.Logger.Level.INFO, "what-if on {0} letters took {1} ms", count, tookMillis);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void what_is_foretold_is_what_happens(boolean orderedByKey) throws Exception {
        foretold(Channel.command("orders").withOrderedByKey(orderedByKey).withRetry(THRICE), 400, 150);
    }

    @Test
    @Tag("soak")
    void what_is_foretold_of_a_hundred_thousand_letters_is_what_happens() throws Exception {
        foretold(Channel.command("orders").withOrderedByKey(true).withRetry(THRICE), 100_000, 30_000);
    }

    @Test
    void a_reason_is_told_and_what_would_be_sent_in_transactions_too_and_nothing_can_be_changed() throws Exception {
        Channel orders = Channel.command("orders").withRetry(THRICE);
        postroad.declare(orders, Channel.command("shipped"));
        Letters.bury(
                postroad,
                orders,
                List.of(Letters.message("k", "ships"), Letters.message("k", "purges"), Letters.message("k", "\u00ff")));
        WhatIfReport report =
                WhatIf.replay(postroad, "orders.dead", WhatIfSettings.DEFAULT, Format.strings(), held -> delivery -> {
                    if ("purges".equals(delivery.message().value())) {
                        held.administration().purge("orders");
                    }
                    try (Transaction<String, String> both = held.begin(Format.strings())) {
                        both.send("shipped", Message.of("k", "four"));
                        both.acknowledge(delivery);
                        both.commit();
                    }
                });
        assertThat(report.origin()).isEqualTo("orders");
        assertThat(report.predictions())
                .extracting(Prediction::verdict)
                .containsExactly(Verdict.SUCCEEDS, Verdict.FAILS, Verdict.SUCCEEDS);
        Prediction first = report.predictions().getFirst();
        assertThat(first.sent()).hasSize(1);
        assertThat(first.sent().getFirst().channel()).isEqualTo("shipped");
        assertThat(first.sent().getFirst().bytes()).isEqualTo(4);
        assertThat(report.predictions().get(1).reason()).contains("purging channel 'orders' would change the broker");
        assertThat(report.predictions().get(1).attempts()).isEqualTo(3);
        List<Administration.Browsed> shipped = postroad.administration().browse("shipped", null, 10);
        assertThat(shipped).isEmpty();
    }

    @Test
    void nothing_is_foretold_of_no_letters_and_a_handler_that_hangs_is_not_waited_for_longer_than_allowed()
            throws Exception {
        Channel orders = Channel.command("orders").withRetry(THRICE);
        postroad.declare(orders);
        assertThat(WhatIf.<String, String>replay(
                                postroad,
                                "orders.dead",
                                WhatIfSettings.DEFAULT,
                                Format.strings(),
                                held -> delivery -> {})
                        .predictions())
                .isEmpty();
        Letters.bury(postroad, orders, List.of(Letters.message("k", "hangs")));
        CountDownLatch never = new CountDownLatch(1);
        assertThatThrownBy(() -> WhatIf.<String, String>replay(
                        postroad,
                        "orders.dead",
                        WhatIfSettings.DEFAULT.withTimeout(Duration.ofMillis(50)),
                        Format.strings(),
                        held -> delivery -> {
                            delivery.retry(Duration.ofDays(1));
                            never.await();
                        }))
                .isInstanceOf(MessagingException.class)
                .hasMessageContaining("within PT0.05S");
    }
}
