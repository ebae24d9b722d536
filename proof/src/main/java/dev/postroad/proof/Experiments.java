package dev.postroad.proof;

import dev.postroad.fuzzing.Fuzzing;
import dev.postroad.proof.process.KillExperiment;
import dev.postroad.proof.process.PauseExperiment;
import dev.postroad.proof.process.PowerCutExperiment;
import java.util.List;

/** The chapters of the book: every experiment there is, in the order in which they run. A new one gets a line here. */
final class Experiments {
    private Experiments() {}

    /** All of them, each new and unused. */
    static List<Chapter> all() {
        return List.of(
                new Chapter(new Fuzzing(), 24),
                new Chapter(new KillExperiment(), 10),
                new Chapter(new PauseExperiment(), 4),
                new Chapter(new PowerCutExperiment(), 10));
    }
}
