package dev.postroad.engine.routing;

import java.util.Arrays;
import java.util.EnumSet;

/** A set of characters (code points): ranges and classes, or all but these. Immutable. */
final class CharacterSet {
    /** What {@code \d}, {@code \w} and {@code \s} stand for, in all of Unicode. */
    enum Class {
        DIGIT,
        NOT_DIGIT,
        WORD,
        NOT_WORD,
        SPACE,
        NOT_SPACE;

        boolean contains(int c) {
            return switch (this) {
                case DIGIT -> Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER;
                case NOT_DIGIT -> !DIGIT.contains(c);
                case WORD -> isWord(c);
                case NOT_WORD -> !isWord(c);
                case SPACE -> isSpace(c);
                case NOT_SPACE -> !isSpace(c);
            };
        }
    }

    private static final Class[] NO_CLASSES = {};

    static final CharacterSet ANY = new CharacterSet(new int[0], NO_CLASSES, true);
    static final CharacterSet ANY_BUT_LINE_FEED = new CharacterSet(new int[] {'\n', '\n'}, NO_CLASSES, true);

    /** The set of each class alone. */
    private static final CharacterSet[] OF_CLASS = Arrays.stream(Class.values())
            .map(characters -> new CharacterSet(new int[0], new Class[] {characters}, false))
            .toArray(CharacterSet[]::new);

    private final int[] ranges;
    // An array: an iterator for each character of each set costs memory.
    private final Class[] classes;
    private final boolean negated;
    // Most text is ASCII: one bit for each of its characters.
    private final long low;
    private final long high;

    private CharacterSet(int[] ranges, Class[] classes, boolean negated) {
        this.ranges = ranges;
        this.classes = classes;
        this.negated = negated;
        this.low = bits(0);
        this.high = bits(64);
    }

    static CharacterSet of(int c) {
        return new CharacterSet(new int[] {c, c}, NO_CLASSES, false);
    }

    static CharacterSet of(Class characters) {
        return OF_CLASS[characters.ordinal()];
    }

    /** Which of 64 characters are in the set. */
    private long bits(int from) {
        long bits = 0;
        for (int i = 0; i < ranges.length; i += 2) {
            int first = Math.max(0, ranges[i] - from);
            int last = Math.min(63, ranges[i + 1] - from);
            if (first <= last) {
                bits |= (-1L >>> (63 - (last - first))) << first;
            }
        }
        for (Class characters : classes) {
            for (int c = 0; c < 64; c++) {
                bits |= (characters.contains(from + c) ? 1L : 0L) << c;
            }
        }
        return negated ? ~bits : bits;
    }

    boolean contains(int c) {
        if (c < 64) {
            return (low >>> c & 1) != 0;
        }
        return c < 128 ? (high >>> (c - 64) & 1) != 0 : search(c);
    }

    private boolean search(int c) {
        for (int i = 0; i < ranges.length; i += 2) {
            if (ranges[i] <= c && c <= ranges[i + 1]) {
                return !negated;
            }
        }
        for (Class characters : classes) {
            if (characters.contains(c)) {
                return !negated;
            }
        }
        return negated;
    }

    static boolean isWord(int c) {
        if (c < 128) {
            return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_';
        }
        int type = Character.getType(c);
        return Character.isLetterOrDigit(c) || type == Character.LETTER_NUMBER || type == Character.OTHER_NUMBER;
    }

    private static boolean isSpace(int c) {
        return c >= '\t' && c <= '\r' || c >= 0x1c && c <= 0x20 || c == 0x85 || c > 0x85 && Character.isSpaceChar(c);
    }

    /** Gathers what stands between brackets. */
    static final class Builder {
        private int[] ranges = new int[8];
        private int used;
        private final EnumSet<Class> classes = EnumSet.noneOf(Class.class);

        void add(int first, int last) {
            if (used == ranges.length) {
                ranges = Arrays.copyOf(ranges, used * 2);
            }
            ranges[used++] = first;
            ranges[used++] = last;
        }

        void add(Class characters) {
            classes.add(characters);
        }

        CharacterSet build(boolean negated) {
            return new CharacterSet(Arrays.copyOf(ranges, used), classes.toArray(NO_CLASSES), negated);
        }
    }
}
