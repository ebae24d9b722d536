package dev.postroad.api;

import static dev.postroad.api.Failures.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.MessagingException.Reason;
import dev.postroad.memory.MemoryBroker;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class PostroadTest {
    private final MemoryBroker broker = MemoryBroker.inRealTime();

    @Test
    void anUnknownSchemeIsRefusedWithTheSchemesThatAreThereAndTheDependencyToAdd() {
        assertRefused(Reason.INVALID, () -> Postroad.connect("embedded:data"))
                .contains("'embedded:'", "(there: ", "dev.postroad:postroad-embedded");
        assertRefused(Reason.INVALID, () -> Postroad.connect("carrier-pigeon://user:secret@loft"))
                .contains("'carrier-pigeon:'")
                .doesNotContain("secret");
        assertRefused(Reason.INVALID, () -> Postroad.connect("orders")).contains("a scheme and a colon");
    }

    @Test
    void aChannelCanBeDeclaredAgainAndIsFoundAsDeclared() {
        try (Postroad postroad = Postroad.over(broker.connect())) {
            Channel orders = Channel.command("orders").withOrderedByKey(true);
            postroad.declare(orders);
            postroad.declare(orders);
            assertThat(postroad.find("orders")).contains(orders);
            assertThat(postroad.find("orders.dead")).isPresent();
            assertThat(postroad.find("invoices")).isEmpty();
        }
    }

    @Test
    void theReportNamesEachNeedAndTheSettingThatAsksForIt() {
        try (Postroad postroad = Postroad.over(broker.connect())) {
            PortabilityReport report = postroad.declare(Channel.command("orders")
                    .withOrderedByKey(true)
                    .withLease(Duration.ofMinutes(1))
                    .withDedupWindow(Duration.ofHours(1))
                    .withMaxMessages(10L)
                    .withTtl(Duration.ofDays(1)));
            assertThat(report.portable()).isTrue();
            assertThat(report.entries())
                    .extracting(PortabilityReport.Entry::need)
                    .containsExactly(
                            Need.DURABLE,
                            Need.COMPETING_CONSUMERS,
                            Need.REDELIVERY,
                            Need.ORDER_PER_KEY,
                            Need.DELIVERY_COUNT,
                            Need.RETRY_DELAY,
                            Need.DEAD_LETTER,
                            Need.LEASE,
                            Need.TTL,
                            Need.DEDUP,
                            Need.MAX_LENGTH);
            assertThat(report.toString()).contains("dedupWindow = PT1H", "retry.maxAttempts = 5", "maxMessages = 10");
        }
    }

    @Test
    void whatATransportCannotDoIsRefusedByNameBeforeAnythingIsDeclared() {
        broker.with(Capability.impossible(Need.DEDUP, "it has no memory"));
        broker.with(Capability.emulated(Need.LEASE, "a timer").withUpTo(Duration.ofHours(12)));
        try (Postroad postroad = Postroad.over(broker.connect())) {
            Channel plain = Channel.command("plain");
            Channel demanding = Channel.command("demanding")
                    .withDedupWindow(Duration.ofHours(1))
                    .withLease(Duration.ofDays(1));
            assertRefused(Reason.IMPOSSIBLE_NEED, () -> postroad.declare(plain, demanding))
                    .contains("DEDUP", "dedupWindow = PT1H", "it has no memory")
                    .contains("LEASE", "lease = PT24H", "it reaches PT12H at most")
                    .contains("nothing was declared");
            assertThat(postroad.find("plain")).isEmpty();
            assertThat(postroad.report(demanding).portable()).isFalse();
            assertThat(postroad.declare(demanding.withDedupWindow(null).withLease(Duration.ofHours(12)))
                            .portable())
                    .isTrue();
        }
    }

    @Test
    void declaringOtherwiseIsRefused() {
        try (Postroad postroad = Postroad.over(broker.connect())) {
            postroad.declare(Channel.command("orders"));
            assertRefused(
                    Reason.CHANNEL_MISMATCH,
                    () -> postroad.declare(Channel.command("orders").withPrefetch(7)));
        }
    }

    @Test
    void optionsThatAChannelCannotHonourAreRefused() {
        broker.with(Capability.impossible(Need.FILTER, "it sees no headers"));
        try (Postroad postroad = Postroad.over(broker.connect())) {
            postroad.declare(Channel.command("orders"), Channel.event("placed"));
            ConsumerOptions plain = ConsumerOptions.DEFAULT;
            assertRefused(Reason.INVALID, () -> listen(postroad, "orders", plain.withGroup("billing")))
                    .contains("'orders' is a queue", "'billing'");
            assertRefused(Reason.INVALID, () -> listen(postroad, "placed", plain))
                    .contains("'placed' is a stream", "withGroup", "withStart");
            assertRefused(Reason.IMPOSSIBLE_NEED, () -> listen(postroad, "orders", plain.withFilter("a = 'b'")))
                    .contains("FILTER", "a = 'b'", "it sees no headers");
            assertRefused(Reason.NOT_FOUND, () -> listen(postroad, "elsewhere", plain))
                    .contains("'elsewhere'");
        }
    }

    private static void listen(Postroad postroad, String channel, ConsumerOptions options) {
        postroad.listen(channel, Format.bytes(), options, delivery -> {});
    }

    @Test
    void aTransactionSendsAndAcknowledgesTogetherOrNotAtAll() {
        try (Postroad postroad = Postroad.over(broker.connect())) {
            postroad.declare(Channel.command("in"), Channel.command("out"));
            postroad.producer(Format.strings()).send("in", Message.of("k", "work"));
            Subscription subscription = postroad.listen("in", Format.strings(), ConsumerOptions.DEFAULT, delivery -> {
                try (Transaction<String, String> transaction = postroad.begin(Format.strings())) {
                    transaction.send("out", Message.of("k", "attempt " + delivery.attempt()));
                    transaction.acknowledge(delivery);
                    if (delivery.attempt() == 1) {
                        throw new Handler.RetryAfterException("not yet", Duration.ZERO);
                    }
                    transaction.commit();
                }
            });
            try (MessageConsumer<String, String> out = postroad.consumer(Format.strings(), ConsumerOptions.DEFAULT)) {
                out.subscribe(List.of("out"));
                assertThat(out.poll(Duration.ofSeconds(20)))
                        .extracting(Message::value)
                        .containsExactly("attempt 2");
                assertThat(out.poll(Duration.ZERO)).isEmpty();
            }
            subscription.close();
            assertThat(postroad.administration().browse("in", null, 10)).isEmpty();
            assertThat(subscription.counts()).isEqualTo(new Subscription.Counts(0, 1, 0));
        }
    }

    @Test
    void afterCloseEverythingSaysSo() {
        Postroad postroad = Postroad.over(broker.connect());
        postroad.declare(Channel.command("orders"));
        MessageProducer<String, String> producer = postroad.producer(Format.strings());
        MessageConsumer<String, String> consumer = postroad.consumer(Format.strings(), ConsumerOptions.DEFAULT);
        consumer.subscribe(List.of("orders"));
        Subscription subscription =
                postroad.listen("orders", Format.strings(), ConsumerOptions.DEFAULT, delivery -> {});
        postroad.close();
        postroad.close();
        assertThat(subscription.active()).isFalse();
        assertRefused(Reason.CLOSED, () -> producer.send("orders", Message.of("late")));
        assertRefused(Reason.CLOSED, () -> consumer.poll(Duration.ZERO));
        assertRefused(Reason.CLOSED, () -> postroad.declare(Channel.command("more")));
        assertRefused(Reason.CLOSED, () -> postroad.producer(Format.strings()));
    }
}
