package dev.postroad.fuzzing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Generator;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class TargetsTest {
    private static final int SAMPLES = 60;
    private static final Duration EACH = Duration.ofMillis(Long.getLong("postroad.fuzz.millis", 250));

    @TestFactory
    Stream<DynamicTest> everyDecoderKeepsItsRules() {
        long seed = Generator.announced("fuzzing").seed();
        return Targets.ALL.stream()
                .map(target -> DynamicTest.dynamicTest(target.name(), () -> {
                    List<byte[]> corpus = Corpus.of(target);
                    MutationRun run = new MutationRun(target);
                    run.replay(corpus);
                    long end = System.nanoTime() + EACH.toNanos();
                    run.run(Long.MAX_VALUE, corpus, seed, () -> System.nanoTime() > end);

                    System.out.printf(
                            "%s: %,d executions, slowest %,d us, most heap %,d%n",
                            target.name(), run.executions(), run.slowestNanos() / 1000, run.mostBytes());
                    assertThat(run.findings().stream().map(found -> found.line() + "\n  " + found.replay()))
                            .isEmpty();
                    assertThat(corpus).as("the corpus of " + target.name()).isNotEmpty();
                }));
    }

    @Test
    void samplesGetPastTheFirstCheck() {
        List<String> refusedMostly = new ArrayList<>();
        for (Target target : Targets.ALL) {
            Generator gen = Generator.of(7);
            Trial trial = new Trial();
            int accepted = 0;
            for (int i = 0; i < SAMPLES; i++) {
                trial.run(target, target.sample().apply(gen));
                accepted += trial.refused() ? 0 : 1;
            }
            if (accepted < SAMPLES / 20) {
                refusedMostly.add(target.name() + ": " + accepted + " of " + SAMPLES + " accepted");
            }
        }
        assertThat(refusedMostly).isEmpty();
    }
}
