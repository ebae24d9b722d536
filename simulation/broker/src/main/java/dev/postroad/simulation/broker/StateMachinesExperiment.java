package dev.postroad.simulation.broker;

import dev.postroad.testkit.Experiment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Many short sequences for each of the engine's state machines. */
public final class StateMachinesExperiment implements Experiment {
    /**
     * Some 70 operations. A state machine's faults need few messages and the right crash or command between them: many short
     * runs meet more beginnings and more settings than few long ones. One takes 2 ms of CPU, and 60,000 of them 120 seconds.
     */
    private static final int STEPS = 14;

    private static final int SEQUENCES = 10_000;
    /** Time that is enough for the goal; with so many times as much there are so many times the sequences. */
    private static final Duration GOAL_TIME = Duration.ofSeconds(110);

    /** Ready to run. */
    public StateMachinesExperiment() {}

    @Override
    public String name() {
        return "state-machines";
    }

    @Override
    public String question() {
        return "Does each state machine do what a plain model of it does, also when it crashes on the way?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) {
        Campaign campaign = new Campaign();
        long begun = System.nanoTime();
        long nanos = budget.time().toNanos();
        long[] runs = new long[1];
        long most = SEQUENCES
                * Math.max(1, budget.time().dividedBy(GOAL_TIME))
                * Scenario.stateMachines().size();
        campaign.run(Scenario.stateMachines(), budget.seed(), STEPS, most, nanos, result -> {
            runs[0]++;
            progress.at(
                    Math.min(1, (System.nanoTime() - begun) / (double) nanos),
                    runs[0] + " sequences, " + campaign.violations().size() + " violations");
        });
        List<Figure> figures = new ArrayList<>();
        long operations = 0;
        for (Scenario scenario : Scenario.stateMachines()) {
            Campaign.Sum sum = campaign.sums().getOrDefault(scenario, new Campaign.Sum());
            figures.add(Figure.count("sequences: " + scenario.word(), sum.runs, SEQUENCES));
            operations += sum.operations;
        }
        figures.add(Figure.count("operations", operations));
        figures.add(new Figure("violations", campaign.violations().size(), "", Goal.atMost(0)));
        return new Outcome(figures, SimulationExperiment.violations(campaign), List.of(), List.of());
    }
}
