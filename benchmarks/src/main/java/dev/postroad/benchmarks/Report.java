package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Comparison.Entry;
import dev.postroad.benchmarks.Comparison.Goal;
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
            Map.entry("rss.mb", "RSS MiB"),
            Map.entry(Measurement.DRAIN, "drain msg/s"),
            Map.entry("cpu.broker", "broker us/msg"),
            Map.entry("cpu.client", "client us/msg"),
            Map.entry(TransportScenario.SEND, "sent/s"),
            Map.entry(TransportScenario.CPU_SEND, "CPU us/msg"),
            Map.entry(TransportScenario.RECEIVE, "received/s"),
            Map.entry(TransportScenario.CPU_RECEIVE, "CPU us/msg "),
            Map.entry("rpc.p50", "reply p50"),
            Map.entry("rpc.p99", "p99 "),
            Map.entry("rss.message", "RSS B/msg"),
            Map.entry("heap.message", "live heap B/msg"),
            Map.entry("rss.restarted", "RSS MiB restarted"),
            Map.entry("connections", "connections"),
            Map.entry("rss.connection", "RSS KiB/connection"),
            Map.entry("heap.connection", "live heap KiB/connection"));

    private Report() {}

    // ── Tables
    // ────────────────────────────────────────────────────────────────────────────────────────────────────────

    static String table(Results results) {
        Comparison comparison = results.comparison();
        List<String> compared = comparison.peers().stream()
                .filter(id -> results.best(id, comparison.main()).isPresent())
                .toList();
        boolean promises =
                results.entries().stream().anyMatch(entry -> !entry.promise().isEmpty());
        List<List<String>> lines = new ArrayList<>();
        List<String> head = new ArrayList<>(List.of(""));
        for (String figure : comparison.figures()) {
            head.add(HEADS.getOrDefault(figure, figure));
            if (figure.equals(comparison.main())) {
                head.add("min - max");
                compared.forEach(id -> head.add("x " + id));
            }
        }
        if (promises) {
            head.add("at the confirm");
        }
        head.add("goals");
        lines.add(head);
        for (Entry entry : results.entries()) {
            lines.add(line(results, entry, compared, promises));
        }
        return "\n" + comparison.name() + ": " + comparison.title() + "\n" + align(lines, promises ? 2 : 1);
    }

    private static List<String> line(Results results, Entry entry, List<String> compared, boolean promises) {
        String main = results.comparison().main();
        List<String> line = new ArrayList<>(List.of(entry.title()));
        for (String name : results.comparison().figures()) {
            line.add(results.figure(entry, name)
                    .map(figure -> number(figure.median()))
                    .orElse(""));
            if (name.equals(main)) {
                line.add(results.figure(entry, name)
                        .map(figure -> number(figure.min()) + " - " + number(figure.max()))
                        .orElse(""));
                for (String id : compared) {
                    OptionalDouble ratio = results.ratio(entry, id, main);
                    line.add(ratio.isPresent() ? number(ratio.getAsDouble()) : "");
                }
            }
        }
        if (promises) {
            line.add(entry.promise());
        }
        line.add(results.verdicts(entry).stream().map(Report::verdict).collect(Collectors.joining("; ")));
        return line;
    }

    private static String verdict(Results.Verdict verdict) {
        Goal goal = verdict.goal();
        String head = HEADS.getOrDefault(goal.figure(), goal.figure());
        String what = goal.figure().equals(Measurement.RATE) ? "" : head + " ";
        return (verdict.met() ? "met: " : "MISSED: ")
                + what
                + number(verdict.value())
                + (goal.atLeast() ? " >= " : " <= ")
                + number(goal.bound())
                + (goal.peer().isEmpty() ? "" : " x " + goal.peer());
    }

    /** About three digits that count, and no more decimals than that takes. */
    static String number(double value) {
        double size = Math.abs(value);
        String format = size >= 100 || size == Math.rint(size) ? "%,.0f" : size >= 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }

    /** @param texts how many columns at the end are words, not figures */
    private static String align(List<List<String>> lines, int texts) {
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
                boolean left = i == 0 || i >= columns - texts;
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
        return "{\"name\":" + quote(results.comparison().name()) + ",\"title\":"
                + quote(results.comparison().title()) + ",\"rows\":["
                + results.entries().stream().map(entry -> json(results, entry)).collect(Collectors.joining(",")) + "]}";
    }

    private static String json(Results results, Entry entry) {
        List<String> figures = new ArrayList<>();
        List<String> ratios = new ArrayList<>();
        for (String name : results.comparison().figures()) {
            results.figure(entry, name)
                    .ifPresent(figure -> figures.add(quote(name) + ":{\"median\":" + plain(figure.median())
                            + ",\"min\":" + plain(figure.min()) + ",\"max\":" + plain(figure.max()) + "}"));
        }
        for (String id : results.comparison().peers()) {
            results.ratio(entry, id, results.comparison().main())
                    .ifPresent(ratio -> ratios.add(quote(id) + ":" + plain(ratio)));
        }
        List<String> goals = results.verdicts(entry).stream()
                .map(verdict -> "{\"figure\":" + quote(verdict.goal().figure()) + ",\"against\":"
                        + quote(verdict.goal().peer()) + ",\"bound\":"
                        + plain(verdict.goal().bound()) + ",\"value\":" + plain(verdict.value()) + ",\"met\":"
                        + verdict.met() + "}")
                .toList();
        String promise = entry.promise().isEmpty() ? "" : ",\"confirm\":" + quote(entry.promise());
        return "{\"contender\":" + quote(entry.title()) + ",\"id\":" + quote(entry.id()) + promise + ",\"figures\":{"
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
