package dev.postroad.conformance;

import dev.postroad.api.Need;
import dev.postroad.conformance.ConformanceReport.Fitness;
import dev.postroad.conformance.ConformanceReport.Outcome;
import dev.postroad.conformance.ConformanceReport.Result;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A report in aligned columns. */
final class ReportTable {
    private static final String EVERY_TRANSPORT = "(every transport)";

    private final StringBuilder text = new StringBuilder();
    private final ConformanceReport report;
    private final int sentenceWidth;

    ReportTable(ConformanceReport report) {
        this.report = report;
        this.sentenceWidth = report.results().stream()
                .mapToInt(result -> result.sentence().length())
                .max()
                .orElse(10);
        line(
                "conformance of %s, seed %d, %.1f s",
                report.transport(), report.seed(), report.took().toMillis() / 1e3);
        fitness();
        results();
        summary();
    }

    private void fitness() {
        line("");
        line("%-26s %9s  %-15s %7s  %s", "fitness", "measured", "counted", "needed", "result");
        for (Fitness fitness : report.fitness()) {
            String measured = fitness.measured() ? String.format(Locale.ROOT, "%.1f %%", fitness.percent()) : "-";
            String result = !fitness.measured() ? "not measured" : fitness.reached() ? "reached" : "MISSED";
            line(
                    "%-26s %9s  %-15s %7s  %s",
                    fitness.criterion().title(),
                    measured,
                    fitness.met() + " of " + fitness.of(),
                    fitness.criterion().threshold() + " %",
                    result);
        }
    }

    private void results() {
        line("");
        line("%-20s %-10s  %-" + sentenceWidth + "s  %-10s %8s", "need", "support", "check", "result", "ms");
        Need last = null;
        boolean first = true;
        for (Result result : report.results()) {
            boolean same = !first && result.need() == last;
            line(
                    "%-20s %-10s  %-" + sentenceWidth + "s  %-10s %8d",
                    same ? "" : name(result.need()),
                    same ? "" : support(result),
                    result.sentence(),
                    outcome(result.outcome()),
                    result.took().toMillis());
            if (!result.detail().isEmpty()) {
                line("%-20s %-10s      %s", "", "", result.detail().replaceAll("\\s*\\R\\s*", " | "));
            }
            last = result.need();
            first = false;
        }
    }

    private void summary() {
        line("");
        line(
                "%d passed, %d failed, %d impossible, %d not proven: %s",
                report.count(Outcome.PASSED),
                report.count(Outcome.FAILED),
                report.count(Outcome.IMPOSSIBLE),
                report.count(Outcome.NOT_PROVEN),
                report.passed() ? "conforms" : "DOES NOT CONFORM");
    }

    private static String name(@Nullable Need need) {
        return need == null ? EVERY_TRANSPORT : need.name();
    }

    private static String support(Result result) {
        return result.support() == null ? "" : result.support().name().toLowerCase(Locale.ROOT);
    }

    private static String outcome(Outcome outcome) {
        return outcome == Outcome.FAILED
                ? "FAILED"
                : outcome.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private void line(String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values).stripTrailing()).append('\n');
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
