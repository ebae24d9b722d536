package dev.postroad.engine.routing;

import java.util.List;

/** What a pattern says, before it is laid out for {@link Regex} to run. */
sealed interface RegexTree {
    /** One character of a set. */
    record One(CharacterSet set) implements RegexTree {}

    /** Nothing, at a place where this holds. */
    record At(Place place) implements RegexTree {}

    /** One after the other; nothing at all if there is none. */
    record Sequence(List<RegexTree> parts) implements RegexTree {}

    /** Any one of these. */
    record Choice(List<RegexTree> ways) implements RegexTree {}

    /** The same again, {@code least} to {@code most} times. */
    record Repeat(RegexTree part, int least, int most) implements RegexTree {}

    /** No upper bound. */
    int FOREVER = Integer.MAX_VALUE;

    enum Place {
        START,
        END,
        END_OR_LAST_LINE_FEED,
        WORD_EDGE,
        NO_WORD_EDGE;

        boolean holds(String text, int at) {
            return switch (this) {
                case START -> at == 0;
                case END -> at == text.length();
                case END_OR_LAST_LINE_FEED -> at == text.length() || at == text.length() - 1 && text.charAt(at) == '\n';
                case WORD_EDGE -> isWordEdge(text, at);
                case NO_WORD_EDGE -> !isWordEdge(text, at);
            };
        }

        private static boolean isWordEdge(String text, int at) {
            boolean before = at > 0 && CharacterSet.isWord(text.codePointBefore(at));
            boolean after = at < text.length() && CharacterSet.isWord(text.codePointAt(at));
            return before != after;
        }
    }
}
