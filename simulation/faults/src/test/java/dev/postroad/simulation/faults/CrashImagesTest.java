package dev.postroad.simulation.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Experiment;
import dev.postroad.testkit.Generator;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Power cuts at every operation of short programs on the engine. {@code -Dpostroad.image=…} looks at one image again. */
class CrashImagesTest {
    private static void run(Duration time) throws Exception {
        String image = System.getProperty(Replay.PROPERTY);
        if (image != null) {
            assertThat(CrashImages.replay(image)).isEmpty();
            return;
        }
        long seed = Generator.announced("crash images").seed();
        Experiment.Outcome outcome = new CrashImages().run(new Experiment.Budget(time, seed), Experiment.Progress.NONE);
        assertThat(outcome.violations()).isEmpty();
        assertThat(outcome.figures().getFirst().value()).as("images").isGreaterThan(100);
    }

    @Test
    void what_was_confirmed_survives_every_power_cut_and_nothing_else_comes_about() throws Exception {
        run(Duration.ofSeconds(20));
    }

    @Test
    @Tag("soak")
    void what_was_confirmed_survives_every_power_cut_for_ten_minutes() throws Exception {
        run(Duration.ofMinutes(10));
    }

    @Test
    void an_image_is_found_again_by_its_name() {
        assertThat(CrashImages.replay("settlements#17~24@40/0")).isEmpty();
    }
}
