package dev.postroad.patterns.inbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.RedisServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.SetParams;

class RedisInboxTest {
    private static final Channel ORDERS = Channel.command("orders")
            .withRetry(Channel.command("orders").retry().withDelays(Duration.ofMillis(1), Duration.ofMillis(2)));
    private static final Duration SOON = Duration.ofMillis(5);

    @TempDir
    static Path folder;

    private static RedisServer server;
    private static RedisClient redis;

    @BeforeAll
    static void start() {
        server = RedisServer.start(folder);
        redis = RedisClient.create("127.0.0.1", server.port());
    }

    @AfterAll
    static void end() {
        redis.close();
        server.close();
    }

    private static RedisInboxSettings settings(String consumer) {
        return RedisInboxSettings.of(consumer).withBusyDelay(SOON);
    }

    private static void handleAll(Handler<String, String> handler, int concurrency, String... ids) {
        try (Postroad postroad = Postroad.connect("embedded:memory");
                MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
            postroad.declare(ORDERS.withRetry(ORDERS.retry().withMaxAttempts(10_000)));
            for (String id : ids) {
                producer.send(
                        "orders",
                        Message.<String, String>of("k", "value of " + id).withId(id));
            }
            try (var subscription = postroad.listen(
                    "orders", Format.strings(), ConsumerOptions.DEFAULT.withConcurrency(concurrency), handler)) {
                Await.until("all settled", () -> subscription.counts().acknowledged() == ids.length);
            }
        }
    }

    @Test
    void a_message_that_comes_again_is_acknowledged_without_effect_also_by_another_instance() {
        AtomicInteger effects = new AtomicInteger();
        RedisInbox inbox = new RedisInbox(redis, settings("twice"));
        handleAll(inbox.around(delivery -> effects.incrementAndGet()), 1, "m-1", "m-1", "m-2", "m-1");
        assertThat(inbox.handled()).isEqualTo(2);
        assertThat(inbox.duplicates()).isEqualTo(2);
        RedisInbox other = new RedisInbox(redis, settings("twice"));
        handleAll(other.around(delivery -> effects.incrementAndGet()), 1, "m-2", "m-3");
        assertThat(other.duplicates()).isEqualTo(1);
        assertThat(effects).hasValue(3);
        RedisInbox otherConsumer = new RedisInbox(redis, settings("shipping"));
        handleAll(otherConsumer.around(delivery -> effects.incrementAndGet()), 1, "m-1");
        assertThat(effects).hasValue(4);
    }

    @Test
    void a_handler_that_fails_is_not_remembered() {
        AtomicInteger calls = new AtomicInteger();
        RedisInbox inbox = new RedisInbox(redis, settings("failing"));
        handleAll(
                inbox.around(delivery -> {
                    if (calls.incrementAndGet() < 3) {
                        throw new IllegalStateException("not yet");
                    }
                }),
                1,
                "m-1");
        assertThat(calls).hasValue(3);
        assertThat(inbox.duplicates()).isZero();
        assertThat(redis.get("postroad-inbox:failing:m-1")).isEqualTo("done");
    }

    @Test
    void who_comes_while_the_first_is_at_work_comes_again_later() {
        RedisInbox inbox = new RedisInbox(redis, settings("busy"));
        CountDownLatch others = new CountDownLatch(1);
        AtomicInteger effects = new AtomicInteger();
        handleAll(
                inbox.around(message -> "payment-7", delivery -> {
                    effects.incrementAndGet();
                    Await.until("another one to come meanwhile", () -> inbox.busy() > 0);
                    others.countDown();
                }),
                4,
                "a",
                "b",
                "c",
                "d");
        assertThat(others.getCount()).isZero();
        assertThat(effects).hasValue(1);
        assertThat(inbox.handled()).isEqualTo(1);
        assertThat(inbox.duplicates()).isEqualTo(3);
    }

    @Test
    void what_a_dead_instance_had_claimed_is_handled_when_its_claim_ends() {
        RedisInboxSettings short_ = settings("dead").withClaim(Duration.ofMillis(300));
        // As one leaves it that died at work.
        redis.set(
                "postroad-inbox:dead:m-1",
                "claim of the dead",
                SetParams.setParams().px(300));
        AtomicInteger effects = new AtomicInteger();
        RedisInbox inbox = new RedisInbox(redis, short_);
        handleAll(inbox.around(delivery -> effects.incrementAndGet()), 1, "m-1");
        assertThat(effects).hasValue(1);
        assertThat(inbox.busy()).isPositive();
    }

    @Test
    void what_is_older_than_the_window_is_forgotten_by_redis() {
        RedisInbox inbox = new RedisInbox(redis, settings("forgetful").withWindow(Duration.ofMillis(20)));
        handleAll(inbox.around(delivery -> {}), 1, "m-1");
        Await.until("the memory to end", () -> redis.get("postroad-inbox:forgetful:m-1") == null);
        handleAll(inbox.around(delivery -> {}), 1, "m-1");
        assertThat(inbox.handled()).isEqualTo(2);
    }

    @Test
    void nothing_is_handled_while_redis_is_away_and_nothing_is_lost(@TempDir Path own) {
        RedisServer first = RedisServer.start(own);
        try (RedisClient client = RedisClient.create("127.0.0.1", first.port())) {
            first.kill();
            RedisInbox inbox = new RedisInbox(client, settings("away"));
            AtomicInteger effects = new AtomicInteger();
            try (Postroad postroad = Postroad.connect("embedded:memory");
                    MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
                postroad.declare(ORDERS);
                producer.send("orders", Message.of("k", "v"));
                try (var subscription = postroad.listen(
                        "orders",
                        Format.strings(),
                        ConsumerOptions.DEFAULT,
                        inbox.around(delivery -> effects.incrementAndGet()))) {
                    Await.until("a dead letter", () -> subscription.counts().deadLettered() == 1);
                }
                assertThat(postroad.administration().browse("orders.dead", null, 10))
                        .hasSize(1);
            }
            assertThat(effects).hasValue(0);
        } finally {
            first.close();
        }
    }
}
