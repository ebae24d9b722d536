package dev.postroad.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

@ResourceLock(Resources.SYSTEM_PROPERTIES)
class PropertyTest {
    @Test
    void everyCaseHasASeedOfItsOwn() {
        Set<Long> seeds = withSeed("", () -> {
            Set<Long> seen = new HashSet<>();
            Property.forAll("seeds differ", 50, gen -> seen.add(gen.seed()));
            return seen;
        });

        assertThat(seeds).hasSize(50);
    }

    @Test
    void aFailureNamesTheSeedOfItsCaseAndThatSeedFailsAgain() {
        List<Long> tried = new ArrayList<>();
        Property.Check check = gen -> {
            long value = gen.uniform(0, 99);
            tried.add(value);
            assertThat(value).isLessThan(90);
        };
        AssertionError failure = withSeed(
                "",
                () -> catchThrowableOfType(AssertionError.class, () -> Property.forAll("below ninety", 10_000, check)));
        Matcher seed = Pattern.compile("-Dpostroad.seed=(\\d+)").matcher(failure.getMessage());
        assertThat(seed.find()).isTrue();
        long failing = tried.getLast();
        tried.clear();

        AssertionError again = withSeed(
                seed.group(1),
                () -> catchThrowableOfType(AssertionError.class, () -> Property.forAll("below ninety", 10_000, check)));

        assertThat(tried).containsExactly(failing);
        assertThat(again).hasMessageContaining("below ninety").hasMessageContaining(seed.group(1));
        assertThat(again.getCause()).isInstanceOf(AssertionError.class);
    }

    @Test
    void aSeedCanBeKeptAsARegressionTest() {
        List<Long> seeds = new ArrayList<>();
        Property.replay("kept", 12345, gen -> seeds.add(gen.seed()));

        assertThat(seeds).containsExactly(12345L);
    }

    @Test
    void aSeedThatIsNoNumberIsRefusedByName() {
        IllegalArgumentException refusal = withSeed(
                "twelve",
                () -> catchThrowableOfType(
                        IllegalArgumentException.class, () -> Property.forAll("never run", 1, gen -> {})));

        assertThat(refusal).hasMessageContaining("postroad.seed=twelve");
    }

    private static <T> T withSeed(String seed, Supplier<T> action) {
        String before = System.getProperty(Generator.SEED_PROPERTY);
        System.setProperty(Generator.SEED_PROPERTY, seed);
        try {
            return action.get();
        } finally {
            if (before == null) {
                System.clearProperty(Generator.SEED_PROPERTY);
            } else {
                System.setProperty(Generator.SEED_PROPERTY, before);
            }
        }
    }
}
