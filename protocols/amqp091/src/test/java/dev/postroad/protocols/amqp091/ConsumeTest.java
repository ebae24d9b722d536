package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.GetResponse;
import dev.postroad.testkit.Await;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ConsumeTest {
    private static AmqpRig rig;

    @BeforeAll
    static void start() throws Exception {
        rig = new AmqpRig();
    }

    @AfterAll
    static void stop() throws Exception {
        rig.close();
    }

    @Test
    void a_prefetch_bounds_what_each_consumer_holds() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        AmqpRig.publish(channel, queue, "a", "b", "c", "d", "e", "f");
        channel.basicQos(2);
        BlockingQueue<Delivery> one = AmqpRig.consume(channel, queue, false);
        Delivery first = AmqpRig.next(one);
        AmqpRig.next(one);

        assertThat(channel.messageCount(queue)).isEqualTo(4);
        channel.basicAck(first.getEnvelope().getDeliveryTag(), false);
        assertThat(AmqpRig.text(AmqpRig.next(one))).isEqualTo("c");
        BlockingQueue<Delivery> two = AmqpRig.consume(channel, queue, false);
        assertThat(AmqpRig.text(AmqpRig.next(two))).isEqualTo("d");
        AmqpRig.next(two);
        assertThat(channel.messageCount(queue)).isEqualTo(1);
    }

    @Test
    void a_global_prefetch_is_shared_by_the_consumers_of_the_channel() throws Exception {
        Channel channel = rig.channel();
        String idle = AmqpRig.queue(channel, null);
        String busy = AmqpRig.queue(channel, null);
        AmqpRig.publish(rig.channel(), busy, "a", "b", "c");
        channel.basicQos(0, 1, true);
        BlockingQueue<Delivery> waiting = AmqpRig.consume(channel, idle, false);
        BlockingQueue<Delivery> working = AmqpRig.consume(channel, busy, false);

        Delivery first = AmqpRig.next(working);
        AmqpRig.publish(rig.channel(), idle, "x");
        assertThat(channel.messageCount(busy)).isEqualTo(2);
        assertThat(channel.messageCount(idle)).isEqualTo(1);
        assertThat(working).isEmpty();
        channel.basicAck(first.getEnvelope().getDeliveryTag(), false);
        List<String> rest = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Delivery next = Await.value(
                    "a delivery",
                    () -> working.isEmpty() ? waiting.poll() : working.poll(),
                    java.util.Objects::nonNull);
            assertThat(working.size() + waiting.size()).isZero();
            rest.add(AmqpRig.text(next));
            channel.basicAck(next.getEnvelope().getDeliveryTag(), false);
        }
        assertThat(rest).containsExactlyInAnyOrder("b", "c", "x");
    }

    @Test
    void thousands_flow_to_a_consumer_without_a_prefetch_that_acknowledges_late() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        Channel publisher = rig.channel();
        publisher.confirmSelect();
        for (int i = 0; i < 5000; i++) {
            publisher.basicPublish("", queue, null, AmqpRig.bytes("m" + i));
        }
        publisher.waitForConfirmsOrDie(20_000);
        BlockingQueue<Delivery> deliveries = AmqpRig.consume(channel, queue, false);
        Delivery last = null;
        for (int i = 0; i < 5000; i++) {
            last = AmqpRig.next(deliveries);
            assertThat(AmqpRig.text(last)).isEqualTo("m" + i);
        }
        channel.basicAck(last.getEnvelope().getDeliveryTag(), true);
        channel.close();

        assertThat(publisher.messageCount(queue)).isZero();
    }

    @Test
    void a_consumer_that_reads_nothing_holds_up_itself_alone() throws Exception {
        Channel publisher = rig.channel();
        String queue = AmqpRig.queue(publisher, null);
        try (FrozenProxy proxy = new FrozenProxy(rig.server.address().getPort())) {
            ConnectionFactory factory = rig.factory();
            factory.setPort(proxy.port());
            factory.setRequestedHeartbeat(0);
            Connection stalled = factory.newConnection();
            AmqpRig.consume(stalled.createChannel(), queue, true);
            proxy.freeze();
            publisher.confirmSelect();
            for (int i = 0; i < 60; i++) {
                publisher.basicPublish("", queue, null, new byte[1 << 20]);
            }
            publisher.waitForConfirmsOrDie(60_000);
            String other = AmqpRig.queue(publisher, null);
            AmqpRig.publish(publisher, other, "a");

            assertThat(AmqpRig.text(AmqpRig.next(AmqpRig.consume(rig.channel(), other, true))))
                    .isEqualTo("a");
            assertThat(publisher.messageCount(queue)).isBetween(20L, 60L);
            stalled.abort(1_000);
        }
    }

    @Test
    void refused_deliveries_go_back_or_away_and_say_that_they_were_delivered() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        AmqpRig.publish(channel, queue, "a", "b", "c");
        long a = channel.basicGet(queue, false).getEnvelope().getDeliveryTag();
        long b = channel.basicGet(queue, false).getEnvelope().getDeliveryTag();
        GetResponse c = channel.basicGet(queue, false);
        assertThat(c.getMessageCount()).isZero();
        channel.basicNack(b, true, true);
        channel.basicReject(c.getEnvelope().getDeliveryTag(), false);

        GetResponse again = channel.basicGet(queue, true);
        assertThat(new String(again.getBody(), StandardCharsets.UTF_8)).isEqualTo("a");
        assertThat(again.getEnvelope().isRedeliver()).isTrue();
        assertThat(again.getMessageCount()).isEqualTo(1);
        assertThat(new String(channel.basicGet(queue, true).getBody(), StandardCharsets.UTF_8))
                .isEqualTo("b");
        assertThat(channel.basicGet(queue, true)).isNull();
        assertThat(a).isEqualTo(1);
    }

    @Test
    void recovering_has_everything_delivered_again() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        AmqpRig.publish(channel, queue, "a", "b");
        BlockingQueue<Delivery> deliveries = AmqpRig.consume(channel, queue, false);
        AmqpRig.next(deliveries);
        AmqpRig.next(deliveries);

        channel.basicRecover(true);

        assertThat(AmqpRig.text(AmqpRig.next(deliveries))).isEqualTo("a");
        assertThat(AmqpRig.next(deliveries).getEnvelope().isRedeliver()).isTrue();
    }

    @Test
    void closing_a_channel_gives_back_what_it_held_and_cancelling_does_not() throws Exception {
        Connection connection = rig.connect();
        Channel channel = connection.createChannel();
        String queue = AmqpRig.queue(channel, null);
        AmqpRig.publish(channel, queue, "a", "b");
        BlockingQueue<Delivery> deliveries = new java.util.concurrent.LinkedBlockingQueue<>();
        String tag = channel.basicConsume(queue, false, (t, delivery) -> deliveries.add(delivery), t -> {});
        long a = AmqpRig.next(deliveries).getEnvelope().getDeliveryTag();
        AmqpRig.next(deliveries);

        channel.basicCancel(tag);
        Channel other = connection.createChannel();
        assertThat(other.messageCount(queue)).isZero();
        channel.basicAck(a, false);
        channel.close();
        GetResponse back = other.basicGet(queue, true);
        assertThat(new String(back.getBody(), StandardCharsets.UTF_8)).isEqualTo("b");
        assertThat(other.basicGet(queue, true)).isNull();
    }

    @Test
    void the_consumer_of_the_highest_priority_is_served_first() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        BlockingQueue<Delivery> low = AmqpRig.consume(channel, queue, true);
        BlockingQueue<Delivery> high = new java.util.concurrent.LinkedBlockingQueue<>();
        channel.basicConsume(queue, true, Map.of("x-priority", 10), (tag, delivery) -> high.add(delivery), tag -> {});
        AmqpRig.publish(channel, queue, "a", "b", "c");

        for (int i = 0; i < 3; i++) {
            AmqpRig.next(high);
        }
        assertThat(low).isEmpty();
    }

    @Test
    void an_exclusive_consumer_is_alone() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        channel.basicConsume(queue, true, "me", false, true, null, (tag, delivery) -> {}, tag -> {});
        Channel other = rig.channel();

        assertThat(AmqpRig.closed(() -> other.basicConsume(queue, (tag, delivery) -> {}, tag -> {})))
                .isEqualTo("403 ACCESS_REFUSED - queue '" + queue + "' in vhost '/' in exclusive use");
    }

    @Test
    void a_consumer_without_local_messages_gets_those_of_others_alone() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        BlockingQueue<Delivery> deliveries = new java.util.concurrent.LinkedBlockingQueue<>();
        channel.basicConsume(
                queue, true, "c", true, false, null, (tag, delivery) -> deliveries.add(delivery), tag -> {});
        AmqpRig.publish(channel, queue, "mine");
        AmqpRig.publish(rig.channel(), queue, "theirs");

        Delivery delivery = AmqpRig.next(deliveries);
        assertThat(AmqpRig.text(delivery)).isEqualTo("theirs");
        assertThat(delivery.getProperties().getHeaders()).isNull();
        assertThat(rig.channel().messageCount(queue)).isEqualTo(1);
    }

    @Test
    void a_consumer_whose_queue_is_deleted_is_told() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        CompletableFuture<String> cancelled = new CompletableFuture<>();
        channel.basicConsume(queue, true, "c-1", (tag, delivery) -> {}, cancelled::complete);

        rig.channel().queueDelete(queue);

        assertThat(cancelled.get(20, TimeUnit.SECONDS)).isEqualTo("c-1");
        assertThat(channel.isOpen()).isTrue();
    }

    @Test
    void an_auto_delete_queue_goes_with_its_last_consumer() throws Exception {
        Channel channel = rig.channel();
        String queue = "auto-" + Topology.unique("");
        channel.queueDeclare(queue, false, false, true, null);
        assertThat(channel.basicGet(queue, true)).isNull();
        assertThat(channel.queueDeclarePassive(queue).getConsumerCount()).isZero();
        String tag = channel.basicConsume(queue, true, (t, delivery) -> {}, t -> {});
        assertThat(channel.queueDeclarePassive(queue).getConsumerCount()).isEqualTo(1);

        channel.basicCancel(tag);

        assertThat(AmqpRig.closed(() -> channel.queueDeclarePassive(queue)))
                .isEqualTo("404 NOT_FOUND - no queue '" + queue + "' in vhost '/'");
    }

    @Test
    void a_queue_of_amqp_is_the_same_queue_for_everybody() throws Exception {
        Channel channel = rig.channel();
        String queue = AmqpRig.queue(channel, null);
        AmqpRig.publish(channel, queue, "a");

        assertThat(rig.broker.definition(queue)).isNotNull();
    }
}
