package dev.postroad.benchmarks;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.HdrHistogram.Histogram;

/** Loads that PerfTest does not make, by RabbitMQ's Java client as it comes. */
final class AmqpClients {
    private static final long PATIENCE_SECONDS = 30;

    private AmqpClients() {}

    private static ConnectionFactory factory(AmqpBroker broker) {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(broker.port());
        factory.setAutomaticRecoveryEnabled(false);
        factory.setRequestedHeartbeat(0);
        return factory;
    }

    /** One request at a time: to a queue, answered to the queue that it names, on a connection each. */
    static Measurement requestReply(AmqpBroker broker, int warmMillis, double seconds)
            throws IOException, InterruptedException {
        ConnectionFactory factory = factory(broker);
        try (Connection answering = factory.newConnection();
                Connection asking = factory.newConnection()) {
            Channel server = answering.createChannel();
            String requests = server.queueDeclare().getQueue();
            server.basicConsume(
                    requests,
                    true,
                    (tag, request) ->
                            server.basicPublish("", request.getProperties().getReplyTo(), null, request.getBody()),
                    tag -> {});
            Channel client = asking.createChannel();
            String replies = client.queueDeclare().getQueue();
            Semaphore answered = new Semaphore(0);
            client.basicConsume(replies, true, (tag, reply) -> answered.release(), tag -> {});
            AMQP.BasicProperties properties =
                    new AMQP.BasicProperties.Builder().replyTo(replies).build();
            byte[] body = new byte[100];
            Histogram times = QueueLoad.histogram();
            long begin = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(warmMillis);
            long end = begin + (long) (seconds * 1e9);
            double cpu = 0;
            for (long now = System.nanoTime(); now < end; now = System.nanoTime()) {
                client.basicPublish("", requests, properties, body);
                if (!answered.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    throw new IOException("no reply came within " + PATIENCE_SECONDS + " s");
                }
                if (now < begin) {
                    cpu = broker.cpuMicros();
                } else {
                    QueueLoad.record(times, System.nanoTime() - now);
                }
            }
            long count = Math.max(1, times.getTotalCount());
            return new Measurement()
                    .with("rpc", times)
                    .with(Measurement.RATE, times.getTotalCount() / seconds)
                    .with("cpu.broker", (broker.cpuMicros() - cpu) / count);
        } catch (TimeoutException e) {
            throw new IOException("no connection to port " + broker.port(), e);
        }
    }

    /** Returns when a message of a queue has come; it goes back to the queue. */
    static void awaitMessage(AmqpBroker broker, String queue) throws IOException {
        try (Connection connection = factory(broker).newConnection()) {
            Channel channel = connection.createChannel();
            GetResponse response = channel.basicGet(queue, false);
            if (response == null) {
                throw new IOException(queue + " is empty after the restart");
            }
            channel.basicReject(response.getEnvelope().getDeliveryTag(), true);
            channel.basicQos(0);
        } catch (TimeoutException e) {
            throw new IOException("no connection to port " + broker.port(), e);
        }
    }

    /** Messages of a queue that are ready to be delivered. */
    static long depth(AmqpBroker broker, String queue) throws IOException {
        try (Connection connection = factory(broker).newConnection()) {
            return connection.createChannel().messageCount(queue);
        } catch (TimeoutException e) {
            throw new IOException("no connection to port " + broker.port(), e);
        }
    }

    /** Many connections with a channel each that do nothing, on few threads of ours. */
    static final class Crowd implements AutoCloseable {
        private final ExecutorService workers = Executors.newFixedThreadPool(2);
        private final List<Connection> connections = new ArrayList<>();
        private final double rate;

        @SuppressWarnings("deprecation") // its successor takes Netty, and that for this alone
        Crowd(AmqpBroker broker, int count) throws IOException {
            ConnectionFactory factory = factory(broker);
            factory.useNio();
            factory.setSharedExecutor(workers);
            long begun = System.nanoTime();
            try {
                for (int i = 0; i < count; i++) {
                    Connection connection = factory.newConnection();
                    connections.add(connection);
                    connection.createChannel();
                }
            } catch (TimeoutException e) {
                throw new IOException("no connection to port " + broker.port() + " after " + connections.size(), e);
            }
            rate = count * 1e9 / (System.nanoTime() - begun);
        }

        /** Connections opened a second, one after the other. */
        double rate() {
            return rate;
        }

        @Override
        public void close() {
            connections.forEach(Connection::abort);
            workers.shutdownNow();
        }
    }
}
