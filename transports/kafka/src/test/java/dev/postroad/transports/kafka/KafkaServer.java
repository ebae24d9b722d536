package dev.postroad.transports.kafka;

import dev.postroad.testkit.Await;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.FreePort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Apache Kafka, one node, as a process of its own on the loopback address, with all its files in one folder. Its class path is
 * resolved by Maven once and kept below {@code target}: the project's own does not carry a broker that nobody embeds.
 */
final class KafkaServer implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(300);
    private static final Duration DYING = Duration.ofSeconds(20);
    private static final String PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath";
    private static final String CLUSTER = "cG9zdHJvYWRrYWZrYXRlcw";

    private final Path folder;
    private final int port;
    private ChildProcess process;

    private KafkaServer(Path folder) throws IOException {
        this.folder = folder;
        this.port = FreePort.find();
        int controller = FreePort.find();
        Files.createDirectories(folder);
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
                folder.resolve("server.properties"),
                one + "process.roles=broker,controller\ncontroller.quorum.voters=1@127.0.0.1:" + controller
                        + "\nlisteners=PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controller
                        + "\nadvertised.listeners=PLAINTEXT://127.0.0.1:" + port
                        + "\ncontroller.listener.names=CONTROLLER\nlog.dirs=" + folder.resolve("log")
                        + "\ngroup.initial.rebalance.delay.ms=0\nauto.create.topics.enable=false\n"
                        + "group.min.session.timeout.ms=1000\nlog.cleaner.enable=false\n");
        try (ChildProcess format = java(
                "kafka.tools.StorageTool",
                "format",
                "-t",
                CLUSTER,
                "-c",
                folder.resolve("server.properties").toString())) {
            if (format.awaitExit(START) != 0) {
                throw new AssertionError("Kafka's folder could not be made: " + format.tail());
            }
        }
        process = run();
    }

    /** Starts one, and returns when it answers. */
    static KafkaServer start(Path folder) {
        try {
            return new KafkaServer(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private ChildProcess run() throws IOException {
        ChildProcess started =
                java("kafka.Kafka", folder.resolve("server.properties").toString());
        boolean ready = false;
        try {
            awaitReady(started);
            ready = true;
            return started;
        } finally {
            if (!ready) {
                started.close();
            }
        }
    }

    /** SIGKILL, and a new start on the same port with the same files. */
    void killAndRestart() {
        process.kill();
        process.awaitExit(DYING);
        process.close();
        try {
            process = run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String url() {
        return "kafka://127.0.0.1:" + port;
    }

    int port() {
        return port;
    }

    @Override
    public void close() {
        process.kill();
        process.close();
    }

    private static ChildProcess java(String main, String... arguments) throws IOException {
        return ChildProcess.java(main, arguments)
                .jvm("-Xms256m", "-Xmx512m")
                .classPath(classPath())
                .start();
    }

    private static String classPath() throws IOException {
        Path tools = Path.of("target", "kafka").toAbsolutePath();
        Path resolved = tools.resolve("classpath");
        if (!Files.exists(resolved)) {
            Files.createDirectories(tools);
            Files.writeString(tools.resolve("pom.xml"), """
                    <project xmlns="http://maven.apache.org/POM/4.0.0">
                      <modelVersion>4.0.0</modelVersion>
                      <groupId>dev.postroad</groupId><artifactId>kafka</artifactId><version>1</version>
                      <dependencies>
                        <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>%1$s</version></dependency>
                        <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>%1$s</version></dependency>
                      </dependencies>
                    </project>
                    """.formatted(AppInfoParser.getVersion()));
            try (ChildProcess maven = ChildProcess.command(
                            "mvn",
                            "-B",
                            "-q",
                            "--no-transfer-progress",
                            "-f",
                            tools.resolve("pom.xml").toString(),
                            PLUGIN,
                            "-Dmdep.outputFile=" + resolved)
                    .start()) {
                if (maven.awaitExit(START) != 0) {
                    throw new AssertionError("Kafka could not be fetched: " + maven.tail());
                }
            }
        }
        return Files.readString(resolved).strip();
    }

    private void awaitReady(ChildProcess started) {
        try (Admin admin = Admin.create(Map.<String, Object>of(
                "bootstrap.servers",
                "127.0.0.1:" + port,
                "default.api.timeout.ms",
                2_000,
                "request.timeout.ms",
                1_000))) {
            Await.until("Kafka answers on port " + port, START, () -> {
                if (!started.isAlive()) {
                    throw new AssertionError("Kafka ended: " + started.tail());
                }
                try {
                    return !admin.describeCluster().nodes().get().isEmpty();
                } catch (ExecutionException e) {
                    return false;
                }
            });
        }
    }
}
