package dev.postroad.transports.emulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PartitionTrackerTest {

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 42, 1_000_003})
    void whatIsSettledInAnyOrderIsRememberedExactlyAndSurvivesAsText(long seed) {
        Random random = new Random(seed);
        long start = random.nextInt(1_000);
        List<Long> offsets = new ArrayList<>();
        for (long offset = start; offset < start + 500; offset++) {
            offsets.add(offset);
        }
        Collections.shuffle(offsets, random);
        PartitionTracker tracker = new PartitionTracker(start);
        Set<Long> done = new HashSet<>();
        for (long settled : offsets) {
            tracker.done(settled);
            done.add(settled);
            if (random.nextInt(10) == 0) {
                String text = tracker.text();
                assertThat(text).hasSizeLessThan(4_000);
                tracker = PartitionTracker.read(text);
                assertThat(tracker.text()).isEqualTo(text);
            }
            long first = start;
            while (done.contains(first)) {
                first++;
            }
            assertThat(tracker.next()).isEqualTo(first);
            long beyond = first;
            assertThat(tracker.doneBeyond())
                    .isEqualTo(done.stream().filter(offset -> offset > beyond).count());
        }
        for (long offset = start; offset < start + 510; offset++) {
            assertThat(tracker.isDone(offset)).isEqualTo(offset < start + 500);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 42, 1_000_003})
    void runsThatAreSettledAtOnceAreAsIfEachOffsetHadBeen(long seed) {
        Random random = new Random(seed);
        PartitionTracker atOnce = new PartitionTracker(0);
        PartitionTracker oneByOne = new PartitionTracker(0);
        for (int i = 0; i < 200; i++) {
            long from = random.nextInt(4) == 0 ? random.nextInt(500) : atOnce.next();
            long to = from + random.nextInt(8);
            atOnce.done(from, to);
            for (long offset = from; offset < to; offset++) {
                oneByOne.done(offset);
            }
            if (random.nextInt(5) == 0) {
                long tried = random.nextInt(500);
                atOnce.tried(tried, 2);
                oneByOne.tried(tried, 2);
            }
            assertThat(atOnce.text()).isEqualTo(oneByOne.text());
            long asked = random.nextInt(500);
            boolean fresh = true;
            for (long offset = asked; offset < 520; offset++) {
                fresh &= !atOnce.isDone(offset) && atOnce.tries(offset) == 0;
            }
            if (atOnce.isFreshFrom(asked)) {
                assertThat(fresh).as("fresh from %s: %s", asked, atOnce.text()).isTrue();
            }
        }
        assertThat(new PartitionTracker(7).isFreshFrom(7)).isTrue();
        assertThat(new PartitionTracker(7).isFreshFrom(6)).isFalse();
    }

    @Test
    void attemptsAreRememberedUntilTheOffsetIsSettled() {
        PartitionTracker tracker = new PartitionTracker(10);
        tracker.tried(12, 3);
        tracker.done(10);
        tracker = PartitionTracker.read(tracker.text());
        assertThat(tracker.tries(12)).isEqualTo(3);
        tracker.done(12);
        tracker.tried(12, 4);
        assertThat(tracker.tries(12)).isZero();
        assertThat(tracker.next()).isEqualTo(11);
    }

    @Test
    void offsetsThatHoldNothingArePassed() {
        PartitionTracker tracker = new PartitionTracker(0);
        tracker.done(5);
        tracker.skipTo(5);
        assertThat(tracker.next()).isEqualTo(6);
        tracker.skipTo(3);
        assertThat(tracker.next()).isEqualTo(6);
    }

    @Test
    void textThatIsNoPositionIsRefused() {
        for (String text : List.of("", "1", "1;2", "x y;;", ";;", "1;a b;", "1;;5")) {
            assertThatThrownBy(() -> PartitionTracker.read(text)).as(text).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
