package dev.postroad.proof.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What this machine offers, and its programs. */
final class Machine {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private Machine() {}

    /** True if there is a program of this name. */
    static boolean has(String program) {
        for (String folder : (System.getenv("PATH") + ":/usr/sbin:/sbin").split(":")) {
            if (Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }

    /** True if this process may mount and the like. */
    static boolean isRoot() {
        try {
            return run("id", "-u").output.strip().equals("0");
        } catch (IOException e) {
            return false;
        }
    }

    /** Why file systems of this kind can't be made and mounted here; null if they can. */
    static @Nullable String missingForMounts(String... programs) {
        if (!isRoot()) {
            return "mounting needs root";
        }
        for (String program : programs) {
            if (!has(program)) {
                return "there is no " + program;
            }
        }
        return null;
    }

    /**
     * What a program came to.
     *
     * @param output of both streams
     */
    record Ran(int exit, String output) {}

    /** Runs a program to its end. */
    static Ran run(String... command) throws IOException {
        Process process = new ProcessBuilder(List.of(command))
                .redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile())
                .start();
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException(command[0] + " does not end; it wrote: " + output);
            }
            return new Ran(process.exitValue(), output);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command[0] + " ran", e);
        }
    }

    /** Runs a program that must succeed. */
    static void must(String... command) throws IOException {
        Ran ran = run(command);
        if (ran.exit != 0) {
            throw new IOException(String.join(" ", command) + " failed: " + ran.output.strip());
        }
    }

    /** The same, where an exception can't go through. */
    static void mustUnchecked(String... command) {
        try {
            must(command);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
