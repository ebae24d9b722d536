package dev.postroad.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.MessagingException.Reason;
import dev.postroad.memory.MemoryBroker;
import dev.postroad.memory.MemoryTransport;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.VirtualClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ListenTest {
    private static final ConsumerOptions ONE = ConsumerOptions.DEFAULT;

    private final VirtualClock clock = new VirtualClock();
    private final MemoryBroker broker = new MemoryBroker(clock);
    private final MemoryTransport transport = broker.connect();
    private final Postroad postroad = Postroad.over(transport);
    private final MessageProducer<String, String> producer = postroad.producer(Format.strings());

    @AfterEach
    void close() {
        postroad.close();
    }

    private void advance(Duration step) {
        clock.advance(step);
        broker.timePassed();
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        T taken = queue.poll(20, TimeUnit.SECONDS);
        assertThat(taken).as("something came within 20 s").isNotNull();
        return taken;
    }

    @Test
    void returningAcknowledges() throws InterruptedException {
        postroad.declare(Channel.command("orders"));
        BlockingQueue<String> handled = new LinkedBlockingQueue<>();
        Subscription subscription = postroad.listen(
                "orders",
                Format.strings(),
                ONE,
                delivery -> handled.add(delivery.message().value() + " from " + delivery.channel() + ", attempt "
                        + delivery.attempt()));
        producer.send("orders", Message.of("tea"));
        assertThat(next(handled)).isEqualTo("tea from orders, attempt 1");
        subscription.close();
        assertThat(subscription.counts()).isEqualTo(new Subscription.Counts(1, 0, 0));
        assertThat(subscription.active()).isFalse();
        assertThat(postroad.administration().browse("orders", null, 10)).isEmpty();
    }

    @Test
    void throwingLeadsToRetriesThatWaitInTheBrokerAndThenToADeadLetter() throws InterruptedException {
        RetryPolicy policy = new RetryPolicy(3, Duration.ofSeconds(10), Duration.ofSeconds(60), 2, 0);
        postroad.declare(Channel.command("orders").withRetry(policy));
        BlockingQueue<Integer> attempts = new LinkedBlockingQueue<>();
        Subscription subscription = postroad.listen("orders", Format.strings(), ONE, delivery -> {
            attempts.add(delivery.attempt());
            throw new IllegalStateException("the till is closed");
        });
        producer.send("orders", Message.<String, String>of("k", "tea").withId("m-1"));
        assertThat(next(attempts)).isEqualTo(1);
        Await.until("the retry is recorded", () -> subscription.counts().retried() == 1);
        advance(Duration.ofMillis(9_999));
        assertThat(attempts).isEmpty();
        advance(Duration.ofMillis(1));
        assertThat(next(attempts)).isEqualTo(2);
        Await.until("the retry is recorded", () -> subscription.counts().retried() == 2);
        advance(Duration.ofMillis(19_999));
        assertThat(attempts).isEmpty();
        advance(Duration.ofMillis(1));
        assertThat(next(attempts)).isEqualTo(3);
        Await.until("the message is given up", () -> subscription.counts().deadLettered() == 1);

        Message<byte[], byte[]> dead = postroad.administration()
                .browse("orders.dead", null, 10)
                .getFirst()
                .message();
        assertThat(dead.id()).isEqualTo("m-1");
        DeadLetter told = DeadLetter.of(dead).orElseThrow();
        assertThat(told.reason()).isEqualTo("java.lang.IllegalStateException: the till is closed");
        assertThat(told.origin()).isEqualTo("orders");
        assertThat(told.cause()).isEqualTo(DeadLetter.Cause.REJECTED);
        assertThat(told.attempts()).isEqualTo(3);
        assertThat(told.time()).isEqualTo(clock.instant());
    }

    @Test
    void anErrorWhileReadingAMessageIsTriedAgainAndThenADeadLetterWithItsBytesIntact() {
        postroad.declare(Channel.command("orders")
                .withOrderedByKey(true)
                .withRetry(new RetryPolicy(2, Duration.ZERO, Duration.ZERO, 1, 0)));
        BlockingQueue<String> handled = new LinkedBlockingQueue<>();
        Format<String, String> breaking = new Format<>(Serdes.string(), new Serde<String>() {
            @Override
            public byte[] serialize(String value) {
                return value.getBytes(java.nio.charset.StandardCharsets.UTF_8);
            }

            @Override
            public String deserialize(byte[] bytes) {
                String text = new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
                if (text.equals("poison")) {
                    throw new NoClassDefFoundError("com/example/Gone");
                }
                return text;
            }
        });
        Subscription subscription = postroad.listen(
                "orders",
                breaking,
                ONE,
                delivery -> handled.add(delivery.message().value()));
        producer.send("orders", Message.of("k", "poison"));
        producer.send("orders", Message.of("other", "tea"));
        Await.until("the poison is given up", () -> subscription.counts().deadLettered() == 1);
        Await.until("the other is handled", () -> handled.contains("tea"));
        assertThat(subscription.counts().retried()).isEqualTo(1);
        Message<byte[], byte[]> dead = postroad.administration()
                .browse("orders.dead", null, 10)
                .getFirst()
                .message();
        assertThat(dead.value()).isEqualTo("poison".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        DeadLetter told = DeadLetter.of(dead).orElseThrow();
        assertThat(told.exception()).isEqualTo("java.lang.NoClassDefFoundError");
        assertThat(told.reason()).contains("com/example/Gone");
        assertThat(told.firstFailure()).isNotNull();
    }

    @Test
    void aHandlerMaySayThatNoRetryHelpsOrWhenOneDoes() throws InterruptedException {
        postroad.declare(Channel.command("orders"));
        BlockingQueue<String> handled = new LinkedBlockingQueue<>();
        Subscription subscription = postroad.listen("orders", Format.strings(), ONE, delivery -> {
            String value = delivery.message().value();
            handled.add(value + " " + delivery.attempt());
            if (value.equals("poison")) {
                throw new Handler.DeadLetterException("no such article");
            }
            if (delivery.attempt() == 1) {
                throw new Handler.RetryAfterException("stock comes at noon", Duration.ofHours(3));
            }
        });
        producer.sendBatch("orders", List.of(Message.of("poison"), Message.of("early")));
        assertThat(next(handled)).isEqualTo("poison 1");
        assertThat(next(handled)).isEqualTo("early 1");
        Await.until("both are settled", () -> subscription.counts().equals(new Subscription.Counts(0, 1, 1)));
        advance(Duration.ofHours(3));
        assertThat(next(handled)).isEqualTo("early 2");
        Administration.Browsed dead =
                postroad.administration().browse("orders.dead", null, 10).getFirst();
        assertThat(DeadLetter.of(dead.message()).orElseThrow().reason()).isEqualTo("no such article");
    }

    @Test
    void aHandlerMaySettleItself() throws InterruptedException {
        postroad.declare(Channel.command("orders"));
        BlockingQueue<Integer> attempts = new LinkedBlockingQueue<>();
        Subscription subscription = postroad.listen("orders", Format.strings(), ONE, delivery -> {
            attempts.add(delivery.attempt());
            if (delivery.attempt() == 1) {
                delivery.retry().join();
                throw new IllegalStateException("thrown when all was said");
            }
        });
        producer.send("orders", Message.of("tea"));
        assertThat(next(attempts)).isEqualTo(1);
        assertThat(next(attempts)).isEqualTo(2);
        Await.until("it is done", () -> subscription.counts().equals(new Subscription.Counts(1, 1, 0)));
    }

    @Test
    void whatCannotBeReadIsDeadLetteredAndTheRestGoesOn() throws InterruptedException {
        postroad.declare(Channel.command("orders"));
        BlockingQueue<String> handled = new LinkedBlockingQueue<>();
        Subscription subscription = postroad.listen(
                "orders",
                Format.strings(),
                ONE,
                delivery -> handled.add(delivery.message().value()));
        postroad.producer(Format.bytes()).send("orders", Message.of(new byte[] {-1}));
        producer.send("orders", Message.of("tea"));
        assertThat(next(handled)).isEqualTo("tea");
        Await.until("both are settled", () -> subscription.counts().equals(new Subscription.Counts(1, 0, 1)));
    }

    @Test
    void noMoreHandlersWorkAtOnceThanAsked() throws InterruptedException {
        postroad.declare(Channel.command("orders"));
        AtomicInteger atWork = new AtomicInteger();
        CountDownLatch three = new CountDownLatch(3);
        CountDownLatch go = new CountDownLatch(1);
        AtomicInteger most = new AtomicInteger();
        Subscription subscription = postroad.listen("orders", Format.strings(), ONE.withConcurrency(3), delivery -> {
            most.accumulateAndGet(atWork.incrementAndGet(), Math::max);
            three.countDown();
            go.await();
            atWork.decrementAndGet();
        });
        for (int i = 0; i < 100; i++) {
            producer.send("orders", Message.of("v"));
        }
        assertThat(three.await(20, TimeUnit.SECONDS)).isTrue();
        go.countDown();
        Await.until("all are handled", () -> subscription.counts().acknowledged() == 100);
        assertThat(most).hasValue(3);
    }

    @ParameterizedTest
    @EnumSource(
            value = ChannelKind.class,
            names = {"COMMAND", "EVENT"})
    void oneKeyIsHandledOneAtATimeAndInOrderWhateverFails(ChannelKind kind) {
        Generator random = Generator.announced("order per key");
        RetryPolicy policy = new RetryPolicy(1_000, Duration.ZERO, Duration.ZERO, 1, 0);
        Channel channel = (kind == ChannelKind.COMMAND ? Channel.command("orders") : Channel.event("orders"))
                .withOrderedByKey(true)
                .withRetry(policy);
        postroad.declare(channel);
        Map<String, List<Integer>> handled = new ConcurrentHashMap<>();
        Set<String> atWork = ConcurrentHashMap.newKeySet();
        AtomicBoolean twiceAtOnce = new AtomicBoolean();
        ConsumerOptions options = ONE.withConcurrency(8).withGroup(kind == ChannelKind.EVENT ? "g" : null);
        List<Subscription> subscriptions = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            subscriptions.add(postroad.listen("orders", Format.strings(), options, delivery -> {
                String key = delivery.message().key();
                boolean fails;
                synchronized (random) {
                    fails = random.chance(1, 3);
                }
                twiceAtOnce.compareAndSet(false, !atWork.add(key));
                Thread.onSpinWait();
                atWork.remove(key);
                if (fails) {
                    throw new IllegalStateException("now and then");
                }
                handled.computeIfAbsent(key, k -> new ArrayList<>())
                        .add(Integer.valueOf(delivery.message().value()));
            }));
        }
        for (int i = 0; i < 500; i++) {
            producer.sendAsync("orders", Message.of("key-" + i % 7, Integer.toString(i)));
        }
        Await.until(
                "all are handled",
                () -> subscriptions.stream()
                                .mapToLong(s -> s.counts().acknowledged())
                                .sum()
                        == 500);
        assertThat(handled.values()).allSatisfy(values -> assertThat(values).isSorted());
        assertThat(twiceAtOnce).isFalse();
    }

    @Test
    void closeWaitsForHandlersAtWorkAndGivesTheRestBack() throws Exception {
        postroad.declare(Channel.command("orders"));
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Subscription subscription = postroad.listen("orders", Format.strings(), ONE, delivery -> {
            begun.countDown();
            go.await();
        });
        producer.sendBatch("orders", List.of(Message.of("1"), Message.of("2"), Message.of("3")));
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        AtomicReference<Boolean> ended = new AtomicReference<>();
        Thread closer = Thread.ofVirtual().start(() -> ended.set(subscription.close(Duration.ofSeconds(20))));
        Await.until("it takes no more", () -> !subscription.active());
        go.countDown();
        closer.join();
        assertThat(ended).hasValue(true);
        assertThat(subscription.counts().acknowledged()).isEqualTo(1);
        assertThat(postroad.administration().browse("orders", null, 10))
                .allMatch(left -> left.state() == Administration.State.READY)
                .hasSize(2);
    }

    @Test
    void handlersStillAtWorkAtTheDeadlineAreInterruptedAndTheirMessageIsGivenBack() throws Exception {
        postroad.declare(Channel.command("orders"));
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        Subscription subscription = postroad.listen("orders", Format.strings(), ONE, delivery -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } finally {
                interrupted.countDown();
            }
        });
        producer.send("orders", Message.of("1"));
        assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(subscription.close(Duration.ofMillis(1))).isFalse();
        assertThat(interrupted.await(20, TimeUnit.SECONDS)).isTrue();
        assertThat(subscription.counts()).isEqualTo(new Subscription.Counts(0, 0, 0));
        Administration.Browsed left =
                postroad.administration().browse("orders", null, 10).getFirst();
        assertThat(left.state()).isEqualTo(Administration.State.READY);
    }

    @Test
    void aHandlerMayCloseItsOwnSubscription() throws InterruptedException {
        postroad.declare(Channel.command("orders"));
        AtomicReference<Subscription> own = new AtomicReference<>();
        CountDownLatch known = new CountDownLatch(1);
        own.set(postroad.listen("orders", Format.strings(), ONE, delivery -> {
            known.await();
            own.get().close();
        }));
        known.countDown();
        producer.send("orders", Message.of("1"));
        Await.until("it is closed", () -> !own.get().active());
        Await.until("the message is settled", () -> own.get().counts().acknowledged() == 1);
    }

    @Test
    void aTransportThatFailsIsTriedAgain() throws InterruptedException {
        postroad.declare(Channel.command("orders"));
        BlockingQueue<String> handled = new LinkedBlockingQueue<>();
        Subscription subscription = postroad.listen(
                "orders",
                Format.strings(),
                ONE,
                delivery -> handled.add(delivery.message().value()));
        broker.failReceives(
                new MessagingException(Reason.UNREACHABLE, "the wire is cut"),
                new IllegalStateException("and a bug on top"));
        producer.send("orders", Message.of("tea"));
        assertThat(next(handled)).isEqualTo("tea");
        assertThat(subscription.active()).isTrue();
    }

    @Test
    void aTransportThatFailsForGoodEndsTheSubscription() {
        postroad.declare(Channel.command("orders"));
        Subscription subscription = postroad.listen("orders", Format.strings(), ONE, delivery -> {});
        broker.failReceives(new MessagingException(Reason.STORAGE_FAILED, "the disk is gone"));
        Await.until("it is not active any more", () -> !subscription.active());
    }

    @Test
    void aHandlerThatWaitsSeesItsSubscriptionCloseAndGivesTheMessageBack() {
        postroad.declare(Channel.command("waits"));
        CountDownLatch waiting = new CountDownLatch(1);
        Subscription subscription = postroad.listen("waits", Format.strings(), ConsumerOptions.DEFAULT, delivery -> {
            waiting.countDown();
            Await.until("the subscription closes", delivery::closing);
            throw new InterruptedException("closing");
        });
        postroad.producer(Format.strings()).send("waits", Message.of("a"));
        Await.until("it waits", () -> waiting.getCount() == 0);
        assertThat(subscription.close(Duration.ofMinutes(5))).isTrue();
        assertThat(subscription.counts()).isEqualTo(new Subscription.Counts(0, 0, 0));
        assertThat(postroad.administration().channels())
                .filteredOn(status -> status.channel().name().equals("waits"))
                .singleElement()
                .satisfies(status -> assertThat(status.ready()).isEqualTo(1));
    }
}
