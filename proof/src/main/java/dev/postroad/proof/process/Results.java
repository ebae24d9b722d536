package dev.postroad.proof.process;

import dev.postroad.proof.history.Verdict;
import dev.postroad.testkit.Experiment.Figure;
import dev.postroad.testkit.Experiment.Goal;
import dev.postroad.testkit.Experiment.NotRun;
import dev.postroad.testkit.Experiment.Outcome;
import dev.postroad.testkit.Experiment.Plot;
import dev.postroad.testkit.Experiment.Violation;
import java.util.ArrayList;
import java.util.List;

/** What an experiment gathers on its way, from any thread. */
final class Results {
    private final String replay;
    private final List<Figure> figures = new ArrayList<>();
    private final List<Violation> violations = new ArrayList<>();
    private final List<NotRun> notRun = new ArrayList<>();
    private final List<Plot> plots = new ArrayList<>();

    /** @param replay how a violation is shown again */
    Results(String replay) {
        this.replay = replay;
    }

    /** The command that runs an experiment again. */
    static Results of(String experiment, long seed) {
        return new Results("./postroad prove --only " + experiment + " --seed " + seed);
    }

    synchronized void count(String name, long value) {
        figures.add(Figure.count(name, value));
    }

    synchronized void count(String name, long value, long atLeast) {
        figures.add(Figure.count(name, value, atLeast));
    }

    synchronized void figure(String name, double value, String unit) {
        figures.add(new Figure(name, value, unit, null));
    }

    synchronized void figure(String name, double value, String unit, Goal goal) {
        figures.add(new Figure(name, value, unit, goal));
    }

    synchronized void plot(Plot plot) {
        plots.add(plot);
    }

    synchronized void notRun(String what, String why) {
        notRun.add(new NotRun(what, why));
    }

    synchronized void violation(String what) {
        violations.add(new Violation(what, replay));
    }

    /** All that a history shows to be broken. */
    synchronized void judge(String where, List<Verdict> verdicts) {
        for (Verdict verdict : verdicts) {
            if (!verdict.broken().isEmpty()) {
                violation(where + ": " + verdict);
            }
        }
    }

    /** The first violation in words, or empty. */
    synchronized String first() {
        return violations.isEmpty() ? "" : violations.getFirst().what();
    }

    synchronized Outcome outcome() {
        return new Outcome(List.copyOf(figures), List.copyOf(violations), List.copyOf(notRun), List.copyOf(plots));
    }
}
