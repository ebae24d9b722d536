package dev.postroad.interop;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.MessageProperties;
import com.rabbitmq.client.Recoverable;
import com.rabbitmq.client.RecoveryListener;
import com.rabbitmq.client.ShutdownSignalException;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.FreePort;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL under load, by RabbitMQ's Java client. Publishers recover by themselves, as the client does by default; what a
 * confirm was seen for must come. The consumer acknowledges in transactions, whose commit is answered: what was answered must
 * not come again. It connects anew by hand, since a client that recovers drops acknowledgements of an earlier connection
 * without a word, and would count them as done.
 */
class KilledServerIT {
    private static final String QUEUE = "killed";
    private static final String NOTHING_LEFT = "0 confirmed but not acknowledged, 0 in the queue";
    private static final int KILLS = 3;
    private static final int PUBLISHERS = 2;
    private static final int WINDOW = 50;
    private static final int MESSAGES_BETWEEN_KILLS = 1_000;

    @TempDir
    Path folder;

    private final Set<String> confirmed = ConcurrentHashMap.newKeySet();
    private final Set<String> delivered = ConcurrentHashMap.newKeySet();
    private final Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    private final Set<String> doubtful = ConcurrentHashMap.newKeySet();
    private final Set<String> again = ConcurrentHashMap.newKeySet();
    private final AtomicInteger failures = new AtomicInteger();
    private volatile boolean publishing = true;
    private volatile boolean consuming = true;

    @Test
    void nothingConfirmedIsMissingAndNothingComesAgainAfterItsAcknowledgementWasAnswered() throws Exception {
        int port = FreePort.find();
        Server server = Server.postroad(folder, List.of(), port);
        try {
            ConnectionFactory factory = server.factory();
            factory.setNetworkRecoveryInterval(100);
            try (Connection connection = factory.newConnection()) {
                connection.createChannel().queueDeclare(QUEUE, true, false, false, null);
            }
            List<Thread> publishers = new ArrayList<>();
            for (int i = 0; i < PUBLISHERS; i++) {
                String prefix = i + "-";
                publishers.add(Thread.ofPlatform().start(() -> publish(factory, prefix)));
            }
            Thread consumer = Thread.ofPlatform().start(() -> consume(factory));
            for (int kill = 0; kill < KILLS; kill++) {
                int enough = confirmed.size() + MESSAGES_BETWEEN_KILLS;
                Await.until("confirms go on", Duration.ofSeconds(60), () -> confirmed.size() >= enough);
                server.kill();
                server = Server.postroad(folder, List.of(), port);
            }
            int enough = confirmed.size() + MESSAGES_BETWEEN_KILLS;
            Await.until("confirms go on", Duration.ofSeconds(60), () -> confirmed.size() >= enough);
            publishing = false;
            for (Thread publisher : publishers) {
                publisher.join(30_000);
                assertThat(publisher.isAlive()).isFalse();
            }
            publishLast(factory);
            Await.value(
                    "all that was confirmed is acknowledged, and the queue empty",
                    Duration.ofSeconds(60),
                    () -> state(depth(factory)),
                    NOTHING_LEFT::equals);
            consuming = false;
            consumer.join(30_000);
            assertThat(consumer.isAlive()).isFalse();
        } finally {
            publishing = false;
            consuming = false;
            server.close();
        }
        System.out.printf(
                "%,d confirmed, %,d delivered, %,d acknowledged, %d operations cut off in %d kills%n",
                confirmed.size(), delivered.size(), acknowledged.size(), failures.get(), KILLS);

        assertThat(delivered).as("what was delivered holds what was confirmed").containsAll(confirmed);
        assertThat(again).as("delivered after its acknowledgement was answered").isEmpty();
        assertThat(failures).as("operations that the kills cut off").hasPositiveValue();
    }

    private String state(long depth) {
        long missing = confirmed.stream()
                .filter(id -> !acknowledged.contains(id) && !doubtful.contains(id))
                .count();
        return missing + " confirmed but not acknowledged, " + depth + " in the queue";
    }

