package dev.postroad.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * RabbitMQ as Debian packages it, as a process of its own on the loopback address, with all its files in one folder: what
 * a test or a benchmark compares with. {@code guest} with the password {@code guest} may log in.
 *
 * <pre>{@code
 * try (RabbitMqServer rabbit = RabbitMqServer.start(folder)) {
 *     connect("127.0.0.1", rabbit.port());
 *     rabbit.kill();
 * }
 * }</pre>
 *
 * <p>It takes about ten seconds to start: start it once and share it. Started again on the same folder it has what it had
 * stored. Its own name server is part of it, so several may run side by side.
 */
public final class RabbitMqServer implements AutoCloseable {
    /** The broker's own limit for a message, below the default of 128 MiB so that it can be met. */
    public static final int MAX_MESSAGE_BYTES = 12 * 1024 * 1024;

    private static final Path LIBRARY = Path.of("/usr/lib/rabbitmq/lib");
    private static final String EMULATOR = "beam.smp";
    private static final String MANAGEMENT = "rabbitmq_management";
    private static final Duration START = Duration.ofSeconds(120);
    private static final Duration DYING = Duration.ofSeconds(60);

    private final ChildProcess names;
    private final ChildProcess script;
    private final ProcessHandle emulator;
    private final int port;
    private final int managementPort;

    private RabbitMqServer(Path folder, int port, List<String> plugins) {
        this.port = port;
        managementPort = plugins.contains(MANAGEMENT) ? FreePort.find() : 0;
        String namesPort = String.valueOf(FreePort.find());
        write(folder, plugins);
        names = ChildProcess.command("epmd", "-port", namesPort, "-address", "127.0.0.1")
                .start();
        script = ChildProcess.command(installed().toString())
                .environment("HOME", folder.toString())
                .environment("ERL_EPMD_PORT", namesPort)
                .environment("ERL_EPMD_ADDRESS", "127.0.0.1")
                .environment("RABBITMQ_NODENAME", "postroad@localhost")
                .environment("RABBITMQ_DIST_PORT", String.valueOf(FreePort.find()))
                .environment("RABBITMQ_MNESIA_BASE", folder.resolve("data").toString())
                .environment("RABBITMQ_LOG_BASE", folder.resolve("log").toString())
                .environment(
                        "RABBITMQ_CONFIG_FILE", folder.resolve("rabbitmq.conf").toString())
                .environment(
                        "RABBITMQ_ENABLED_PLUGINS_FILE",
                        folder.resolve("plugins").toString())
                .environment(
                        "RABBITMQ_CONF_ENV_FILE", folder.resolve("environment").toString())
                .start();
        boolean ready = false;
        try {
            Await.until("RabbitMQ accepts on port " + port, START, this::accepts);
            emulator = findEmulator();
            ready = true;
        } finally {
            if (!ready) {
                script.close();
                names.close();
            }
        }
    }

    /**
     * Starts one, and returns when it accepts.
     *
     * @param folder for all its files; absolute
     * @param plugins those to enable, {@code rabbitmq_management} for one
     * @throws AssertionError if it is not installed, or does not start; with what it wrote last
     */
    public static RabbitMqServer start(Path folder, String... plugins) {
        return startOn(FreePort.find(), folder, plugins);
    }

    /** As the other, on this port: for clients that are to find one again which was killed. */
    public static RabbitMqServer startOn(int port, Path folder, String... plugins) {
        return new RabbitMqServer(folder, port, List.of(plugins));
    }

    /** Where it accepts AMQP 0-9-1, on 127.0.0.1. */
    public int port() {
        return port;
    }

    /** Where its management interface is, on 127.0.0.1; 0 without that plugin. */
    public int managementPort() {
        return managementPort;
    }

    /** The system's id of the process that does the work, for its memory and processor time. */
    public long pid() {
        return emulator.pid();
    }

    /** SIGKILL. Returns when it is gone; its files stay. */
    public void kill() {
        emulator.destroyForcibly();
        gone();
    }

    /** SIGTERM: it ends as an operator ends it. Returns when it is gone; its files stay. */
    public void stop() {
        emulator.destroy();
        gone();
    }

    private void gone() {
        script.awaitExit(DYING);
        script.close();
        names.close();
    }

    /** As {@link #kill()}: nobody needs what it has not yet written. */
    @Override
    public void close() {
        kill();
    }

    @Override
    public String toString() {
        return "RabbitMQ on port " + port;
    }

    private static Path installed() {
        if (Files.isDirectory(LIBRARY)) {
            try (Stream<Path> versions = Files.list(LIBRARY)) {
                Path found = versions.map(version -> version.resolve("sbin/rabbitmq-server"))
                        .filter(Files::isExecutable)
                        .max(Path::compareTo)
                        .orElse(null);
                if (found != null) {
                    return found;
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        throw new AssertionError("RabbitMQ is not installed: there is no rabbitmq_server-*/sbin/rabbitmq-server below "
                + LIBRARY + "; apt-get install rabbitmq-server");
    }

    private void write(Path folder, List<String> plugins) {
        String config = "listeners.tcp.1 = 127.0.0.1:" + port + "\ndisk_free_limit.absolute = 50MB\nmax_message_size = "
                + MAX_MESSAGE_BYTES + "\n";
        if (managementPort > 0) {
            config += "management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = " + managementPort + "\n";
        }
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("rabbitmq.conf"), config);
            Files.writeString(folder.resolve("plugins"), "[" + String.join(",", plugins) + "].\n");
            Files.writeString(folder.resolve("environment"), "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean accepts() {
        if (!script.isAlive()) {
            throw new AssertionError("RabbitMQ ended: " + String.join("\n", script.tail()));
        }
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private ProcessHandle findEmulator() {
        try (Stream<ProcessHandle> children =
                ProcessHandle.of(script.pid()).stream().flatMap(ProcessHandle::descendants)) {
            return children.filter(child -> child.info().command().orElse("").endsWith(EMULATOR))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(script + " has no child " + EMULATOR));
        }
    }
}
