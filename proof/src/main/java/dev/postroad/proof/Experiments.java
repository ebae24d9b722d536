package dev.postroad.proof;

import static dev.postroad.proof.Chapter.Kind.COMPUTING;
import static dev.postroad.proof.Chapter.Kind.JUDGING;
import static dev.postroad.proof.Chapter.Kind.MEASURING;

import dev.postroad.fuzzing.Fuzzing;
import dev.postroad.proof.process.ClockExperiment;
import dev.postroad.proof.process.CutConnectionsExperiment;
import dev.postroad.proof.process.DiskFullExperiment;
import dev.postroad.proof.process.FailingSyncExperiment;
import dev.postroad.proof.process.KillExperiment;
import dev.postroad.proof.process.PauseExperiment;
import dev.postroad.proof.process.PeersExperiment;
import dev.postroad.proof.process.PowerCutExperiment;
import dev.postroad.proof.process.SmallHeapExperiment;
import dev.postroad.proof.scale.BacklogExperiment;
import dev.postroad.proof.scale.ReclaimExperiment;
import dev.postroad.proof.scale.SlowConsumerExperiment;
import dev.postroad.proof.scale.SoakExperiment;
import dev.postroad.proof.scale.SubscriptionsExperiment;
import dev.postroad.simulation.broker.SimulationExperiment;
import dev.postroad.simulation.broker.StateMachinesExperiment;
import dev.postroad.simulation.faults.BugCatalogue;
import dev.postroad.simulation.faults.Corruption;
import dev.postroad.simulation.faults.CrashImages;
import dev.postroad.simulation.faults.IoFailures;
import java.util.List;

/** The chapters of the book: every experiment there is, in the order in which they run. A new one gets a line here. */
final class Experiments {
    private Experiments() {}

    /** All of them, each new and unused. */
    static List<Chapter> all() {
        return List.of(
                new Chapter(new CrashImages(), 170, COMPUTING),
                new Chapter(new BugCatalogue(), 130, COMPUTING),
                new Chapter(new IoFailures(), 150, COMPUTING),
                new Chapter(new Corruption(), 120, COMPUTING),
                new Chapter(new StateMachinesExperiment(), 150, COMPUTING),
                new Chapter(new SimulationExperiment(), 360, COMPUTING),
                new Chapter(new Fuzzing(), 400, COMPUTING),
                new Chapter(new KillExperiment(), 200, JUDGING),
                new Chapter(new PowerCutExperiment(), 120, JUDGING),
                new Chapter(new PauseExperiment(), 30, JUDGING),
                new Chapter(new DiskFullExperiment(), 30, JUDGING),
                new Chapter(new FailingSyncExperiment(), 25, JUDGING),
                new Chapter(new ClockExperiment(), 50, JUDGING),
                new Chapter(new CutConnectionsExperiment(), 30, JUDGING),
                new Chapter(new SmallHeapExperiment(), 60, MEASURING),
                new Chapter(new BacklogExperiment(), 75, MEASURING),
                new Chapter(new ReclaimExperiment(), 10, MEASURING),
                new Chapter(new SlowConsumerExperiment(), 15, MEASURING),
                new Chapter(new SubscriptionsExperiment(), 10, MEASURING),
                new Chapter(new SoakExperiment(), 15, MEASURING),
                new Chapter(new PeersExperiment(), 150, MEASURING).aboutPeers());
    }
}
