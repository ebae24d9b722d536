package dev.postroad.fuzzing;

import dev.postroad.testkit.ChildProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Coverage-guided fuzzing of one target by Jazzer, in a process of its own with a bound on its memory. Its inputs start from
 * the corpus; what it adds can be had afterwards.
 */
final class JazzerRun {
    private static final String JAZZER = "com.code_intelligence.jazzer.Jazzer";

    /** What its own bound on memory is compared with is the most that a process ever had, and who started it is counted in. */
    private static final int NO_BOUND = 0;

    private static final int SECONDS_TO_START = 60;
    private static final Pattern DONE = Pattern.compile("Done (\\d+) (?:runs )?in|Done (\\d+) runs");
    private static final Pattern PULSE = Pattern.compile("#(\\d+)\\s+\\w.*");
    private static final int MOST_FINDINGS = 5;
    private static final long PULSE_NANOS = 1_000_000_000;

    private final Target target;
    private final Path folder;
    private long executions;
    private @Nullable String broken;

    /** @param folder of its own, empty: takes the inputs and what it found */
    JazzerRun(Target target, Path folder) {
        this.target = target;
        this.folder = folder;
    }

    /** Whether Jazzer is on the class path. */
    static boolean possible() {
        return JazzerRun.class.getResource("/" + JAZZER.replace('.', '/') + ".class") != null;
    }

    /**
     * Runs for so long, and a few seconds for its start.
     *
     * @param pulse called once a second
     */
    void run(List<byte[]> corpus, Duration time, long seed, Runnable pulse) throws IOException {
        Path inputs = Files.createDirectories(folder.resolve("inputs"));
        int number = 0;
        for (byte[] input : corpus) {
            Files.write(inputs.resolve("corpus-" + number++), input);
        }
        ChildProcess.Builder jazzer = ChildProcess.java(
                        JAZZER,
                        "--target_class=" + JazzerTarget.class.getName(),
                        "--instrumentation_includes=dev.postroad.**",
                        "--custom_hook_excludes=**",
                        "--keep_going=" + MOST_FINDINGS,
                        "--reproducer_path=" + folder,
                        "-artifact_prefix=" + folder + "/",
                        "-rss_limit_mb=" + NO_BOUND,
                        "-max_len=" + target.mostBytes(),
                        "-timeout=10",
                        "-seed=" + Math.max(1, seed & 0x7fff_ffff),
                        "-max_total_time=" + Math.max(1, time.toSeconds()),
                        inputs.toString())
                .jvm(
                        "-Xmx1g",
                        "-XX:MaxDirectMemorySize=256m",
                        "-XX:MaxMetaspaceSize=512m",
                        "-XX:+EnableDynamicAgentLoading",
                        "--enable-native-access=ALL-UNNAMED",
                        "-D" + JazzerTarget.TARGET_PROPERTY + "=" + target.name())
                .directory(folder);
        if (Runtime.version().feature() >= 23) {
            jazzer.jvm("--sun-misc-unsafe-memory-access=allow");
        }
        try (ChildProcess process = jazzer.start()) {
            long end = System.nanoTime() + time.plusSeconds(SECONDS_TO_START).toNanos();
            while (process.isAlive() && System.nanoTime() < end) {
                pulse.run();
                LockSupport.parkNanos(PULSE_NANOS);
            }
            process.awaitExit(Duration.ofSeconds(1));
            read(process.tail());
        } catch (AssertionError e) {
            broken = String.valueOf(e.getMessage());
        }
    }

    private void read(List<String> lines) {
        for (String line : lines) {
            Matcher done = DONE.matcher(line);
            Matcher pulse = PULSE.matcher(line.startsWith("! ") ? line.substring(2) : line);
            if (done.find()) {
                String count = done.group(1) == null ? done.group(2) : done.group(1);
                executions = Math.max(executions, Long.parseLong(count));
            } else if (pulse.matches()) {
                executions = Math.max(executions, Long.parseLong(pulse.group(1)));
            }
        }
        if (executions == 0) {
            broken = "it told no executions; its last words:\n  " + String.join("\n  ", lines);
        }
    }

    /** How many inputs it gave to the target. */
    long executions() {
        return executions;
    }

    /** Why it did not run as it should; null if it did. */
    @Nullable
    String broken() {
        return broken;
    }

    /** The inputs that it found worth keeping, those it was given among them. */
    List<byte[]> inputs() throws IOException {
        return read(folder.resolve("inputs"), "");
    }

    /** The inputs that it found fault with. */
    List<byte[]> faults() throws IOException {
        List<byte[]> faults = new ArrayList<>();
        for (String prefix : List.of("crash-", "timeout-", "oom-", "slow-unit-")) {
            faults.addAll(read(folder, prefix));
        }
        return faults;
    }

    private static List<byte[]> read(Path from, String prefix) throws IOException {
        List<byte[]> inputs = new ArrayList<>();
        if (Files.isDirectory(from)) {
            try (Stream<Path> files = Files.list(from)) {
                for (Path file : (Iterable<Path>) files.sorted()::iterator) {
                    if (Files.isRegularFile(file)
                            && file.getFileName().toString().startsWith(prefix)) {
                        inputs.add(Files.readAllBytes(file));
                    }
                }
            }
        }
        return inputs;
    }
}
