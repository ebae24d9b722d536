package dev.postroad.cli;

import dev.postroad.examples.shop.Worker;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The shop's workers, each a process of its own. One that is stopped dead is replaced, as a supervisor of services does it; one
 * that ends otherwise had better be looked at.
 */
final class ShopWorkers implements AutoCloseable {
    private static final long STOP_SECONDS = 10;

    private final Map<String, String> environment;
    private final Path log;
    private final List<Process> running = new ArrayList<>();
    private int replaced;
    private boolean closed;
    private @Nullable Integer failed;

    private ShopWorkers(Map<String, String> environment, Path log) {
        this.environment = environment;
        this.log = log;
    }

    /**
     * Starts some; they work when they have started, a moment later.
     *
     * @param environment what they find in theirs
     * @param log where what they say goes
     */
    static ShopWorkers start(int count, Map<String, String> environment, Path log) throws IOException {
        ShopWorkers workers = new ShopWorkers(environment, log);
        for (int i = 0; i < count; i++) {
            workers.startOne();
        }
        return workers;
    }

    private synchronized void startOne() throws IOException {
        if (closed) {
            return;
        }
        List<String> command = BrokerProcess.java();
        command.add("-XX:TieredStopAtLevel=1"); // it lives for seconds
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Worker.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectOutput(Redirect.appendTo(log.toFile()))
                .redirectError(Redirect.appendTo(log.toFile()));
        builder.environment().putAll(environment);
        Process process = builder.start();
        running.add(process);
        process.onExit().thenAccept(this::ended);
    }

    private synchronized void ended(Process process) {
        running.remove(process);
        if (closed) {
            return;
        }
        if (process.exitValue() != Worker.STOPPED_DEAD) {
            failed = process.exitValue();
            return;
        }
        replaced++;
        try {
            startOne();
        } catch (IOException e) {
            Terminal.err().println("postroad: a worker could not be started: " + e.getMessage());
        }
    }

    /** Processes of those that are at work. */
    synchronized List<Long> pids() {
        return running.stream().map(Process::pid).toList();
    }

    /** @throws CliException if one has ended that should not, with the end of what it said */
    synchronized void check() {
        if (failed == null) {
            return;
        }
        String told;
        try {
            told = BrokerProcess.end(log);
        } catch (IOException e) {
            told = "which cannot be read: " + e.getMessage();
        }
        throw new CliException(ExitCode.FAILED, "a worker ended with exit code " + failed + "; its log ends:\n" + told);
    }

    /** How many were stopped dead and replaced. */
    synchronized int replaced() {
        return replaced;
    }

    /** Has them finish what they have in hand; kills who does not. */
    @Override
    public void close() {
        List<Process> last;
        synchronized (this) {
            closed = true;
            last = List.copyOf(running);
        }
        for (Process process : last) {
            try {
                // The end of its input is a worker's word to end.
                process.getOutputStream().close();
            } catch (IOException e) {
                process.destroy();
            }
        }
        for (Process process : last) {
            try {
                if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Kills all; for the end of this process. */
    synchronized void kill() {
        closed = true;
        running.forEach(Process::destroyForcibly);
    }
}
