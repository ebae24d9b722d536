package dev.postroad.engine.routing;

/** What is wrong with a pattern inside a rule, and at which of its characters. */
final class PatternProblem extends Exception {
    private static final long serialVersionUID = 1L;

    private final int position;

    PatternProblem(String message, int position) {
        // Whoever called is told as what it is a part of: nobody sees where it was thrown.
        super(message, null, false, false);
        this.position = position;
    }

    /** Where, from 0, in UTF-16 units of the pattern. */
    int position() {
        return position;
    }
}
