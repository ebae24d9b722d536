package dev.postroad.transports.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.conformance.Conformance;
import dev.postroad.conformance.ConformanceReport;
import dev.postroad.conformance.TransportPage;
import dev.postroad.examples.orders.Books;
import dev.postroad.examples.orders.OrderFlow;
import dev.postroad.testkit.Await;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is to be shown on a real Kafka, started once. */
class KafkaIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Path PAGE = Path.of("../../docs/transports.md");

    @TempDir
    static Path folder;

    private static KafkaServer kafka;

    @BeforeAll
    static void start() {
        kafka = KafkaServer.start(folder.resolve("kafka"));
    }

    @AfterAll
    static void stop() {
        kafka.close();
    }

    /** A group notices sooner than by default who came and went. */
    private static String url() {
        return kafka.url() + "?kafka.heartbeat.interval.ms=300";
    }

    @Test
    void theTransportPassesTheKitAndThePageTellsWhatItFound() {
        ConformanceReport report =
                Conformance.run(() -> Postroad.connect(url()), Conformance.Options.DEFAULT.withReopen(old -> {
                    old.close();
                    return Postroad.connect(url());
                }));
        assertThat(report.passed()).as(report.table()).isTrue();
        try (Postroad postroad = Postroad.connect(url())) {
            TransportPage.hold(PAGE, "Apache Kafka", postroad.transport(), report);
        }
    }

    @Test
    void theExampleRunsUnchanged() throws Exception {
        OrderFlow.Plan plan = new OrderFlow.Plan(60, Duration.ofSeconds(1), 7, 0.2, "example-");
        try (Postroad postroad = Postroad.connect(url());
                OrderFlow flow = new OrderFlow(postroad, plan)) {
            flow.start();
            assertThat(flow.awaitPlaced(PATIENCE)).isTrue();
            assertThat(flow.awaitQuiet(PATIENCE)).isTrue();
            flow.mendAndRedrive();
            assertThat(flow.awaitProcessed(PATIENCE)).isTrue();
            Books books = flow.books();
            assertThat(books.placed()).as(books.toString()).isEqualTo(60);
            assertThat(books.lost()).as(books.toString()).isZero();
            assertThat(books.subscribers())
                    .as(books.toString())
                    .allSatisfy(each -> assertThat(each.missed()).isZero());
        }
    }

    @Test
    void aTopicThatExistsOtherwiseIsToldWithWhatToDo() throws Exception {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", "127.0.0.1:" + kafka.port()));
                Postroad postroad = Postroad.connect(url())) {
            admin.createTopics(List.of(new NewTopic("taken", 3, (short) 1)))
                    .all()
                    .get();
            MessagingException e =
                    catchThrowableOfType(MessagingException.class, () -> postroad.declare(Channel.command("taken")));
            assertThat(e.reason()).isEqualTo(Reason.CHANNEL_MISMATCH);
            assertThat(e).hasMessageContaining("3 partitions").hasMessageContaining("queue-partitions");
            assertThat(postroad.find("taken")).isEmpty();
        }
    }

    @Test
    void aTopicThatOthersDeletedIsMissed() throws Exception {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", "127.0.0.1:" + kafka.port()));
                Postroad postroad = Postroad.connect(url() + "&timeout=3&kafka.delivery.timeout.ms=5000")) {
            postroad.declare(Channel.command("deleted").withDeadLetter(null));
            admin.deleteTopics(List.of("deleted")).all().get();
            MessageProducer<String, String> producer = postroad.producer(Format.strings());
            MessagingException e =
                    catchThrowableOfType(MessagingException.class, () -> producer.send("deleted", Message.of("a")));
            assertThat(e.reason()).isIn(Reason.NOT_FOUND, Reason.UNREACHABLE);
            assertThat(e).hasMessageContaining("deleted");
        }
    }

    @Test
    void manyKeysOfOnePartitionAreHandledSideBySideAndEachKeepsItsOrder() {
        int keys = 50;
        int each = 6;
        Map<String, List<Integer>> handled = new ConcurrentHashMap<>();
        Set<String> atOnce = ConcurrentHashMap.newKeySet();
        java.util.concurrent.atomic.AtomicInteger most = new java.util.concurrent.atomic.AtomicInteger();
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(Channel.event("side-by-side").withPartitions(1));
            MessageProducer<String, String> producer = postroad.producer(Format.strings());
            for (int i = 0; i < keys * each; i++) {
                producer.sendAsync("side-by-side", Message.of("k" + i % keys, String.valueOf(i)));
            }
            java.util.concurrent.CountDownLatch together = new java.util.concurrent.CountDownLatch(20);
            postroad.listen(
                    "side-by-side",
                    Format.strings(),
                    ConsumerOptions.DEFAULT.withGroup("g").withConcurrency(keys),
                    delivery -> {
                        String key = delivery.message().key();
                        assertThat(atOnce.add(key)).isTrue();
                        most.accumulateAndGet(atOnce.size(), Math::max);
                        together.countDown();
                        // Twenty keys of the one partition must be at work before any of them goes on.
                        assertThat(together.await(30, java.util.concurrent.TimeUnit.SECONDS))
                                .isTrue();
                        handled.computeIfAbsent(key, any -> new java.util.concurrent.CopyOnWriteArrayList<>())
                                .add(Integer.valueOf(delivery.message().value()));
                        atOnce.remove(key);
                    });
            Await.until(
                    "that all are handled",
                    Duration.ofSeconds(60),
                    () -> handled.values().stream().mapToInt(List::size).sum() == keys * each);
        }
        assertThat(most.get()).isGreaterThanOrEqualTo(20);
        assertThat(handled.values()).allSatisfy(values -> assertThat(values).isSorted());
    }

    @Test
    void nothingConfirmedIsLostWhenTheBrokerIsKilledUnderLoadAndConsumersGoOnByThemselves() {
        Set<String> confirmed = ConcurrentHashMap.newKeySet();
        Set<String> handled = ConcurrentHashMap.newKeySet();
        AtomicBoolean sending = new AtomicBoolean(true);
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(Channel.command("load"));
            postroad.listen(
                    "load",
                    Format.strings(),
                    ConsumerOptions.DEFAULT.withConcurrency(4),
                    delivery -> handled.add(delivery.message().value()));
            Thread producer = Thread.ofVirtual().start(() -> produce(postroad, confirmed, sending));
            Await.until("that messages flow", Duration.ofSeconds(60), () -> confirmed.size() > 200);
            kafka.killAndRestart();
            int before = confirmed.size();
            Await.until("that messages flow again", Duration.ofSeconds(90), () -> confirmed.size() > before + 200);
            sending.set(false);
            Await.until("that the producer ends", Duration.ofSeconds(60), () -> !producer.isAlive());
            Await.until(
                    "that all confirmed messages were handled",
                    Duration.ofSeconds(90),
                    () -> handled.containsAll(confirmed));
        }
    }

    /** Sends without a pause; what fails is told, and the next is tried. */
    private static void produce(Postroad postroad, Set<String> confirmed, AtomicBoolean sending) {
        MessageProducer<String, String> producer = postroad.producer(Format.strings());
        for (int i = 0; sending.get(); i++) {
            String value = "m" + i;
            try {
                producer.send("load", Message.of(value));
                confirmed.add(value);
            } catch (MessagingException e) {
                LockSupport.parkNanos(10_000_000);
            }
        }
    }
}
