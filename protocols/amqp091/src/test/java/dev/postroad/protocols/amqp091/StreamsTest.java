package dev.postroad.protocols.amqp091;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Delivery;
import java.util.Date;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Streams as RabbitMQ's queues of that type are declared and consumed. */
class StreamsTest {
    private static AmqpRig rig;

    @BeforeAll
    static void start() throws Exception {
        rig = new AmqpRig();
    }

    @AfterAll
    static void stop() throws Exception {
        rig.close();
    }

    private static String stream(Channel channel) throws Exception {
        return AmqpRig.queue(channel, Map.of("x-queue-type", "stream", "x-max-age", "7D"));
    }

    private static BlockingQueue<Delivery> from(@Nullable Object offset, String stream, int prefetch) throws Exception {
        Channel channel = rig.channel();
        channel.basicQos(prefetch);
        BlockingQueue<Delivery> deliveries = new LinkedBlockingQueue<>();
        channel.basicConsume(
                stream,
                false,
                offset == null ? Map.of() : Map.of("x-stream-offset", offset),
                (tag, delivery) -> {
                    deliveries.add(delivery);
                    channel.basicAck(delivery.getEnvelope().getDeliveryTag(), false);
                },
                tag -> {});
        return deliveries;
    }

    private static long offset(Delivery delivery) {
        return ((Number) delivery.getProperties().getHeaders().get("x-stream-offset")).longValue();
    }

    @Test
    void a_stream_is_read_from_the_first_the_last_the_next_or_a_numbered_message() throws Exception {
        Channel channel = rig.channel();
        String stream = stream(channel);
        AmqpRig.publish(channel, stream, "m0", "m1", "m2", "m3");

        BlockingQueue<Delivery> next = from("next", stream, 10);
        BlockingQueue<Delivery> unsaid = from(null, stream, 10);
        BlockingQueue<Delivery> first = from("first", stream, 1);
        for (int i = 0; i < 4; i++) {
            Delivery delivery = AmqpRig.next(first);
            assertThat(AmqpRig.text(delivery)).isEqualTo("m" + i);
            assertThat(offset(delivery)).isEqualTo(i);
        }
        assertThat(AmqpRig.text(AmqpRig.next(from(2, stream, 10)))).isEqualTo("m2");
        assertThat(AmqpRig.text(AmqpRig.next(from("last", stream, 10)))).startsWith("m");
        AmqpRig.publish(channel, stream, "m4");
        assertThat(AmqpRig.text(AmqpRig.next(next))).isEqualTo("m4");
        assertThat(AmqpRig.text(AmqpRig.next(unsaid))).isEqualTo("m4");
        assertThat(AmqpRig.text(AmqpRig.next(first))).isEqualTo("m4");
    }

    @Test
    void a_stream_is_read_from_a_time_or_as_far_back_as_an_interval() throws Exception {
        Channel channel = rig.channel();
        String stream = stream(channel);
        AmqpRig.publish(channel, stream, "m0", "m1");

        assertThat(AmqpRig.text(AmqpRig.next(from(new Date(System.currentTimeMillis() - 3_600_000), stream, 10))))
                .isEqualTo("m0");
        assertThat(AmqpRig.text(AmqpRig.next(from("1h", stream, 10)))).isEqualTo("m0");
        BlockingQueue<Delivery> later = from(new Date(System.currentTimeMillis() + 3_600_000), stream, 10);
        BlockingQueue<Delivery> first = from("first", stream, 10);
        AmqpRig.next(first);
        AmqpRig.next(first);
        assertThat(later).isEmpty();
    }

    @Test
    void a_prefetch_bounds_what_a_consumer_of_a_stream_holds() throws Exception {
        Channel channel = rig.channel();
        String stream = stream(channel);
        AmqpRig.publish(channel, stream, "m0", "m1", "m2", "m3", "m4");
        Channel slow = rig.channel();
        slow.basicQos(2);
        BlockingQueue<Delivery> deliveries = new LinkedBlockingQueue<>();
        slow.basicConsume(
                stream,
                false,
                Map.of("x-stream-offset", "first"),
                (tag, delivery) -> deliveries.add(delivery),
                tag -> {});
        AmqpRig.next(deliveries);
        Delivery second = AmqpRig.next(deliveries);
        BlockingQueue<Delivery> other = from("first", stream, 100);
        for (int i = 0; i < 5; i++) {
            AmqpRig.next(other);
        }

        assertThat(deliveries).isEmpty();
        slow.basicAck(second.getEnvelope().getDeliveryTag(), true);
        assertThat(AmqpRig.text(AmqpRig.next(deliveries))).isEqualTo("m2");
        assertThat(AmqpRig.text(AmqpRig.next(deliveries))).isEqualTo("m3");
    }

    @Test
    void what_a_stream_can_not_do_is_refused() throws Exception {
        Channel channel = rig.channel();
        String stream = stream(channel);
        String queue = AmqpRig.queue(channel, null);
        Channel unbounded = rig.channel();
        assertThat(AmqpRig.closed(() -> unbounded.basicConsume(stream, false, (t, d) -> {}, t -> {})))
                .startsWith("406 PRECONDITION_FAILED - consumer prefetch count is not set for 'queue '" + stream);
        Channel wrong = rig.channel();
        wrong.basicQos(5);
        assertThat(AmqpRig.closed(() ->
                        wrong.basicConsume(stream, false, Map.of("x-stream-offset", "soon"), (t, d) -> {}, t -> {})))
                .startsWith("406 PRECONDITION_FAILED")
                .contains("x-stream-offset");
        Channel getting = rig.channel();
        assertThat(AmqpRig.closed(() -> getting.basicGet(stream, true)))
                .isEqualTo("540 NOT_IMPLEMENTED - basic.get not supported by stream queues queue '" + stream
                        + "' in vhost '/'");
        Channel misled = rig.channel();
        assertThat(AmqpRig.closed(() ->
                        misled.basicConsume(queue, false, Map.of("x-stream-offset", "first"), (t, d) -> {}, t -> {})))
                .startsWith("406 PRECONDITION_FAILED");
        Channel purging = rig.channel();
        assertThat(AmqpRig.closed(() -> purging.queuePurge(stream))).startsWith("540 NOT_IMPLEMENTED");
        Channel careless = rig.channel();
        careless.basicQos(5);
        assertThat(AmqpRig.closed(() -> careless.basicConsume(stream, true, (t, d) -> {}, t -> {})))
                .startsWith("540 NOT_IMPLEMENTED - automatic acknowledgement not supported by stream queues");
        Channel declaring = rig.channel();
        assertThat(AmqpRig.closed(() -> declaring.queueDeclare(
                        "exclusive-stream", true, true, false, Map.of("x-queue-type", "stream"))))
                .startsWith("406 PRECONDITION_FAILED");
    }
}
