package dev.postroad.testkit;

import static dev.postroad.testkit.Generator.Weighted.weight;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class GeneratorTest {
    @Test
    void theSameSeedGivesTheSameValuesForEver() {
        Generator gen = Generator.of(42);

        // written down once: a change here makes every seed anyone has noted worthless
        assertThat(gen.nextLong()).isEqualTo(-4767286540954276203L);
        assertThat(gen.between(0, 1_000_000))
                .isEqualTo(Generator.of(gen.seed()).skip(1).between(0, 1_000_000));
    }

    @Test
    void valuesStayWithinTheirRangeAndReachBothEnds() {
        Property.forAll("a range is kept", 20, gen -> {
            long low = gen.uniform(-50, 50);
            long high = low + gen.uniform(0, 9);
            boolean reachedLow = false;
            boolean reachedHigh = false;
            for (int i = 0; i < 1_000; i++) {
                long value = gen.between(low, high);
                assertThat(value).isBetween(low, high);
                reachedLow |= value == low;
                reachedHigh |= value == high;
            }
            assertThat(reachedLow && reachedHigh).isTrue();
        });
    }

    @Test
    void theWholeRangeOfLongIsARange() {
        Property.forAll("no overflow", 200, gen -> {
            assertThat(gen.between(Long.MIN_VALUE, 5)).isLessThanOrEqualTo(5);
            assertThat(gen.between(-5, Long.MAX_VALUE)).isGreaterThanOrEqualTo(-5);
        });
    }

    @Test
    void textHasTheLengthAskedForAndSurvivesUtf8() {
        Property.forAll("text is valid", 500, gen -> {
            String text = gen.text(3, 40);
            assertThat(text.codePointCount(0, text.length())).isBetween(3, 40);
            assertThat(new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
                    .isEqualTo(text);
        });
    }

    @Test
    void bytesHaveTheLengthAskedFor() {
        Property.forAll("bytes", 100, gen -> assertThat(gen.bytes(0, 9).length).isBetween(0, 9));
    }

    @Test
    void anEmptyRangeOrChoiceIsRefused() {
        Generator gen = Generator.of(1);

        assertThatThrownBy(() -> gen.between(2, 1)).hasMessageContaining("2 to 1");
        assertThatThrownBy(() -> gen.choose(List.of())).hasMessageContaining("nothing to choose");
        assertThatThrownBy(() -> gen.weighted(weight(0, "a"))).hasMessageContaining("sum up to 0");
        assertThatThrownBy(() -> weight(-1, "a")).hasMessageContaining("-1");
    }

    @Test
    void weightsDecideHowOftenAValueComes() {
        Generator gen = Generator.of(7);
        int often = 0;
        for (int i = 0; i < 10_000; i++) {
            String value = gen.weighted(weight(9, "often"), weight(1, "seldom"), weight(0, "never"));
            assertThat(value).isNotEqualTo("never");
            often += value.equals("often") ? 1 : 0;
        }
        assertThat(often).isBetween(8_700, 9_300);
    }

    @Test
    void shufflingKeepsTheElementsAndChoosingSomeKeepsTheirOrder() {
        Property.forAll("elements are kept", 100, gen -> {
            List<Integer> list = gen.list(0, 30, () -> gen.between(0, 9));
            assertThat(gen.<Integer>shuffled(list)).containsExactlyInAnyOrderElementsOf(list);
            List<Integer> sorted = list.stream().distinct().sorted().toList();
            assertThat(gen.<Integer>some(sorted))
                    .isSubsetOf(sorted)
                    .doesNotHaveDuplicates()
                    .isSorted();
        });
    }

    @Test
    void aForkSharesNothingWithItsOrigin() {
        Generator gen = Generator.of(3);
        Generator fork = gen.fork();
        long next = Generator.of(3).skip(1).nextLong();
        fork.skip(100);

        assertThat(gen.nextLong()).isEqualTo(next);
    }

    @Test
    void durationsAndEnumsAreChosenToo() {
        Generator gen = Generator.of(5);

        assertThat(gen.duration(Duration.ofSeconds(1), Duration.ofSeconds(2)))
                .isBetween(Duration.ofSeconds(1), Duration.ofSeconds(2));
        assertThat(gen.choose(TimeUnit.class)).isIn((Object[]) TimeUnit.values());
    }
}
