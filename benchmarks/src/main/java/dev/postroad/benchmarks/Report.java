package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Scenario.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** Results as tables for people, or as JSON for programs. */
final class Report {
    /** What people read above a figure. */
    private static final Map<String, String> HEADS = Map.ofEntries(
            Map.entry(Measurement.RATE, "msg/s"),
            Map.entry(Measurement.CPU, "CPU us/msg"),
            Map.entry("confirm.p50", "confirm p50"),
            Map.entry("confirm.p99", "p99"),
            Map.entry("confirm.p999", "p99.9"),
            Map.entry("e2e.p50", "end-to-end p50"),
            Map.entry("e2e.p99", "p99"),
            Map.entry("e2e.p999", "p99.9"),
            Map.entry("ready.ms", "ready ms"),
            Map.entry("fill", "fill msg/s"),
            Map.entry("heap.filled", "heap B/msg filled"),
            Map.entry("heap.restarted", "restarted"),
            Map.entry("restart.ms", "restart ms"),
            Map.entry("heap.mb", "heap MiB"),
            Map.entry("rss.mb", "RSS MiB"));

    private Report() {}

    // ── Tables
    // ────────────────────────────────────────────────────────────────────────────────────────────────────────

    static String table(Results results) {
        Scenario scenario = results.scenario();
        List<String> compared = List.of(Scenario.ARTEMIS, Scenario.CHRONICLE, Scenario.LIMIT).stream()
                .filter(id -> results.best(id, Measurement.RATE).isPresent())
                .toList();
        List<List<String>> lines = new ArrayList<>();
        List<String> head = new ArrayList<>(List.of(""));
        for (String figure : scenario.figures()) {
            head.add(
                    scenario.shape() == Scenario.Shape.BACKLOG && figure.equals(Measurement.RATE)
                            ? "drain msg/s"
                            : HEADS.getOrDefault(figure, figure));
            if (figure.equals(Measurement.RATE)) {
                head.add("min - max");
                compared.forEach(id -> head.add("x " + id));
            }
        }
        head.add("goals");
        lines.add(head);
        for (Row row : results.rows()) {
            lines.add(line(results, row, compared));
        }
        return "\n" + scenario.name() + ": " + scenario.title() + "\n" + align(lines);
    }

    private static List<String> line(Results results, Row row, List<String> compared) {
        List<String> line = new ArrayList<>(List.of(row.title()));
        for (String name : results.scenario().figures()) {
            line.add(results.figure(row, name)
                    .map(figure -> number(figure.median()))
                    .orElse(""));
            if (name.equals(Measurement.RATE)) {
                line.add(results.figure(row, name)
                        .map(figure -> number(figure.min()) + " - " + number(figure.max()))
                        .orElse(""));
                for (String id : compared) {
                    OptionalDouble ratio = results.ratio(row, id);
                    line.add(ratio.isPresent() ? number(ratio.getAsDouble()) : "");
                }
            }
        }
        line.add(results.verdicts(row).stream().map(Report::verdict).collect(Collectors.joining("; ")));
        return line;
    }

    private static String verdict(Results.Verdict verdict) {
        Scenario.Goal goal = verdict.goal();
        String bound = (goal.atLeast() ? ">= " : "<= ") + number(goal.bound());
        String what = goal.row().isEmpty()
                ? HEADS.getOrDefault(goal.figure(), goal.figure()) + " " + bound
                : bound + " x " + goal.row();
        return (verdict.met() ? "met: " : "MISSED: ") + what;
    }

    /** About three digits that count, and no more decimals than that takes. */
    static String number(double value) {
        double size = Math.abs(value);
        String format = size >= 100 || size == Math.rint(size) ? "%,.0f" : size >= 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }

    private static String align(List<List<String>> lines) {
        int columns = lines.getFirst().size();
        int[] widths = new int[columns];
        for (List<String> line : lines) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], line.get(i).length());
            }
        }
        StringBuilder table = new StringBuilder();
        for (List<String> line : lines) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                boolean left = i == 0 || i == columns - 1;
                text.append(i == 0 ? "  " : "  ")
                        .append(String.format("%" + (left ? "-" : "") + Math.max(1, widths[i]) + "s", line.get(i)));
            }
            table.append(text.toString().stripTrailing()).append('\n');
        }
        return table.toString();
    }

    // ── JSON
    // ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    static String json(Machine machine, Options options, List<Results> all) {
        StringBuilder out = new StringBuilder("{\"machine\":{");
        out.append("\"cores\":").append(machine.cores());
        out.append(",\"processor\":").append(quote(machine.processor()));
        out.append(",\"memoryMiB\":").append(machine.memoryMegabytes());
        out.append(",\"system\":").append(quote(machine.system()));
        out.append(",\"java\":").append(quote(machine.java()));
        out.append(",\"fileSystem\":").append(quote(machine.fileSystem()));
        out.append(",\"forceMicros\":").append(plain(machine.forceMicros()));
        out.append(",\"load\":").append(plain(machine.load()));
        out.append("},\"rounds\":").append(options.rounds());
        out.append(",\"seconds\":").append(plain(options.seconds()));
        out.append(",\"scenarios\":[");
        out.append(all.stream().map(Report::json).collect(Collectors.joining(",")));
        return out.append("]}").toString();
    }

    private static String json(Results results) {
        return "{\"name\":" + quote(results.scenario().name()) + ",\"title\":"
                + quote(results.scenario().title()) + ",\"rows\":["
                + results.rows().stream().map(row -> json(results, row)).collect(Collectors.joining(",")) + "]}";
    }

    private static String json(Results results, Row row) {
        List<String> figures = new ArrayList<>();
        for (String name : results.scenario().figures()) {
            results.figure(row, name)
                    .ifPresent(figure -> figures.add(quote(name) + ":{\"median\":" + plain(figure.median())
                            + ",\"min\":" + plain(figure.min()) + ",\"max\":" + plain(figure.max()) + "}"));
        }
        List<String> ratios = new ArrayList<>();
        for (String id : List.of(Scenario.ARTEMIS, Scenario.CHRONICLE, Scenario.LIMIT)) {
            results.ratio(row, id).ifPresent(ratio -> ratios.add(quote(id) + ":" + plain(ratio)));
        }
        List<String> goals = results.verdicts(row).stream()
                .map(verdict -> "{\"figure\":" + quote(verdict.goal().figure()) + ",\"against\":"
                        + quote(verdict.goal().row()) + ",\"bound\":"
                        + plain(verdict.goal().bound()) + ",\"value\":" + plain(verdict.value()) + ",\"met\":"
                        + verdict.met() + "}")
                .toList();
        return "{\"contender\":" + quote(row.title()) + ",\"id\":" + quote(row.id()) + ",\"figures\":{"
                + String.join(",", figures) + "},\"ratios\":{" + String.join(",", ratios) + "},\"goals\":["
                + String.join(",", goals) + "]}";
    }

    private static String plain(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
