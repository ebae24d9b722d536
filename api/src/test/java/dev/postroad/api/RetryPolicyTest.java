package dev.postroad.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.testkit.Property;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RetryPolicyTest {
    private static final RetryPolicy SECONDS =
            new RetryPolicy(5, Duration.ofSeconds(1), Duration.ofSeconds(30), 2.0, 0);

    private static List<Long> millis(RetryPolicy policy, String seed, int attempts) {
        List<Long> waits = new ArrayList<>();
        for (int attempt = 1; attempt <= attempts; attempt++) {
            waits.add(policy.delayAfter(attempt, seed).toMillis());
        }
        return waits;
    }

    @Test
    void withoutJitterTheWaitsDoubleUpToTheCap() {
        assertThat(millis(SECONDS, "m", 7)).containsExactly(1_000L, 2_000L, 4_000L, 8_000L, 16_000L, 30_000L, 30_000L);
    }

    @Test
    void askingDoesNotAdvanceAndTheSameSeedWaitsTheSame() {
        Property.forAll("waits are a function of policy, seed and attempt", 200, g -> {
            RetryPolicy policy = g.flip()
                    ? SECONDS.withJitter(g.fraction())
                    : SECONDS.withMultiplier(1 + 3 * g.fraction()).withDecorrelatedJitter();
            String seed = g.word(1, 30);
            List<Long> waits = millis(policy, seed, 20);
            int attempt = g.between(1, 20);
            assertThat(policy.delayAfter(attempt, seed).toMillis()).isEqualTo(waits.get(attempt - 1));
            assertThat(millis(policy, seed, 20)).isEqualTo(waits);
        });
    }

    @Test
    void everyWaitLiesWithinItsJitter() {
        Property.forAll("bounds of full, equal and decorrelated jitter", 300, g -> {
            String seed = g.word(1, 30);
            int attempt = g.between(1, 40);
            long whole = SECONDS.delayAfter(attempt, seed).toMillis();
            RetryPolicy full = SECONDS.withJitter(RetryPolicy.FULL_JITTER);
            RetryPolicy equal = SECONDS.withJitter(RetryPolicy.EQUAL_JITTER);
            RetryPolicy decorrelated = SECONDS.withMultiplier(3).withDecorrelatedJitter();
            assertThat(full.delayAfter(attempt, seed).toMillis()).isBetween(0L, whole);
            assertThat(equal.delayAfter(attempt, seed).toMillis()).isBetween(whole / 2, whole);
            long before = attempt == 1
                    ? 1_000
                    : decorrelated.delayAfter(attempt - 1, seed).toMillis();
            assertThat(decorrelated.delayAfter(attempt, seed).toMillis())
                    .isBetween(1_000L, Math.min(30_000L, 3 * before + 3));
        });
    }

    @Test
    void differentSeedsSpreadOverTheWholeWait() {
        RetryPolicy full = SECONDS.withJitter(RetryPolicy.FULL_JITTER);
        int[] quarters = new int[4];
        for (int i = 0; i < 4_000; i++) {
            long wait = full.delayAfter(3, "message-" + i).toMillis();
            quarters[(int) Math.min(3, wait / 1_000)]++;
        }
        assertThat(quarters).satisfies(counts -> {
            for (int count : counts) {
                assertThat(count).isBetween(800, 1_200);
            }
        });
    }

    @Test
    void noAttemptBeginsPastTheLongestTimeSinceTheFirstFailure() {
        RetryPolicy bounded = SECONDS.withMaxElapsed(Duration.ofMinutes(1));
        Instant first = Instant.parse("2026-01-01T00:00:00Z");
        assertThat(bounded.allows(first, first.plusSeconds(59), Duration.ofSeconds(1)))
                .isTrue();
        assertThat(bounded.allows(first, first.plusSeconds(59), Duration.ofMillis(1_001)))
                .isFalse();
        assertThat(SECONDS.allows(first, first.plusSeconds(1_000_000), Duration.ofDays(9)))
                .isTrue();
    }

    @Test
    void whatIsOutOfBoundsIsRefusedByName() {
        assertThatThrownBy(() -> SECONDS.withMaxElapsed(Duration.ZERO)).hasMessageContaining("maxElapsed is PT0S");
        assertThatThrownBy(
                        () -> new RetryPolicy(5, Duration.ofSeconds(1), Duration.ofSeconds(30), 2.0, 0.3, true, null))
                .hasMessageContaining("jitter is 0.3")
                .hasMessageContaining("decorrelated");
        assertThat(SECONDS.withDecorrelatedJitter().withJitter(0.5).decorrelated())
                .isFalse();
    }
}
