package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;

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
}
