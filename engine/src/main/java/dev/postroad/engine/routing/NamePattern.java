package dev.postroad.engine.routing;

/**
 * A pattern of names: a regular expression in the syntax of Python's {@code re}, without backreferences and lookaround, that
 * matches where it is found anywhere in a name unless {@code ^} and {@code $} tie it down. Costs at most name times pattern.
 */
public final class NamePattern {
    /** Instructions a pattern may take, and so what each character of a name costs at most. */
    private static final int MOST_STATES = 2_000;

    private static final String ANYWHERE = "[\\s\\S]*";

    private final Regex regex;

    private NamePattern(Regex regex) {
        this.regex = regex;
    }

    /** @throws IllegalArgumentException if the pattern is wrong or too large, with what and where */
    public static NamePattern of(String pattern) {
        try {
            // Alone first: a lone parenthesis would close the group below.
            Regex.parse(pattern, MOST_STATES);
            return new NamePattern(Regex.parse(ANYWHERE + "(?:" + pattern + ")", MOST_STATES + 100));
        } catch (PatternProblem e) {
            throw new IllegalArgumentException(
                    "'" + pattern + "' is no pattern of names: " + e.getMessage() + ", at character " + e.position(),
                    e);
        }
    }

    /** True if the pattern is found in this name. */
    public boolean matches(String name) {
        return regex.matchesStartOf(name) == Truth.TRUE;
    }
}
