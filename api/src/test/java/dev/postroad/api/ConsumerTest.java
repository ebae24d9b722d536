package dev.postroad.api;

import static dev.postroad.api.Failures.assertRefused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.MessagingException.Reason;
import dev.postroad.memory.MemoryBroker;
import dev.postroad.testkit.VirtualClock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConsumerTest {
    private final VirtualClock clock = new VirtualClock();
    private final MemoryBroker broker = new MemoryBroker(clock);
    private final Postroad postroad = Postroad.over(broker.connect());
    private final MessageProducer<String, String> producer = postroad.producer(Format.strings());

    @AfterEach
    void close() {
        postroad.close();
    }

    private MessageConsumer<String, String> consumer(String... channels) {
        MessageConsumer<String, String> consumer = postroad.consumer(Format.strings(), ConsumerOptions.DEFAULT);
        consumer.subscribe(List.of(channels));
        return consumer;
    }

    @Test
    void whatWasPolledAndNotCommittedComesAgain() {
        postroad.declare(Channel.command("orders"));
        producer.sendBatch("orders", List.of(Message.of("1"), Message.of("2")));
        try (MessageConsumer<String, String> first = consumer("orders")) {
            assertThat(first.poll(Duration.ZERO)).extracting(Message::value).containsExactly("1", "2");
            first.commit();
            producer.send("orders", Message.of("3"));
            assertThat(first.poll(Duration.ZERO)).extracting(Message::value).containsExactly("3");
        }
        try (MessageConsumer<String, String> second = consumer("orders")) {
            assertThat(second.poll(Duration.ZERO)).extracting(Message::value).containsExactly("3");
            second.commit();
            assertThat(second.poll(Duration.ZERO)).isEmpty();
        }
    }

    @Test
    void aConsumerMayReceiveFromSeveralChannels() {
        postroad.declare(Channel.command("a"), Channel.command("b"));
        producer.send("a", Message.of("1"));
        producer.send("b", Message.of("2"));
        try (MessageConsumer<String, String> both = consumer("a", "b")) {
            assertThat(both.poll(Duration.ZERO)).extracting(Message::value).containsExactlyInAnyOrder("1", "2");
            both.commit();
        }
    }

    @Test
    void whatCannotBeReadIsDeadLetteredWithTheReasonAndSkipped() {
        postroad.declare(Channel.command("orders"));
        postroad.producer(Format.bytes())
                .send("orders", Message.<byte[], byte[]>of(new byte[] {-1, -2}).withId("bad"));
        producer.send("orders", Message.of("good"));
        try (MessageConsumer<String, String> consumer = consumer("orders")) {
            assertThat(consumer.poll(Duration.ZERO)).extracting(Message::value).containsExactly("good");
            consumer.commit();
        }
        List<Administration.Browsed> dead = postroad.administration().browse("orders.dead", null, 10);
        assertThat(dead).hasSize(1);
        assertThat(DeadLetter.of(dead.getFirst().message()).orElseThrow().reason())
                .contains("bad", "'orders'", "2 bytes", "no UTF-8");
    }

    @Test
    void commitTellsOfWhatWentElsewhereAndAcknowledgesTheRest() {
        postroad.declare(Channel.command("orders").withLease(Duration.ofSeconds(10)));
        producer.send("orders", Message.of("1"));
        MessageConsumer<String, String> slow = consumer("orders");
        assertThat(slow.poll(Duration.ZERO)).hasSize(1);
        clock.advance(Duration.ofSeconds(11));
        MessageConsumer<String, String> other = consumer("orders");
        assertThat(other.poll(Duration.ZERO)).hasSize(1);
        producer.send("orders", Message.of("2"));
        assertThat(slow.poll(Duration.ZERO)).extracting(Message::value).containsExactly("2");
        assertRefused(Reason.LEASE_LOST, slow::commit);
        other.commit();
        assertThat(postroad.administration().browse("orders", null, 10)).isEmpty();
    }

    @Test
    void pollingWithoutASubscriptionIsRefused() {
        MessageConsumer<String, String> consumer = postroad.consumer(Format.strings(), ConsumerOptions.DEFAULT);
        assertRefused(Reason.INVALID, () -> consumer.poll(Duration.ZERO)).contains("subscribe");
        assertRefused(Reason.INVALID, () -> consumer.subscribe(List.of())).contains("at least one");
        assertRefused(Reason.NOT_FOUND, () -> consumer.subscribe(List.of("nowhere")))
                .contains("'nowhere'");
    }

    @Test
    void subscribingAnewGivesBackWhatWasPolled() {
        postroad.declare(Channel.command("a"), Channel.command("b"));
        producer.send("a", Message.of("1"));
        MessageConsumer<String, String> consumer = consumer("a");
        assertThat(consumer.poll(Duration.ZERO)).hasSize(1);
        consumer.subscribe(List.of("b"));
        assertThat(consumer.poll(Duration.ZERO)).isEmpty();
        consumer.commit();
        assertThat(consumer("a").poll(Duration.ZERO)).hasSize(1);
    }
}
