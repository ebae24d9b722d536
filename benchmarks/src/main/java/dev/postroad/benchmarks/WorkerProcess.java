package dev.postroad.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A {@link Worker} from outside: its process, its orders and its answers. */
final class WorkerProcess implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 30;

    /** What Chronicle Queue needs to be allowed, by its documentation. */
    private static final List<String> OPENED = List.of(
            "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
            "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
            "--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED",
            "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
            "--add-opens=jdk.compiler/com.sun.tools.javac=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED",
            "--add-opens=java.base/java.io=ALL-UNNAMED",
            "--add-opens=java.base/java.util=ALL-UNNAMED",
            "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED");

    private final String title;
    private final Path log;
    private final long begun = System.nanoTime();
    private final Process process;
    private final Writer orders;
    private final BufferedReader answers;
    private final double readyMillis;
    private double firstMillis;

    /**
     * Starts the process and waits until the contender is open.
     *
     * @param directory of the contender
     * @param log takes what it prints
     */
    WorkerProcess(ContenderKind kind, Path directory, Path log) throws IOException {
        this(kind.id(), kind.title(), kind.heapMegabytes(), directory.toString(), log);
    }

    /**
     * As the other, of any contender.
     *
     * @param heapMegabytes 0 for what the JVM takes by itself
     * @param place what it is opened on: a directory, or where a broker is
     */
    WorkerProcess(String id, String title, int heapMegabytes, String place, Path log) throws IOException {
        this.title = title;
        this.log = log;
        process = new ProcessBuilder(command(id, heapMegabytes, place))
                .redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        orders = process.outputWriter(StandardCharsets.UTF_8);
        answers = process.inputReader(StandardCharsets.UTF_8);
        String first = answers.readLine();
        if (!"ready".equals(first)) {
            process.destroyForcibly();
            throw new IOException(title + " did not start: " + lastWords());
        }
        readyMillis = millis();
    }

    private static List<String> command(String id, int heapMegabytes, String place) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (heapMegabytes > 0) {
            command.add("-Xmx" + heapMegabytes + "m");
        }
        command.add("--enable-native-access=ALL-UNNAMED");
        if (Runtime.version().feature() >= 23) {
            command.add("--sun-misc-unsafe-memory-access=allow");
        }
        command.addAll(OPENED);
        command.add("-Dchronicle.analytics.disable=true");
        command.add("-Dchronicle.announcer.disable=true");
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(Main.class.getName());
        command.add(Main.WORKER);
        command.add(id);
        command.add(place);
        return command;
    }

    /** Since its process was started. */
    double millis() {
        return (System.nanoTime() - begun) / 1e6;
    }

    /** From the start of its process until the contender was open. */
    double readyMillis() {
        return readyMillis;
    }

    /** From the start of its process until the first message that {@link Order.Kind#FIRST} asked for had come. */
    double firstMillis() {
        return firstMillis;
    }

    /** Has an order carried out, and returns what came of it. */
    Measurement run(Order order) throws IOException {
        orders.write(order.line());
        orders.write('\n');
        orders.flush();
        String answer = answers.readLine();
        if (Worker.FIRST.equals(answer)) {
            firstMillis = millis();
            answer = answers.readLine();
        }
        if (answer == null) {
            throw new IOException(title + " ended at '" + order.line() + "': " + lastWords());
        }
        if (answer.startsWith("result")) {
            return Measurement.parse(answer.substring("result".length()));
        }
        throw new IOException(title + " failed at '" + order.line() + "': " + answer);
    }

    private String lastWords() throws IOException {
        List<String> lines = Files.readAllLines(log, StandardCharsets.UTF_8);
        return String.join("\n  ", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
    }

    /** Memory that is resident, where the system tells; else 0. */
    double residentMegabytes() throws IOException {
        Path status = Path.of("/proc", String.valueOf(process.pid()), "status");
        if (!Files.exists(status)) {
            return 0;
        }
        return Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D+", "")) / 1024)
                .findFirst()
                .orElse(0);
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    @Override
    public void close() {
        try {
            orders.close();
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
