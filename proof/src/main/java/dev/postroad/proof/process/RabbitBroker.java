package dev.postroad.proof.process;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.MessageProperties;
import dev.postroad.testkit.RabbitMqServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * RabbitMQ as Debian packages it, with persistent messages and publisher confirms.
 *
 * @param quorum true for quorum queues, false for classic durable ones
 */
record RabbitBroker(boolean quorum) implements Broker {
    private static final int PREFETCH = 1_000;

    @Override
    public String name() {
        return quorum ? "RabbitMQ, quorum queue" : "RabbitMQ, durable classic queue";
    }

    @Override
    public @Nullable String missing() {
        return Files.isDirectory(Path.of("/usr/lib/rabbitmq/lib")) && Machine.has("epmd")
                ? null
                : "RabbitMQ is not installed (apt-get install rabbitmq-server)";
    }

    @Override
    public Running start(Path data) {
        return new Server(RabbitMqServer.start(data.toAbsolutePath()), quorum);
    }

    private record Server(RabbitMqServer server, boolean quorum) implements Running {
        @Override
        public Load load(Lane lane) {
            return new Client(server.port(), lane.channel(), quorum);
        }

        @Override
        public void pause() {
            Machine.mustUnchecked("kill", "-STOP", Long.toString(server.pid()));
        }

        @Override
        public void resume() {
            Machine.mustUnchecked("kill", "-CONT", Long.toString(server.pid()));
        }

        @Override
        public void kill() {
            server.kill();
        }

        @Override
        public boolean isAlive() {
            return ProcessHandle.of(server.pid()).map(ProcessHandle::isAlive).orElse(false);
        }

        @Override
        public List<String> tail() {
            return List.of();
        }

        @Override
        public void close() {
            server.close();
        }
    }

    /** One connection; the sends of all threads go through one channel with confirms. */
    private static final class Client implements Load {
        private final Connection connection;
        private final Channel publishing;
        private final String queue;
        private final boolean quorum;
        private final NavigableMap<Long, CompletableFuture<Place>> open = new ConcurrentSkipListMap<>();
        private final Object publishLock = new Object();

        Client(int port, String queue, boolean quorum) {
            this.queue = queue;
            this.quorum = quorum;
            ConnectionFactory factory = new ConnectionFactory();
            factory.setHost("127.0.0.1");
            factory.setPort(port);
            factory.setAutomaticRecoveryEnabled(false);
            try {
                connection = factory.newConnection();
                publishing = connection.createChannel();
                publishing.confirmSelect();
                publishing.addConfirmListener(
                        (tag, multiple) -> settle(tag, multiple, null),
                        (tag, multiple) -> settle(
                                tag, multiple, new Refused("nack", new IOException("the broker nacked the message"))));
                publishing.addShutdownListener(cause -> settle(Long.MAX_VALUE, true, cause));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (TimeoutException e) {
                throw new IllegalStateException(e);
            }
        }

        private void settle(long tag, boolean multiple, @Nullable Throwable failure) {
            NavigableMap<Long, CompletableFuture<Place>> done =
                    multiple ? open.headMap(tag, true) : open.subMap(tag, true, tag, true);
            for (Long each : List.copyOf(done.keySet())) {
                CompletableFuture<Place> outcome = open.remove(each);
                if (outcome != null && failure == null) {
                    outcome.complete(Place.NONE);
                } else if (outcome != null) {
                    outcome.completeExceptionally(failure);
                }
            }
        }

        @Override
        public void declare() {
            try (Channel declaring = connection.createChannel()) {
                declaring.queueDeclare(
                        queue, true, false, false, Map.of("x-queue-type", quorum ? "quorum" : "classic"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (TimeoutException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public CompletableFuture<Place> send(Sending message) {
            CompletableFuture<Place> outcome = new CompletableFuture<>();
            synchronized (publishLock) {
                long tag = publishing.getNextPublishSeqNo();
                open.put(tag, outcome);
                try {
                    publishing.basicPublish("", queue, MessageProperties.PERSISTENT_BASIC, message.payload());
                } catch (IOException | RuntimeException e) {
                    open.remove(tag);
                    outcome.completeExceptionally(e);
                }
            }
            return outcome;
        }

        @Override
        public boolean batches() {
            return false;
        }

        @Override
        public CompletableFuture<Void> sendBatch(List<Sending> messages) {
            throw new UnsupportedOperationException("RabbitMQ stores no batches");
        }

        @Override
        public Receiver receiver() {
            try {
                return new Taking(connection.createChannel(), queue);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public long left() {
            return -1;
        }

        @Override
        public void close() {
            connection.abort();
        }
    }

    private static final class Taking implements Load.Receiver {
        private final Channel channel;
        private final BlockingQueue<Load.Taken> arrived = new LinkedBlockingQueue<>();

        Taking(Channel channel, String queue) throws IOException {
            this.channel = channel;
            channel.basicQos(PREFETCH);
            channel.basicConsume(queue, false, new DefaultConsumer(channel) {
                @Override
                public void handleDelivery(
                        String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                    arrived.add(new Load.Taken(0, Load.Place.NONE, body, envelope.getDeliveryTag()));
                }
            });
        }

        @Override
        public List<Load.Taken> receive(int max, Duration wait) throws InterruptedException {
            List<Load.Taken> taken = new ArrayList<>();
            Load.Taken first = arrived.poll(wait.toNanos(), TimeUnit.NANOSECONDS);
            if (first != null) {
                taken.add(first);
                arrived.drainTo(taken, max - 1);
            } else if (!channel.isOpen()) {
                throw new IllegalStateException("the channel is closed");
            }
            return taken;
        }

        @Override
        public CompletableFuture<Void> acknowledge(List<Load.Taken> taken) {
            try {
                for (Load.Taken each : taken) {
                    channel.basicAck((Long) each.handle(), false);
                }
                return CompletableFuture.completedFuture(null);
            } catch (IOException | RuntimeException e) {
                return CompletableFuture.failedFuture(e);
            }
        }

        @Override
        public void giveBack(List<Load.Taken> taken) {
            try {
                for (Load.Taken each : taken) {
                    channel.basicReject((Long) each.handle(), true);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public boolean settles() {
            return false;
        }

        @Override
        public void close() {
            try {
                channel.abort();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
