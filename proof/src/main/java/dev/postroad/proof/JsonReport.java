package dev.postroad.proof;

import dev.postroad.testkit.Experiment.Figure;
import dev.postroad.testkit.Experiment.Goal;
import dev.postroad.testkit.Experiment.Outcome;
import dev.postroad.testkit.Experiment.Plot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The book as JSON, for programs. Times are in seconds. */
final class JsonReport {
    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private JsonReport() {}

    static String of(Book book) {
        Map<String, @Nullable Object> root = new LinkedHashMap<>();
        root.put("product", "Postroad");
        root.put("version", book.version());
        root.put("begun", book.begun().toString());
        root.put("seconds", book.took().toMillis() / 1000.0);
        root.put("budgetSeconds", book.budget().toMillis() / 1000.0);
        root.put("seed", book.seed());
        Surroundings at = book.machine();
        Map<String, Object> machine = new LinkedHashMap<>();
        machine.put("cores", at.cores());
        machine.put("processor", at.processor());
        machine.put("memoryMegabytes", at.memoryMegabytes());
        machine.put("system", at.system());
        machine.put("java", at.java());
        machine.put("fileSystem", at.fileSystem());
        machine.put("loadBefore", at.load());
        machine.put("root", at.root());
        root.put("machine", machine);
        root.put("violations", book.violations());
        root.put("failures", book.failures());
        root.put("goalsMissed", book.missed());
        root.put(
                "experiments", book.chapters().stream().map(JsonReport::chapter).toList());
        root.put(
                "leftOut",
                book.left().stream()
                        .map(left -> Map.of("name", left.name(), "why", left.why()))
                        .toList());
        return MAPPER.writeValueAsString(root) + "\n";
    }

    private static Map<String, @Nullable Object> chapter(Finished finished) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("name", finished.name());
        map.put("question", finished.question());
        map.put("verdict", finished.verdict().words());
        map.put("seconds", finished.took().toMillis() / 1000.0);
        map.put("shareSeconds", finished.share().toMillis() / 1000.0);
        if (finished.failure() != null) {
            map.put("failure", finished.failure());
        }
        map.put("figures", finished.figures().stream().map(JsonReport::figure).toList());
        map.put(
                "violations",
                finished.violations().stream()
                        .map(one -> Map.of("what", one.what(), "replay", one.replay()))
                        .toList());
        map.put(
                "notRun",
                finished.notRun().stream()
                        .map(one -> Map.of("what", one.what(), "why", one.why()))
                        .toList());
        Outcome outcome = finished.outcome();
        List<Plot> plots = outcome == null ? List.of() : outcome.plots();
        if (!plots.isEmpty()) {
            map.put("plots", plots);
        }
        return map;
    }

    private static Map<String, @Nullable Object> figure(Figure figure) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        map.put("name", figure.name());
        // JSON has no infinity.
        map.put("value", Double.isFinite(figure.value()) ? (Object) figure.value() : null);
        if (!figure.unit().isEmpty()) {
            map.put("unit", figure.unit());
        }
        Goal goal = figure.goal();
        if (goal != null) {
            List<Object> bound = new ArrayList<>(List.of(goal.atLeast() ? "at least" : "at most", goal.value()));
            map.put("goal", bound);
            map.put("reached", figure.reached());
        }
        return map;
    }
}
