package dev.postroad.engine.routing;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Reads numbers as Java writes them: whole ones as {@code long}, in any of its bases, others as {@code double}. */
final class NumberLiteral {
    private NumberLiteral() {}

    /**
     * Reads a number.
     *
     * @param written begins with a digit or a point
     * @return a {@link Long} or a {@link Double}
     * @throws NumberFormatException if it is none, with what is wrong in words
     */
    static Number parse(String written, boolean negative) {
        String text = withoutUnderscores(written.toLowerCase(Locale.ROOT));
        boolean hexadecimal = text.startsWith("0x");
        boolean binary = text.startsWith("0b");
        boolean real =
                text.indexOf('.') >= 0 || (hexadecimal ? text.indexOf('p') >= 0 : !binary && hasAny(text, "efd"));
        try {
            if (real) {
                return real(text, negative);
            }
            String digits = text.endsWith("l") ? text.substring(0, text.length() - 1) : text;
            if (hexadecimal || binary) {
                return bits(digits.substring(2), hexadecimal ? 16 : 2, negative);
            }
            if (digits.length() > 1 && digits.charAt(0) == '0') {
                return bits(digits.substring(1), 8, negative);
            }
            return Long.valueOf(negative ? "-" + digits : digits);
        } catch (NumberFormatException e) {
            throw new NumberFormatException(message(written, text));
        }
    }

    private static Double real(String text, boolean negative) {
        double value = Double.parseDouble(text);
        if (Double.isInfinite(value) || (value == 0 && hasDigitOtherThanZero(text))) {
            throw new NumberFormatException("out of range");
        }
        return negative ? -value : value;
    }

    /** As in Java, the bases of bits may set the sign bit: 0xFFFFFFFFFFFFFFFF is -1. */
    private static Long bits(String digits, int base, boolean negative) {
        long value = Long.parseUnsignedLong(noSign(digits), base);
        if (negative && value == Long.MIN_VALUE) {
            throw new NumberFormatException("out of range");
        }
        return negative ? -value : value;
    }

    private static String noSign(String digits) {
        if (digits.isEmpty() || Character.digit(digits.charAt(0), 16) < 0) {
            throw new NumberFormatException("no digit");
        }
        return digits;
    }

    private static String withoutUnderscores(String text) {
        if (text.indexOf('_') < 0) {
            return text;
        }
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != '_') {
                out.append(text.charAt(i));
            } else if (!hasDigitNear(text, i, -1) || !hasDigitNear(text, i, 1)) {
                return text;
            }
        }
        return out.toString();
    }

    private static boolean hasDigitNear(String text, int at, int step) {
        int i = at + step;
        while (i >= 0 && i < text.length() && text.charAt(i) == '_') {
            i += step;
        }
        return i >= 0 && i < text.length() && Character.digit(text.charAt(i), 16) >= 0;
    }

    private static boolean hasAny(String text, String wanted) {
        for (int i = 0; i < text.length(); i++) {
            if (wanted.indexOf(text.charAt(i)) >= 0) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasDigitOtherThanZero(String text) {
        boolean hexadecimal = text.startsWith("0x");
        for (int i = hexadecimal ? 2 : 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == (hexadecimal ? 'p' : 'e')) {
                break;
            }
            if (Character.digit(c, 16) > 0 && (hexadecimal || c <= '9')) {
                return true;
            }
        }
        return false;
    }

    private static String message(String written, String text) {
        String shown = written.length() <= 40 ? written : written.substring(0, 40) + "...";
        String base = octalHint(text);
        if (base != null) {
            return shown + " is no number: " + base;
        }
        boolean digitsOnly = text.chars().allMatch(c -> c >= '0' && c <= '9');
        return digitsOnly || hasAny(text, ".e")
                ? shown + " is no number, or out of range: whole numbers lie between " + Long.MIN_VALUE + " and "
                        + Long.MAX_VALUE + ", others between " + -Double.MAX_VALUE + " and " + Double.MAX_VALUE
                : shown + " is no number";
    }

    private static @Nullable String octalHint(String text) {
        boolean octal = text.length() > 1
                && text.charAt(0) == '0'
                && text.chars().allMatch(c -> c >= '0' && c <= '9')
                && text.chars().anyMatch(c -> c > '7');
        return octal ? "with a leading 0 it is octal, whose digits end at 7; leave the 0 out" : null;
    }
}
