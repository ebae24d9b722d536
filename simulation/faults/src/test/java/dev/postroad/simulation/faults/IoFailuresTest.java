package dev.postroad.simulation.faults;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Experiment;
import dev.postroad.testkit.Generator;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Calls on the disk that fail, under the whole engine. {@code -Dpostroad.image=…} makes one of them fail again. */
class IoFailuresTest {
    private static void run(Duration time) {
        String image = System.getProperty(Replay.PROPERTY);
        if (image != null) {
            assertThat(IoFailures.replay(image)).isEmpty();
            return;
        }
        long seed = Generator.announced("I/O failures").seed();
        Experiment.Outcome outcome = new IoFailures().run(new Experiment.Budget(time, seed), Experiment.Progress.NONE);
        assertThat(outcome.violations()).isEmpty();
    }

    @Test
    void whichever_call_fails_nothing_is_confirmed_that_is_not_there_afterwards() {
        run(Duration.ofSeconds(15));
    }

    /** A spare of an opening that failed was used again, and its length was never on the disk. */
    @Test
    void the_length_of_a_segment_is_on_the_disk_after_an_opening_that_failed() {
        assertThat(IoFailures.replay("retention/IO_ERROR/for-ever/7")).isEmpty();
    }

    @Test
    @Tag("soak")
    void each_single_call_fails_in_every_way_and_nothing_confirmed_is_missing() {
        run(Duration.ofMinutes(15));
    }
}
