package dev.postroad.patterns.schedule;

import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Moments that come again and again, as crontab(5) writes them.
 *
 * <pre>
 *   minute        0-59
 *   hour          0-23
 *   day of month  1-31, or L for the last
 *   month         1-12, or JAN-DEC
 *   day of week   0-7 (0 and 7 are Sunday), or SUN-SAT
 * </pre>
 *
 * With six fields the first one is the second, 0-59. A field is {@code *} (or {@code ?}), a value, a range {@code 1-5}, either
 * of them with a step {@code 0-30/10}, or several of these joined by commas. Where both days are restricted, either suffices.
 * {@code @yearly}, {@code @monthly}, {@code @weekly}, {@code @daily} and {@code @hourly} stand for what they say.
 *
 * <p>When clocks are changed: an expression that names hours means wall time, so that what falls into the hour that is left out
 * comes that much later, and what falls into the one that comes twice comes once. One for every hour goes by time passed: it
 * comes in both, and what is left out it does not miss.
 *
 * <p>Immutable.
 */
public final class Cron {
    private static final int YEARS_AHEAD = 40;
    private static final Map<String, String> NICKNAMES = Map.of(
            "@yearly", "0 0 1 1 *",
            "@annually", "0 0 1 1 *",
            "@monthly", "0 0 1 * *",
            "@weekly", "0 0 * * 0",
            "@daily", "0 0 * * *",
            "@midnight", "0 0 * * *",
            "@hourly", "0 * * * *");
    private static final List<String> MONTHS =
            List.of("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC");
    private static final List<String> DAYS = List.of("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT");

    private final String expression;
    private final long seconds;
    private final long minutes;
    private final long hours;
    private final long daysOfMonth;
    private final boolean lastDayOfMonth;
    private final long months;
    private final long daysOfWeek;
    private final boolean anyHour;
    private final boolean anyDayOfMonth;
    private final boolean anyDayOfWeek;

    /** A field of the expression: its name and bounds, for reading it and for what is said about it. */
    private enum Field {
        SECOND("second", 0, 59),
        MINUTE("minute", 0, 59),
        HOUR("hour", 0, 23),
        DAY_OF_MONTH("day of month", 1, 31),
        MONTH("month", 1, 12),
        DAY_OF_WEEK("day of week", 0, 7);

        private final String title;
        private final int min;
        private final int max;

        Field(String title, int min, int max) {
            this.title = title;
            this.min = min;
            this.max = max;
        }
    }

    private Cron(String expression) {
        this.expression = expression;
        String plain = NICKNAMES.getOrDefault(expression.trim().toLowerCase(Locale.ROOT), expression.trim());
        String[] fields = plain.split("\\s+", -1);
        if (fields.length != 5 && fields.length != 6) {
            throw invalid(
                    "it has " + fields.length + " fields; there must be 5 (minute, hour, day of month, month, day of"
                            + " week), or 6 with the second first");
        }
        int at = fields.length - 5;
        this.seconds = at == 0 ? 1 : bits(Field.SECOND, fields[0]);
        this.minutes = bits(Field.MINUTE, fields[at]);
        this.hours = bits(Field.HOUR, fields[at + 1]);
        this.anyHour = hours == (1L << 24) - 1;
        String day = fields[at + 2].toUpperCase(Locale.ROOT);
        this.lastDayOfMonth = day.equals("L");
        this.daysOfMonth = lastDayOfMonth ? 0 : bits(Field.DAY_OF_MONTH, day);
        this.anyDayOfMonth = any(day);
        this.months = bits(Field.MONTH, fields[at + 3]);
        long week = bits(Field.DAY_OF_WEEK, fields[at + 4]);
        this.daysOfWeek = (week | (week >>> 7)) & 0x7F;
        this.anyDayOfWeek = any(fields[at + 4]);
        if (nextWallTime(LocalDateTime.of(2000, 1, 1, 0, 0)) == null) {
            throw invalid("no day of the next " + YEARS_AHEAD + " years is one of these");
        }
    }

    /** @throws IllegalArgumentException naming the field that is not understood, or if it never comes */
    public static Cron parse(String expression) {
        return new Cron(expression);
    }

    private IllegalArgumentException invalid(String why) {
        return new IllegalArgumentException("the cron expression '" + expression + "' is not understood: " + why);
    }

    private static boolean any(String field) {
        return field.equals("*") || field.equals("?");
    }

    private long bits(Field field, String text) {
        long bits = 0;
        for (String part : text.split(",", -1)) {
            bits |= range(field, part);
        }
        return bits;
    }

    private long range(Field field, String part) {
        String[] halves = part.split("/", -1);
        if (halves.length > 2) {
            throw invalid(field.title + " '" + part + "' has more than one step");
        }
        int from;
        int to;
        String[] ends = halves[0].split("-", -1);
        if (any(halves[0])) {
            from = field.min;
            to = field == Field.DAY_OF_WEEK ? 6 : field.max;
        } else if (ends.length <= 2) {
            from = value(field, ends[0]);
            to = ends.length == 2 ? value(field, ends[1]) : halves.length == 2 ? field.max : from;
        } else {
            throw invalid(field.title + " '" + part + "' has more than two ends");
        }
        int step = halves.length == 2 ? number(field, halves[1]) : 1;
        if (from > to || step < 1) {
            throw invalid(field.title + " '" + part + "' must run upwards, by steps of 1 or more");
        }
        long bits = 0;
        for (int value = from; value <= to; value += step) {
            bits |= 1L << value;
        }
        return bits;
    }

