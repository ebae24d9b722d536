package dev.postroad.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.utils.AppInfoParser;

/**
 * Apache Kafka, one node, as a process of its own on the loopback address, with all its files in one folder: what a test or a
 * benchmark talks to. Its class path is resolved by Maven once and kept: nobody's own carries a broker that nobody embeds. Who
 * uses this brings {@code kafka-clients} of the same version.
 *
 * <pre>{@code
 * try (KafkaServer kafka = KafkaServer.start(folder, Path.of("target"), Map.of())) {
 *     connect("127.0.0.1", kafka.port());
 *     kafka.kill();
 * }
 * }</pre>
 *
 * <p>Started again on the same folder it has what it had stored.
 */
public final class KafkaServer implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(300);
    private static final Duration DYING = Duration.ofSeconds(60);
    private static final String PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:build-classpath";
    private static final String CLUSTER = "cG9zdHJvYWRrYWZrYXRlcw";
    private static final String ONE = "1";

    private final ChildProcess process;
    private final int port;
    private final int loginPort;

    private KafkaServer(int port, Path folder, Path tools, Map<String, String> logins, Map<String, String> settings)
            throws IOException {
        this.port = port;
        this.loginPort = logins.isEmpty() ? 0 : FreePort.find();
        String classPath = classPath(tools);
        Files.createDirectories(folder);
        Path file = folder.resolve("server.properties");
        Map<String, String> all = defaults(folder);
        all.putAll(logins(logins));
        all.putAll(settings);
        Files.writeString(
                file,
                all.entrySet().stream()
                        .map(each -> each.getKey() + "=" + each.getValue() + "\n")
                        .collect(Collectors.joining()));
        if (!Files.exists(folder.resolve("log"))) {
            try (ChildProcess format =
                    java(classPath, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", file.toString())) {
                if (format.awaitExit(START) != 0) {
                    throw new AssertionError("Kafka's folder could not be made: " + String.join("\n", format.tail()));
                }
            }
        }
        process = java(classPath, "kafka.Kafka", file.toString());
        boolean ready = false;
        try {
            awaitReady();
            ready = true;
        } finally {
            if (!ready) {
                process.close();
            }
        }
    }

    /**
     * Starts one, and returns when it answers.
     *
     * @param folder for all its files; absolute
     * @param tools where the class path is kept once it was resolved
     * @param settings of {@code server.properties}, beside and before those that it has here
     * @throws AssertionError if it can't be fetched or does not start, with what it wrote last
     */
    public static KafkaServer start(Path folder, Path tools, Map<String, String> settings) {
        return startOn(FreePort.find(), folder, tools, settings);
    }

    /** As the other, on this port: for clients that are to find one again which was killed. */
    public static KafkaServer startOn(int port, Path folder, Path tools, Map<String, String> settings) {
        return start(port, folder, tools, Map.of(), settings);
    }

    /**
     * Starts one that also asks for logins, on a second port, by SASL PLAIN. Who logs in may do nothing until an access rule says
     * so; who comes by the first port may do everything.
     *
     * @param logins users with their passwords
     */
    public static KafkaServer startWithLogins(
            int port, Path folder, Path tools, Map<String, String> settings, Map<String, String> logins) {
        return start(port, folder, tools, logins, settings);
    }

    private static KafkaServer start(
            int port, Path folder, Path tools, Map<String, String> logins, Map<String, String> settings) {
        try {
            return new KafkaServer(port, folder, tools, logins, settings);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Map<String, String> defaults(Path folder) {
        int controller = FreePort.find();
        Map<String, String> all = new LinkedHashMap<>();
        all.put("process.roles", "broker,controller");
        all.put("node.id", ONE);
        all.put("controller.quorum.voters", "1@127.0.0.1:" + controller);
        String clients = "PLAINTEXT://127.0.0.1:" + port;
        if (loginPort > 0) {
            clients += ",SASL_PLAINTEXT://127.0.0.1:" + loginPort;
        }
        all.put("listeners", clients + ",CONTROLLER://127.0.0.1:" + controller);
        all.put("advertised.listeners", clients);
        all.put("controller.listener.names", "CONTROLLER");
        all.put("log.dirs", folder.resolve("log").toString());
        all.put("group.initial.rebalance.delay.ms", "0");
        all.put("auto.create.topics.enable", "false");
        // One node can't keep three copies.
        all.put("offsets.topic.replication.factor", ONE);
        all.put("offsets.topic.num.partitions", ONE);
        all.put("transaction.state.log.replication.factor", ONE);
        all.put("transaction.state.log.num.partitions", ONE);
        all.put("transaction.state.log.min.isr", ONE);
        all.put("share.coordinator.state.topic.replication.factor", ONE);
        all.put("share.coordinator.state.topic.min.isr", ONE);
        return all;
    }

    private static Map<String, String> logins(Map<String, String> logins) {
        if (logins.isEmpty()) {
            return Map.of();
        }
        String users = logins.entrySet().stream()
                .map(each -> " user_" + each.getKey() + "=\"" + each.getValue() + "\"")
                .collect(Collectors.joining());
        return Map.of(
                "listener.security.protocol.map",
                "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
                "sasl.enabled.mechanisms",
                "PLAIN",
                "listener.name.sasl_plaintext.plain.sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required" + users + ";",
                "authorizer.class.name",
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users",
                "User:ANONYMOUS");
    }

    /** Where it accepts, on 127.0.0.1. */
    public int port() {
        return port;
    }

    /** Where it accepts those who log in, on 127.0.0.1; 0 if nobody can. */
    public int loginPort() {
        return loginPort;
    }

    /** As {@code bootstrap.servers}: {@code 127.0.0.1:PORT}. */
    public String servers() {
        return "127.0.0.1:" + port;
    }

    /** The system's id of its process, for its memory and processor time. */
    public long pid() {
        return process.pid();
    }

    /** Its process, to be paused for example. */
    public ChildProcess process() {
        return process;
    }

    /** SIGKILL. Returns when it is gone; its files stay. */
    public void kill() {
        process.kill();
        gone();
    }

    /** SIGTERM: it ends as an operator ends it. Returns when it is gone; its files stay. */
    public void stop() {
        process.terminate();
        gone();
    }

    private void gone() {
        process.awaitExit(DYING);
        process.close();
    }

    /** As {@link #kill()}: nobody needs what it has not yet written. */
    @Override
    public void close() {
        process.kill();
        process.close();
    }

    @Override
    public String toString() {
        return "Kafka on port " + port;
    }

    private static ChildProcess java(String classPath, String main, String... arguments) {
        return ChildProcess.java(main, arguments)
                .jvm("-Xms256m", "-Xmx512m")
                .classPath(classPath)
                .start();
    }

    /**
     * Fetches what is needed to run it, unless it is there.
     *
     * @param tools where the class path is kept
     * @return the class path
     * @throws AssertionError if Maven could not
     */
    public static String classPath(Path tools) throws IOException {
        Path project = tools.resolve("kafka").toAbsolutePath();
        Path resolved = project.resolve("classpath");
        if (!Files.exists(resolved)) {
            Files.createDirectories(project);
            Files.writeString(project.resolve("pom.xml"), """
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
                            project.resolve("pom.xml").toString(),
                            PLUGIN,
                            "-Dmdep.outputFile=" + resolved)
                    .start()) {
                if (maven.awaitExit(START) != 0) {
                    throw new AssertionError("Kafka could not be fetched: " + String.join("\n", maven.tail()));
                }
            }
        }
        return Files.readString(resolved).strip();
    }

    private void awaitReady() {
        // Before it accepts, the client would log each of its attempts.
        Await.until("Kafka accepts on port " + port, START, () -> {
            requireAlive();
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return socket.isConnected();
            } catch (IOException e) {
                return false;
            }
        });
        try (Admin admin = Admin.create(Map.<String, Object>of(
                "bootstrap.servers", servers(), "default.api.timeout.ms", 2_000, "request.timeout.ms", 1_000))) {
            Await.until("Kafka answers on port " + port, START, () -> {
                requireAlive();
                try {
                    return !admin.describeCluster().nodes().get().isEmpty();
                } catch (ExecutionException e) {
                    return false;
                }
            });
        }
    }

    private void requireAlive() {
        if (!process.isAlive()) {
            throw new AssertionError("Kafka ended: " + String.join("\n", process.tail()));
        }
    }
}
