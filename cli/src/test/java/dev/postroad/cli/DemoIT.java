package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DemoIT {
    @Test
    void theBooksOfTheDemoBalanceAfterItsCrash() {
        Command.Result demo = Command.run("demo", "--orders", "200", "--seconds", "3", "--seed", "7");

        assertThat(demo.exitCode()).as(demo.text() + demo.err()).isZero();
        assertThat(demo.text())
                .contains("broker killed", "broker is back", "The books balance.")
                .containsPattern("orders placed +200 ")
                .containsPattern("processed exactly once +200 ")
                .containsPattern("lost +0")
                .containsPattern("out of order +0");
    }

    @Test
    void theSameFlowRunsOnAnyTransport() {
        Command.Result demo = Command.run("demo", "--orders", "100", "--seconds", "1", "--url", "embedded:memory");

        assertThat(demo.exitCode()).as(demo.text() + demo.err()).isZero();
        assertThat(demo.text()).contains("The books balance.").doesNotContain("killed");
    }

    @Test
    void theWholeShopPrintsTheSameForASeedThoughWorkersStopDead() throws IOException {
        String page =
                Files.readString(Path.of(System.getProperty("basedir", "")).resolve("../docs/examples.md"));
        String expected = page.substring(page.indexOf("```text\n") + "```text\n".length(), page.lastIndexOf("```"));

        Command.Result demo = Command.run("demo", "--full", "--orders", "40", "--seed", "7");

        assertThat(demo.text()).as(demo.err()).isEqualTo(expected);
        assertThat(demo.exitCode()).isZero();
    }
}
