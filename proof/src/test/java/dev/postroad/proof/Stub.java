package dev.postroad.proof;

import dev.postroad.proof.Chapter.Kind;
import dev.postroad.testkit.Experiment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** An experiment that does as a test tells it, and remembers what it was given. */
final class Stub implements Experiment {
    /** What it is to do. */
    interface Doing {
        Outcome run() throws Exception;
    }

    final List<Budget> budgets = new ArrayList<>();
    private final String name;
    private final Doing doing;

    Stub(String name, Doing doing) {
        this.name = name;
        this.doing = doing;
    }

    /** One that runs alone. */
    static Chapter holding(String name, int weight) {
        return holding(name, weight, Kind.MEASURING);
    }

    static Chapter holding(String name, int weight, Kind kind) {
        return new Chapter(new Stub(name, () -> Outcome.of(Figure.count("things tried", 5, 5))), weight, kind);
    }

    /** One that runs alone, and does this. */
    static Chapter doing(String name, Doing doing) {
        return new Chapter(new Stub(name, doing), 1, Kind.MEASURING);
    }

    static Outcome broken(String what) {
        return new Outcome(
                List.of(Figure.count("things tried", 3)),
                List.of(new Violation(what, "./postroad simulate --seed 7")),
                List.of(),
                List.of());
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String question() {
        return "Does " + name + " hold?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        if (budget.time().compareTo(Duration.ZERO) <= 0) {
            throw new AssertionError("no time: " + budget);
        }
        budgets.add(budget);
        progress.at(0.5, "half of it");
        return doing.run();
    }
}
