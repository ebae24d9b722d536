package dev.postroad.engine.routing;

/**
 * The parsers of patterns within rules. It is in their package so that they need not be public for the sake of fuzzing. What
 * is no pattern is refused with {@link IllegalArgumentException}. For any thread.
 */
public final class RoutingDecoders {
    private static final int MOST_STATES = 512;
    private static final String TEXT =
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\u00e9\ud83d\udca9 0";

    private RoutingDecoders() {}

    /** A regular expression; matched with a text that is unpleasant for those that go back. */
    public static void regex(String pattern) {
        try {
            Regex regex = Regex.parse(pattern, MOST_STATES);
            if (regex.states() > MOST_STATES) {
                throw new AssertionError(regex.states() + " states where " + MOST_STATES + " were allowed");
            }
            if (regex.matchesStartOf(TEXT) == Truth.UNKNOWN) {
                throw new AssertionError("no answer for a text of " + TEXT.length() + " characters");
            }
        } catch (PatternProblem e) {
            throw refused(e, pattern);
        }
    }

    /** A pattern of LIKE, with {@code !} as its escape character. */
    public static void like(String pattern) {
        try {
            LikePattern like = LikePattern.parse(pattern, '!', MOST_STATES);
            if (like.matches(TEXT) == Truth.UNKNOWN) {
                throw new AssertionError("no answer for a text of " + TEXT.length() + " characters");
            }
        } catch (PatternProblem e) {
            throw refused(e, pattern);
        }
    }

    private static IllegalArgumentException refused(PatternProblem problem, String pattern) {
        if (problem.position() < 0 || problem.position() > pattern.length()) {
            throw new AssertionError("a problem at character " + problem.position() + " of " + pattern.length());
        }
        return new IllegalArgumentException(problem.getMessage(), problem);
    }
}
