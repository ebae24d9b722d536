package dev.postroad.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class PresentTimeTest {
    private static final long BELIEVED_MILLIS = 100;

    @Test
    void aStampThatIsFarFromTheLastLookIsNotBelieved() {
        Instant[] stamps = {
            Instant.EPOCH,
            Instant.MIN,
            Instant.MAX,
            Instant.now().minusSeconds(3_600),
            Instant.now().plusSeconds(1),
            Instant.now().plusSeconds(3_600)
        };
        for (Instant stamp : stamps) {
            long before = System.currentTimeMillis();
            long present = PresentTime.millis(stamp);
            assertThat(present).as("beside the stamp %s", stamp).isBetween(before, System.currentTimeMillis());
        }
    }

    @Test
    void aStampOfTheMomentIsTheTime() {
        long present = PresentTime.millis();
        assertThat(PresentTime.millis(Instant.ofEpochMilli(present + 7))).isEqualTo(present + 7);
        assertThat(PresentTime.millis(Instant.ofEpochMilli(present + BELIEVED_MILLIS)))
                .isBetween(present, System.currentTimeMillis());
    }
}
