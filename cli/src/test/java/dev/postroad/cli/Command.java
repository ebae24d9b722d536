package dev.postroad.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/** A postroad command run to its end in a process of its own, as a script would. */
final class Command {
    private static final long PATIENCE_SECONDS = 180;

    private Command() {}

    /** What came of it. */
    record Result(int exitCode, byte[] out, String err) {
        String text() {
            return new String(out, StandardCharsets.UTF_8);
        }

        JsonNode json() {
            return Json.read(out, "the command, which said: " + err);
        }
    }

    static Result run(String... arguments) {
        return run(new byte[0], arguments);
    }

    static Result run(byte[] input, String... arguments) {
        Path out = null;
        Path err = null;
        Process process = null;
        try {
            out = Files.createTempFile("postroad-out", "");
            err = Files.createTempFile("postroad-err", "");
            ProcessBuilder builder = new ProcessBuilder(line(arguments))
                    .redirectOutput(Redirect.to(out.toFile()))
                    .redirectError(Redirect.to(err.toFile()));
            builder.environment().keySet().removeIf(name -> name.startsWith("POSTROAD_"));
            process = builder.start();
            feed(process, input);
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError(List.of(arguments) + " still runs after " + PATIENCE_SECONDS + " s; stderr: "
                        + Files.readString(err));
            }
            return new Result(process.exitValue(), Files.readAllBytes(out), Files.readString(err));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        } finally {
            if (process != null) {
                process.destroyForcibly();
            }
            delete(out);
            delete(err);
        }
    }

    private static void feed(Process process, byte[] input) {
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write(input);
        } catch (IOException e) {
            // It may end without having read all of it; its exit code and what it wrote tell the rest.
            process.onExit();
        }
    }

    private static List<String> line(String... arguments) {
        List<String> line = new ArrayList<>(Program.words());
        line.addAll(List.of(arguments));
        return line;
    }

    private static void delete(Path file) throws UncheckedIOException {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
