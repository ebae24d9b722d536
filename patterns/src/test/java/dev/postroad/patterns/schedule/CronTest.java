package dev.postroad.patterns.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.testkit.Property;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CronTest {
    private static final ZoneId BERLIN = ZoneId.of("Europe/Berlin");

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "*/15 * * * *     | 2026-11-21T10:07:30Z | 2026-11-21T10:15:00Z",
                "0 3 * * *        | 2026-11-21T03:00:00Z | 2026-11-22T03:00:00Z",
                "0 3 * * *        | 2026-11-21T02:59:59.999Z | 2026-11-21T03:00:00Z",
                "30 9 * * MON-FRI | 2026-11-21T00:00:00Z | 2026-11-23T09:30:00Z",
                "0 0 L * *        | 2028-02-01T00:00:00Z | 2028-02-29T00:00:00Z",
                "0 0 29 feb *     | 2026-03-01T00:00:00Z | 2028-02-29T00:00:00Z",
                "0 0 13 * 5       | 2026-11-01T00:00:00Z | 2026-11-06T00:00:00Z",
                "0 0 * * 7        | 2026-11-21T00:00:00Z | 2026-11-22T00:00:00Z",
                "*/10 * * * * *   | 2026-11-21T10:07:31Z | 2026-11-21T10:07:40Z",
                "5-10/2 8,20 * * *| 2026-11-21T08:05:00Z | 2026-11-21T08:07:00Z",
                "@monthly         | 2026-11-21T08:05:00Z | 2026-12-01T00:00:00Z",
            })
    void the_next_moment_is_the_one_that_crontab_means(String expression, Instant after, Instant next) {
        assertThat(Cron.parse(expression.trim()).next(after, ZoneOffset.UTC)).isEqualTo(next);
    }

    @Test
    void wall_time_that_is_left_out_comes_an_hour_later_and_what_comes_twice_comes_once() {
        Cron nightly = Cron.parse("30 2 * * *");
        assertThat(three(nightly, "2026-03-28T12:00:00Z"))
                .containsExactly("2026-03-29T03:30+02:00", "2026-03-30T02:30+02:00", "2026-03-31T02:30+02:00");
        assertThat(three(nightly, "2026-10-24T12:00:00Z"))
                .containsExactly("2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00", "2026-10-27T02:30+01:00");
    }

    @Test
    void what_comes_every_hour_goes_by_time_passed() {
        Cron hourly = Cron.parse("30 * * * *");
        assertThat(three(hourly, "2026-10-24T23:35:00Z"))
                .containsExactly("2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", "2026-10-25T03:30+01:00");
        assertThat(three(hourly, "2026-03-29T00:35:00Z"))
                .containsExactly("2026-03-29T03:30+02:00", "2026-03-29T04:30+02:00", "2026-03-29T05:30+02:00");
    }

    private static List<String> three(Cron cron, String after) {
        List<String> found = new ArrayList<>();
        Instant at = Instant.parse(after);
        for (int i = 0; i < 3; i++) {
            at = cron.next(at, BERLIN);
            found.add(at.atZone(BERLIN).toOffsetDateTime().toString());
        }
        return found;
    }

    @Test
    void no_moment_is_left_out_and_none_is_invented() {
        Property.forAll("the next moment of a cron", 60, random -> {
            int step = random.between(1, 30);
            int hour = random.between(0, 23);
            int day = random.between(0, 6);
            boolean byDay = random.flip();
            Cron cron = Cron.parse("*/" + step + " " + hour + "-23 * * " + (byDay ? day : "*"));
            ZonedDateTime begin =
                    ZonedDateTime.of(2026, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC).plusMinutes(random.between(0, 500_000));
            Instant next = cron.next(begin.toInstant(), ZoneOffset.UTC);
            ZonedDateTime minute = begin.plusMinutes(1);
            while (!(minute.getMinute() % step == 0
                    && minute.getHour() >= hour
                    && (!byDay || minute.getDayOfWeek().getValue() % 7 == day))) {
                minute = minute.plusMinutes(1);
            }
            assertThat(next).as(cron + " after " + begin).isEqualTo(minute.toInstant());
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "* * * *        | 4 fields",
                "60 * * * *     | minute is 60; it must be 0 to 59",
                "* 24 * * *     | hour is 24",
                "* * 0 * *      | day of month is 0",
                "* * * FOO *    | month 'FOO' is no number",
                "9-5 * * * *    | must run upwards",
                "*/0 * * * *    | steps of 1 or more",
                "0 0 30 2 *     | no day of the next 40 years",
                "1-2-3 * * * *  | more than two ends",
                "*/2/3 * * * *  | more than one step",
            })
    void what_is_wrong_is_named(String expression, String why) {
        assertThatThrownBy(() -> Cron.parse(expression.trim()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(expression.trim())
                .hasMessageContaining(why);
    }
}
