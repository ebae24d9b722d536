package dev.postroad.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChildProcessIT {
    /** Echoes its input, line by line, until it is told otherwise. */
    static final class Echo {
        public static void main(String[] args) throws IOException {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("stopping")));
            System.err.println("to stderr " + String.join(",", args) + " " + System.getProperty("given"));
            System.out.println("ready in " + Path.of("").toAbsolutePath().getFileName());
            var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.equals("fail")) {
                    System.err.println("told to fail");
                    Runtime.getRuntime().halt(3);
                }
                System.out.println("echo " + line);
            }
        }
    }

    @Test
    void aJvmIsStartedWithItsOptionsInItsDirectoryAndItsLinesAreRead(@TempDir Path folder) {
        try (ChildProcess child = ChildProcess.java(Echo.class, "a", "b")
                .jvm("-Dgiven=yes")
                .directory(folder)
                .start()) {
            assertThat(child.awaitLine("ready")).isEqualTo("ready in " + folder.getFileName());
            child.writeLine("one");
            child.writeLine("two");
            assertThat(child.awaitLine("echo")).isEqualTo("echo one");
            assertThat(child.awaitLine("echo")).isEqualTo("echo two");
            child.endInput();
            assertThat(child.awaitExit()).isZero();
            assertThat(child.tail()).contains("! to stderr a,b yes");
        }
    }

    @Test
    void aTerminatedProcessRunsItsHooksAndAKilledOneDoesNot() {
        try (ChildProcess child = ChildProcess.java(Echo.class).start();
                ChildProcess other = ChildProcess.java(Echo.class).start()) {
            child.awaitLine("ready");
            other.awaitLine("ready");
            child.terminate();
            other.kill();

            assertThat(child.awaitExit()).isEqualTo(128 + 15);
            assertThat(child.awaitLine("stopping")).isNotEmpty();
            assertThat(other.awaitExit()).isEqualTo(128 + 9);
            assertThat(other.tail()).doesNotContain("stopping");
        }
    }

    @Test
    void aPausedProcessAnswersOnlyWhenResumed() {
        try (ChildProcess child = ChildProcess.java(Echo.class).start()) {
            child.awaitLine("ready");
            child.pause();
            child.writeLine("hello");
            assertThatThrownBy(() -> child.awaitLine("echo", line -> true, Duration.ofMillis(200)))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("did not write it within 200 ms");
            child.resume();
            assertThat(child.awaitLine("echo")).isEqualTo("echo hello");
        }
    }

    @Test
    void waitingForALineFailsAtOnceWhenTheProcessDies() {
        try (ChildProcess child = ChildProcess.java(Echo.class).start()) {
            child.writeLine("fail");
            assertThatThrownBy(() -> child.awaitLine("never", line -> line.contains("never"), Duration.ofMinutes(5)))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("exit status 3")
                    .hasMessageContaining("! told to fail");
        }
    }

    @Test
    void closingKillsTheChildrenOfTheProcessToo() {
        ProcessHandle grandchild;
        try (ChildProcess child = ChildProcess.command("sh", "-c", "sleep 300 & echo pid $!; wait")
                .environment("ANY", "thing")
                .start()) {
            String line = child.awaitLine("pid ");
            grandchild = ProcessHandle.of(Long.parseLong(line.substring(4))).orElseThrow();
            assertThat(child.isAlive()).isTrue();
        }
        Await.until("the grandchild is gone", () -> !grandchild.isAlive());
    }

    @Test
    void aProgramThatDoesNotExistIsNamed() {
        assertThatThrownBy(() -> ChildProcess.command("no-such-program").start())
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("no-such-program");
        assertThatThrownBy(() -> ChildProcess.command("sh").jvm("-Xmx1g")).hasMessageContaining("-Xmx1g");
    }
}
