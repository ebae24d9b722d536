package dev.postroad.simulation.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Experiment;
import dev.postroad.testkit.Generator;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Single corruptions of small directories. {@code -Dpostroad.image=…} makes one of them again. */
class CorruptionSweepTest {
    private static void run(Duration time) {
        String image = System.getProperty(Replay.PROPERTY);
        if (image != null) {
            assertThat(Corruption.replay(image)).isEmpty();
            return;
        }
        long seed = Generator.announced("corruption").seed();
        Experiment.Outcome outcome = new Corruption().run(new Experiment.Budget(time, seed), Experiment.Progress.NONE);
        assertThat(outcome.violations()).isEmpty();
        assertThat(outcome.figures().getFirst().value()).as("corruptions").isGreaterThan(100);
    }

    @Test
    void every_damage_is_told_and_costs_what_it_lies_in() {
        run(Duration.ofSeconds(12));
    }

    @Test
    @Tag("soak")
    void every_single_corruption_of_a_directory_is_told() {
        CorruptionSweep sweep = new CorruptionSweep(1, () -> false);
        sweep.all();
        assertThat(sweep.found()).isEmpty();
        assertThat(sweep.corruptions()).isGreaterThan(100_000);
    }
}
