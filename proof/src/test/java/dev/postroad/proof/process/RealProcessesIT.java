package dev.postroad.proof.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Experiment;
import dev.postroad.testkit.Experiment.Budget;
import dev.postroad.testkit.Experiment.Figure;
import dev.postroad.testkit.Experiment.Outcome;
import dev.postroad.testkit.Generator;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The experiments on real processes, each at its shortest; with {@code -Dsoak} for minutes. */
class RealProcessesIT {
    private static final Duration LONG = Duration.ofMinutes(4);

    private record Short(Experiment experiment, int seconds) {
        @Override
        public String toString() {
            return experiment.name();
        }
    }

    private static List<Short> shortly() {
        return List.of(
                new Short(new KillExperiment(), 4),
                new Short(new PauseExperiment(), 4),
                new Short(new PowerCutExperiment(), 6),
                new Short(new DiskFullExperiment(), 1),
                new Short(new SmallHeapExperiment(), 5),
                new Short(new FailingSyncExperiment(), 1),
                new Short(new CutConnectionsExperiment(), 5));
    }

    private static List<Experiment> all() {
        // The clock's takes more than a minute.
        return Stream.concat(shortly().stream().map(Short::experiment), Stream.of(new ClockExperiment()))
                .toList();
    }

    private static Outcome run(Experiment experiment, Duration time) throws Exception {
        long seed = Generator.announced(experiment.name()).seed();
        Outcome outcome = experiment.run(new Budget(time, seed), Experiment.Progress.NONE);
        assertThat(outcome.violations()).isEmpty();
        return outcome;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("shortly")
    void whatever_is_done_to_the_process_no_promise_is_broken(Short each) throws Exception {
        Outcome outcome = run(each.experiment, Duration.ofSeconds(each.seconds));

        // What was done at all is counted, unless it could not be tried here.
        Map<String, Double> figures = outcome.figures().stream().collect(Collectors.toMap(Figure::name, Figure::value));
        assertThat(outcome.notRun().isEmpty() && figures.values().stream().allMatch(value -> value == 0))
                .as("nothing was done: " + figures)
                .isFalse();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("all")
    @Tag("soak")
    void whatever_is_done_for_minutes_no_promise_is_broken(Experiment each) throws Exception {
        run(each, LONG);
    }

    @Test
    @Tag("soak")
    void the_same_is_done_to_peers() throws Exception {
        assertThat(run(new PeersExperiment(), LONG).figures()).isNotEmpty();
    }
}
