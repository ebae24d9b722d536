package dev.postroad.transports.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.api.Need;
import dev.postroad.api.Postroad;
import dev.postroad.conformance.Conformance;
import dev.postroad.conformance.ConformanceReport;
import dev.postroad.conformance.ConformanceReport.Fitness;
import dev.postroad.conformance.ConformanceReport.Outcome;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedConformanceTest {

    @Test
    void onADirectoryEveryCheckPassesAndEveryNeedIsProven(@TempDir Path directory) {
        String url = "embedded:" + directory.resolve("data");
        ConformanceReport report = Conformance.run(
                () -> Postroad.connect(url),
                Conformance.Options.DEFAULT.withAtOnce(8).withReopen(old -> {
                    old.close();
                    return Postroad.connect(url);
                }));
        assertThat(report.results()).as(report.table()).allMatch(result -> result.outcome() == Outcome.PASSED);
        assertThat(report.fitness())
                .as(report.table())
                .allMatch(Fitness::measured)
                .allMatch(Fitness::reached);
        assertThat(report.results()).extracting(result -> result.need()).contains(Need.values());
    }

    @Test
    void inMemoryEveryCheckPassesThatNeedsNoReopening() {
        ConformanceReport report =
                Conformance.run(() -> Postroad.connect("embedded:memory"), Conformance.Options.DEFAULT.withAtOnce(8));
        assertThat(report.results())
                .as(report.table())
                .allMatch(result -> result.outcome() == Outcome.PASSED
                        || result.outcome() == Outcome.NOT_PROVEN
                                && result.detail().contains("reopen"));
    }
}
