package dev.postroad.proof.scale;

import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.Experiment.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** A {@link WorkerProgram} from outside. */
final class Worker implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofHours(2);

    private final ChildProcess process;
    private final long begun = System.nanoTime();
    private final double readyMillis;

    Worker(Path directory, int heapMegabytes) {
        process = ChildProcess.java(WorkerProgram.class, directory.toString())
                .jvm("-Xmx" + heapMegabytes + "m", "-XX:+UseSerialGC")
                .start();
        process.awaitLine("ready", "ready"::equals, PATIENCE);
        readyMillis = (System.nanoTime() - begun) / 1e6;
    }

    /** From the start of the process until the broker was open. */
    double readyMillis() {
        return readyMillis;
    }

    /** Since the start of the process. */
    double millis() {
        return (System.nanoTime() - begun) / 1e6;
    }

    /** Processor time that the process has used; 0 where the system does not tell. */
    double processorSeconds() {
        return ProcessHandle.of(process.pid())
                        .flatMap(handle -> handle.info().totalCpuDuration())
                        .orElse(Duration.ZERO)
                        .toMillis()
                / 1000.0;
    }

    /** Has an order carried out and returns the answer, telling meanwhile that it goes on. */
    double order(Progress progress, double fraction, String order) throws IOException {
        CompletableFuture<String> answer = CompletableFuture.supplyAsync(
                () -> process.awaitLine(order, line -> line.startsWith("= ") || line.startsWith("! "), PATIENCE));
        process.writeLine(order);
        while (true) {
            progress.at(fraction, order);
            try {
                String line = answer.get(1, TimeUnit.SECONDS);
                if (line.startsWith("! ")) {
                    throw new IOException("the broker's process failed: " + line.substring(2));
                }
                return Double.parseDouble(line.substring(2));
            } catch (TimeoutException e) {
                // it goes on
            } catch (ExecutionException e) {
                throw new IOException("the broker's process ended: " + e.getCause(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
        }
    }

    /** SIGKILL. */
    void kill() {
        process.kill();
    }

    /** Bytes of the files in a directory. */
    static long diskBytes(Path directory) throws IOException {
        long sum = 0;
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                sum += Files.exists(file) ? Files.size(file) : 0;
            }
        }
        return sum;
    }

    @Override
    public void close() {
        process.kill();
    }
}
