package dev.postroad.engine.routing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A match on a message's headers: all or any of the wanted headers must be there with the wanted value.
 *
 * <p>A wanted header without a value asks only that the header is there. Values match when they are of one type and
 * equal: whole numbers of any width are one type, and so are floating ones, but {@code 1} is neither {@code 1.0} nor {@code
 * "1"}; decimals go with whole numbers, by value; bytes, lists and tables are compared by content. With nothing wanted,
 * {@code all} matches every message and {@code any} none. Immutable; safe for any thread.
 */
public final class HeaderMatch {
    /** The most headers one match may want. */
    public static final int MAX_HEADERS = 256;

    /** How many of the wanted headers must match, and whether those whose name begins with {@code x-} count. */
    public enum Mode {
        /** Every wanted header, leaving aside those whose name begins with {@code x-}. */
        ALL("all"),
        /** At least one wanted header, leaving aside those whose name begins with {@code x-}. */
        ANY("any"),
        /** Every wanted header. */
        ALL_WITH_X("all-with-x"),
        /** At least one wanted header. */
        ANY_WITH_X("any-with-x");

        private final String word;

        Mode(String word) {
            this.word = word;
        }

        /**
         * Finds a mode by its word: {@code all}, {@code any}, {@code all-with-x} or {@code any-with-x}.
         *
         * @throws IllegalArgumentException if it is none of these
         */
        public static Mode of(String word) {
            for (Mode mode : values()) {
                if (mode.word.equals(word)) {
                    return mode;
                }
            }
            throw new IllegalArgumentException("'" + Printable.of(word)
                    + "' is no way to match headers; there are all, any, all-with-x and any-with-x");
        }

        private boolean wantsAll() {
            return this == ALL || this == ALL_WITH_X;
        }

        private boolean counts(String name) {
            return this == ALL_WITH_X || this == ANY_WITH_X || !name.startsWith("x-");
        }

        @Override
        public String toString() {
            return word;
        }
    }

    private record Wanted(String name, @Nullable Object value) {
        boolean matches(Fields headers) {
            return value == null ? headers.has(name) : FieldValue.same(value, headers.get(name));
        }
    }

    private final Mode mode;
    private final Map<String, @Nullable Object> wanted;
    private final List<Wanted> compared;

    private HeaderMatch(Mode mode, Map<String, @Nullable Object> wanted) {
        this.mode = mode;
        this.wanted = wanted;
        List<Wanted> counting = new ArrayList<>();
        wanted.forEach((name, value) -> {
            if (mode.counts(name)) {
                counting.add(new Wanted(name, value));
            }
        });
        this.compared = List.copyOf(counting);
    }

    /**
     * Makes a match.
     *
     * @param wanted the headers wanted, at most {@link #MAX_HEADERS}, none with an empty name; a null value asks for
     *     presence only. Values are texts, numbers, truth values, bytes, moments, or lists and tables of these; all are copied.
     * @throws IllegalArgumentException if a value has another type or there are too many
     */
    public static HeaderMatch of(Mode mode, Map<String, ? extends @Nullable Object> wanted) {
        if (wanted.size() > MAX_HEADERS) {
            throw new IllegalArgumentException(
                    String.format(Locale.ROOT, "%,d headers are wanted; the limit is %,d", wanted.size(), MAX_HEADERS));
        }
        Map<String, @Nullable Object> copy = new LinkedHashMap<>();
        wanted.forEach((name, value) -> {
            if (name.isEmpty()) {
                throw new IllegalArgumentException("a wanted header has an empty name");
            }
            copy.put(name, value == null ? null : FieldValue.of(name, value));
        });
        return new HeaderMatch(mode, copy);
    }

    /** Whether a message with these headers matches. */
    public boolean matches(Fields headers) {
        boolean all = mode.wantsAll();
        for (Wanted header : compared) {
            if (header.matches(headers) != all) {
                return !all;
            }
        }
        return all;
    }

    /** Equal matches have the same mode and want the same, in whatever order. */
    @Override
    public boolean equals(@Nullable Object other) {
        if (!(other instanceof HeaderMatch that) || mode != that.mode || wanted.size() != that.wanted.size()) {
            return false;
        }
        for (Map.Entry<String, @Nullable Object> entry : wanted.entrySet()) {
            Object mine = entry.getValue();
            Object theirs = that.wanted.get(entry.getKey());
            boolean equal = mine == null
                    ? theirs == null && that.wanted.containsKey(entry.getKey())
                    : FieldValue.same(mine, theirs);
            if (!equal) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        return 31 * mode.ordinal() + wanted.keySet().hashCode();
    }

    /** Returns the match in words, such as {@code all of region = eu, traced}. */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder(mode.word).append(" of ");
        String separator = "";
        for (Map.Entry<String, @Nullable Object> entry : wanted.entrySet()) {
            out.append(separator).append(entry.getKey());
            Object value = entry.getValue();
            if (value != null) {
                out.append(" = ").append(value instanceof byte[] bytes ? bytes.length + " bytes" : value);
            }
            separator = ", ";
        }
        return out.toString();
    }
}
