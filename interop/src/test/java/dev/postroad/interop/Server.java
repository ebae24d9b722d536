package dev.postroad.interop;

import com.rabbitmq.client.ConnectionFactory;
import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.RabbitMqServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The server under test, a process of its own: {@code postroad serve} on free ports, or for comparison a RabbitMQ. */
final class Server implements AutoCloseable {
    static final boolean RABBITMQ = System.getProperty("postroad.interop", "").equals("rabbitmq");

    private static final Duration START = Duration.ofSeconds(60);

    private final int amqpPort;
    private final String url;
    private final long pid;
    private final AutoCloseable process;

    private Server(int amqpPort, String url, long pid, AutoCloseable process) {
        this.amqpPort = amqpPort;
        this.url = url;
        this.pid = pid;
        this.process = process;
    }

    /** Starts what is under test on a folder, which may have what it stored there before. */
    static Server start(Path folder) {
        if (RABBITMQ) {
            RabbitMqServer rabbit = RabbitMqServer.start(folder);
            return new Server(rabbit.port(), "", rabbit.pid(), rabbit);
        }
        return postroad(folder, List.of(), 0);
    }

    /**
     * Starts {@code postroad serve}.
     *
     * @param jvm options of its JVM
     * @param amqpPort 0 for a free one
     */
    static Server postroad(Path folder, List<String> jvm, int amqpPort) {
        List<String> options = new ArrayList<>(List.of("-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
        options.addAll(jvm);
        ChildProcess child = ChildProcess.java(
                        "dev.postroad.cli.Main",
                        "serve",
                        "--data",
                        folder.resolve("data").toString(),
                        "--http-port",
                        "0",
                        "--amqp-port",
                        String.valueOf(amqpPort))
                .jvm(options.toArray(String[]::new))
                .environment("POSTROAD_LOG_LEVEL", "WARN")
                .start();
        String ready = child.awaitLine("the ready line", line -> line.startsWith("ready "), START);
        return new Server(
                Integer.parseInt(find("amqp=[^ ]*:(\\d+)", ready)),
                "http://" + find("http=(\\S+)", ready),
                child.pid(),
                child);
    }

    private static String find(String pattern, String ready) {
        Matcher matcher = Pattern.compile(pattern).matcher(ready);
        if (!matcher.find()) {
            throw new AssertionError("the ready line has no " + pattern + ": " + ready);
        }
        return matcher.group(1);
    }

    int amqpPort() {
        return amqpPort;
    }

    /** Of the HTTP interface; empty where there is none. */
    String url() {
        return url;
    }

    long pid() {
        return pid;
    }

    /** For RabbitMQ's Java client, as it comes. */
    ConnectionFactory factory() {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setHost("127.0.0.1");
        factory.setPort(amqpPort);
        return factory;
    }

    /** SIGKILL; returns when it is gone. */
    void kill() {
        if (process instanceof ChildProcess child) {
            child.kill();
        }
        close();
    }

    @Override
    public void close() {
        if (process instanceof ChildProcess child) {
            child.close();
        } else if (process instanceof RabbitMqServer rabbit) {
            rabbit.close();
        }
    }
}
