package dev.postroad.cli;

import dev.postroad.testkit.ChildProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** {@code postroad serve} on a free port, as a process of its own. */
final class RunningServer implements AutoCloseable {
    static final Duration START = Duration.ofSeconds(60);

    private final ChildProcess process;
    private final String ready;

    private RunningServer(ChildProcess process) {
        this.process = process;
        this.ready = process.awaitLine("the ready line", line -> true, START);
    }

    static RunningServer on(Path data, String... more) {
        List<String> arguments = new ArrayList<>(List.of("serve", "--http-port", "0", "--data", data.toString()));
        arguments.addAll(List.of(more));
        return new RunningServer(Program.with(arguments.toArray(String[]::new))
                .environment("POSTROAD_LOG_LEVEL", "WARN")
                .start());
    }

    String ready() {
        return ready;
    }

    String url() {
        return "http://" + ready.replaceAll("ready http=(\\S+) .*", "$1");
    }

    ChildProcess process() {
        return process;
    }

    @Override
    public void close() {
        process.close();
    }
}
