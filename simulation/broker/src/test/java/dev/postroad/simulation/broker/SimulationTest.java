package dev.postroad.simulation.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Experiment;
import dev.postroad.testkit.Property;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SimulationTest {
    private static void holds(Scenario scenario, long seed, int steps) {
        Simulation.Result result = Simulation.run(scenario, seed, steps);
        if (result.violation() != null) {
            Simulation.Result shortest = Shrinker.shrink(result);
            throw new AssertionError(
                    String.join("\n", shortest.story()) + "\n" + shortest.violation() + "\n" + Campaign.replay(result));
        }
    }

    /** The same seeds in every build: what a seed that nobody has tried shows belongs to the long run, and to the command. */
    @ParameterizedTest
    @EnumSource(Scenario.class)
    void the_engine_does_what_the_plain_model_does(Scenario scenario) {
        // A turn under strain does as much as several others.
        int seeds = scenario.large() ? 15 : 60;
        for (long seed = 1; seed <= seeds; seed++) {
            holds(scenario, seed, 100);
        }
    }

    @ParameterizedTest
    @EnumSource(Scenario.class)
    @Tag("soak")
    void the_engine_does_what_the_plain_model_does_for_long(Scenario scenario) {
        Property.forAll("for long: " + scenario.word(), 5_000, gen -> holds(scenario, gen.seed(), 400));
    }

    @Test
    void what_was_found_once_is_not_found_again() throws IOException {
        try (InputStream in =
                Objects.requireNonNull(SimulationTest.class.getResourceAsStream("/regression-seeds.txt"))) {
            List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            for (String line : lines) {
                if (!line.startsWith("#")) {
                    String[] parts = line.split(" ", -1);
                    holds(
                            Scenario.valueOf(parts[0].toUpperCase(Locale.ROOT)),
                            Long.parseLong(parts[1]),
                            Integer.parseInt(parts[2]));
                }
            }
        }
    }

    @Test
    void a_seed_does_the_same_again() {
        long crashes = 0;
        for (long seed = 1; seed <= 12; seed++) {
            Simulation.Result once = Simulation.run(Scenario.ALL, seed, 60);
            assertThat(Simulation.run(Scenario.ALL, seed, 60)).isEqualTo(once);
            crashes += once.crashes();
        }
        assertThat(crashes).isPositive();
    }

    @Test
    void the_experiments_say_what_they_did() throws Exception {
        for (Experiment each : List.of(new SimulationExperiment(), new StateMachinesExperiment())) {
            Experiment.Outcome outcome =
                    each.run(new Experiment.Budget(Duration.ofSeconds(2), 5), Experiment.Progress.NONE);
            assertThat(outcome.violations())
                    .allSatisfy(violation -> assertThat(violation.replay()).contains("simulate"));
            assertThat(outcome.figures()).isNotEmpty();
        }
    }

    @Test
    void arguments_that_mean_nothing_are_refused() {
        assertThat(Simulate.run(List.of("simulate", "--scenario", "cloud"))).isEqualTo(2);
        assertThat(Simulate.run(List.of("simulate", "--steps", "0"))).isEqualTo(2);
        assertThat(Simulate.run(List.of("simulate", "--seed", "3", "--steps", "50")))
                .isZero();
    }
}
