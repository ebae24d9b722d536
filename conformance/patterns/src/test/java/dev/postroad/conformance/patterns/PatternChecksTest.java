package dev.postroad.conformance.patterns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Capability;
import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import dev.postroad.conformance.Check;
import dev.postroad.conformance.Conformance;
import dev.postroad.conformance.ConformanceReport;
import dev.postroad.conformance.ConformanceReport.Outcome;
import dev.postroad.conformance.ConformanceReport.Result;
import dev.postroad.memory.Bug;
import dev.postroad.memory.MemoryBroker;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PatternChecksTest {
    private static final List<Check> CHECKS = PatternChecks.all();

    private static ConformanceReport run(Supplier<Postroad> open, String... only) {
        String[] words =
                only.length > 0 ? only : CHECKS.stream().map(Check::sentence).toArray(String[]::new);
        return Conformance.run(
                open, Conformance.Options.DEFAULT.withAtOnce(8).withMore(CHECKS).withOnly(words));
    }

    private static void requireAll(ConformanceReport report) {
        assertThat(report.results())
                .as(report.table())
                .hasSize(CHECKS.size())
                .allMatch(result -> result.outcome() == Outcome.PASSED);
    }

    @Test
    void in_memory_every_pattern_keeps_its_promise_and_leaves_nothing_behind() {
        requireAll(run(() -> Postroad.connect("embedded:memory")));
    }

    @Test
    void on_a_directory_every_pattern_keeps_its_promise_and_leaves_nothing_behind(@TempDir Path folder) {
        String url = "embedded:" + folder.resolve("data");
        requireAll(run(() -> Postroad.connect(url)));
        try (Postroad postroad = Postroad.connect(url)) {
            assertThat(postroad.administration().channels()).isEmpty();
        }
    }

    @Test
    void what_a_transport_can_not_carry_is_named_with_the_reason() {
        MemoryBroker broker = MemoryBroker.inRealTime().with(Capability.impossible(Need.DELAY, "no clock in it"));
        ConformanceReport report = run(() -> Postroad.over(broker.connect()), "saga", "scheduler", "claim check");
        assertThat(report.passed()).as(report.table()).isTrue();
        assertThat(report.results())
                .filteredOn(result -> result.outcome() == Outcome.IMPOSSIBLE)
                .extracting(Result::detail)
                .containsExactly(
                        "it takes [DELAY], which is impossible here: no clock in it",
                        "it takes [DELAY], which is impossible here: no clock in it");
        assertThat(report.results())
                .filteredOn(result -> result.outcome() == Outcome.PASSED)
                .hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "OVERTAKES_A_FAILED_KEY, retry: a key",
        "DROPS_HEADERS, properties and headers are untouched",
        "DROPS_PROPERTIES, properties and headers are untouched",
        "DROPS_DEAD_LETTERS, a redrive puts",
        "IGNORES_DEDUP, inbox in the broker",
        "IGNORES_DELAY, scheduler",
        "LOSES_A_MESSAGE, outbox"
    })
    void a_transport_that_breaks_what_a_pattern_stands_on_is_found(Bug bug, String check) {
        MemoryBroker broker = MemoryBroker.inRealTime(bug);
        ConformanceReport report = Conformance.run(
                () -> Postroad.over(broker.connect()),
                Conformance.Options.DEFAULT
                        .withPatience(java.time.Duration.ofSeconds(2))
                        .withMore(CHECKS)
                        .withOnly(check));
        assertThat(report.results()).as(report.table()).anyMatch(result -> result.outcome() == Outcome.FAILED);
    }
}