    private int value(Field field, String text) {
        int named = switch (field) {
            case MONTH -> MONTHS.indexOf(text.toUpperCase(Locale.ROOT)) + 1;
            case DAY_OF_WEEK -> DAYS.indexOf(text.toUpperCase(Locale.ROOT));
            default -> -1;
        };
        int value = named > 0 || (named == 0 && field == Field.DAY_OF_WEEK) ? named : number(field, text);
        if (value < field.min || value > field.max) {
            throw invalid(field.title + " is " + value + "; it must be " + field.min + " to " + field.max);
        }
        return value;
    }

    private int number(Field field, String text) {
        if (!text.matches("[0-9]{1,4}")) {
            throw invalid(field.title + " '" + text + "' is no number");
        }
        return Integer.parseInt(text);
    }

    // ── The next one ─────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * The next moment, later than {@code after}.
     *
     * @param zone whose wall clock the expression means
     */
    public Instant next(Instant after, ZoneId zone) {
        return anyHour ? nextByTimePassed(after, zone.getRules()) : nextByWallClock(after, zone);
    }

    private Instant nextByWallClock(Instant after, ZoneId zone) {
        LocalDateTime from = LocalDateTime.ofInstant(after, zone).withNano(0).plusSeconds(1);
        while (true) {
            LocalDateTime wall = found(nextWallTime(from));
            Instant next = ZonedDateTime.ofLocal(wall, zone, null).toInstant();
            if (next.isAfter(after)) {
                return next;
            }
            // The hour that comes twice, for the second time.
            from = wall.plusSeconds(1);
        }
    }

    /** From one change of the clocks to the next the wall time runs evenly. */
    private Instant nextByTimePassed(Instant after, ZoneRules rules) {
        Instant from = after.plusSeconds(1).minusNanos(after.getNano());
        while (true) {
            ZoneOffset offset = rules.getOffset(from);
            Instant next =
                    found(nextWallTime(LocalDateTime.ofInstant(from, offset))).toInstant(offset);
            ZoneOffsetTransition change = rules.nextTransition(from);
            if (change == null || next.isBefore(change.getInstant())) {
                return next;
            }
            from = change.getInstant();
        }
    }

    private LocalDateTime found(@Nullable LocalDateTime next) {
        if (next == null) {
            throw new IllegalStateException("the cron expression '" + expression + "' has no next moment");
        }
        return next;
    }

    /** The first wall time from here on that matches; null if the years end first. */
    private @Nullable LocalDateTime nextWallTime(LocalDateTime from) {
        LocalDate day = from.toLocalDate();
        LocalTime earliest = from.toLocalTime();
        int lastYear = from.getYear() + YEARS_AHEAD;
        while (day.getYear() <= lastYear) {
            if (!has(months, day.getMonthValue())) {
                day = YearMonth.from(day).plusMonths(1).atDay(1);
                earliest = LocalTime.MIDNIGHT;
                continue;
            }
            if (matches(day)) {
                LocalTime time = timeFrom(earliest);
                if (time != null) {
                    return day.atTime(time);
                }
            }
            day = day.plusDays(1);
            earliest = LocalTime.MIDNIGHT;
        }
        return null;
    }

    private boolean matches(LocalDate day) {
        boolean ofMonth =
                lastDayOfMonth ? day.getDayOfMonth() == day.lengthOfMonth() : has(daysOfMonth, day.getDayOfMonth());
        boolean ofWeek = has(daysOfWeek, day.getDayOfWeek().getValue() % 7);
        return anyDayOfMonth || anyDayOfWeek ? ofMonth && ofWeek : ofMonth || ofWeek;
    }

    private @Nullable LocalTime timeFrom(LocalTime earliest) {
        for (int hour = first(hours, earliest.getHour()); hour < 64; hour = first(hours, hour + 1)) {
            boolean sameHour = hour == earliest.getHour();
            int minuteFrom = sameHour ? earliest.getMinute() : 0;
            for (int minute = first(minutes, minuteFrom); minute < 64; minute = first(minutes, minute + 1)) {
                int second = first(seconds, sameHour && minute == earliest.getMinute() ? earliest.getSecond() : 0);
                if (second < 64) {
                    return LocalTime.of(hour, minute, second);
                }
            }
        }
        return null;
    }

    private static boolean has(long bits, int value) {
        return (bits >>> value & 1) != 0;
    }

    /** The first value from here on; 64 if there is none. */
    private static int first(long bits, int from) {
        return from > 63 ? 64 : Long.numberOfTrailingZeros(bits >>> from << from);
    }

    /** The expression as it was written. */
    @Override
    public String toString() {
        return expression;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Cron cron && cron.expression.equals(expression);
    }

    @Override
    public int hashCode() {
        return expression.hashCode();
    }
}
