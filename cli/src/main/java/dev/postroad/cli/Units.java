package dev.postroad.cli;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Times, sizes, counts and rates as people read and write them. */
final class Units {
    private static final Pattern TIME = Pattern.compile("(?:\\d{1,9}(?:\\.\\d{1,3})?(?:ms|s|m|h|d))+");
    private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d+)?)(ms|s|m|h|d)");
    private static final int MOST_CHARACTERS = 2_000;

    private Units() {}

    /**
     * A time such as {@code 500ms}, {@code 30s}, {@code 1h30m} or {@code PT5S}.
     *
     * @throws IllegalArgumentException saying how a time is written
     */
    static Duration duration(String text) {
        String plain = text.strip().toLowerCase(Locale.ROOT);
        if (plain.equals("0")) {
            return Duration.ZERO;
        }
        if (plain.startsWith("pt") || plain.startsWith("p")) {
            try {
                Duration iso = Duration.parse(plain);
                if (!iso.isNegative()) {
                    return iso;
                }
            } catch (DateTimeParseException e) {
                throw noTime(text, e);
            }
        }
        if (!TIME.matcher(plain).matches()) {
            throw noTime(text, null);
        }
        double millis = 0;
        Matcher part = PART.matcher(plain);
        while (part.find()) {
            millis += Double.parseDouble(part.group(1)) * millis(part.group(2));
        }
        return Duration.ofMillis(Math.round(millis));
    }

    private static IllegalArgumentException noTime(String text, @Nullable Throwable cause) {
        return new IllegalArgumentException(
                "'" + oneLine(text) + "' is no time; write a number and a unit, like 500ms, 30s, 5m, 12h, 7d or 1h30m",
                cause);
    }

    private static double millis(String unit) {
        return switch (unit) {
            case "ms" -> 1;
            case "s" -> 1_000;
            case "m" -> 60_000;
            case "h" -> 3_600_000;
            default -> 86_400_000;
        };
    }

    /** {@code 1,234,567} */
    static String count(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** {@code 1.2 MB}; powers of 1,000. */
    static String bytes(long bytes) {
        if (bytes < 1_000) {
            return bytes + " B";
        }
        double value = bytes;
        for (String unit : new String[] {"kB", "MB", "GB"}) {
            value /= 1_000;
            if (value < 999.5) {
                return String.format(Locale.ROOT, value < 10 ? "%.1f %s" : "%.0f %s", value, unit);
            }
        }
        return String.format(Locale.ROOT, "%.1f TB", value / 1_000);
    }

    /** {@code 1.8 ms}, {@code 12.3 s}, {@code 4 min 05 s}. */
    static String time(Duration time) {
        double millis = time.toNanos() / 1e6;
        if (millis < 1_000) {
            return String.format(Locale.ROOT, millis < 10 ? "%.1f ms" : "%.0f ms", millis);
        }
        long seconds = Math.round(millis / 1_000);
        if (seconds < 100) {
            return String.format(Locale.ROOT, "%.1f s", millis / 1_000);
        }
        return seconds < 6_000
                ? String.format(Locale.ROOT, "%d min %02d s", seconds / 60, seconds % 60)
                : String.format(Locale.ROOT, "%d h %02d min", seconds / 3_600, seconds / 60 % 60);
    }

    /** {@code 12,300/s} */
    static String rate(long count, Duration time) {
        double seconds = Math.max(1e-3, time.toNanos() / 1e9);
        return count(Math.round(count / seconds)) + "/s";
    }

    /** Text from elsewhere on one line, without what would move a terminal's cursor. */
    static String oneLine(String text) {
        StringBuilder line = new StringBuilder(Math.min(text.length(), MOST_CHARACTERS));
        for (int i = 0; i < text.length() && line.length() < MOST_CHARACTERS; i++) {
            char c = text.charAt(i);
            line.append(Character.isISOControl(c) ? ' ' : c);
        }
        return line.toString().strip();
    }
}
