package dev.postroad.transports.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Administration;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.ConsumerOptions.Start;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageConsumer;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.Receipt;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transaction;
import dev.postroad.api.Transport;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.Reply;
import dev.postroad.testkit.Await;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EmbeddedTransportTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Postroad postroad = Postroad.connect("embedded:memory");
    private final Transport transport = postroad.transport();

    @AfterEach
    void close() {
        postroad.close();
    }

    private static Message<byte[], byte[]> message(String id) {
        return Message.<byte[], byte[]>of(null, id.getBytes(StandardCharsets.UTF_8))
                .withId(id);
    }

    private Receipt send(String channel, String id) throws Exception {
        return transport.send(channel, message(id)).get(20, TimeUnit.SECONDS);
    }

    private static List<Delivery<byte[], byte[]>> take(Transport.Receiver receiver, int count) throws Exception {
        List<Delivery<byte[], byte[]>> taken = new ArrayList<>();
        while (taken.size() < count) {
            List<Delivery<byte[], byte[]>> some = receiver.receive(count - taken.size(), PATIENCE);
            assertThat(some).as("of " + count + ", after " + taken).isNotEmpty();
            taken.addAll(some);
        }
        return taken;
    }

    private static void refused(Reason reason, String text, ThrowingCallable call) {
        assertThatThrownBy(call).satisfies(thrown -> {
            Throwable cause = thrown instanceof ExecutionException ? thrown.getCause() : thrown;
            assertThat(cause)
                    .isInstanceOfSatisfying(
                            MessagingException.class,
                            e -> assertThat(e.reason()).isEqualTo(reason));
            assertThat(cause).hasMessageContaining(text);
        });
    }

    private static void refused(Reason reason, String text, CompletableFuture<?> future) {
        refused(reason, text, () -> future.get(20, TimeUnit.SECONDS));
    }

    // ── Messages
    // ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void aMessageComesBackAsItWasSentToTheMillisecond() throws Exception {
        postroad.declare(Channel.command("orders").withPriorities(10));
        Message<byte[], byte[]> sent = new Message<>(
                new byte[] {1, 0, -1},
                new byte[] {-128, 127},
                Map.of("tenant", "zoë", "empty", ""),
                Instant.parse("1969-07-20T20:17:40.123Z"),
                new Message.Properties(
                        "id-1",
                        "OrderCreated",
                        "shop",
                        "orders",
                        "correlation",
                        "replies",
                        "application/json",
                        "2",
                        9,
                        Duration.ofHours(1),
                        Instant.parse("2020-01-01T00:00:00.001Z")));
        transport.send("orders", sent).get(20, TimeUnit.SECONDS);
        try (Transport.Receiver receiver = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT)) {
            Message<byte[], byte[]> came = take(receiver, 1).getFirst().message();
            assertThat(came.key()).isEqualTo(sent.key());
            assertThat(came.value()).isEqualTo(sent.value());
            assertThat(came.headers()).isEqualTo(sent.headers());
            assertThat(came.timestamp()).isEqualTo(sent.timestamp());
            assertThat(came.properties()).isEqualTo(sent.properties());
        }
    }

    @Test
    void aDestinationThatIsNotTheChannelIsKept() throws Exception {
        postroad.declare(Channel.command("orders"));
        Message<byte[], byte[]> sent = message("a").withHeader("mine", "yes");
        transport
                .send("orders", sent.withProperties(sent.properties().withDestination("elsewhere")))
                .get(20, TimeUnit.SECONDS);
        try (Transport.Receiver receiver = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT)) {
            Message<byte[], byte[]> came = take(receiver, 1).getFirst().message();
            assertThat(came.properties().destination()).isEqualTo("elsewhere");
            assertThat(came.headers()).containsOnlyKeys("mine");
        }
    }

    @Test
    void aFractionOfAMillisecondNeverMakesADeliveryEarly() throws Exception {
        postroad.declare(Channel.command("orders"));
        Instant moment = Instant.parse("2100-01-01T00:00:00.000000001Z");
        transport.send("orders", message("a").withDeliverAt(moment)).get(20, TimeUnit.SECONDS);
        assertThat(transport
                        .administration()
                        .browse("orders", null, 1)
                        .getFirst()
                        .deliverAt())
                .isEqualTo(Instant.parse("2100-01-01T00:00:00.001Z"));
    }

    @Test
    void timesThatNoLongHoldsAreRefused() {
        postroad.declare(Channel.command("orders"));
        refused(
                Reason.INVALID,
                "deliverAt",
                () -> transport.send("orders", message("a").withDeliverAt(Instant.MAX)));
        refused(
                Reason.INVALID,
                "timestamp",
                () -> transport.send("orders", message("a").withTimestamp(Instant.MIN)));
    }

    @Test
    void theReceiptsOfABatchTellWhichMessagesWereRepetitions() throws Exception {
        for (Channel channel : List.of(
                Channel.command("queue").withDedupWindow(Duration.ofHours(1)),
                Channel.event("stream").withPartitions(1).withDedupWindow(Duration.ofHours(1)))) {
            postroad.declare(channel);
            send(channel.name(), "b");
            List<Receipt> receipts = transport
                    .sendBatch(channel.name(), List.of(message("a"), message("b"), message("c")))
                    .get(20, TimeUnit.SECONDS);
            assertThat(receipts).extracting(Receipt::messageId).containsExactly("a", "b", "c");
            assertThat(receipts).extracting(Receipt::duplicate).containsExactly(false, true, false);
        }
        assertThat(send("stream", "d").offset()).isEqualTo(3);
        assertThat(send("queue", "d").offset()).isEqualTo(-1);
    }

    // ── Channels
    // ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void everyKindOfChannelIsFoundAsItWasDeclared() {
        for (Channel channel : List.of(
                Channel.command("a")
                        .withPriorities(10)
                        .withMaxMessages(7L)
                        .withMaxBytes(8L)
                        .withOverflow(Channel.Overflow.DROP_OLDEST)
                        .withTtl(Duration.ofMillis(1))
                        .withLease(Duration.ofDays(400))
                        .withDedupWindow(Duration.ofHours(1)),
                Channel.event("b").withMaxBytes(100_001L).withPartitions(3).withRetry(RetryPolicy.NONE),
                Channel.request("c"),
                Channel.document("d").withCompacted(true).withDeadLetter(null))) {
            postroad.declare(channel);
            assertThat(postroad.find(channel.name())).contains(channel);
        }
    }

    @Test
    void aChannelDeclaredOtherwiseIsRefusedWithBothValues() {
        postroad.declare(Channel.command("orders"));
        refused(
                Reason.CHANNEL_MISMATCH,
                "prefetch is 32 and would become 64",
                () -> postroad.declare(Channel.command("orders").withPrefetch(64)));
    }

    @Test
    void aDeadLetterChannelThatIsThereStaysAsItIs() {
        Channel dead = Channel.command("orders.dead").withMaxMessages(10L).withDeadLetter(null);
        postroad.declare(dead);
        postroad.declare(Channel.command("orders"));
        assertThat(postroad.find("orders.dead")).contains(dead);
    }

    // ── Receiving
    // ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void optionsThatMeanNothingAreRefusedByName() {
        postroad.declare(Channel.command("queue"));
        postroad.declare(Channel.event("stream"));
        ConsumerOptions alone = ConsumerOptions.DEFAULT.withStart(new Start.Earliest());
        refused(
                Reason.INVALID,
                "group, here 'g'",
                () -> transport.receive(List.of("queue"), ConsumerOptions.DEFAULT.withGroup("g")));
        refused(Reason.INVALID, "start", () -> transport.receive(List.of("queue"), alone));
        refused(Reason.INVALID, "name a group", () -> transport.receive(List.of("stream"), ConsumerOptions.DEFAULT));
        refused(
                Reason.INVALID,
                "lease = PT1S",
                () -> transport.receive(List.of("stream"), alone.withLease(Duration.ofSeconds(1))));
        refused(Reason.INVALID, "exclusive", () -> transport.receive(List.of("stream"), alone.withExclusive(true)));
        refused(Reason.INVALID, "priority = 3", () -> transport.receive(List.of("stream"), alone.withPriority(3)));
        refused(
                Reason.INVALID,
                "at character",
                () -> transport.receive(List.of("queue"), ConsumerOptions.DEFAULT.withFilter("amount >")));
        refused(Reason.NOT_FOUND, "'none'", () -> transport.receive(List.of("none"), ConsumerOptions.DEFAULT));
    }

    @Test
    void aReceiverThatCanNotOpenAllItsChannelsHoldsNone() throws Exception {
        postroad.declare(Channel.command("queue"));
        refused(Reason.NOT_FOUND, "'none'", () -> transport.receive(List.of("queue", "none"), ConsumerOptions.DEFAULT));
        transport
                .receive(List.of("queue"), ConsumerOptions.DEFAULT.withExclusive(true))
                .close();
    }

    @Test
    void whatWasNeverReceivedGoesBackUncounted() throws Exception {
        postroad.declare(Channel.command("orders").withRetry(RetryPolicy.NONE).withDeadLetter(null));
        for (String id : List.of("a", "b", "c")) {
            send("orders", id);
        }
        Transport.Receiver first = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT);
        take(first, 1).getFirst().acknowledge().get(20, TimeUnit.SECONDS);
        first.close();
        try (Transport.Receiver second = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT)) {
            assertThat(take(second, 2))
                    .extracting(delivery -> delivery.message().id() + delivery.attempt())
                    .containsExactly("b1", "c1");
        }
    }

    @Test
    void aReceiverLearnsThatItsGroupsStreamIsGone() throws Exception {
        postroad.declare(Channel.event("stream"));
        try (Transport.Receiver receiver =
                transport.receive(List.of("stream"), ConsumerOptions.DEFAULT.withStart(new Start.Latest()))) {
            CompletableFuture<Object> waiting = CompletableFuture.supplyAsync(() -> {
                try {
                    return receiver.receive(1, PATIENCE);
                } catch (InterruptedException e) {
                    return e;
                }
            });
            transport.administration().delete("stream");
            refused(Reason.NOT_FOUND, "stream", waiting);
        }
    }

    @Test
    void aClosedReceiverWakesWhoWaits() throws Exception {
        postroad.declare(Channel.command("orders"));
        Transport.Receiver receiver = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT);
        List<Throwable> thrown = new ArrayList<>();
        Thread waiting = Thread.ofPlatform().start(() -> {
            try {
                receiver.receive(1, PATIENCE);
            } catch (InterruptedException | MessagingException e) {
                thrown.add(e);
            }
        });
        Await.until("the thread waits", () -> waiting.getState() == Thread.State.TIMED_WAITING);
        receiver.close();
        waiting.join();
        assertThat(thrown)
                .singleElement()
                .isInstanceOfSatisfying(
                        MessagingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CLOSED));
    }

    @Test
    void aConsumerThatDoesNotReceiveHoldsNoMoreThanItsPrefetchHoweverOftenItsLeaseRunsOut() throws Exception {
        postroad.declare(Channel.command("orders")
                .withLease(Duration.ofMillis(20))
                .withRetry(RetryPolicy.NONE.withMaxAttempts(1_000)));
        for (int i = 0; i < 8; i++) {
            send("orders", "m" + i);
        }
        try (Transport.Receiver receiver =
                transport.receive(List.of("orders"), ConsumerOptions.DEFAULT.withPrefetch(4))) {
            Administration administration = transport.administration();
            Await.until(
                    "leases ran out ten times",
                    () -> administration.channels().getFirst().redelivered() >= 40);
            assertThat(receiver.receive(1_000, PATIENCE)).hasSizeLessThanOrEqualTo(4);
        }
    }

    // ── Settling
    // ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void settlingTwiceAndTooLateAreToldApart() throws Exception {
        postroad.declare(Channel.command("orders"));
        send("orders", "a");
        send("orders", "b");
        Transport.Receiver receiver = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT);
        List<Delivery<byte[], byte[]>> both = take(receiver, 2);
        both.get(0).acknowledge().get(20, TimeUnit.SECONDS);
        refused(Reason.ALREADY_SETTLED, "message a", both.get(0).retry());
        refused(Reason.ALREADY_SETTLED, "message a", receiver.acknowledge(both.subList(0, 1)));
        receiver.close();
        refused(Reason.LEASE_LOST, "", both.get(1).acknowledge());
        refused(Reason.LEASE_LOST, "", both.get(1).deadLetter("too late"));
    }

    @Test
    void ofManyAcknowledgementsOneThatIsLateIsToldAndTheOthersCount() throws Exception {
        postroad.declare(Channel.command("orders").withLease(Duration.ofMillis(50)));
        send("orders", "a");
        send("orders", "b");
        try (Transport.Receiver receiver =
                transport.receive(List.of("orders"), ConsumerOptions.DEFAULT.withPrefetch(2))) {
            List<Delivery<byte[], byte[]>> both = take(receiver, 2);
            both.get(1).extend(Duration.ofMinutes(1)).get(20, TimeUnit.SECONDS);
            assertThat(take(receiver, 1).getFirst().message().id()).isEqualTo("a");
            refused(Reason.LEASE_LOST, "1 of 2", receiver.acknowledge(both));
        }
    }

    @Test
    void aLeaseIsExtendedOnlyWhereThereIsOne() throws Exception {
        postroad.declare(Channel.command("orders"));
        send("orders", "a");
        try (Transport.Receiver receiver = transport.receive(List.of("orders"), ConsumerOptions.DEFAULT)) {
            Delivery<byte[], byte[]> delivery = take(receiver, 1).getFirst();
            refused(Reason.IMPOSSIBLE_NEED, "has no lease", delivery.extend(Duration.ofSeconds(1)));
            refused(Reason.INVALID, "zero or more", delivery.retry(Duration.ofMillis(-1)));
            delivery.retry(Duration.ZERO).get(20, TimeUnit.SECONDS);
            refused(Reason.INVALID, "at least 1 ms", delivery.extend(Duration.ZERO));
        }
    }

    @Test
    void whatIsReadAloneCanBeAcknowledgedAndNothingElse() throws Exception {
        postroad.declare(Channel.event("stream").withPartitions(3));
        for (int i = 0; i < 50; i++) {
            send("stream", "m" + i);
        }
        ConsumerOptions options = ConsumerOptions.DEFAULT
                .withStart(new Start.Earliest())
                .withPrefetch(4)
                .withFilter("messageId <> 'm7'");
        try (Transport.Receiver receiver = transport.receive(List.of("stream"), options)) {
            List<Delivery<byte[], byte[]>> all = take(receiver, 49);
            assertThat(all)
                    .extracting(delivery -> delivery.message().id())
                    .doesNotHaveDuplicates()
                    .doesNotContain("m7");
            assertThat(all).extracting(Delivery::attempt).containsOnly(1);
            refused(Reason.IMPOSSIBLE_NEED, "read alone", all.get(0).retry());
            refused(Reason.IMPOSSIBLE_NEED, "read alone", all.get(0).deadLetter("bad"));
            receiver.acknowledge(all).get(20, TimeUnit.SECONDS);
            refused(Reason.ALREADY_SETTLED, "acknowledged before", all.get(0).acknowledge());
            send("stream", "later");
            assertThat(take(receiver, 1).getFirst().message().id()).isEqualTo("later");
        }
    }

    @Test
    void anOffsetThatIsYetToComeIsWaitedFor() throws Exception {
        postroad.declare(Channel.event("stream").withPartitions(1));
        send("stream", "m0");
        ConsumerOptions options = ConsumerOptions.DEFAULT.withStart(new Start.Offset(3));
        try (Transport.Receiver receiver = transport.receive(List.of("stream"), options)) {
            for (int i = 1; i < 5; i++) {
                send("stream", "m" + i);
            }
            assertThat(take(receiver, 2))
                    .extracting(delivery -> delivery.message().id())
                    .containsExactly("m3", "m4");
        }
    }

    @Test
    void aGroupThatBeginsAtATimeBeginsThereInEachPartition() throws Exception {
        postroad.declare(Channel.event("stream").withPartitions(2));
        Instant base = Instant.parse("2026-01-01T00:00:00Z");
        for (int i = 0; i < 20; i++) {
            Message<byte[], byte[]> message = new Message<>(
                    ("k" + i % 4).getBytes(StandardCharsets.UTF_8),
                    new byte[0],
                    Map.of(),
                    base.plusSeconds(i),
                    Message.Properties.NONE.withId("m" + i));
            transport.send("stream", message).get(20, TimeUnit.SECONDS);
        }
        ConsumerOptions options =
                ConsumerOptions.DEFAULT.withGroup("late").withStart(new Start.Timestamp(base.plusSeconds(12)));
        try (Transport.Receiver receiver = transport.receive(List.of("stream"), options)) {
            List<Delivery<byte[], byte[]>> taken = new ArrayList<>();
            while (taken.size() < 8) {
                Delivery<byte[], byte[]> next = take(receiver, 1).getFirst();
                next.acknowledge().get(20, TimeUnit.SECONDS);
                taken.add(next);
            }
            assertThat(taken)
                    .extracting(delivery -> delivery.message().id())
                    .containsExactlyInAnyOrder("m12", "m13", "m14", "m15", "m16", "m17", "m18", "m19");
        }
    }

    // ── Transactions
    // ──────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void aTransactionThatFailsLeavesItsDeliveriesToBeSettled() throws Exception {
        postroad.declare(Channel.command("in"));
        postroad.declare(Channel.command("out"));
        send("in", "a");
        try (Transport.Receiver receiver = transport.receive(List.of("in"), ConsumerOptions.DEFAULT)) {
            Delivery<byte[], byte[]> delivery = take(receiver, 1).getFirst();
            Transaction<byte[], byte[]> failing = transport.begin();
            failing.acknowledge(delivery);
            failing.send("out", message("b"));
            failing.send("none", message("c"));
            refused(Reason.NOT_FOUND, "none", failing::commit);
            refused(Reason.CLOSED, "over", failing::commit);

            Transaction<byte[], byte[]> good = transport.begin();
            good.acknowledge(delivery);
            good.send("out", message("b"));
            good.commit();
            refused(Reason.ALREADY_SETTLED, "message a", delivery.acknowledge());
            assertThat(transport.administration().browse("out", null, 10)).hasSize(1);
        }
    }

    @Test
    void aTransactionIsBoundedAndAnEmptyOneIsNoError() {
        postroad.declare(Channel.command("out"));
        transport.begin().commit();
        Transaction<byte[], byte[]> large = transport.begin();
        for (int i = 0; i < 10_000; i++) {
            large.send("out", message("m" + i));
        }
        refused(Reason.TOO_LARGE, "10000 operations", () -> large.send("out", message("more")));
        large.commit();
        assertThat(transport.administration().channels().getFirst().ready()).isEqualTo(10_000);
    }

    // ── Threads
    // ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void aCallbackMaySendButMustNotWait() throws Exception {
        postroad.declare(Channel.command("orders"));
        MessageProducer<String, String> producer = postroad.producer(Format.strings());
        CompletableFuture<IllegalStateException> waited = new CompletableFuture<>();
        CompletableFuture<CompletableFuture<Receipt>> sent = new CompletableFuture<>();
        ((EmbeddedTransport) transport).broker().submit(new Command.Inspect(new Reply<>() {
            @Override
            public void done(EngineStatus status) {
                try {
                    producer.send("orders", Message.of("waits for itself"));
                } catch (IllegalStateException e) {
                    waited.complete(e);
                }
                sent.complete(producer.sendAsync("orders", Message.of("does not wait")));
            }

            @Override
            public void failed(EngineException cause) {
                waited.completeExceptionally(cause);
            }
        }));
        assertThat(waited.get(20, TimeUnit.SECONDS)).hasMessageContaining("callbacks must not block");
        assertThat(sent.get(20, TimeUnit.SECONDS).get(20, TimeUnit.SECONDS).channel())
                .isEqualTo("orders");
    }

    @Test
    void manyThreadsThatWaitForTheirSendsLoseNothing() throws Exception {
        postroad.declare(Channel.command("orders"));
        MessageProducer<String, String> producer = postroad.producer(Format.strings());
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 8; t++) {
            int number = t;
            Thread.Builder builder = t % 2 == 0 ? Thread.ofPlatform() : Thread.ofVirtual();
            threads.add(builder.start(() -> {
                for (int i = 0; i < 500; i++) {
                    producer.send("orders", Message.of("thread-" + number, number + ":" + i));
                }
            }));
        }
        List<String> received = new ArrayList<>();
        try (MessageConsumer<String, String> consumer =
                postroad.consumer(Format.strings(), ConsumerOptions.DEFAULT.withPrefetch(500))) {
            consumer.subscribe(List.of("orders"));
            while (received.size() < 4_000) {
                List<Message<String, String>> polled = consumer.poll(PATIENCE);
                assertThat(polled).as("after " + received.size()).isNotEmpty();
                polled.forEach(message -> received.add(message.value()));
                consumer.commit();
            }
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (int t = 0; t < 8; t++) {
            String prefix = t + ":";
            List<String> own =
                    received.stream().filter(value -> value.startsWith(prefix)).toList();
            assertThat(own).hasSize(500);
            for (int i = 0; i < 500; i++) {
                assertThat(own.get(i)).isEqualTo(prefix + i);
            }
        }
    }

    @Test
    void whatWasSentBeforeClosingIsConfirmedAndNothingIsAfter() throws Exception {
        postroad.declare(Channel.command("orders"));
        List<CompletableFuture<Receipt>> sent = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            sent.add(transport.send("orders", message("m" + i)));
        }
        transport.close();
        for (CompletableFuture<Receipt> receipt : sent) {
            assertThat(receipt).isCompleted();
        }
        refused(Reason.CLOSED, "closed", () -> transport.send("orders", message("late")));
        refused(Reason.CLOSED, "closed", () -> transport.find("orders"));
    }
}
