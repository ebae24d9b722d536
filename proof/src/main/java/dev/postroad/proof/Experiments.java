package dev.postroad.proof;

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
                new Chapter(new CrashImages(), 18).besideOthers(),
                new Chapter(new Fuzzing(), 30).besideOthers(),
                new Chapter(new SimulationExperiment(), 26).besideOthers(),
                new Chapter(new BugCatalogue(), 12).besideOthers(),
                new Chapter(new StateMachinesExperiment(), 8).besideOthers(),
                new Chapter(new IoFailures(), 8).besideOthers(),
                new Chapter(new Corruption(), 6).besideOthers(),
                new Chapter(new KillExperiment(), 20),
                new Chapter(new PauseExperiment(), 4),
                new Chapter(new PowerCutExperiment(), 16),
                new Chapter(new DiskFullExperiment(), 3),
                new Chapter(new FailingSyncExperiment(), 3),
                new Chapter(new SmallHeapExperiment(), 8),
                new Chapter(new ClockExperiment(), 3),
                new Chapter(new CutConnectionsExperiment(), 4),
                new Chapter(new BacklogExperiment(), 20),
                new Chapter(new ReclaimExperiment(), 4),
                new Chapter(new SlowConsumerExperiment(), 3),
                new Chapter(new SubscriptionsExperiment(), 2),
                new Chapter(new SoakExperiment(), 6),
                new Chapter(new PeersExperiment(), 20).aboutPeers());
    }
}
