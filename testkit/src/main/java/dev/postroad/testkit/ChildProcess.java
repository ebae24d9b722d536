package dev.postroad.testkit;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Another process under a test's hand: started, watched line by line, asked to stop, paused, or killed.
 *
 * <pre>{@code
 * try (ChildProcess broker = ChildProcess.java("org.example.Broker", "--port", "0").start()) {
 *     String ready = broker.awaitLine("ready ");
 *     …
 *     broker.kill();
 * }
 * }</pre>
 *
 * <p>Its output is read as it comes, so it never blocks on a full pipe; what it wrote last is part of every failure's
 * message. {@link #close()} kills it with all its children, by their own ids, and so does the end of this JVM. All
 * methods may be called from any thread.
 */
public final class ChildProcess implements AutoCloseable {
    private static final Duration DYING = Duration.ofSeconds(10);
    private static final Set<ChildProcess> RUNNING = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> RUNNING.forEach(ChildProcess::killAll)));
    }

    private final String name;
    private final Process process;
    /** Signals go through the handle: {@code Process.destroy} would also close the pipes and lose the last words. */
    private final ProcessHandle handle;

    private final ChildOutput output = new ChildOutput();

    private ChildProcess(String name, Process process) {
        this.name = name;
        this.process = process;
        this.handle = process.toHandle();
        RUNNING.add(this);
        drain("stdout", process.getInputStream(), true);
        drain("stderr", process.getErrorStream(), false);
    }

    /** A JVM like this one (same java, same class path) that is to run {@code mainClass}. */
    public static Builder java(Class<?> mainClass, String... arguments) {
        return java(mainClass.getName(), arguments);
    }

    /** A JVM like this one (same java, same class path) that is to run {@code mainClass}. */
    public static Builder java(String mainClass, String... arguments) {
        return new Builder(mainClass, List.of(arguments));
    }

    /** Any program; a name without a slash is looked for on the PATH. */
    public static Builder command(String program, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(program);
        command.addAll(List.of(arguments));
        return new Builder(null, command);
    }

    /** The system's id of the process. */
    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** As {@link #awaitLine(String, Predicate, Duration)}: a line that contains {@code text}, soon. */
    public String awaitLine(String text) {
        return awaitLine("a line with '" + text + "'", line -> line.contains(text), Await.PATIENCE);
    }

    /**
     * Returns the next line on stdout that is as wished. Lines before it are passed over: the next call goes on behind
     * the line that this one returned.
     *
     * @throws AssertionError with the end of the output, if the process ends without such a line or the deadline passes
     */
    public String awaitLine(String what, Predicate<String> wished, Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        try {
            while (true) {
                String line = output.next(end);
                if (line == null) {
                    String why = output.ended()
                            ? "ended (" + exitForPeople() + ")"
                            : "did not write it within " + deadline.toMillis() + " ms";
                    throw failure("waited for " + what + ", but it " + why);
                }
                if (wished.test(line)) {
                    return line;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure("interrupted while waiting for " + what);
        }
    }

    /** The last lines it wrote, on stdout and stderr as they came; stderr's begin with {@code "! "}. */
    public List<String> tail() {
        return output.tail();
    }

    /** Writes one line to its stdin. */
    public void writeLine(String line) {
        try {
            OutputStream stdin = process.getOutputStream();
            stdin.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            stdin.flush();
        } catch (IOException e) {
            throw failure("could not write to its stdin: " + e);
        }
    }

    /** Closes its stdin: it reads an end of file. */
    public void endInput() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            throw failure("could not close its stdin: " + e);
        }
    }

    /** SIGTERM: asks it to stop. Does not wait: see {@link #awaitExit}. */
    public void terminate() {
        handle.destroy();
    }

    /** SIGKILL: it has no say in it. Returns when it is gone. */
    public void kill() {
        handle.destroyForcibly();
        awaitExit(DYING);
    }

    /**
     * SIGSTOP: it stands still, with its connections open, until {@link #resume()}. Returns when its last thread has
     * stopped, where the system tells (Linux does, in /proc).
     */
    public void pause() {
        Signals.stop(pid());
    }

    /** SIGCONT: it goes on after a {@link #pause()}. */
    public void resume() {
        Signals.resume(pid());
    }

    /** As {@link #awaitExit(Duration)} with {@link Await#PATIENCE}. */
    public int awaitExit() {
        return awaitExit(Await.PATIENCE);
    }

    /**
     * Waits until it has ended and all its output is read, and returns its exit status; a process ended by signal N has
     * 128 + N.
     *
     * @throws AssertionError with the end of the output, if it runs on past the deadline
     */
    public int awaitExit(Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        try {
            if (!process.waitFor(deadline.toNanos(), TimeUnit.NANOSECONDS)) {
                throw failure("still runs after " + deadline.toMillis() + " ms");
            }
            output.awaitEnd(end);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure("interrupted while waiting for its end");
        }
        RUNNING.remove(this);
        return process.exitValue();
    }

    /** Kills it if it still runs, and every process it has started that is still there. */
    @Override
    public void close() {
        killAll();
        awaitExit(DYING);
    }

    @Override
    public String toString() {
        return name + " (pid " + pid() + ")";
    }

    private void killAll() {
        try (Stream<ProcessHandle> children = handle.descendants()) {
            children.forEach(ProcessHandle::destroyForcibly);
        }
        handle.destroyForcibly();
    }

    private void drain(String what, InputStream from, boolean stdout) {
        // Reading a pipe keeps a virtual thread on its carrier: two of them would leave a machine of two cores without
        // any.
        Thread.ofPlatform().daemon(true).name(what + " of " + this).start(() -> {
            try (BufferedReader reader = new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8))) {
                for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                    output.add(line, stdout);
                }
            } catch (IOException e) {
                output.add("(" + what + " broke off: " + e + ")", false);
            } finally {
                output.streamEnded();
            }
        });
    }

    private String exitForPeople() throws InterruptedException {
        return process.waitFor(DYING.toSeconds(), TimeUnit.SECONDS)
                ? "exit status " + process.exitValue()
                : "its stdout is closed, but it runs on";
    }

    private AssertionError failure(String what) {
        List<String> tail = tail();
        String wrote = tail.isEmpty() ? "it wrote nothing" : "it wrote last:\n  " + String.join("\n  ", tail);
        return new AssertionError(this + " " + what + "; " + wrote);
    }

    /** What is to be started, and how. */
    public static final class Builder {
        private final @Nullable String mainClass;
        private final List<String> arguments;
        private final List<String> jvmOptions = new ArrayList<>();
        private final Map<String, String> environment = new HashMap<>();
        private String classPath = System.getProperty("java.class.path");
        private @Nullable File directory;

        private Builder(@Nullable String mainClass, List<String> arguments) {
            this.mainClass = mainClass;
            this.arguments = arguments;
        }

        /** Options for the JVM, before the main class: {@code -Xmx64m}. Only for {@link ChildProcess#java}. */
        public Builder jvm(String... options) {
            if (mainClass == null) {
                throw new IllegalStateException("JVM options " + List.of(options) + " for a program that is no JVM");
            }
            jvmOptions.addAll(List.of(options));
            return this;
        }

        /** Another class path than this JVM's. */
        public Builder classPath(String path) {
            classPath = path;
            return this;
        }

        /** Sets an environment variable; the others are this JVM's. */
        public Builder environment(String variable, String value) {
            environment.put(variable, value);
            return this;
        }

        /** Its working directory, if not this JVM's. */
        public Builder directory(Path path) {
            directory = path.toFile();
            return this;
        }

        /**
         * Starts it.
         *
         * @throws UncheckedIOException if there is no such program or directory
         */
        public ChildProcess start() {
            List<String> command = new ArrayList<>();
            if (mainClass != null) {
                command.add(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString());
                command.addAll(jvmOptions);
                command.add("-cp");
                command.add(classPath);
                command.add(mainClass);
            }
            command.addAll(arguments);
            ProcessBuilder builder = new ProcessBuilder(command).directory(directory);
            builder.environment().putAll(environment);
            String name = mainClass == null ? arguments.get(0) : mainClass;
            try {
                return new ChildProcess(name, builder.start());
            } catch (IOException e) {
                throw new UncheckedIOException("cannot start " + name, e);
            }
        }
    }
}
