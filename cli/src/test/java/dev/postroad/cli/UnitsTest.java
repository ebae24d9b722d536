package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class UnitsTest {
    @Test
    void timesAreReadAsPeopleWriteThem() {
        assertThat(Units.duration("500ms")).isEqualTo(Duration.ofMillis(500));
        assertThat(Units.duration("1h30m")).isEqualTo(Duration.ofMinutes(90));
        assertThat(Units.duration("1.5s")).isEqualTo(Duration.ofMillis(1_500));
        assertThat(Units.duration("PT5S")).isEqualTo(Duration.ofSeconds(5));
        assertThat(Units.duration("0")).isZero();
    }

    @Test
    void aTimeWithoutAUnitIsRefusedWithAnExample() {
        assertThatThrownBy(() -> Units.duration("5"))
                .hasMessageContaining("'5' is no time")
                .hasMessageContaining("5m");
        assertThatThrownBy(() -> Units.duration("-5s")).hasMessageContaining("no time");
    }

    @Test
    void countsSizesAndTimesAreShownShort() {
        assertThat(Units.count(1_234_567)).isEqualTo("1,234,567");
        assertThat(Units.bytes(999)).isEqualTo("999 B");
        assertThat(Units.bytes(1_234_567)).isEqualTo("1.2 MB");
        assertThat(Units.time(Duration.ofMillis(1_234))).isEqualTo("1.2 s");
        assertThat(Units.time(Duration.ofSeconds(245))).isEqualTo("4 min 05 s");
        assertThat(Units.rate(1_000, Duration.ofMillis(500))).isEqualTo("2,000/s");
    }
}
