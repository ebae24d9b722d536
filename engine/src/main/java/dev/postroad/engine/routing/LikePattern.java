package dev.postroad.engine.routing;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * SQL's LIKE: {@code %} is any text, {@code _} any one character (code point), everything else itself; all of the text
 * must match.
 *
 * <p>Without {@code _} the texts between the {@code %} are looked for one after the other, each as early as possible;
 * with it the pattern runs as a {@link Regex}.
 */
final class LikePattern {
    private final String first;
    private final String last;
    private final boolean exact;
    private final List<TextSearch> between;
    private final @Nullable Regex regex;

    private LikePattern(List<String> texts, @Nullable Regex regex) {
        this.first = texts.get(0);
        this.last = texts.get(texts.size() - 1);
        this.exact = texts.size() == 1;
        this.between = texts.stream()
                .skip(1)
                .limit(Math.max(0, texts.size() - 2))
                .map(TextSearch::new)
                .toList();
        this.regex = regex;
    }

    /**
     * Reads a pattern.
     *
     * @param escape the character that makes the next one stand for itself, -1 for none
     */
    static LikePattern parse(String pattern, int escape, int maxStates) throws PatternProblem {
        List<String> texts = new ArrayList<>();
        List<RegexTree> parts = new ArrayList<>();
        StringBuilder text = new StringBuilder();
        boolean anyOne = hasAnyOne(pattern, escape);
        int c;
        for (int at = 0; at < pattern.length(); at += Character.charCount(c)) {
            c = pattern.codePointAt(at);
            if (c == escape) {
                int escapeAt = at;
                at += Character.charCount(c);
                if (at == pattern.length()) {
                    throw new PatternProblem("the escape character stands last, where it escapes nothing", escapeAt);
                }
                c = pattern.codePointAt(at);
            } else if (c == '%') {
                texts.add(text.toString());
                text.setLength(0);
                parts.add(new RegexTree.Repeat(new RegexTree.One(CharacterSet.ANY), 0, RegexTree.FOREVER));
                continue;
            } else if (c == '_') {
                parts.add(new RegexTree.One(CharacterSet.ANY));
                continue;
            }
            text.appendCodePoint(c);
            if (anyOne) {
                parts.add(new RegexTree.One(CharacterSet.of(c)));
                if (parts.size() > maxStates) {
                    break; // refused below: each part is a state
                }
            }
        }
        texts.add(text.toString());
        if (pattern.endsWith("%") && text.isEmpty()) {
            // Any text may follow, so that the match need not read it.
            parts.remove(parts.size() - 1);
        } else {
            parts.add(new RegexTree.At(RegexTree.Place.END));
        }
        return new LikePattern(texts, anyOne ? Regex.of(new RegexTree.Sequence(parts), maxStates) : null);
    }

    /** Whether there is a '_' that stands for any one character: only then automata are needed. */
    private static boolean hasAnyOne(String pattern, int escape) {
        int c;
        for (int at = 0; at < pattern.length(); at += Character.charCount(c)) {
            c = pattern.codePointAt(at);
            if (c == escape) {
                at += Character.charCount(c);
                if (at >= pattern.length()) {
                    return false;
                }
                c = pattern.codePointAt(at);
            } else if (c == '_') {
                return true;
            }
        }
        return false;
    }

    /** What the pattern counts towards the size of its rule. */
    int states() {
        return regex == null ? between.size() : regex.states();
    }

    Truth matches(String text) {
        if (regex != null) {
            return regex.matchesStartOf(text);
        }
        if (exact) {
            return Truth.of(text.equals(first));
        }
        int end = text.length() - last.length();
        if (end < first.length() || !text.startsWith(first) || !text.endsWith(last)) {
            return Truth.FALSE;
        }
        int at = first.length();
        for (TextSearch wanted : between) {
            int found = wanted.find(text, at);
            if (found < 0 || found + wanted.length() > end) {
                return Truth.FALSE;
            }
            at = found + wanted.length();
        }
        return Truth.TRUE;
    }
}
