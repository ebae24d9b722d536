package dev.postroad.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That the benchmark over AMQP runs, with figures that mean nothing. */
class AmqpBenchIT {
    @TempDir
    Path directory;

    @Test
    void aScenarioGivesFiguresOfPostroadAndOfTheCeilingAndLeavesNothingBehind() throws Exception {
        List<String> arguments = List.of(
                "--quick",
                "--seconds",
                "1",
                "--peers",
                "ceiling",
                "--scenario",
                "confirm-each-16,request-reply",
                "--dir",
                directory.toString());
        Options options = Options.parse(Suite.AMQP, arguments).withWarmUp(1_000, 1_000);
        PrintStream progress = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        try (AmqpBench bench = new AmqpBench(options, progress)) {
            Results load = bench.run("confirm-each-16", 1);
            assertThat(load.entries())
                    .extracting(Comparison.Entry::id)
                    .containsExactly("postroad", "ceiling", "unforced");
            for (Comparison.Entry entry : load.entries()) {
                for (String figure : List.of(Measurement.RATE, "confirm.p50", "e2e.p99", "cpu.broker", "rss.mb")) {
                    assertThat(load.figure(entry, figure).orElseThrow().median())
                            .as(figure + " of " + entry.title())
                            .isPositive();
                }
            }
            assertThat(Report.table(load)).contains("forced to disk", "broker us/msg", "x ceiling");

            Results requests = bench.run("request-reply", 2);
            assertThat(requests.verdicts(requests.entries().getFirst())).isNotEmpty();
        }
        assertThat(directory).isEmptyDirectory();
    }
}
