package dev.postroad.simulation.broker;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Many runs, one after another, until the time is over. */
public final class Campaign {
    /** Violations after which it ends: more of them tell nothing new. */
    private static final int MOST_VIOLATIONS = 20;

    private final Map<Scenario, Sum> sums = new EnumMap<>(Scenario.class);
    private final List<Simulation.Result> violations = new ArrayList<>();

    /** What the runs of a scenario add up to. */
    public static final class Sum {
        long runs;
        long operations;
        long crashes;
        long recoveries;
        long crashesInRecovery;
        long checks;
        long violations;

        private void add(Sum other) {
            runs += other.runs;
            operations += other.operations;
            crashes += other.crashes;
            recoveries += other.recoveries;
            crashesInRecovery += other.crashesInRecovery;
            checks += other.checks;
            violations += other.violations;
        }

        private void add(Simulation.Result result) {
            runs++;
            operations += result.operations();
            crashes += result.crashes();
            recoveries += result.recoveries();
            crashesInRecovery += result.crashesInRecovery();
            checks += result.checks();
            violations += result.violation() == null ? 0 : 1;
        }
    }

    /**
     * Runs seeds one after another for so long. The engine's classes are those of the class path.
     *
     * @param seconds at most, a little over is possible
     * @param seed of the first run; the ones after it follow from it
     * @return the broken promises found; empty is the aim
     */
    public static List<Simulation.Result> run(double seconds, long seed) {
        Campaign campaign = new Campaign();
        campaign.run(List.of(Scenario.values()), seed, 150, Long.MAX_VALUE, (long) (seconds * 1e9), each -> {});
        return campaign.violations();
    }

    /**
     * Runs the scenarios in turns.
     *
     * @param steps of each run
     * @param runs at most
     * @param nanos at most
     * @param heard is told of each run
     */
    void run(List<Scenario> scenarios, long seed, int steps, long runs, long nanos, Consumer<Simulation.Result> heard) {
        long until = System.nanoTime() + nanos;
        for (long i = 0; i < runs && System.nanoTime() < until && violations.size() < MOST_VIOLATIONS; i++) {
            Scenario scenario = scenarios.get((int) (i % scenarios.size()));
            Simulation.Result result = Simulation.run(scenario, seed + i, steps);
            sums.computeIfAbsent(scenario, s -> new Sum()).add(result);
            if (result.violation() != null) {
                violations.add(result);
            }
            heard.accept(result);
        }
    }

    /** What all runs add up to. */
    Sum sum() {
        Sum all = new Sum();
        sums.values().forEach(all::add);
        return all;
    }

    Map<Scenario, Sum> sums() {
        return sums;
    }

    List<Simulation.Result> violations() {
        return violations;
    }

    /** The command that shows a violation again. */
    static String replay(Simulation.Result result) {
        return "./postroad simulate --scenario " + result.scenario().word() + " --seed " + result.seed() + " --steps "
                + result.steps();
    }
}
