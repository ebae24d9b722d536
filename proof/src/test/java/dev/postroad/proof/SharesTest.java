package dev.postroad.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharesTest {
    private static final Duration WHOLE = Duration.ofSeconds(100);

    private final Shares shares =
            new Shares(WHOLE, List.of(Stub.holding("a", 1), Stub.holding("b", 3), Stub.holding("c", 6)), 1);

    @Test
    void timeIsSharedOutByWeight() {
        assertThat(shares.alone(1, 0)).isEqualTo(Duration.ofSeconds(10));
        assertThat(shares.alone(3, seconds(10))).isEqualTo(Duration.ofSeconds(30));
        assertThat(shares.alone(6, seconds(40))).isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void whatOneLeavesOverGoesToThoseBehindIt() {
        shares.alone(1, 0);

        assertThat(shares.alone(3, seconds(1))).isEqualTo(Duration.ofSeconds(33));
        assertThat(shares.alone(6, seconds(1))).isEqualTo(Duration.ofSeconds(99));
    }

    @Test
    void evenWhenAllTimeIsUsedUpEachHasASecond() {
        assertThat(shares.alone(1, seconds(500))).isEqualTo(Duration.ofSeconds(1));
        assertThat(shares.alone(3, seconds(600))).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void moreWeightThanThereIsIsAMistake() {
        assertThatThrownBy(() -> shares.alone(11, 0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void thoseThatRunSideBySideHaveEachLaneForThemselvesAndLeaveTheOthersTheirTime() {
        // 60 of computing on two lanes weigh 30 beside the 70 that run alone.
        Shares both = new Shares(
                WHOLE,
                List.of(
                        Stub.holding("a", 20).besideOthers(),
                        Stub.holding("b", 20).besideOthers(),
                        Stub.holding("c", 20).besideOthers(),
                        Stub.holding("d", 70)),
                2);

        assertThat(both.sideBySide(20, 0, 0)).isEqualTo(Duration.ofSeconds(20));
        assertThat(both.sideBySide(20, 0, seconds(20))).isEqualTo(Duration.ofSeconds(20));
        assertThat(both.sideBySide(20, seconds(20), 0)).isEqualTo(Duration.ofSeconds(10));
        assertThat(both.alone(70, seconds(30))).isEqualTo(Duration.ofSeconds(70));
    }

    private static long seconds(int seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}
