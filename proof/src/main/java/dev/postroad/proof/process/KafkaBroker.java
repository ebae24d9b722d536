package dev.postroad.proof.process;

import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.FreePort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;
import org.jspecify.annotations.Nullable;

/**
 * Apache Kafka, one node, with {@code acks=all}.
 *
 * @param tools a folder where its class path is kept once it was resolved
 * @param flushEach true to have it flush each message
 */
record KafkaBroker(Path tools, boolean flushEach) implements Broker {
    private static final Duration START = Duration.ofSeconds(120);
    private static final String PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath";
    private static final String CLUSTER = "cG9zdHJvYWRwcm9vZmJvbw";

    @Override
    public String name() {
        return flushEach ? "Kafka, acks=all, flush.messages=1" : "Kafka, acks=all";
    }

    @Override
    public @Nullable String missing() {
        if (!Machine.has("mvn")) {
            return "there is no mvn to fetch Kafka with";
        }
        try {
            classPath();
            return null;
        } catch (IOException e) {
            return "Kafka could not be fetched: " + e.getMessage();
        }
    }

    /** Kafka's own, resolved by Maven: the project's class path does not carry a broker that nobody embeds. */
    private String classPath() throws IOException {
        Path resolved = tools.resolve("kafka.classpath");
        if (!Files.exists(resolved)) {
            Path project = Files.createDirectories(tools.resolve("kafka"));
            String version = AppInfoParser.getVersion();
            Files.writeString(project.resolve("pom.xml"), """
                    <project xmlns="http://maven.apache.org/POM/4.0.0">
                      <modelVersion>4.0.0</modelVersion>
                      <groupId>dev.postroad</groupId><artifactId>kafka</artifactId><version>1</version>
                      <dependencies>
                        <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>%1$s</version></dependency>
                        <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>%1$s</version></dependency>
                      </dependencies>
                    </project>
                    """.formatted(version));
            Machine.must(
                    "mvn",
                    "-B",
                    "-q",
                    "--no-transfer-progress",
                    "-f",
                    project.resolve("pom.xml").toString(),
                    PLUGIN,
                    "-Dmdep.outputFile=" + resolved);
        }
        return Files.readString(resolved).strip();
    }

    @Override
    public Running start(Path data) {
        int port = FreePort.find();
        int controller = FreePort.find();
        try {
            Files.createDirectories(data);
            Path file = data.resolve("server.properties");
            String one = String.join(
                    "=1\n",
                    "offsets.topic.replication.factor",
                    "offsets.topic.num.partitions",
                    "transaction.state.log.replication.factor",
                    "transaction.state.log.num.partitions",
                    "transaction.state.log.min.isr",
                    "share.coordinator.state.topic.replication.factor",
                    "share.coordinator.state.topic.min.isr",
                    "node.id",
                    "");
            Files.writeString(
                    file,
                    one + "process.roles=broker,controller\ncontroller.quorum.voters=1@127.0.0.1:" + controller
                            + "\nlisteners=PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controller
                            + "\nadvertised.listeners=PLAINTEXT://127.0.0.1:" + port
                            + "\ncontroller.listener.names=CONTROLLER\nlog.dirs=" + data.resolve("log")
                            + "\ngroup.initial.rebalance.delay.ms=0\n"
                            + (flushEach ? "log.flush.interval.messages=1\n" : ""));
            if (!Files.exists(data.resolve("log"))) {
                try (ChildProcess format =
                        java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", file.toString())) {
                    if (format.awaitExit(START) != 0) {
                        throw new AssertionError("Kafka's folder could not be made: " + format.tail());
                    }
                }
            }
            ChildProcess process = java("kafka.Kafka", file.toString());
            boolean ready = false;
            try {
                awaitReady(process, port);
                ready = true;
                return new PeerProcess(process, lane -> new Client(port, lane.channel()));
            } finally {
                if (!ready) {
                    process.close();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ChildProcess java(String main, String... arguments) throws IOException {
        return ChildProcess.java(main, arguments)
                .jvm("-Xms256m", "-Xmx512m")
                .classPath(classPath())
                .start();
    }

    private static void awaitReady(ChildProcess process, int port) {
        try (Admin admin = Admin.create(Map.<String, Object>of(
                "bootstrap.servers",
                "127.0.0.1:" + port,
                "default.api.timeout.ms",
                2_000,
                "request.timeout.ms",
                1_000))) {
            Await.until("Kafka accepts on port " + port, START, () -> {
                if (!process.isAlive()) {
                    throw new AssertionError("Kafka ended: " + process.tail());
                }
                try {
                    return !admin.describeCluster().nodes().get().isEmpty();
                } catch (ExecutionException e) {
                    return false;
                }
            });
        }
    }

    private static final class Client implements Load {
        private final String address;
        private final String topic;
        private final KafkaProducer<byte[], byte[]> producer;

        Client(int port, String topic) {
            this.address = "127.0.0.1:" + port;
            this.topic = topic;
            this.producer = new KafkaProducer<>(
                    Map.of(
                            "bootstrap.servers",
                            address,
                            "acks",
                            "all",
                            "delivery.timeout.ms",
                            10_000,
                            "request.timeout.ms",
                            5_000,
                            "max.block.ms",
                            5_000),
                    new ByteArraySerializer(),
                    new ByteArraySerializer());
        }

        @Override
        public void declare() {
            try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address))) {
                admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1)))
                        .all()
                        .get();
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw new IllegalStateException(e);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }

        @Override
        public CompletableFuture<Place> send(Sending message) {
            CompletableFuture<Place> outcome = new CompletableFuture<>();
            producer.send(
                    new ProducerRecord<>(
                            topic, ("k" + message.key()).getBytes(StandardCharsets.US_ASCII), message.payload()),
                    (place, failure) -> {
                        if (failure == null) {
                            outcome.complete(Place.NONE);
                        } else {
                            outcome.completeExceptionally(failure);
                        }
                    });
            return outcome;
        }

        @Override
        public boolean batches() {
            return false;
        }

        @Override
        public CompletableFuture<Void> sendBatch(List<Sending> messages) {
            throw new UnsupportedOperationException("only transactions are atomic, which are not tried here");
        }

        @Override
        public Receiver receiver() {
            KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                    Map.of("bootstrap.servers", address, "enable.auto.commit", "false"),
                    new ByteArrayDeserializer(),
                    new ByteArrayDeserializer());
            List<TopicPartition> all = List.of(new TopicPartition(topic, 0));
            consumer.assign(all);
            consumer.seekToBeginning(all);
            return new Reading(consumer);
        }

        @Override
        public long left() {
            return -1;
        }

        @Override
        public void close() {
            producer.close(Duration.ZERO);
        }
    }

    private record Reading(KafkaConsumer<byte[], byte[]> consumer) implements Load.Receiver {
        @Override
        public List<Load.Taken> receive(int max, Duration wait) {
            List<Load.Taken> taken = new ArrayList<>();
            for (ConsumerRecord<byte[], byte[]> each : consumer.poll(wait)) {
                taken.add(new Load.Taken(0, Load.Place.NONE, each.value(), each));
            }
            return taken;
        }

        @Override
        public CompletableFuture<Void> acknowledge(List<Load.Taken> taken) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void giveBack(List<Load.Taken> taken) {
            // It is read and not consumed: it stays.
            return;
        }

        @Override
        public boolean settles() {
            return false;
        }

        @Override
        public void close() {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
        }
    }
}
