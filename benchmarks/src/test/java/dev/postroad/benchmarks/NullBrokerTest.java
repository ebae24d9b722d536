package dev.postroad.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MessageProperties;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As much of a broker as the load generators need. */
@Timeout(60)
class NullBrokerTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatIsPublishedArrivesWholeAndIsConfirmed(boolean forced) throws Exception {
        try (NullBroker broker = new NullBroker(forced ? directory : null)) {
            BlockingQueue<String> got = new LinkedBlockingQueue<>();
            Thread.ofVirtual().start(() -> serve(broker));
            try (Connection connection = connect(broker)) {
                Channel consumer = connection.createChannel();
                consumer.exchangeDeclare("direct", "direct");
                String queue =
                        consumer.queueDeclare("", true, false, true, null).getQueue();
                consumer.queueBind(queue, "direct", "key");
                consumer.basicConsume(
                        queue,
                        false,
                        (tag, message) -> got.add(message.getEnvelope().getRoutingKey() + " "
                                + message.getProperties().getDeliveryMode() + " "
                                + new String(message.getBody(), StandardCharsets.UTF_8)),
                        tag -> {});
                Channel producer = connection.createChannel();
                producer.confirmSelect();
                String large = "x".repeat(300_000);
                for (String text : new String[] {"one", "", large}) {
                    producer.basicPublish(
                            "direct",
                            "key",
                            MessageProperties.MINIMAL_PERSISTENT_BASIC,
                            text.getBytes(StandardCharsets.UTF_8));
                }
                producer.waitForConfirmsOrDie(10_000);

                for (String text : new String[] {"one", "", large}) {
                    assertThat(got.poll(10, TimeUnit.SECONDS)).isEqualTo("key 2 " + text);
                }
            }
        }
    }

    private static void serve(NullBroker broker) {
        try {
            broker.serve();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static Connection connect(NullBroker broker) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setPort(broker.port());
        return factory.newConnection();
    }

    @Test
    void aFanoutExchangeGivesEachOfItsQueuesEachMessage() throws Exception {
        try (NullBroker broker = new NullBroker(null)) {
            Thread.ofVirtual().start(() -> serve(broker));
            BlockingQueue<String> got = new LinkedBlockingQueue<>();
            try (Connection connection = connect(broker)) {
                Channel channel = connection.createChannel();
                channel.exchangeDeclare("all", "fanout");
                for (String queue : new String[] {"a", "b"}) {
                    channel.queueDeclare(queue, false, false, true, null);
                    channel.queueBind(queue, "all", queue);
                    channel.basicConsume(queue, true, (tag, message) -> got.add(queue), tag -> {});
                }
                channel.basicPublish("all", "any", null, new byte[10]);

                assertThat(new String[] {got.poll(10, TimeUnit.SECONDS), got.poll(10, TimeUnit.SECONDS)})
                        .containsExactlyInAnyOrder("a", "b");
            }
        }
    }
}
