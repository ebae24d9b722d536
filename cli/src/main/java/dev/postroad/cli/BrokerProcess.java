package dev.postroad.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** A broker as a process of its own, {@code postroad serve}, that the demo may kill. Dies with this process at the latest. */
final class BrokerProcess implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(30);
    private static final Duration STOP = Duration.ofSeconds(10);
    /** Property by which the launcher tells of an archive of classes, which makes JVMs of this class path start faster. */
    private static final String ARCHIVE = "postroad.archive";

    private static final String READY = "ready http=";

    private final Process process;
    private final String address;
    private final Duration started;
    private final Thread onExit;

    private BrokerProcess(Process process, String address, Duration started) {
        this.process = process;
        this.address = address;
        this.started = started;
        this.onExit = new Thread(process::destroyForcibly, "end of the broker");
        Runtime.getRuntime().addShutdownHook(onExit);
    }

    /**
     * Starts one and waits until it accepts.
     *
     * @param data its directory
     * @param port to listen on, 0 for a free one
     * @param log where its log goes, appended
     */
    static BrokerProcess start(Path data, int port, Path log) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        List<String> command = java();
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(
                "serve", "--data", data.toString(), "--http-port", Integer.toString(port), "--amqp-port", "off"));
        Process process = new ProcessBuilder(command)
                .redirectError(Redirect.appendTo(log.toFile()))
                .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
                .start();
        boolean ready = false;
        try {
            String line = firstLine(process, log);
            String address = line.substring(READY.length()).split(" ")[0];
            ready = true;
            return new BrokerProcess(process, address, Duration.ofNanos(System.nanoTime() - begin));
        } finally {
            if (!ready) {
                process.destroyForcibly();
            }
        }
    }

    /** The beginning of a command line for a JVM that starts quickly; its class path must be this one's. */
    static List<String> java() {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC"));
        String archive = System.getProperty(ARCHIVE);
        if (archive != null) {
            command.addAll(List.of("-Xlog:disable", "-Xshare:auto", "-XX:SharedArchiveFile=" + archive));
        }
        return command;
    }

    private static String firstLine(Process process, Path log) throws IOException, InterruptedException {
        CompletableFuture<String> line = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try (BufferedReader reader =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                line.complete(String.valueOf(reader.readLine()));
            } catch (IOException e) {
                line.completeExceptionally(e);
            }
        });
        try {
            String told = line.get(START.toMillis(), TimeUnit.MILLISECONDS);
            if (told.startsWith(READY)) {
                return told;
            }
            throw new CliException(ExitCode.FAILED, "the broker did not start; its log ends:\n" + end(log));
        } catch (TimeoutException e) {
            throw new CliException(
                    ExitCode.TIMEOUT,
                    "the broker did not start within " + Units.time(START) + "; its log ends:\n" + end(log),
                    e);
        } catch (ExecutionException e) {
            throw new CliException(ExitCode.FAILED, "the broker's output broke off: " + e.getCause(), e);
        }
    }

    /** The last lines of a log. */
    static String end(Path log) throws IOException {
        try (Stream<String> lines = Files.lines(log, StandardCharsets.UTF_8)) {
            List<String> all = lines.toList();
            return String.join("\n", all.subList(Math.max(0, all.size() - 12), all.size()));
        }
    }

    long pid() {
        return process.pid();
    }

    /** Host and port. */
    String address() {
        return address;
    }

    int port() {
        return Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }

    /** From its start until it accepted. */
    Duration started() {
        return started;
    }

    /** SIGKILL; returns when it is gone. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
        forget();
    }

    /** SIGTERM, and SIGKILL if that does not help. */
    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        forget();
    }

    /** Kills it where it still runs, and returns when it is gone. For the end of this process. */
    void awaitEnd() {
        process.destroyForcibly();
        try {
            process.waitFor(STOP.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void forget() {
        try {
            Runtime.getRuntime().removeShutdownHook(onExit);
        } catch (IllegalStateException e) {
            // This process is ending: the hook does what is to be done.
            return;
        }
    }
}
