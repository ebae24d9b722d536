package dev.postroad.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class VirtualClockTest {
    private static final Instant START = Instant.parse("2026-03-01T12:00:00Z");

    private final VirtualClock clock = new VirtualClock(START);
    private final List<String> ran = new ArrayList<>();

    @Test
    void timeStandsStillUntilItIsMoved() {
        assertThat(clock.instant()).isEqualTo(START).isEqualTo(clock.instant());
        assertThat(clock.nanoTime()).isZero();

        clock.advance(Duration.ofMillis(1500));

        assertThat(clock.instant()).isEqualTo(START.plusMillis(1500));
        assertThat(clock.millis()).isEqualTo(START.toEpochMilli() + 1500);
        assertThat(clock.nanoTime()).isEqualTo(1_500_000_000L);
    }

    @Test
    void aJumpOfTheWallLeavesMonotonicTimeAlone() {
        clock.advance(Duration.ofSeconds(1));
        clock.jump(Duration.ofDays(-400));

        assertThat(clock.instant()).isEqualTo(START.plusSeconds(1).minus(Duration.ofDays(400)));
        assertThat(clock.nanoTime()).isEqualTo(1_000_000_000L);
    }

    @Test
    void tasksRunInOrderOfTimeThenOfSchedulingAndSeeTheirOwnTime() {
        clock.schedule(Duration.ofSeconds(2), () -> ran.add("late " + clock.instant()));
        clock.schedule(Duration.ofSeconds(1), () -> ran.add("first " + clock.instant()));
        clock.schedule(Duration.ofSeconds(1), () -> ran.add("second " + clock.instant()));

        clock.advance(Duration.ofSeconds(2));

        assertThat(ran)
                .containsExactly(
                        "first 2026-03-01T12:00:01Z", "second 2026-03-01T12:00:01Z", "late 2026-03-01T12:00:02Z");
        assertThat(clock.scheduled()).isZero();
    }

    @Test
    void aTaskMayScheduleAnotherThatFallsDueInTheSameStep() {
        clock.schedule(
                Duration.ofSeconds(1),
                () -> clock.schedule(Duration.ofSeconds(1), () -> ran.add("" + clock.nanoTime())));

        clock.advance(Duration.ofSeconds(3));

        assertThat(ran).containsExactly("2000000000");
        assertThat(clock.nanoTime()).isEqualTo(3_000_000_000L);
    }

    @Test
    void advancingToTheNextTaskStopsAtItsTime() {
        assertThat(clock.advanceToNext()).isFalse();
        clock.schedule(Duration.ofHours(5), () -> ran.add("ran"));

        assertThat(clock.advanceToNext()).isTrue();

        assertThat(ran).containsExactly("ran");
        assertThat(clock.instant()).isEqualTo(START.plus(Duration.ofHours(5)));
    }

    @Test
    void timeNeverGoesBackByAdvancing() {
        assertThatThrownBy(() -> clock.advance(Duration.ofNanos(-1))).hasMessageContaining("jump");
        assertThatThrownBy(() -> clock.schedule(Duration.ofNanos(-1), () -> {})).hasMessageContaining("negative");
    }

    @Test
    void aViewInAnotherZoneFollows() {
        var view = clock.withZone(ZoneId.of("Asia/Tokyo"));
        clock.advance(Duration.ofSeconds(7));

        assertThat(view.instant()).isEqualTo(clock.instant());
        assertThat(view.getZone()).isEqualTo(ZoneId.of("Asia/Tokyo"));
    }
}
