package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Scenario.Goal;
import dev.postroad.benchmarks.Scenario.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/** What the rounds of one scenario gave, row by row, and how the rows compare. */
final class Results {
    private final Scenario scenario;
    private final Map<Row, List<Measurement>> rounds = new LinkedHashMap<>();

    /** @param rows of the scenario that are measured */
    Results(Scenario scenario, List<Row> rows) {
        this.scenario = scenario;
        rows.forEach(row -> rounds.put(row, new ArrayList<>()));
    }

    Scenario scenario() {
        return scenario;
    }

    List<Row> rows() {
        return List.copyOf(rounds.keySet());
    }

    void add(Row row, Measurement measurement) {
        rounds.computeIfAbsent(row, absent -> new ArrayList<>()).add(measurement);
    }

    Optional<Figure> figure(Row row, String name) {
        return Figure.of(rounds.getOrDefault(row, List.of()), name);
    }

    /** Median of the best of the rows with this id: a peer may take part in two ways. Empty if none was measured. */
    OptionalDouble best(String id, String name) {
        return rows().stream()
                .filter(row -> row.id().equals(id))
                .flatMap(row -> figure(row, name).stream())
                .mapToDouble(Figure::median)
                .max();
    }

    /** A row's rate as a multiple of the best with this id; empty for that row itself. */
    OptionalDouble ratio(Row row, String id) {
        Optional<Figure> own = figure(row, Measurement.RATE);
        OptionalDouble other = best(id, Measurement.RATE);
        if (row.id().equals(id) || own.isEmpty() || other.isEmpty() || other.getAsDouble() == 0) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(own.get().median() / other.getAsDouble());
    }

    /**
     * How a row of Postroad's stands to a goal.
     *
     * @param value the ratio, or the figure itself where the goal is absolute
     */
    record Verdict(Goal goal, double value, boolean met) {}

    /** For the rows of Postroad; where what a goal compares with was not measured there is no verdict. */
    List<Verdict> verdicts(Row row) {
        if (!row.kind().peer().equals(ContenderKind.POSTROAD)) {
            return List.of();
        }
        List<Verdict> verdicts = new ArrayList<>();
        for (Goal goal : scenario.goals()) {
            OptionalDouble value = goal.row().isEmpty()
                    ? figure(row, goal.figure())
                            .map(Figure::median)
                            .map(OptionalDouble::of)
                            .orElse(OptionalDouble.empty())
                    : ratio(row, goal.row());
            if (value.isPresent()) {
                verdicts.add(new Verdict(goal, value.getAsDouble(), goal.met(value.getAsDouble())));
            }
        }
        return verdicts;
    }
}
