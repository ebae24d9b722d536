package dev.postroad.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharesTest {
    private static final Duration WHOLE = Duration.ofSeconds(100);

    private final Shares shares =
            new Shares(WHOLE, List.of(Stub.holding("a", 1), Stub.holding("b", 3), Stub.holding("c", 6)));

    @Test
    void timeIsSharedOutByWeight() {
        assertThat(shares.next(1, 0)).isEqualTo(Duration.ofSeconds(10));
        assertThat(shares.next(3, seconds(10))).isEqualTo(Duration.ofSeconds(30));
        assertThat(shares.next(6, seconds(40))).isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void whatOneLeavesOverGoesToThoseBehindIt() {
        shares.next(1, 0);

        assertThat(shares.next(3, seconds(1))).isEqualTo(Duration.ofSeconds(33));
        assertThat(shares.next(6, seconds(1))).isEqualTo(Duration.ofSeconds(99));
    }

    @Test
    void evenWhenAllTimeIsUsedUpEachHasASecond() {
        assertThat(shares.next(1, seconds(500))).isEqualTo(Duration.ofSeconds(1));
        assertThat(shares.next(3, seconds(600))).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void moreWeightThanThereIsIsAMistake() {
        assertThatThrownBy(() -> shares.next(11, 0)).isInstanceOf(IllegalStateException.class);
    }

    private static long seconds(int seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}
