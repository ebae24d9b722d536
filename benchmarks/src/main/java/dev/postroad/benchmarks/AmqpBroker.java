package dev.postroad.benchmarks;

import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.RabbitMqServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The process of a contender that speaks AMQP 0-9-1, and what the system says of it. */
final class AmqpBroker implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(60);
    private static final Pattern READY = Pattern.compile("\\bamqp=127\\.0\\.0\\.1:(\\d+)");
    private static final Pattern TOTAL = Pattern.compile("Total\\s+\\d+\\s+(\\d+)");

    private final int port;
    private final long pid;
    private final AutoCloseable process;
    private final boolean isJava;

    private AmqpBroker(int port, long pid, AutoCloseable process, boolean isJava) {
        this.port = port;
        this.pid = pid;
        this.process = process;
        this.isJava = isJava;
    }

    /** Starts one on a folder, which may have what it stored there before, and returns when it accepts. */
    static AmqpBroker start(AmqpContender contender, Path home) {
        return switch (contender) {
            case POSTROAD ->
                child(
                        "dev.postroad.cli.Main",
                        List.of(
                                "serve",
                                "--data",
                                home.resolve("data").toString(),
                                "--http-port",
                                "0",
                                "--amqp-port",
                                "0"));
            case RABBITMQ, RABBITMQ_QUORUM -> {
                RabbitMqServer rabbit = RabbitMqServer.start(home);
                yield new AmqpBroker(rabbit.port(), rabbit.pid(), rabbit, false);
            }
            case NULL_FORCED -> child(Main.class.getName(), List.of(Main.NULL_BROKER, home.toString()));
            case NULL -> child(Main.class.getName(), List.of(Main.NULL_BROKER));
        };
    }

    private static AmqpBroker child(String main, List<String> arguments) {
        ChildProcess child = ChildProcess.java(main, arguments.toArray(String[]::new))
                .jvm("--enable-native-access=ALL-UNNAMED")
                .environment("POSTROAD_LOG_LEVEL", "WARN")
                .start();
        String ready = child.awaitLine("the ready line", line -> line.startsWith("ready "), START);
        Matcher amqp = READY.matcher(ready);
        if (!amqp.find()) {
            child.close();
            throw new AssertionError(main + " does not listen on an AMQP port: " + ready);
        }
        return new AmqpBroker(Integer.parseInt(amqp.group(1)), child.pid(), child, true);
    }

    int port() {
        return port;
    }

    /** Processor time it has used since its start. */
    double cpuMicros() {
        return cpuMicros(pid);
    }

    static double cpuMicros(long pid) {
        return ProcessHandle.of(pid)
                .flatMap(handle -> handle.info().totalCpuDuration())
                .map(duration -> duration.toNanos() / 1e3)
                .orElse(0.0);
    }

    /** Memory that is resident, where the system tells; else 0. */
    double residentMegabytes() throws IOException {
        Path status = Path.of("/proc", String.valueOf(pid), "status");
        if (!Files.exists(status)) {
            return 0;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D+", "")) / 1024)
                .findFirst()
                .orElse(0);
    }

    /** Bytes of heap that are in use after a full collection; empty for what is no JVM. */
    OptionalDouble liveHeapBytes() throws IOException, InterruptedException {
        if (!isJava) {
            return OptionalDouble.empty();
        }
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString());
        command.addAll(List.of(String.valueOf(pid), "GC.class_histogram"));
        Process jcmd = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(jcmd.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        jcmd.waitFor();
        Matcher total = TOTAL.matcher(said);
        return total.find() ? OptionalDouble.of(Double.parseDouble(total.group(1))) : OptionalDouble.empty();
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
