package dev.postroad.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That the benchmark runs, with figures that mean nothing, and says what it was asked wrongly. */
class EmbeddedBenchTest {
    @TempDir
    Path directory;

    private List<Results> run(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("--quick", "--seconds", "0.1", "--dir", directory.toString()));
        all.addAll(List.of(arguments));
        Options options = Options.parse(Suite.EMBEDDED, all).withWarmUp(0, 50);
        ByteArrayOutputStream progress = new ByteArrayOutputStream();
        List<Results> results = new ArrayList<>();
        try (EmbeddedBench bench =
                new EmbeddedBench(options, new PrintStream(progress, true, StandardCharsets.UTF_8))) {
            for (String scenario : options.scenarios()) {
                results.add(bench.run(scenario, results.size() + 1));
            }
        }
        assertThat(progress.toString(StandardCharsets.UTF_8)).isNotEmpty();
        return results;
    }

    @Test
    void aScenarioGivesFiguresOfPostroadAndOfTheLimitAndLeavesNothingBehind() throws Exception {
        Results results =
                run("--peers", "limits", "--scenario", "async-256-100").getFirst();

        assertThat(results.entries()).extracting(Comparison.Entry::id).containsExactly("engine", "api", "limit");
        for (Comparison.Entry row : results.entries()) {
            assertThat(results.figure(row, Measurement.RATE).orElseThrow().median())
                    .isPositive();
            assertThat(results.figure(row, "confirm.p50").orElseThrow().median())
                    .isPositive();
        }
        assertThat(Report.table(results)).contains("Postroad API").contains("msg/s");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aBacklogOutlivesItsProcess() throws Exception {
        Results results = run("--peers", "none", "--scenario", "backlog", "--backlog", "50000")
                .getFirst();

        for (Comparison.Entry row : results.entries()) {
            assertThat(results.figure(row, "restart.ms").orElseThrow().median()).isPositive();
            assertThat(results.figure(row, Measurement.DRAIN).orElseThrow().median())
                    .isPositive();
        }
        assertThat(results.entries()).hasSize(2);
    }

    @Test
    void everyOptionThatCannotBeHonouredIsRefusedByName() {
        Stream.of(
                        "--rounds=0",
                        "--rounds=x",
                        "--seconds=0.01",
                        "--backlog=5",
                        "--scenario=none-such",
                        "--peers=rabbit",
                        "--dir=/none/such",
                        "--format=xml",
                        "--quick=yes",
                        "--loud")
                .forEach(option -> assertThatThrownBy(() -> Options.parse(Suite.EMBEDDED, List.of(option)))
                        .as(option)
                        .isInstanceOf(Options.BadOptionException.class)
                        .hasMessageContaining(option.split("=")[0]));
    }

    @Test
    void theBeginningOfANameStandsForAllScenariosThatBeginSo() throws Exception {
        assertThat(Options.parse(Suite.EMBEDDED, List.of("--scenario", "blocking-1-100,stream"))
                        .scenarios())
                .containsExactly("blocking-1-100", "stream-100", "stream-1k", "stream-latency");
    }
}
