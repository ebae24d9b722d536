package dev.postroad.api;

import static dev.postroad.api.Failures.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.MessagingException.Reason;
import dev.postroad.memory.MemoryBroker;
import dev.postroad.memory.MemoryTransport;
import dev.postroad.testkit.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProducerTest {
    private final MemoryTransport transport = MemoryBroker.inRealTime().connect();
    private final Postroad postroad = Postroad.over(transport);
    private final MessageProducer<String, String> producer = postroad.producer(Format.strings());

    @AfterEach
    void close() {
        postroad.close();
    }

    @Test
    void aMessageGetsAnIdThatSortsByTimeWithItsDestinationAndContentType() {
        postroad.declare(Channel.command("orders"));
        for (int i = 0; i < 5_000; i++) {
            producer.sendAsync("orders", Message.of("k", "v"));
        }
        List<Message<byte[], byte[]>> sent = browse("orders");
        assertThat(sent).extracting(Message::id).doesNotHaveDuplicates().isSorted();
        assertThat(UUID.fromString(String.valueOf(sent.getFirst().id())).version())
                .isEqualTo(7);
        Message.Properties properties = sent.getFirst().properties();
        assertThat(properties.destination()).isEqualTo("orders");
        assertThat(properties.contentType()).isEqualTo("text/plain; charset=utf-8");
    }

    @Test
    void anIdThatIsSetIsKeptAndTold() {
        postroad.declare(Channel.command("orders"));
        Message<String, String> message = Message.<String, String>of("k", "v").withId("order-7");
        Receipt receipt = producer.sendAsync("orders", message).join();
        assertThat(receipt).isEqualTo(new Receipt("order-7", "orders", -1, -1, false));
        assertThat(browse("orders")).extracting(Message::id).containsExactly("order-7");
    }

    @Test
    void whatIsOutOfBoundsIsRefusedBeforeItTravels() {
        postroad.declare(Channel.command("orders").withMaxMessageBytes(10));
        assertRefused(Reason.TOO_LARGE, () -> producer.send("orders", Message.of("12345678901")))
                .contains("11 bytes", "'orders'", "10 at most");
        assertRefused(Reason.NOT_FOUND, () -> producer.send("nowhere", Message.of("v")))
                .contains("'nowhere'");
        assertRefused(
                        Reason.INVALID,
                        () -> producer.send(
                                "orders", Message.<String, String>of("k", "v").withId("x".repeat(256))))
                .contains("message id of 256 bytes", "1 to 255");
        assertRefused(
                        Reason.INVALID,
                        () -> producer.send(
                                "orders", Message.<String, String>of("k", "v").withHeader("é".repeat(128), "v")))
                .contains("header name of 256 bytes");
        Map<String, String> many = new HashMap<>();
        for (int i = 0; i <= 1_000; i++) {
            many.put("h" + i, "v");
        }
        assertRefused(
                        Reason.INVALID,
                        () -> producer.send(
                                "orders", Message.<String, String>of("k", "v").withHeaders(many)))
                .contains("1001 headers");
        assertRefused(Reason.INVALID, () -> producer.send("orders", Message.of("k", null)))
                .contains("has no value");
        CompletableFuture<Receipt> refused = producer.sendAsync("nowhere", Message.of("v"));
        assertThat(refused).isCompletedExceptionally();
        assertThat(browse("orders")).isEmpty();
    }

    @Test
    void aBatchWithOneMessageTooLargeSendsNone() {
        postroad.declare(Channel.command("orders").withMaxMessageBytes(10));
        List<Message<String, String>> batch = List.of(Message.of("fits"), Message.of("does not fit"));
        assertRefused(Reason.TOO_LARGE, () -> producer.sendBatch("orders", batch));
        assertThat(browse("orders")).isEmpty();
        producer.sendBatch("orders", List.of());
        producer.sendBatch("orders", batch.subList(0, 1));
        assertThat(browse("orders")).hasSize(1);
    }

    @Test
    void delayAndTimeToLiveAreRefusedWhereTheTransportCannot() {
        MemoryBroker other = MemoryBroker.inRealTime()
                .with(Capability.emulated(Need.DELAY, "a timer").withUpTo(Duration.ofMinutes(15)))
                .with(Capability.impossible(Need.TTL, "it keeps all"));
        try (Postroad limited = Postroad.over(other.connect())) {
            limited.declare(Channel.command("orders"));
            MessageProducer<String, String> sender = limited.producer(Format.strings());
            Message<String, String> message = Message.of("k", "v");
            sender.send("orders", message.withDelay(Duration.ofMinutes(14)));
            assertRefused(
                            Reason.IMPOSSIBLE_NEED,
                            () -> sender.send("orders", message.withDelay(Duration.ofMinutes(16))))
                    .contains("DELAY", "PT15M");
            assertRefused(Reason.IMPOSSIBLE_NEED, () -> sender.send("orders", message.withTtl(Duration.ofMinutes(1))))
                    .contains("TTL", "it keeps all");
        }
    }

    @Test
    void whatCannotBeSerializedSaysWhichMessageAndClass() {
        postroad.declare(Channel.command("orders"));
        Serde<Object> picky = new Serde<>() {
            @Override
            public byte[] serialize(Object value) {
                throw new IllegalStateException("no way to write this");
            }

            @Override
            public Object deserialize(byte[] bytes) {
                throw new IllegalStateException("no way to read this");
            }
        };
        MessageProducer<String, Object> sender = postroad.producer(Format.of(picky));
        assertRefused(
                        Reason.SERDE,
                        () -> sender.send(
                                "orders",
                                Message.<String, Object>of("k", new StringBuilder())
                                        .withId("m-1")))
                .contains("m-1", "'orders'", "java.lang.StringBuilder", "no way to write this");
    }

    @Test
    void sendsBlockWhileTooManyAreUnderWay() throws InterruptedException {
        postroad.declare(Channel.command("orders"));
        transport.holdConfirms();
        int room = TransportProducer.MAX_UNDER_WAY;
        AtomicInteger sent = new AtomicInteger();
        Thread sender = Thread.ofVirtual().start(() -> {
            for (int i = 0; i < room + 100; i++) {
                producer.sendAsync("orders", Message.of("v"));
                sent.incrementAndGet();
            }
        });
        Await.until("the sender waits", () -> sent.get() == room && sender.getState() == Thread.State.WAITING);
        transport.releaseConfirms();
        sender.join();
        assertThat(sent).hasValue(room + 100);
    }

    @Test
    void closeWaitsForTheLastConfirmation() throws InterruptedException {
        postroad.declare(Channel.command("orders"));
        transport.holdConfirms();
        CompletableFuture<Receipt> confirmed = producer.sendAsync("orders", Message.of("v"));
        Thread closer = Thread.ofVirtual().start(producer::close);
        Await.until("close waits", () -> closer.getState() == Thread.State.TIMED_WAITING);
        assertThat(confirmed).isNotDone();
        transport.releaseConfirms();
        closer.join();
        assertThat(confirmed).isCompleted();
        assertRefused(Reason.CLOSED, () -> producer.send("orders", Message.of("late")));
    }

    @Test
    void compressedChannelsCarryLargeValuesGzippedAndGiveThemBackAsTheyWere() {
        postroad.declare(Channel.document("pages"));
        String large = "all work and no play ".repeat(1_000);
        producer.send("pages", Message.of("k", large));
        producer.send("pages", Message.of("k", "small"));
        List<Message<byte[], byte[]>> lie = browse("pages");
        assertThat(lie.get(0).headers()).containsEntry("postroad-encoding", "gzip");
        assertThat(lie.get(0).value()).hasSizeLessThan(1_000);
        assertThat(lie.get(1).headers()).isEmpty();
        List<Message<String, String>> read = readAll("pages", 2);
        assertThat(read).extracting(Message::value).containsExactly(large, "small");
        assertThat(read.getFirst().headers()).isEmpty();
        assertRefused(
                        Reason.INVALID,
                        () -> producer.send(
                                "pages",
                                Message.<String, String>of("k", large).withHeader("postroad-encoding", "gzip")))
                .contains("which marks what a channel has compressed");
    }

    @Test
    void aDeadLetterOfACompressedChannelIsReadable() {
        postroad.declare(Channel.document("pages"));
        String large = "all work and no play ".repeat(100_000);
        producer.send("pages", Message.of("k", large));
        Subscription subscription =
                postroad.listen("pages", Format.strings(), ConsumerOptions.DEFAULT.withGroup("readers"), delivery -> {
                    throw new Handler.DeadLetterException("illegible");
                });
        assertThat(readAll("pages.dead", 1)).extracting(Message::value).containsExactly(large);
        subscription.close();
    }

    @Test
    void aValueThatUnpacksToMoreThanItsChannelTakesIsDeadLettered() {
        postroad.declare(Channel.document("pages").withMaxMessageBytes(2_000));
        byte[] bomb = Gzip.compress(new byte[1_000_000]);
        transport
                .send(
                        "pages",
                        new Message<byte[], byte[]>(
                                        null,
                                        bomb,
                                        Map.of(),
                                        java.time.Instant.now(),
                                        Message.Properties.NONE.withId("bomb"))
                                .withHeader("postroad-encoding", "gzip"))
                .join();
        producer.send("pages", Message.of("k", "harmless"));
        assertThat(readAll("pages", 1)).extracting(Message::value).containsExactly("harmless");
        DeadLetter dead = DeadLetter.of(browse("pages.dead").getFirst()).orElseThrow();
        assertThat(dead.reason()).contains("more than 2000");
    }

    private List<Message<String, String>> readAll(String channel, int count) {
        ConsumerOptions options =
                channel.endsWith(".dead") ? ConsumerOptions.DEFAULT : ConsumerOptions.DEFAULT.withGroup("test");
        List<Message<String, String>> read = new ArrayList<>();
        try (MessageConsumer<String, String> consumer = postroad.consumer(Format.strings(), options)) {
            consumer.subscribe(List.of(channel));
            Await.until("all are read", () -> {
                read.addAll(consumer.poll(Duration.ofMillis(100)));
                consumer.commit();
                return read.size() >= count;
            });
        }
        return read;
    }

    private List<Message<byte[], byte[]>> browse(String channel) {
        return postroad.administration().browse(channel, null, 10_000).stream()
                .map(Administration.Browsed::message)
                .toList();
    }
}
