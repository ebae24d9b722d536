package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.GetResponse;
import com.rabbitmq.client.MessageProperties;
import dev.postroad.testkit.Await;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What arguments of queues do, by RabbitMQ's Java client. */
class QueuesTest {
    private static AmqpRig rig;

    @BeforeAll
    static void start() throws Exception {
        rig = new AmqpRig();
    }

    @AfterAll
    static void stop() throws Exception {
        rig.close();
    }

    private static List<String> drain(Channel channel, String queue) throws Exception {
        List<String> texts = new ArrayList<>();
        for (GetResponse got = channel.basicGet(queue, true); got != null; got = channel.basicGet(queue, true)) {
            texts.add(new String(got.getBody(), StandardCharsets.UTF_8));
        }
        return texts;
    }

    private static AMQP.BasicProperties properties(int priority, String expiration) {
        return new AMQP.BasicProperties.Builder()
                .deliveryMode(2)
                .priority(priority)
                .expiration(expiration)
                .build();
    }

    /** What the dead-letter history of a message says first. */
    private static Map<?, ?> death(Delivery letter) {
        return (Map<?, ?>) ((List<?>) letter.getProperties().getHeaders().get("x-death")).getFirst();
    }

    // ── Time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void messages_expire_each_at_its_time_and_go_to_the_dead_letters_with_their_history() throws Exception {
        Channel channel = rig.channel();
        String letters = AmqpRig.queue(channel, null);
        String queue = AmqpRig.queue(
                channel,
                Map.of("x-message-ttl", 60_000, "x-dead-letter-exchange", "", "x-dead-letter-routing-key", letters));
        channel.basicPublish("", queue, properties(0, null), AmqpRig.bytes("stays"));
        channel.basicPublish("", queue, properties(0, "50"), AmqpRig.bytes("goes"));

