package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Comparison.Entry;
import dev.postroad.benchmarks.Comparison.Goal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/** What the rounds of one scenario gave, entry by entry, and how the entries compare. */
final class Results {
    private final Comparison comparison;
    private final Map<Entry, List<Measurement>> rounds = new LinkedHashMap<>();

    Results(Comparison comparison) {
        this.comparison = comparison;
        comparison.entries().forEach(entry -> rounds.put(entry, new ArrayList<>()));
    }

    Comparison comparison() {
        return comparison;
    }

    List<Entry> entries() {
        return List.copyOf(rounds.keySet());
    }

    void add(Entry entry, Measurement measurement) {
        rounds.computeIfAbsent(entry, absent -> new ArrayList<>()).add(measurement);
    }

    Optional<Figure> figure(Entry entry, String name) {
        return Figure.of(rounds.getOrDefault(entry, List.of()), name);
    }

    /** Median of the best of the entries with this id: a peer may take part in two ways. Empty if none was measured. */
    OptionalDouble best(String id, String name) {
        DoubleStream medians = entries().stream()
                .filter(entry -> entry.id().equals(id))
                .flatMap(entry -> figure(entry, name).stream())
                .mapToDouble(Figure::median);
        return Measurement.isBetterHigh(name) ? medians.max() : medians.min();
    }

    /** An entry's figure as a multiple of the best with this id; empty for that entry itself. */
    OptionalDouble ratio(Entry entry, String id, String name) {
        Optional<Figure> own = figure(entry, name);
        OptionalDouble other = best(id, name);
        if (entry.id().equals(id) || own.isEmpty() || other.isEmpty() || other.getAsDouble() == 0) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(own.get().median() / other.getAsDouble());
    }

    /**
     * How an entry of Postroad's stands to a goal.
     *
     * @param value the ratio, or the figure itself where the goal is absolute
     */
    record Verdict(Goal goal, double value, boolean met) {}

    /** For the entries of Postroad; where what a goal compares with was not measured there is no verdict. */
    List<Verdict> verdicts(Entry entry) {
        if (!entry.judged()) {
            return List.of();
        }
        List<Verdict> verdicts = new ArrayList<>();
        for (Goal goal : comparison.goals()) {
            OptionalDouble value = goal.peer().isEmpty()
                    ? figure(entry, goal.figure())
                            .map(Figure::median)
                            .map(OptionalDouble::of)
                            .orElse(OptionalDouble.empty())
                    : ratio(entry, goal.peer(), goal.figure());
            if (value.isPresent()) {
                verdicts.add(new Verdict(goal, value.getAsDouble(), goal.met(value.getAsDouble())));
            }
        }
        return verdicts;
    }
}
