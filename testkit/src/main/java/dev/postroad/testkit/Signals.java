package dev.postroad.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;

/** SIGSTOP and SIGCONT, to any process by its id. From any thread. */
public final class Signals {
    private Signals() {}

    /**
     * SIGSTOP: the process stands still, with its connections open. Returns when its last thread has stopped, and so ended
     * the call to the system that it was in, where the system tells (Linux does, in /proc).
     *
     * @throws AssertionError if there is no such process, or it does not stop
     */
    public static void stop(long pid) {
        send("STOP", pid);
        Path threads = Path.of("/proc", Long.toString(pid), "task");
        if (Files.isDirectory(threads)) {
            Await.until("all threads of process " + pid + " have stopped", () -> allStopped(threads));
        }
    }

    /**
     * SIGCONT: it goes on after a {@link #stop}.
     *
     * @throws AssertionError if there is no such process
     */
    public static void resume(long pid) {
        send("CONT", pid);
    }

    /** The state of a thread is the letter behind its name in parentheses: T when stopped by a signal. */
    private static boolean allStopped(Path threads) throws IOException {
        try (Stream<Path> each = Files.list(threads)) {
            for (Path thread : (Iterable<Path>) each::iterator) {
                String stat = Files.readString(thread.resolve("stat"));
                if (stat.charAt(stat.lastIndexOf(')') + 2) != 'T') {
                    return false;
                }
            }
            return true;
        } catch (NoSuchFileException e) {
            return false; // a thread that ended between the listing and the look
        }
    }

    private static void send(String signal, long pid) {
        try {
            Process kill = new ProcessBuilder("kill", "-" + signal, Long.toString(pid))
                    .redirectErrorStream(true)
                    .start();
            String said = new String(kill.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (kill.waitFor() != 0) {
                throw new AssertionError("could not send SIG" + signal + " to process " + pid + ": " + said.strip());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("could not send SIG" + signal + " to process " + pid, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while sending SIG" + signal + " to process " + pid, e);
        }
    }
}