        Delivery letter = AmqpRig.next(AmqpRig.consume(channel, letters, true));
        assertThat(AmqpRig.text(letter)).isEqualTo("goes");
        assertThat(letter.getProperties().getExpiration()).isNull();
        assertThat(letter.getEnvelope().getRoutingKey()).isEqualTo(letters);
        Map<?, ?> death = death(letter);
        assertThat(death.get("reason")).hasToString("expired");
        assertThat(death.get("queue")).hasToString(queue);
        assertThat(death.get("exchange")).hasToString("");
        assertThat(death.get("count")).isEqualTo(1L);
        assertThat(death.get("original-expiration")).hasToString("50");
        assertThat((List<?>) death.get("routing-keys")).map(Object::toString).isEqualTo(List.of(queue));
        assertThat(letter.getProperties().getHeaders())
                .hasEntrySatisfying(
                        "x-first-death-reason", reason -> assertThat(reason).hasToString("expired"))
                .hasEntrySatisfying(
                        "x-first-death-queue", first -> assertThat(first).hasToString(queue))
                .containsKey("x-first-death-exchange");
        assertThat(drain(channel, queue)).containsExactly("stays");
    }

    @Test
    void the_smaller_of_the_queues_and_the_messages_time_to_live_holds() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, Map.of("x-message-ttl", 50));
        channel.basicPublish("", queue, properties(0, "60000"), AmqpRig.bytes("a"));
        channel.basicPublish("", queue, null, AmqpRig.bytes("b"));

        Await.until("both have expired", () -> count(channel, queue) == 0);
    }

    private static long count(Channel channel, String queue) {
        try {
            return channel.messageCount(queue);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void a_queue_that_nobody_uses_expires() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, Map.of("x-expires", 100));

        Await.until("the queue is gone", () -> rig.broker.definition(queue) == null);
        assertThat(AmqpRig.closed(() -> channel.queueDeclarePassive(queue))).startsWith("404 NOT_FOUND");
    }

    // ── Length ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void a_full_queue_drops_its_head_or_gives_it_to_the_dead_letters() throws Exception {
        Channel channel = rig.channel();
        String plain = AmqpRig.queue(channel, Map.of("x-max-length", 2));
        String letters = AmqpRig.queue(channel, null);
        String exchange = "letters-" + Topology.unique("");
        channel.exchangeDeclare(exchange, "fanout");
        channel.queueBind(letters, exchange, "");
        String lettered = AmqpRig.queue(
                channel,
                Map.of("x-max-length-bytes", 2500, "x-overflow", "drop-head", "x-dead-letter-exchange", exchange));
        AmqpRig.publish(channel, plain, "1", "2", "3");
        String kilo = "x".repeat(1000);
        AmqpRig.publish(channel, lettered, "1" + kilo, "2" + kilo, "3" + kilo);

        assertThat(drain(channel, plain)).containsExactly("2", "3");
        assertThat(drain(channel, lettered)).containsExactly("2" + kilo, "3" + kilo);
        Delivery letter = AmqpRig.next(AmqpRig.consume(channel, letters, true));
        assertThat(AmqpRig.text(letter)).isEqualTo("1" + kilo);
        assertThat(death(letter).get("reason")).hasToString("maxlen");
        assertThat(letter.getEnvelope().getExchange()).isEqualTo(exchange);
        assertThat(letter.getEnvelope().getRoutingKey()).isEqualTo(lettered);
    }

    @Test
    void a_full_queue_refuses_the_newest_and_with_dlx_it_goes_to_the_dead_letters() throws Exception {
        Channel channel = rig.channel();
        String letters = AmqpRig.queue(channel, null);
        for (String overflow : List.of("reject-publish", "reject-publish-dlx")) {
            String queue = AmqpRig.queue(
                    channel,
                    Map.of(
                            "x-max-length",
                            1,
                            "x-overflow",
                            overflow,
                            "x-dead-letter-exchange",
                            "",
                            "x-dead-letter-routing-key",
                            letters));
            List<String> outcomes = Collections.synchronizedList(new ArrayList<>());
            Channel publisher = rig.channel();
            publisher.confirmSelect();
            publisher.addConfirmListener(
                    (tag, multiple) -> outcomes.add("ack " + tag), (tag, multiple) -> outcomes.add("nack " + tag));
            publisher.basicPublish("", queue, null, AmqpRig.bytes("first"));
            publisher.waitForConfirms(20_000);
            publisher.basicPublish("", queue, null, AmqpRig.bytes(overflow));

            assertThat(publisher.waitForConfirms(20_000)).isFalse();
            assertThat(outcomes).containsExactly("ack 1", "nack 2");
            assertThat(drain(channel, queue)).containsExactly("first");
        }
        assertThat(drain(channel, letters)).containsExactly("reject-publish-dlx");
    }

    // ── Dead letters ─────────────────────────────────────────────────────────────────────────────────────────────────

    @ParameterizedTest
    @ValueSource(strings = {"at-most-once", "at-least-once"})
    void a_rejected_message_goes_to_the_exchange_for_dead_letters_and_is_counted_when_it_comes_round(String strategy)
            throws Exception {
        Channel channel = rig.channel();
        String exchange = "round-" + Topology.unique("");
        channel.exchangeDeclare(exchange, "direct");
        String retry = AmqpRig.queue(
                channel,
                Map.of("x-message-ttl", 30, "x-dead-letter-exchange", exchange, "x-dead-letter-routing-key", "work"));
        String work = AmqpRig.queue(
                channel,
                Map.of(
                        "x-dead-letter-exchange", exchange,
                        "x-dead-letter-routing-key", "retry",
                        "x-dead-letter-strategy", strategy,
                        "x-overflow", "reject-publish",
                        "x-queue-type", "quorum"));
        channel.queueBind(work, exchange, "work");
        channel.queueBind(retry, exchange, "retry");
        BlockingQueue<Delivery> deliveries = AmqpRig.consume(channel, work, false);
        channel.basicPublish(exchange, "work", null, AmqpRig.bytes("m"));
        Delivery delivery = AmqpRig.next(deliveries);
        assertThat(delivery.getProperties().getHeaders()).isNull();
        for (long round = 1; round <= 3; round++) {
            channel.basicNack(delivery.getEnvelope().getDeliveryTag(), false, false);
            delivery = AmqpRig.next(deliveries);
            List<?> deaths = (List<?>) delivery.getProperties().getHeaders().get("x-death");
            assertThat(deaths).hasSize(2);
            for (Object death : deaths) {
                Map<?, ?> entry = (Map<?, ?>) death;
                assertThat(entry.get("count")).isEqualTo(round);
                assertThat(entry.get("reason"))
                        .hasToString(entry.get("queue").toString().equals(work) ? "rejected" : "expired");
            }
        }
        assertThat(delivery.getProperties().getHeaders().get("x-first-death-queue"))
                .hasToString(work);
    }

    @Test
    void a_message_that_is_returned_too_often_is_given_up() throws Exception {
        Channel channel = rig.channel();
        String letters = AmqpRig.queue(channel, null);
        String queue = AmqpRig.queue(
                channel,
                Map.of(
                        "x-queue-type",
                        "quorum",
                        "x-delivery-limit",
                        2,
                        "x-dead-letter-exchange",
                        "",
                        "x-dead-letter-routing-key",
                        letters));
        BlockingQueue<Delivery> deliveries = AmqpRig.consume(channel, queue, false);
        AmqpRig.publish(rig.channel(), queue, "poison");
        for (int i = 0; i < 3; i++) {
            Delivery delivery = AmqpRig.next(deliveries);
            assertThat(delivery.getEnvelope().isRedeliver()).isEqualTo(i > 0);
            channel.basicReject(delivery.getEnvelope().getDeliveryTag(), true);
        }

        Delivery letter = AmqpRig.next(AmqpRig.consume(rig.channel(), letters, true));
        assertThat(death(letter).get("reason")).hasToString("delivery_limit");
        assertThat(deliveries).isEmpty();
    }

    // ── Consumers ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Test
    void messages_of_a_higher_priority_come_first_and_what_is_above_the_highest_counts_as_it() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, Map.of("x-max-priority", 3));
        channel.basicPublish("", queue, null, AmqpRig.bytes("none"));
        channel.basicPublish("", queue, properties(1, null), AmqpRig.bytes("one"));
        channel.basicPublish("", queue, properties(3, null), AmqpRig.bytes("three"));
        channel.basicPublish("", queue, properties(9, null), AmqpRig.bytes("nine"));
        channel.basicPublish("", queue, properties(0, null), AmqpRig.bytes("zero"));

        assertThat(drain(channel, queue)).containsExactly("three", "nine", "one", "none", "zero");
    }

    @Test
    void of_several_consumers_a_single_one_is_active_and_another_takes_over_when_it_goes() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, Map.of("x-single-active-consumer", true));
        BlockingQueue<String> served = new LinkedBlockingQueue<>();
        for (String tag : List.of("one", "two")) {
            channel.basicConsume(queue, true, tag, (t, delivery) -> served.add(t), t -> {});
        }
        AmqpRig.publish(rig.channel(), queue, "a", "b");
        assertThat(List.of(served.take(), served.take())).containsExactly("one", "one");
        channel.basicCancel("one");
        AmqpRig.publish(rig.channel(), queue, "c");

        assertThat(served.take()).isEqualTo("two");
        assertThat(AmqpRig.closed(() ->
                        rig.channel().basicConsume(queue, true, "x", false, true, null, (t, delivery) -> {}, t -> {})))
                .startsWith("403 ACCESS_REFUSED");
    }

    @Test
    void a_deleted_queue_must_be_unused_and_empty_if_that_is_said() throws Exception {
        Connection connection = rig.connect();
        Channel channel = connection.createChannel();
        String queue = AmqpRig.queue(channel, null);
        AmqpRig.publish(channel, queue, "a");

        assertThat(AmqpRig.closed(() -> connection.createChannel().queueDelete(queue, false, true)))
                .isEqualTo("406 PRECONDITION_FAILED - queue '" + queue + "' in vhost '/' not empty");
        channel.basicConsume(queue, true, "c", (t, delivery) -> {}, t -> {});
        assertThat(AmqpRig.closed(() -> connection.createChannel().queueDelete(queue, true, false)))
                .isEqualTo("406 PRECONDITION_FAILED - queue '" + queue + "' in vhost '/' in use");
        channel.basicCancel("c");
        assertThat(channel.queueDelete(queue).getMessageCount()).isZero();
        assertThat(channel.queueDelete(queue).getMessageCount()).isZero();
    }

    @Test
    void queue_types_modes_and_versions_are_taken_for_what_they_mean_here() throws Exception {
        Channel channel = rig.channel();
        AmqpRig.queue(channel, Map.of("x-queue-type", "classic", "x-queue-mode", "lazy", "x-queue-version", 2));
        AmqpRig.queue(channel, Map.of("x-queue-type", "quorum", "x-quorum-initial-group-size", 1));
        Channel other = rig.channel();
        assertThat(AmqpRig.closed(() -> AmqpRig.queue(other, Map.of("x-queue-type", "mirrored"))))
                .startsWith("406 PRECONDITION_FAILED")
                .contains("x-queue-type");
        Channel third = rig.channel();
        assertThat(AmqpRig.closed(() ->
                        third.queueDeclare("transient-quorum", false, false, false, Map.of("x-queue-type", "quorum"))))
                .startsWith("406 PRECONDITION_FAILED");
    }

    @Test
    void a_requeued_message_stands_where_it_stood() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        AmqpRig.publish(channel, queue, "a", "b", "c");
        GetResponse a = channel.basicGet(queue, false);
        GetResponse b = channel.basicGet(queue, false);
        channel.basicNack(b.getEnvelope().getDeliveryTag(), false, true);
        channel.basicNack(a.getEnvelope().getDeliveryTag(), false, true);

        assertThat(drain(channel, queue)).containsExactly("a", "b", "c");
    }

    @Test
    void a_mandatory_message_to_the_default_exchange_and_a_purge_count_as_they_should() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        channel.confirmSelect();
        channel.basicPublish("", queue, true, MessageProperties.PERSISTENT_TEXT_PLAIN, AmqpRig.bytes("a"));
        channel.basicPublish("", queue, true, MessageProperties.TEXT_PLAIN, AmqpRig.bytes("b"));
        channel.waitForConfirmsOrDie(20_000);
        GetResponse held = channel.basicGet(queue, false);

        assertThat(channel.queuePurge(queue).getMessageCount()).isEqualTo(1);
        channel.basicNack(held.getEnvelope().getDeliveryTag(), false, true);
        assertThat(drain(channel, queue)).containsExactly("a");
    }
}
