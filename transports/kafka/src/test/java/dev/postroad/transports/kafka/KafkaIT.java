package dev.postroad.transports.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.Subscription;
import dev.postroad.conformance.Conformance;
import dev.postroad.conformance.ConformanceReport;
import dev.postroad.conformance.TransportPage;
import dev.postroad.conformance.patterns.PatternChecks;
import dev.postroad.examples.orders.Books;
import dev.postroad.examples.orders.OrderFlow;
import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.FreePort;
import dev.postroad.testkit.KafkaServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is to be shown on a real Kafka, started once. */
class KafkaIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final Path PAGE = Path.of("../../docs/transports.md");
    private static final Path TOOLS = Path.of("target");

    /** Many short-lived groups and topics: sessions may be short, and nothing is worth cleaning. */
    private static final Map<String, String> SETTINGS =
            Map.of("group.min.session.timeout.ms", "1000", "log.cleaner.enable", "false");

    @TempDir
    static Path folder;

    private static KafkaServer kafka;

    @BeforeAll
    static void start() {
        kafka = launch(FreePort.find());
    }

    private static KafkaServer launch(int port) {
        return KafkaServer.startWithLogins(
                port, folder.resolve("kafka"), TOOLS, SETTINGS, Map.of("reader", "a password", "clerk", "secret"));
    }

    @AfterAll
    static void stop() {
        kafka.close();
    }

    /** A group notices sooner than by default who came and went. */
    private static String url() {
        return "kafka://" + kafka.servers() + "?kafka.heartbeat.interval.ms=300";
    }

    @Test
    void theTransportPassesTheKitAndThePageTellsWhatItFound() {
        ConformanceReport report = Conformance.run(
                () -> Postroad.connect(url()),
                Conformance.Options.DEFAULT
                        .withMore(PatternChecks.all())
                        .withAtOnce(3)
                        .withReopen(old -> {
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
            assertThat(flow.runThrough(PATIENCE)).get().matches(Books::balance);
        }
    }

    @Test
    void aTopicThatExistsOtherwiseIsToldWithWhatToDo() throws Exception {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.servers()));
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

    private static MessagingException refused(String url) {
        return catchThrowableOfType(
                MessagingException.class, () -> Postroad.connect(url).close());
    }

    @Test
    void aWrongPasswordIsToldWithoutRepeatingIt() {
        MessagingException e = refused("kafka://reader:secret@127.0.0.1:" + kafka.loginPort());
        assertThat(e.reason()).isEqualTo(Reason.DENIED);
        assertThat(e).hasMessageContaining("USER:PASSWORD").hasMessageContaining("127.0.0.1:" + kafka.loginPort());
        assertThat(e.getMessage()).doesNotContain("secret");
    }

    @Test
    void aUserWhomNoRuleAllowsAnythingIsDenied() {
        MessagingException e = refused("kafka://reader:a%20password@127.0.0.1:" + kafka.loginPort());
        assertThat(e.reason()).isEqualTo(Reason.DENIED);
        assertThat(e).hasMessageContaining("ACL");
    }

    /** The clerk may all that Postroad itself needs, and one channel. */
    @Test
    void aChannelThatNoRuleAllowsIsDeniedByName() throws Exception {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.servers()))) {
            admin.createAcls(List.of(
                            allowed(ResourceType.CLUSTER, "kafka-cluster", PatternType.LITERAL),
                            allowed(ResourceType.GROUP, "*", PatternType.LITERAL),
                            allowed(ResourceType.TOPIC, "postroad-", PatternType.PREFIXED),
                            allowed(ResourceType.TOPIC, "allowed", PatternType.LITERAL)))
                    .all()
                    .get();
        }
        try (Postroad owner = Postroad.connect(url());
                Postroad clerk = Postroad.connect("kafka://clerk:secret@127.0.0.1:" + kafka.loginPort())) {
            owner.declare(Channel.command("forbidden").withDeadLetter(null));
            clerk.declare(Channel.command("allowed").withDeadLetter(null));
            MessageProducer<String, String> producer = clerk.producer(Format.strings());
            producer.send("allowed", Message.of("a"));
            MessagingException e =
                    catchThrowableOfType(MessagingException.class, () -> producer.send("forbidden", Message.of("a")));
            assertThat(e.reason()).isEqualTo(Reason.DENIED);
            assertThat(e).hasMessageContaining("forbidden").hasMessageContaining("ACL");
        }
    }

    private static AclBinding allowed(ResourceType type, String name, PatternType pattern) {
        return new AclBinding(
                new ResourcePattern(type, name, pattern),
                new AccessControlEntry("User:clerk", "*", AclOperation.ALL, AclPermissionType.ALLOW));
    }

    @Test
    void whereNothingListensIsToldWithWhatToLookAt() throws Exception {
        MessagingException e = refused("kafka://127.0.0.1:" + FreePort.find() + "?timeout=1");
        assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE);
        assertThat(e).hasMessageContaining("running").hasMessageContaining("host and port");
    }

    @Test
    void whatTheTopicFindsTooLargeIsToldWithTheSetting() throws Exception {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.servers()));
                Postroad postroad = Postroad.connect(url())) {
            postroad.declare(Channel.command("small").withDeadLetter(null));
            ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "small");
            admin.incrementalAlterConfigs(Map.of(
                            topic,
                            List.of(new AlterConfigOp(
                                    new ConfigEntry("max.message.bytes", "1000"), AlterConfigOp.OpType.SET))))
                    .all()
                    .get();
            MessageProducer<String, String> producer = postroad.producer(Format.strings());
            MessagingException e = catchThrowableOfType(
                    MessagingException.class, () -> producer.send("small", Message.of("x".repeat(5_000))));
            assertThat(e.reason()).isEqualTo(Reason.TOO_LARGE);
            assertThat(e).hasMessageContaining("small").hasMessageContaining("max.message.bytes");
        }
    }

    @Test
    void whatOthersSentAgainstAllRulesIsHandledAndBecomesADeadLetterByteForByte() throws Exception {
        List<ProducerRecord<byte[], byte[]>> strange = strange("strange");
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.servers()));
                KafkaProducer<byte[], byte[]> others = new KafkaProducer<>(
                        Map.<String, Object>of("bootstrap.servers", kafka.servers()),
                        new ByteArraySerializer(),
                        new ByteArraySerializer());
                Postroad postroad = Postroad.connect(url() + "&timeout=3&kafka.delivery.timeout.ms=5000")) {
            postroad.declare(Channel.command("strange").withDeadLetter("strange.dead"));
            for (ProducerRecord<byte[], byte[]> record : strange) {
                others.send(record).get();
            }
            Set<String> ids = ConcurrentHashMap.newKeySet();
            postroad.listen("strange", Format.bytes(), ConsumerOptions.DEFAULT, delivery -> {
                ids.add(String.valueOf(delivery.message().id()));
                delivery.deadLetter("too strange");
            });
            assertThat(read("strange.dead", strange.size()).stream()
                            .map(record -> bytes(record.key(), record.value(), record.headers())))
                    .containsExactlyInAnyOrderElementsOf(strange.stream()
                            .map(record -> bytes(record.key(), record.value(), record.headers()))
                            .toList());
            assertThat(ids).as("ids").hasSize(strange.size()).allMatch(id -> !id.isEmpty() && id.length() < 256);

            // A dead letter that can't be written stops nothing.
            admin.deleteTopics(List.of("strange.dead")).all().get();
            others.send(new ProducerRecord<>("strange", "one more".getBytes(UTF_8)))
                    .get();
            others.send(new ProducerRecord<>("strange", "and another".getBytes(UTF_8)))
                    .get();
            Await.until("messages behind it", PATIENCE, () -> ids.size() == strange.size() + 2);
        }
    }

    /** Records that no producer of the contract would send. */
    private static List<ProducerRecord<byte[], byte[]>> strange(String topic) {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            records.add(new ProducerRecord<>(topic, 0, null, ("strange " + i).getBytes(UTF_8)));
        }
        for (int i = 0; i < 1_500; i++) {
            records.get(0).headers().add("header-" + i, new byte[] {1});
        }
        records.get(1).headers().add("n".repeat(400), new byte[0]);
        records.get(2).headers().add("", "no name".getBytes(UTF_8)).add("nothing", null);
        records.get(3).headers().add("no text", new byte[] {(byte) 0xFF, (byte) 0xFE, 0});
        records.get(4).headers().add("twice", new byte[] {1}).add("twice", new byte[] {2});
        records.get(5).headers().add("postroad-t-id", "i".repeat(1_000).getBytes(UTF_8));
        records.get(6).headers().add("postroad-t-id", new byte[0]);
        records.get(7)
                .headers()
                .add("postroad-t-ttl", Long.toString(Long.MAX_VALUE).getBytes(UTF_8))
                .add("postroad-t-expires", "never".getBytes(UTF_8))
                .add("postroad-t-priority", "-5".getBytes(UTF_8));
        records.add(new ProducerRecord<>(topic, 0, new byte[100_000], null));
        return records;
    }

    /** All that is not Postroad's own, as it is on the wire. */
    private static List<String> bytes(byte[] key, byte[] value, Headers headers) {
        List<String> found = new ArrayList<>(List.of(Arrays.toString(key), Arrays.toString(value)));
        for (Header header : headers) {
            if (!header.key().startsWith("postroad-")) {
                found.add(header.key() + "=" + Arrays.toString(header.value()));
            }
        }
        return found;
    }

    /** The first so many records of a topic of one partition. */
    private static List<ConsumerRecord<byte[], byte[]>> read(String topic, int many) {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> reader = new KafkaConsumer<>(
                Map.<String, Object>of("bootstrap.servers", kafka.servers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            reader.assign(List.of(new TopicPartition(topic, 0)));
            reader.seekToBeginning(reader.assignment());
            Await.until(many + " records of " + topic, PATIENCE, () -> {
                reader.poll(Duration.ofMillis(100)).forEach(found::add);
                return found.size() >= many;
            });
        }
        return found;
    }

    @Test
    void aTopicThatOthersDeletedIsMissed() throws Exception {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.servers()));
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
        AtomicInteger most = new AtomicInteger();
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
                        handled.computeIfAbsent(key, any -> new CopyOnWriteArrayList<>())
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

    /** The first message of each partition is never done: all that is settled is settled out of turn. */
    @Test
    void whatAKilledConsumerHadSettledOutOfTurnDoesNotComeAgainAndAllElseDoes() throws Exception {
        int partitions = 6;
        int keys = 1_000;
        Path told = folder.resolve("told");
        Set<String> all = new HashSet<>();
        try (Postroad postroad = Postroad.connect(url())) {
            postroad.declare(Channel.event("out-of-turn").withPartitions(partitions));
            MessageProducer<String, String> producer = postroad.producer(Format.strings());
            producer.send("out-of-turn", Message.of(ConsumingProgram.STUCK, "stuck"));
            for (int i = 0; i < 3 * keys; i++) {
                String key = "k" + i % keys;
                all.add(key + "/" + i);
                producer.sendAsync("out-of-turn", Message.of(key, key + "/" + i));
            }
            producer.close();
            try (ChildProcess consumer = ChildProcess.java(
                            ConsumingProgram.class, url(), "out-of-turn", "g", told.toString())
                    .start()) {
                Await.until(
                        "that a good part is settled",
                        PATIENCE,
                        () -> told(told, ConsumingProgram.SETTLED).size() > keys);
                consumer.kill();
                consumer.awaitExit();
            }
            Set<String> settled = told(told, ConsumingProgram.SETTLED);
            Set<String> begun = told(told, ConsumingProgram.SETTLING);
            Set<String> again = ConcurrentHashMap.newKeySet();
            Map<String, List<Integer>> order = new ConcurrentHashMap<>();
            postroad.listen(
                    "out-of-turn",
                    Format.strings(),
                    ConsumerOptions.DEFAULT.withGroup("g").withConcurrency(40),
                    delivery -> {
                        String value = delivery.message().value();
                        again.add(value);
                        if (value.contains("/")) {
                            order.computeIfAbsent(delivery.message().key(), any -> new CopyOnWriteArrayList<>())
                                    .add(Integer.valueOf(value.substring(value.indexOf('/') + 1)));
                        }
                    });
            Set<String> wanted = new HashSet<>(all);
            wanted.add("stuck");
            // Whether these were settled nobody knows but the broker.
            wanted.removeAll(begun);
            Await.until("that all comes that nobody had begun", PATIENCE, () -> again.containsAll(wanted));
            assertThat(settled).isNotEmpty().doesNotContainAnyElementsOf(again);
            assertThat(begun).containsAll(settled);
            assertThat(order.values()).allSatisfy(values -> assertThat(values).isSorted());
        }
    }

    private static Set<String> told(Path file, String what) {
        try {
            return !Files.exists(file)
                    ? Set.of()
                    : Files.readAllLines(file).stream()
                            .filter(line -> line.startsWith(what))
                            .map(line -> line.substring(what.length()))
                            .collect(Collectors.toSet());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void nothingComesTwiceAndNoKeyIsOvertakenWhileMembersComeAndGo() {
        int keys = 100;
        int messages = 20 * keys;
        Map<String, List<Integer>> handled = new ConcurrentHashMap<>();
        AtomicInteger count = new AtomicInteger();
        Handler<String, String> handler = delivery -> {
            LockSupport.parkNanos(5_000_000);
            handled.computeIfAbsent(delivery.message().key(), any -> new CopyOnWriteArrayList<>())
                    .add(Integer.valueOf(delivery.message().value()));
            count.incrementAndGet();
        };
        ConsumerOptions options = ConsumerOptions.DEFAULT.withGroup("g").withConcurrency(10);
        try (Postroad first = Postroad.connect(url());
                Postroad second = Postroad.connect(url())) {
            first.declare(Channel.event("coming-and-going").withPartitions(6));
            MessageProducer<String, String> producer = first.producer(Format.strings());
            for (int i = 0; i < messages; i++) {
                producer.sendAsync("coming-and-going", Message.of("k" + i % keys, String.valueOf(i)));
            }
            producer.close();
            Subscription goes = first.listen("coming-and-going", Format.strings(), options, handler);
            Await.until("that the first is at work", PATIENCE, () -> count.get() > messages / 10);
            second.listen("coming-and-going", Format.strings(), options, handler);
            Await.until("that both are at work", PATIENCE, () -> count.get() > messages / 3);
            goes.close();
            Await.until("that the second has done the rest", PATIENCE, () -> count.get() >= messages);
        }
        assertThat(handled).hasSize(keys);
        assertThat(handled.values())
                .allSatisfy(values -> assertThat(values).doesNotHaveDuplicates().isSorted());
        assertThat(count.get()).isEqualTo(messages);
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
            kafka.kill();
            kafka = launch(kafka.port());
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