    /** One more: the consumer, which now acknowledges each, thereby acknowledges what it has before. */
    private void publishLast(ConnectionFactory factory) throws IOException, TimeoutException, InterruptedException {
        try (Connection connection = factory.newConnection()) {
            Channel channel = connection.createChannel();
            channel.confirmSelect();
            channel.basicPublish(
                    "", QUEUE, MessageProperties.PERSISTENT_BASIC, "last".getBytes(StandardCharsets.UTF_8));
            assertThat(channel.waitForConfirms(10_000)).isTrue();
            confirmed.add("last");
        }
    }

    private static long depth(ConnectionFactory factory) throws IOException, TimeoutException {
        try (Connection connection = factory.newConnection()) {
            return connection.createChannel().messageCount(QUEUE);
        }
    }

    private void publish(ConnectionFactory factory, String prefix) {
        try (Connection connection = factory.newConnection()) {
            Channel channel = connection.createChannel();
            channel.confirmSelect();
            AtomicInteger recoveries = new AtomicInteger();
            ((Recoverable) connection).addRecoveryListener(new Recoveries(recoveries));
            for (int next = 0; publishing; next += WINDOW) {
                List<String> window = new ArrayList<>();
                int before = recoveries.get();
                try {
                    for (int i = 0; i < WINDOW; i++) {
                        String id = prefix + (next + i);
                        channel.basicPublish(
                                "", QUEUE, MessageProperties.PERSISTENT_BASIC, id.getBytes(StandardCharsets.UTF_8));
                        window.add(id);
                    }
                    // A channel that has recovered meanwhile waits for nothing, and knows nothing of these.
                    if (channel.waitForConfirms(10_000) && recoveries.get() == before) {
                        confirmed.addAll(window);
                    }
                } catch (AlreadyClosedException e) {
                    failures.incrementAndGet();
                    Await.until("the client has recovered", Duration.ofSeconds(60), channel::isOpen);
                } catch (ShutdownSignalException e) {
                    // What of the window is stored nobody knows: it may come or not.
                    failures.incrementAndGet();
                }
            }
        } catch (Exception e) {
            throw new IllegalStateException("a publisher ended: " + e, e);
        }
    }

    private record Recoveries(AtomicInteger count) implements RecoveryListener {
        @Override
        public void handleRecoveryStarted(Recoverable recoverable) {
            count.incrementAndGet();
        }

        @Override
        public void handleRecovery(Recoverable recoverable) {
            count.incrementAndGet();
        }
    }

    private void consume(ConnectionFactory recovering) {
        ConnectionFactory factory = recovering.clone();
        factory.setAutomaticRecoveryEnabled(false);
        while (consuming) {
            try (Connection connection = factory.newConnection()) {
                Channel channel = connection.createChannel();
                channel.basicQos(200);
                channel.txSelect();
                Taking taking = new Taking(channel);
                String tag = channel.basicConsume(QUEUE, false, taking);
                Await.until("the connection ends", Duration.ofMinutes(5), () -> !consuming || !channel.isOpen());
                if (channel.isOpen()) {
                    channel.basicCancel(tag);
                }
            } catch (IOException | TimeoutException | ShutdownSignalException e) {
                failures.incrementAndGet();
                // The server is away: again, but not so often that it would not get a processor to start on.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
        }
    }

    /** Acknowledges by twenty, and what is left over when the queue is as good as empty. */
    private final class Taking extends DefaultConsumer {
        private final List<String> taken = new ArrayList<>();

        Taking(Channel channel) {
            super(channel);
        }

        @Override
        public void handleDelivery(
                String tag, Envelope envelope, com.rabbitmq.client.AMQP.BasicProperties properties, byte[] body)
                throws IOException {
            String id = new String(body, StandardCharsets.UTF_8);
            delivered.add(id);
            if (acknowledged.contains(id)) {
                again.add(id);
            }
            taken.add(id);
            if (taken.size() >= 20 || !publishing) {
                try {
                    getChannel().basicAck(envelope.getDeliveryTag(), true);
                    getChannel().txCommit();
                    acknowledged.addAll(taken);
                } catch (ShutdownSignalException e) {
                    // The commit may have reached the disk, and only its answer got lost: they come again or not.
                    doubtful.addAll(taken);
                    failures.incrementAndGet();
                }
                taken.clear();
            }
        }
    }
}
