package dev.postroad.patterns.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.patterns.breaker.BreakerSettings;
import dev.postroad.patterns.breaker.CircuitBreaker;
import dev.postroad.patterns.breaker.RateSettings;
import dev.postroad.patterns.claimcheck.Claim;
import dev.postroad.patterns.claimcheck.ClaimSettings;
import dev.postroad.patterns.deadletters.RedriveSettings;
import dev.postroad.patterns.inbox.ChannelInboxSettings;
import dev.postroad.patterns.inbox.Inbox;
import dev.postroad.patterns.inbox.InboxSettings;
import dev.postroad.patterns.jdbc.TestDatabase;
import dev.postroad.patterns.overload.TimeLimitSettings;
import dev.postroad.testkit.Await;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChannelPatternsTest {
    private static final Format<String, String> STRINGS = Format.strings();
    private static final Channel ORDERS = Channel.command("orders")
            .withRetry(Channel.command("orders").retry().withDelays(Duration.ofMillis(1), Duration.ofMillis(2)));

    private final Postroad postroad = Postroad.connect("embedded:memory");

    @AfterEach
    void close() {
        postroad.close();
    }

    private void send(int messages) {
        postroad.declare(ORDERS, Channel.command("invoices"));
        try (MessageProducer<String, String> producer = postroad.producer(STRINGS)) {
            for (int i = 0; i < messages; i++) {
                producer.send(
                        "orders", Message.<String, String>of("k" + i, "v" + i).withId("m-" + i / 2));
            }
        }
    }

    private Subscription listen(Handler<String, String> handler) {
        return postroad.listen("orders", STRINGS, ConsumerOptions.DEFAULT.withConcurrency(4), handler);
    }

    @Test
    void time_rate_breaker_and_inbox_work_together_on_one_handler() throws Exception {
        DataSource database = TestDatabase.H2.open();
        InboxSettings inbox = InboxSettings.of("billing");
        try (Connection connection = database.getConnection()) {
            Inbox.create(connection, inbox);
        }
        ChannelPatterns patterns = new ChannelPatterns(
                "orders",
                PatternSettings.NONE
                        .withInbox(inbox)
                        .withRateLimit(RateSettings.of(1_000, Duration.ofSeconds(1)))
                        .withCircuitBreaker(BreakerSettings.DEFAULT)
                        .withTimeLimit(TimeLimitSettings.DEFAULT.withLimit(Duration.ofMillis(300))));
        send(20);
        AtomicInteger calls = new AtomicInteger();
        CountDownLatch never = new CountDownLatch(1);
        try (Subscription subscription = listen(patterns.<String, String>around(database, (delivery, connection) -> {
            if (calls.incrementAndGet() == 3) {
                never.await();
            }
        }))) {
            Await.until("all handled", () -> subscription.counts().acknowledged() == 20);
            // The one that took too long; and whoever waited meanwhile for the memory of the same message.
            assertThat(subscription.counts().retried()).isPositive();
        }
        assertThat(calls).hasValue(11);
        assertThat(patterns.timeLimit().exceeded()).isPositive();
        assertThat(patterns.rateLimiter().delayed()).isPositive();
        assertThat(patterns.circuitBreaker().state()).isEqualTo(CircuitBreaker.State.CLOSED);
    }

    @Test
    void an_inbox_in_the_broker_is_used_by_listening() {
        ChannelPatterns patterns = new ChannelPatterns(
                "orders",
                PatternSettings.NONE
                        .withInbox(ChannelInboxSettings.of("billing"))
                        .withTimeLimit(TimeLimitSettings.DEFAULT));
        send(10);
        AtomicInteger calls = new AtomicInteger();
        try (Subscription subscription = patterns.listen(
                postroad, STRINGS, ConsumerOptions.DEFAULT, (delivery, transaction) -> calls.incrementAndGet())) {
            Await.until("five handled", () -> subscription.counts().acknowledged() == 5);
        }
        assertThat(calls).hasValue(5);
    }

    @Test
    void a_claim_check_is_that_of_the_folder_of_the_settings(@TempDir Path folder) {
        ChannelPatterns patterns = new ChannelPatterns(
                "orders", PatternSettings.NONE.withClaimCheck(ClaimSettings.DEFAULT.withThreshold(10), folder));
        Format<String, Claim<String>> format = patterns.claimCheck().format(STRINGS);
        assertThat(patterns.claimCheck()).isSameAs(patterns.claimCheck());
        postroad.declare(ORDERS);
        try (MessageProducer<String, Claim<String>> producer = postroad.producer(format)) {
            producer.send("orders", Message.of("k", Claim.of("more than ten characters")));
        }
        Handler<String, Claim<String>> handler = patterns.around(
                delivery -> assertThat(delivery.message().value().get()).startsWith("more"));
        try (Subscription subscription = postroad.listen("orders", format, ConsumerOptions.DEFAULT, handler)) {
            Await.until("it to be handled", () -> subscription.counts().acknowledged() == 1);
        }
        assertThat(patterns.claimCheck().checkedIn()).isEqualTo(1);
    }

    @Test
    void nothing_that_is_set_is_passed_over(@TempDir Path folder) {
        Handler<String, String> handler = delivery -> {};
        PatternSettings inbox = PatternSettings.NONE.withInbox(ChannelInboxSettings.of("billing"));
        assertThatThrownBy(() -> new ChannelPatterns("orders", inbox).around(handler))
                .hasMessageContaining("channel 'orders' has an inbox in the broker");
        assertThatThrownBy(() -> new ChannelPatterns("orders", inbox)
                        .around(TestDatabase.H2.open(), (delivery, connection) -> {}))
                .hasMessageContaining("an inbox in the broker among its patterns, but one in a database is asked for");
        assertThatThrownBy(() -> new ChannelPatterns("orders", PatternSettings.NONE)
                        .around(TestDatabase.H2.open(), (delivery, connection) -> {}))
                .hasMessageContaining("has no inbox");
        PatternSettings claims = PatternSettings.NONE.withClaimCheck(ClaimSettings.DEFAULT, null);
        assertThatThrownBy(() -> new ChannelPatterns("orders", claims).around(handler))
                .hasMessageContaining("has a claim check among its patterns");
        assertThatThrownBy(() -> new ChannelPatterns("orders", claims).claimCheck())
                .hasMessageContaining("has no folder");
        assertThatThrownBy(() -> new ChannelPatterns("orders", PatternSettings.NONE).claimCheck())
                .hasMessageContaining("has no claim check");
        assertThatThrownBy(() -> PatternSettings.NONE.withClaimCheck(null, folder))
                .hasMessageContaining("there is no claimCheck");
        RedriveSettings slowly = RedriveSettings.DEFAULT.withPerSecond(5);
        assertThat(new ChannelPatterns("orders", PatternSettings.NONE.withRedrive(slowly)).redrive())
                .isEqualTo(slowly);
        assertThat(new ChannelPatterns("orders", PatternSettings.NONE).redrive())
                .isEqualTo(RedriveSettings.DEFAULT);
    }
}
