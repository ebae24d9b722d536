package dev.postroad.engine.channel;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Times and sizes as people write them: {@code 500ms}, {@code 1h30m}, {@code PT5S}; {@code 10MB}, {@code 64KiB}. */
public final class Quantity {
    private static final Pattern TIME = Pattern.compile("(?:\\d{1,18}(?:\\.\\d{1,9})?\\s*(?:ms|s|m|h|d)\\s*)+");
    private static final Pattern TIME_PART = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(ms|s|m|h|d)");
    private static final Pattern NUMBER = Pattern.compile("\\d+(\\.\\d+)?");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,18}(?:\\.\\d{1,9})?)\\s*([a-z]*)");
    private static final Map<String, Long> MILLIS =
            ordered("d", 86_400_000L, "h", 3_600_000L, "m", 60_000L, "s", 1_000L, "ms", 1L);
    private static final Map<String, Long> BYTES = Map.of(
            "b",
            1L,
            "kb",
            1_000L,
            "mb",
            1_000_000L,
            "gb",
            1_000_000_000L,
            "tb",
            1_000_000_000_000L,
            "kib",
            1L << 10,
            "mib",
            1L << 20,
            "gib",
            1L << 30,
            "tib",
            1L << 40);

    /** No time or size that makes sense is longer. */
    private static final int MOST_CHARACTERS = 100;

    private Quantity() {}

    private static Map<String, Long> ordered(Object... pairs) {
        Map<String, Long> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put((String) pairs[i], (Long) pairs[i + 1]);
        }
        return map;
    }

    /**
     * Milliseconds of a time: numbers with the units {@code ms s m h d}, or ISO 8601 ({@code PT1H30M}). {@code 0} needs no
     * unit.
     *
     * @throws IllegalArgumentException saying what is wrong and how a time is written
     */
    public static long millis(String text) {
        if (text.length() > MOST_CHARACTERS) {
            throw wrongTime(text, "has more than " + MOST_CHARACTERS + " characters");
        }
        String plain = text.strip().toLowerCase(Locale.ROOT);
        if (plain.equals("0")) {
            return 0;
        }
        try {
            if (plain.startsWith("p")) {
                long iso = Duration.parse(plain.toUpperCase(Locale.ROOT)).toMillis();
                if (iso < 0) {
                    throw wrongTime(text, "is negative");
                }
                return iso;
            }
            if (!TIME.matcher(plain).matches()) {
                throw wrongTime(text, NUMBER.matcher(plain).matches() ? "has no unit" : "is no time");
            }
            BigDecimal sum = BigDecimal.ZERO;
            Matcher part = TIME_PART.matcher(plain);
            while (part.find()) {
                sum = sum.add(new BigDecimal(part.group(1))
                        .multiply(BigDecimal.valueOf(MILLIS.getOrDefault(part.group(2), 0L))));
            }
            return sum.longValueExact();
        } catch (DateTimeParseException e) {
            throw wrongTime(text, "is no time");
        } catch (ArithmeticException e) {
            throw wrongTime(text, "is no whole number of milliseconds, or too long");
        }
    }

    private static IllegalArgumentException wrongTime(String text, String what) {
        return new IllegalArgumentException("'" + shorten(text) + "' " + what
                + "; write a number and a unit, like 500ms, 30s, 5m, 12h, 7d or 1h30m");
    }

    /** A time as {@link #millis} reads it: the largest units first, {@code 1h30m}. */
    public static String time(long millis) {
        if (millis == 0) {
            return "0s";
        }
        StringBuilder text = new StringBuilder();
        long rest = millis;
        for (Map.Entry<String, Long> unit : MILLIS.entrySet()) {
            long count = rest / unit.getValue();
            rest %= unit.getValue();
            if (count != 0) {
                text.append(count).append(unit.getKey());
            }
        }
        return text.toString();
    }

    /**
     * Bytes of a size: a number with a unit: {@code B}, {@code kB MB GB TB} (powers of 1,000) or {@code KiB MiB GiB TiB}
     * (powers of 1,024); or a whole number of bytes.
     *
     * @throws IllegalArgumentException saying what is wrong and how a size is written
     */
    public static long bytes(String text) {
        Matcher size = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
        Long unit = text.length() <= MOST_CHARACTERS && size.matches()
                ? (size.group(2).isEmpty() ? Long.valueOf(1) : BYTES.get(size.group(2)))
                : null;
        if (unit == null) {
            throw new IllegalArgumentException(
                    "'" + shorten(text) + "' is no size; write a number and a unit, like 512B, 64KiB, 10MB or 2GiB");
        }
        try {
            return new BigDecimal(size.group(1))
                    .multiply(BigDecimal.valueOf(unit))
                    .longValueExact();
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("'" + shorten(text) + "' is no whole number of bytes, or too large");
        }
    }

    /** A size as {@link #bytes} reads it, in the largest unit that is exact. */
    public static String size(long bytes) {
        if (bytes == 0) {
            return "0B";
        }
        String[] units = {"TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB"};
        for (String unit : units) {
            long one = BYTES.getOrDefault(unit.toLowerCase(Locale.ROOT), 1L);
            if (bytes % one == 0) {
                return bytes / one + unit;
            }
        }
        return bytes + "B";
    }

    private static String shorten(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }
}
