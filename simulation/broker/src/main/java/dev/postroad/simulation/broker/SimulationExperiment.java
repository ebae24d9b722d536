package dev.postroad.simulation.broker;

import dev.postroad.testkit.Experiment;
import java.time.Duration;
import java.util.List;

/** Seeded runs of the whole engine: all commands, all options, crashes anywhere. */
public final class SimulationExperiment implements Experiment {
    /** A run of {@link Scenario#BUSY} carries out some 19,000 operations in them, one of the others 1,500 to 6,000. */
    private static final int STEPS = 285;

    private static final long SEEDS = 2_000;
    private static final long OPERATIONS = 20_000_000;
    /** Time that is enough for the goals; with so many times as much there is so many times as much to do. */
    private static final Duration GOAL_TIME = Duration.ofSeconds(260);

    /**
     * Half of the runs are for many operations, half for more of what there is.
     */
    private static final List<Scenario> TURNS = List.of(
            Scenario.BUSY,
            Scenario.ALL,
            Scenario.BUSY,
            Scenario.WIDE,
            Scenario.BUSY,
            Scenario.STRAIN,
            Scenario.BUSY,
            Scenario.RARE);

    /** Ready to run. */
    public SimulationExperiment() {}

    @Override
    public String name() {
        return "simulation";
    }

    @Override
    public String question() {
        return "Does the whole engine keep its promises, whatever is asked of it, and wherever it crashes?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) {
        Campaign campaign = new Campaign();
        long begun = System.nanoTime();
        long nanos = budget.time().toNanos();
        long times = Math.max(1, budget.time().dividedBy(GOAL_TIME));
        Campaign.Sum all = campaign.sum();
        long before = -1;
        while ((all.runs < times * SEEDS || all.operations < times * OPERATIONS) && all.runs > before) {
            before = all.runs;
            long left = nanos - (System.nanoTime() - begun);
            // A turn of each: then it looks whether that is enough.
            campaign.run(TURNS, budget.seed() + all.runs, STEPS, TURNS.size(), left, result -> {
                Campaign.Sum now = campaign.sum();
                progress.at(
                        Math.min(1, (System.nanoTime() - begun) / (double) nanos),
                        now.runs + " seeds, " + now.operations + " operations, "
                                + campaign.violations().size() + " violations");
            });
            all = campaign.sum();
        }
        return new Outcome(
                List.of(
                        Figure.count("seeds", all.runs, SEEDS),
                        Figure.count("operations", all.operations, OPERATIONS),
                        Figure.count("crashes", all.crashes),
                        Figure.count("recoveries", all.recoveries),
                        Figure.count("crashes in recovery", all.crashesInRecovery),
                        Figure.count("comparisons of everything", all.checks),
                        new Figure("violations", campaign.violations().size(), "", Goal.atMost(0))),
                violations(campaign),
                List.of(),
                List.of());
    }

    static List<Violation> violations(Campaign campaign) {
        return campaign.violations().stream()
                .map(result -> new Violation(String.valueOf(result.violation()), Campaign.replay(result)))
                .toList();
    }
}
