package dev.postroad.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.proof.Chapter.Kind;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharesTest {
    private static final Duration WHOLE = Duration.ofSeconds(100);

    private final Chapter one = Stub.holding("one", 1);
    private final Chapter three = Stub.holding("three", 3);
    private final Chapter six = Stub.holding("six", 6);
    private final Shares shares = new Shares(WHOLE, List.of(one, three, six), 1);

    @Test
    void timeIsSharedOutByWeight() {
        assertThat(shares.next(one, 0, 0)).isEqualTo(Duration.ofSeconds(10));
        assertThat(shares.next(three, seconds(10), 0)).isEqualTo(Duration.ofSeconds(30));
        assertThat(shares.next(six, seconds(40), 0)).isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void whatOneLeavesOverGoesToThoseBehindIt() {
        shares.next(one, 0, 0);

        assertThat(shares.next(three, seconds(1), 0)).isEqualTo(Duration.ofSeconds(33));
        assertThat(shares.next(six, seconds(1), 0)).isEqualTo(Duration.ofSeconds(99));
    }

    @Test
    void evenWhenAllTimeIsUsedUpEachHasASecond() {
        assertThat(shares.next(one, seconds(500), 0)).isEqualTo(Duration.ofSeconds(1));
        assertThat(shares.next(three, seconds(600), 0)).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void moreWeightThanThereIsIsAMistake() {
        Chapter eleven = Stub.holding("eleven", 11);

        assertThatThrownBy(() -> shares.next(eleven, 0, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatComputesHasLanesAndWhatJudgesHasTheSameTimeBesideThemAndWhatMeasuresHasTheRest() {
        // 60 of computing on two lanes weigh 30, as much as the longer of the two kinds, beside the 70 that run alone.
        Chapter computing = Stub.holding("computing", 20, Kind.COMPUTING);
        Chapter judging = Stub.holding("judging", 10, Kind.JUDGING);
        Chapter measuring = Stub.holding("measuring", 70);
        Shares all = new Shares(WHOLE, List.of(computing, computing, computing, judging, judging, measuring), 2);

        assertThat(all.next(computing, 0, 0)).isEqualTo(Duration.ofSeconds(20));
        assertThat(all.next(computing, 0, seconds(20))).isEqualTo(Duration.ofSeconds(20));
        assertThat(all.next(judging, 0, 0)).isEqualTo(Duration.ofSeconds(10));
        assertThat(all.next(computing, seconds(20), 0)).isEqualTo(Duration.ofSeconds(10));
        assertThat(all.next(judging, seconds(20), 0)).isEqualTo(Duration.ofSeconds(10));
        assertThat(all.next(measuring, seconds(30), 0)).isEqualTo(Duration.ofSeconds(70));
    }

    @Test
    void whereWhatJudgesTakesLongerThanWhatComputesItHasItsTime() {
        Chapter computing = Stub.holding("computing", 20, Kind.COMPUTING);
        Chapter judging = Stub.holding("judging", 40, Kind.JUDGING);
        Shares all = new Shares(WHOLE, List.of(computing, judging, Stub.holding("measuring", 10)), 1);

        assertThat(all.next(judging, 0, 0)).isEqualTo(Duration.ofSeconds(80));
        assertThat(all.next(computing, 0, 0)).isEqualTo(Duration.ofSeconds(80));
    }

    private static long seconds(int seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}
