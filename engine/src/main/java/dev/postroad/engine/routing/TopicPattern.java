package dev.postroad.engine.routing;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A set of topics, written with wildcards in one of two styles. The pattern's style also says how it reads a topic: a
 * pattern of words sees {@code a/b} as one word, a pattern of levels sees {@code a.b} as one level.
 *
 * <pre>
 *   words    a.*.c   a.#.c   #        words between dots; * is exactly one word, # is any number of words, also none;
 *                                     the empty topic has no words
 *   levels   a/+/c   a/#     #        levels between slashes, also empty ones; + is exactly one level, # stands last
 *                                     and is any number of levels, also none: a/# matches a; neither wildcard at the
 *                                     first level matches a topic that begins with $
 * </pre>
 *
 * <p>A wildcard always stands for whole words or levels: {@code a*} and {@code a#} are refused rather than taken
 * literally. Immutable; equal if style and text are equal.
 */
public final class TopicPattern {
    /** The most bytes of UTF-8 a pattern or a topic may have. */
    public static final int MAX_BYTES = 1024;
    /** The most words or levels a pattern may have. */
    public static final int MAX_PARTS = 128;

    /** How patterns are written and topics are divided. */
    public enum Style {
        /** Words between dots, wildcards {@code *} and {@code #}. */
        WORDS('.', '*', "word"),
        /** Levels between slashes, wildcards {@code +} and, at the end, {@code #}. */
        LEVELS('/', '+', "level");

        private final char separator;
        private final char one;
        private final String part;

        Style(char separator, char one, String part) {
            this.separator = separator;
            this.one = one;
            this.part = part;
        }

        /** Divides a topic into its words or levels. */
        List<String> split(String topic) {
            if (this == WORDS && topic.isEmpty()) {
                return List.of();
            }
            List<String> parts = new ArrayList<>();
            int start = 0;
            for (int end = topic.indexOf(separator); end >= 0; end = topic.indexOf(separator, start)) {
                parts.add(topic.substring(start, end));
                start = end + 1;
            }
            parts.add(topic.substring(start));
            return parts;
        }

        /** How many words or levels a topic has. */
        int count(String topic) {
            if (this == WORDS && topic.isEmpty()) {
                return 0;
            }
            int count = 1;
            for (int at = topic.indexOf(separator); at >= 0; at = topic.indexOf(separator, at + 1)) {
                count++;
            }
            return count;
        }

        /** Whether wildcards at the first part leave this topic alone. */
        boolean hides(String topic) {
            return this == LEVELS && !topic.isEmpty() && topic.charAt(0) == '$';
        }
    }

    private final Style style;
    private final String text;
    private final List<String> parts;

    private TopicPattern(Style style, String text) {
        this.style = style;
        this.text = text;
        checkText(text, "pattern");
        if (style == Style.LEVELS && text.isEmpty()) {
            throw new IllegalArgumentException("a pattern of levels is empty; write '#' to match every topic");
        }
        // Before it is divided: what is refused is to cost next to nothing.
        checkCount(style.count(text));
        this.parts = style.split(text);
        checkParts();
    }

    /**
     * Reads a pattern in the given style.
     *
     * @throws IllegalArgumentException if the pattern breaks the rules of its style, has more than {@link #MAX_BYTES}
     *     bytes or more than {@link #MAX_PARTS} words or levels
     */
    public static TopicPattern of(Style style, String pattern) {
        return new TopicPattern(style, pattern);
    }

    /** Reads a pattern of words between dots, with {@code *} and {@code #}; see {@link #of}. */
    public static TopicPattern words(String pattern) {
        return of(Style.WORDS, pattern);
    }

    /** Reads a pattern of levels between slashes, with {@code +} and {@code #}; see {@link #of}. */
    public static TopicPattern levels(String pattern) {
        return of(Style.LEVELS, pattern);
    }

    /**
     * Checks a topic that messages are to be published to.
     *
     * @throws IllegalArgumentException if it has more than {@link #MAX_BYTES} bytes, a NUL character or half a
     *     surrogate pair
     */
    public static void checkTopic(String topic) {
        checkText(topic, "topic");
    }

    private static void checkText(String text, String what) {
        int bytes = text.length() > MAX_BYTES ? text.length() : Utf8.length(text);
        if (bytes > MAX_BYTES) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "a %s has %,d bytes or more; the limit is %,d", what, bytes, MAX_BYTES));
        }
        if (bytes < 0) {
            throw new IllegalArgumentException("a " + what + " has half of a surrogate pair, which UTF-8 cannot carry");
        }
        int nul = text.indexOf('\0');
        if (nul >= 0) {
            throw new IllegalArgumentException("a " + what + " has a NUL character at position " + nul);
        }
    }

    private void checkCount(int count) {
        if (count > MAX_PARTS) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "pattern '%s' has %,d %ss; the limit is %,d",
                    Printable.of(text),
                    count,
                    style.part,
                    MAX_PARTS));
        }
    }

    private void checkParts() {
        for (int i = 0; i < parts.size(); i++) {
            String part = parts.get(i);
            if (part.length() > 1 && (part.indexOf(style.one) >= 0 || part.indexOf('#') >= 0)) {
                char wildcard = part.indexOf('#') >= 0 ? '#' : style.one;
                throw new IllegalArgumentException(
                        "pattern '" + Printable.of(text) + "': '" + wildcard + "' stands for a whole " + style.part
                                + " and cannot be a part of '" + Printable.of(part) + "'");
            }
            if (style == Style.LEVELS && part.equals("#") && i < parts.size() - 1) {
                throw new IllegalArgumentException("pattern '" + Printable.of(text)
                        + "': '#' must be the last level; use '+' for one level in between");
            }
        }
    }

    /** Returns how this pattern is written and how it reads topics. */
    public Style style() {
        return style;
    }

    /** Whether the pattern has a wildcard; one without matches exactly one topic. */
    public boolean hasWildcard() {
        return parts.stream().anyMatch(part -> isOne(part) || isMany(part));
    }

    /** Whether the pattern matches a topic. Takes steps in proportion to the parts of both, multiplied. */
    public boolean matches(String topic) {
        List<String> words = style.split(topic);
        // reached[i]: the words so far can be what the first i parts stand for.
        boolean[] reached = new boolean[parts.size() + 1];
        reached[0] = true;
        boolean hidden = style.hides(topic);
        passMany(reached, hidden);
        for (String word : words) {
            for (int i = parts.size(); i > 0; i--) {
                String part = parts.get(i - 1);
                boolean wildcard = isOne(part) || isMany(part);
                boolean takes = wildcard ? !(hidden && i == 1) : part.equals(word);
                reached[i] = takes && (reached[i - 1] || (isMany(part) && reached[i]));
            }
            reached[0] = false;
            passMany(reached, hidden);
        }
        return reached[parts.size()];
    }

    private void passMany(boolean[] reached, boolean hidden) {
        for (int i = hidden ? 1 : 0; i < parts.size(); i++) {
            if (reached[i] && isMany(parts.get(i))) {
                reached[i + 1] = true;
            }
        }
    }

    List<String> parts() {
        return parts;
    }

    boolean isOne(String part) {
        return part.length() == 1 && part.charAt(0) == style.one;
    }

    boolean isMany(String part) {
        return part.length() == 1 && part.charAt(0) == '#';
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TopicPattern that && style == that.style && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return 31 * text.hashCode() + style.ordinal();
    }

    /** Returns the pattern as it was written. */
    @Override
    public String toString() {
        return text;
    }
}
