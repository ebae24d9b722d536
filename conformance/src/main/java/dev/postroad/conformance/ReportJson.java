package dev.postroad.conformance;

import dev.postroad.conformance.ConformanceReport.Fitness;
import dev.postroad.conformance.ConformanceReport.Result;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** A report as JSON, for programs. */
final class ReportJson {
    private ReportJson() {}

    static String of(ConformanceReport report) {
        return object(
                field("transport", quoted(report.transport())),
                field("seed", Long.toString(report.seed())),
                field("tookMillis", Long.toString(report.took().toMillis())),
                field("passed", Boolean.toString(report.passed())),
                field("fitness", array(report.fitness(), ReportJson::fitness)),
                field("checks", array(report.results(), ReportJson::result)));
    }

    private static String fitness(Fitness fitness) {
        return object(
                field("criterion", quoted(fitness.criterion().name().toLowerCase(Locale.ROOT))),
                field("met", Long.toString(fitness.met())),
                field("of", Long.toString(fitness.of())),
                field("threshold", Integer.toString(fitness.criterion().threshold())),
                field("reached", fitness.measured() ? Boolean.toString(fitness.reached()) : "null"));
    }

    private static String result(Result result) {
        return object(
                field(
                        "need",
                        result.need() == null ? "null" : quoted(result.need().name())),
                field("support", result.support() == null ? "null" : quoted(lower(result.support()))),
                field("check", quoted(result.sentence())),
                field("outcome", quoted(lower(result.outcome()))),
                field("detail", quoted(result.detail())),
                field("tookMillis", Long.toString(result.took().toMillis())));
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private static <T> String array(List<T> elements, Function<T, String> write) {
        return "[" + String.join(",", elements.stream().map(write).toList()) + "]";
    }

    private static String object(String... fields) {
        return "{" + String.join(",", fields) + "}";
    }

    private static String field(String name, String json) {
        return quoted(name) + ":" + json;
    }

    private static String quoted(String text) {
        StringBuilder json = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                json.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c) || c == '\u2028' || c == '\u2029') {
                json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }
}
