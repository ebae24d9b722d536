package dev.postroad.proof.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Subscription;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.FreePort;
import dev.postroad.testkit.Generator;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Order per key on other people's brokers, through failing messages, consumers that are cut off and a broker that is started
 * again. Where a message is given up, the later ones of its key follow it on Kafka, as they do on the engine (OrderedRetryTest in
 * patterns); over AMQP they go on. That is what these transports tell of themselves.
 */
class OrderedRetryIT {
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final int KEYS = 40;
    private static final int PER_KEY = 10;
    private static final int ALL = KEYS * PER_KEY;
    private static final int CHURNS = 4;
    private static final int POISON = 4;

    /** Attempts enough that nobody dies of consumers that were cut off. */
    private static final Channel ORDERS = Channel.command("orders")
            .withOrderedByKey(true)
            .withRetry(new RetryPolicy(20, Duration.ofMillis(1), Duration.ofMillis(10), 2.0, RetryPolicy.FULL_JITTER));

    @TempDir
    Path folder;

    private final Generator random = Generator.announced("ordered retry on brokers");
    private final Set<String> all = new HashSet<>();
    private final Set<String> failsFirst = new HashSet<>();
    private final Set<String> poison = new HashSet<>();
    private final Set<String> handled = ConcurrentHashMap.newKeySet();
    private final Map<String, Integer> last = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<String> violations = new ConcurrentLinkedQueue<>();
    private volatile boolean mended;

    /** Later messages of a key follow one that was given up. */
    private boolean follows;

    @ParameterizedTest
    @EnumSource
    void keysKeepTheirOrderThroughFailuresChurnAndARestartAndWhatDiedComesBack(BrokerKind kind) throws Exception {
        int port = FreePort.find();
        BrokerKind.Running running = kind.start(folder, port);
        follows = kind == BrokerKind.KAFKA;
        String url = kind == BrokerKind.KAFKA
                ? running.url() + "?queue-partitions=3&kafka.heartbeat.interval.ms=300"
                : running.url();
        try (Postroad postroad = Postroad.connect(url)) {
            postroad.declare(ORDERS);
            send(postroad);
            List<Subscription> consumers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                consumers.add(listen(postroad));
            }
            for (int churn = 1; churn <= CHURNS; churn++) {
                int until = churn * ALL / (CHURNS + 2);
                Await.until("that some more are handled", PATIENCE, () -> handled.size() >= until);
                if (churn == CHURNS / 2) {
                    running.stop().run();
                    running.end();
                    running = kind.start(folder, port);
                    Await.until("that the broker is found again", PATIENCE, () -> answers(postroad));
                } else {
                    consumers.remove(random.between(0, 2)).close(Duration.ofNanos(1));
                    consumers.add(listen(postroad));
                }
            }
            Set<String> healthy = new HashSet<>(all);
            healthy.removeIf(value -> poison.contains(value) || follows && isBehindPoison(value));
            Await.until("that all but the poison is handled", PATIENCE, () -> handled.containsAll(healthy));
            assertThat(handled).containsExactlyInAnyOrderElementsOf(healthy);

            mended = true;
            Await.until("that what died is handled", PATIENCE, () -> {
                redrive(postroad);
                return handled.containsAll(all);
            });
            consumers.forEach(Subscription::close);
        } finally {
            running.process().close();
        }
        assertThat(violations).isEmpty();
    }

    private static boolean answers(Postroad postroad) {
        try {
            return !postroad.administration().channels().isEmpty();
        } catch (MessagingException e) {
            return false;
        }
    }

    private void send(Postroad postroad) {
        try (MessageProducer<String, String> producer = postroad.producer(Format.strings())) {
            for (int number = 0; number < PER_KEY; number++) {
                for (int key = 0; key < KEYS; key++) {
                    String value = key + "/" + number;
                    all.add(value);
                    if (random.chance(5, 100)) {
                        failsFirst.add(value);
                    }
                    producer.sendAsync("orders", Message.of("k" + key, value));
                }
            }
        }
        while (poison.size() < POISON) {
            poison.add(random.between(0, KEYS - 1) + "/" + random.between(0, PER_KEY - 1));
        }
    }

    private Subscription listen(Postroad on) {
        return on.listen("orders", Format.strings(), ConsumerOptions.DEFAULT.withConcurrency(4), this::handle);
    }

    private void handle(Delivery<String, String> delivery) throws IOException {
        String key = String.valueOf(delivery.message().key());
        String value = String.valueOf(delivery.message().value());
        if (!mended && (poison.contains(value) || failsFirst.contains(value) && delivery.attempt() == 1)) {
            throw new IOException("not now");
        }
        int number = Integer.parseInt(value.substring(value.indexOf('/') + 1));
        boolean[] ended = new boolean[1];
        last.compute(key, (k, before) -> {
            // A consumer that was cut off is interrupted before its messages go to another.
            ended[0] = Thread.currentThread().isInterrupted();
            int at = before == null ? -1 : before;
            if (ended[0] || handled.contains(value) || !follows && poison.contains(value)) {
                return before;
            }
            int next = at + 1;
            while (!follows && poison.contains(value.substring(0, value.indexOf('/') + 1) + next)) {
                next++;
            }
            if (number != next) {
                violations.add(key + " was at " + at + " as " + number + " came");
            }
            return number;
        });
        if (ended[0]) {
            throw new IOException("the consumer was cut off");
        }
        handled.add(value);
    }

    private boolean isBehindPoison(String value) {
        int slash = value.indexOf('/') + 1;
        return IntStream.range(0, Integer.parseInt(value.substring(slash)))
                .anyMatch(number -> poison.contains(value.substring(0, slash) + number));
    }

    private static void redrive(Postroad postroad) {
        try {
            postroad.administration().redrive("orders.dead", null, Long.MAX_VALUE);
        } catch (MessagingException e) {
            assertThat(e.reason().repeatable()).as(e.toString()).isTrue();
        }
    }
}
