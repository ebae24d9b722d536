package dev.postroad.engine.routing;

import org.jspecify.annotations.Nullable;

/** A text to be looked for in others, in time proportional to their length. */
final class TextSearch {
    /** Below this length a plain search, which looks at each place anew, cannot go far wrong. */
    private static final int SHORT = 16;

    private final String wanted;
    // border[i]: how much of the wanted text's beginning also ends its first i+1 characters (Knuth, Morris, Pratt).
    private final int @Nullable [] border;

    TextSearch(String wanted) {
        this.wanted = wanted;
        this.border = wanted.length() < SHORT ? null : borders(wanted);
    }

    private static int[] borders(String text) {
        int[] border = new int[text.length()];
        int matched = 0;
        for (int i = 1; i < border.length; i++) {
            while (matched > 0 && text.charAt(i) != text.charAt(matched)) {
                matched = border[matched - 1];
            }
            if (text.charAt(i) == text.charAt(matched)) {
                matched++;
            }
            border[i] = matched;
        }
        return border;
    }

    int length() {
        return wanted.length();
    }

    /** Returns the first place at or after {@code from} where the wanted text stands, -1 if there is none. */
    int find(String text, int from) {
        if (border == null) {
            return text.indexOf(wanted, from);
        }
        int matched = 0;
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            while (matched > 0 && c != wanted.charAt(matched)) {
                matched = border[matched - 1];
            }
            if (c == wanted.charAt(matched)) {
                matched++;
            }
            if (matched == wanted.length()) {
                return i - matched + 1;
            }
        }
        return -1;
    }
}
