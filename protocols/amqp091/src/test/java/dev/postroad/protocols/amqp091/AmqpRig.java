package dev.postroad.protocols.amqp091;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.ShutdownSignalException;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.engine.runtime.BrokerSettings;
import dev.postroad.security.Authenticator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A broker in memory that speaks AMQP on a free port, and RabbitMQ's Java client beside it. */
final class AmqpRig implements AutoCloseable {
    final Broker broker;
    final AmqpServer server;
    private final List<Connection> connections = new ArrayList<>();

    AmqpRig() throws IOException {
        this(AmqpSettings.DEFAULT);
    }

    AmqpRig(AmqpSettings settings) throws IOException {
        this(settings, BrokerSettings.memory(512 << 20));
    }

    AmqpRig(AmqpSettings settings, BrokerSettings brokerSettings) throws IOException {
        broker = Broker.open(brokerSettings);
        server =
                AmqpServer.start(broker, settings.withAddress("127.0.0.1", 0), Authenticator.guestFromLoopback(), null);
    }

    ConnectionFactory factory() {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(server.address().getPort());
        factory.setAutomaticRecoveryEnabled(false);
        return factory;
    }

    Connection connect() throws Exception {
        Connection connection = factory().newConnection();
        connections.add(connection);
        return connection;
    }

    Channel channel() throws Exception {
        return connect().createChannel();
    }

    /** A consumer whose deliveries are taken from a queue. */
    static BlockingQueue<Delivery> consume(Channel channel, String queue, boolean autoAck) throws IOException {
        BlockingQueue<Delivery> deliveries = new LinkedBlockingQueue<>();
        channel.basicConsume(queue, autoAck, (tag, delivery) -> deliveries.add(delivery), tag -> {});
        return deliveries;
    }

    static Delivery next(BlockingQueue<Delivery> deliveries) throws InterruptedException {
        Delivery delivery = deliveries.poll(20, TimeUnit.SECONDS);
        if (delivery == null) {
            throw new AssertionError("nothing was delivered");
        }
        return delivery;
    }

    static String text(Delivery delivery) {
        return new String(delivery.getBody(), StandardCharsets.UTF_8);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static void publish(Channel channel, String queue, String... texts) throws Exception {
        channel.confirmSelect();
        for (String text : texts) {
            channel.basicPublish("", queue, null, bytes(text));
        }
        channel.waitForConfirmsOrDie(20_000);
    }

    static String queue(Channel channel, Map<String, Object> arguments) throws IOException {
        String name = "q-" + Topology.unique("");
        channel.queueDeclare(name, true, false, false, arguments);
        return name;
    }

    /** The reply code and text with which the server closed the channel or connection. */
    static String closed(Callable<?> action) throws Exception {
        Throwable thrown;
        try {
            action.call();
            throw new AssertionError("nothing was refused");
        } catch (IOException e) {
            thrown = e.getCause() == null ? e : e.getCause();
        } catch (ShutdownSignalException e) {
            thrown = e;
        }
        return reason((ShutdownSignalException) thrown);
    }

    static String reason(ShutdownSignalException shutdown) {
        return switch (shutdown.getReason()) {
            case AMQP.Channel.Close close -> close.getReplyCode() + " " + close.getReplyText();
            case AMQP.Connection.Close close -> close.getReplyCode() + " " + close.getReplyText();
            case null, default -> shutdown.getMessage();
        };
    }

    @Override
    public void close() throws IOException {
        for (Connection connection : connections) {
            connection.abort(2_000);
        }
        server.close();
        broker.close();
    }
}
