package dev.postroad.proof;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class DisplayTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private Display display(boolean terminal) {
        // Begun long ago, so that what is told is told at once.
        return new Display(new PrintStream(bytes, true, UTF_8), terminal, Duration.ofMinutes(1), System.nanoTime());
    }

    private static Finished finished() {
        return new Finished(
                "kill",
                "Does it?",
                Stub.broken("lost\u001b[2Jone"),
                null,
                Duration.ofSeconds(1),
                Duration.ofSeconds(2));
    }

    @Test
    void awayFromATerminalThereAreWholeLinesOnly() {
        Display display = display(false);
        Display.Shown shown = display.begin(1, 2, "kill", Duration.ofSeconds(30));
        shown.at(0.5, "half");
        shown.end(finished());

        assertThat(bytes.toString(UTF_8))
                .contains("[1/2] kill: for 30 s\n", "[1/2] kill: broken, 2.0 s")
                .doesNotContain("\r");
    }

    @Test
    void nothingThatAnExperimentSaysMovesTheCursor() {
        Display display = display(true);
        display.begin(1, 1, "kill", Duration.ofSeconds(30)).end(finished());

        assertThat(bytes.toString(UTF_8)).contains("lost [2Jone").doesNotContain("\u001b[2J");
    }
}
