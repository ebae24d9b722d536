package dev.postroad.engine.routing;

/**
 * A rule that cannot be read. The message says what was expected, what was found, at which character, and shows the
 * place:
 *
 * <pre>
 * expected a field, a value or '(' but found '>' (did you mean '>='?), at character 9
 *   amount => 10
 *          ^
 * </pre>
 */
public final class RuleSyntaxException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;
    /** How many characters of a long rule are shown on either side of the place. */
    private static final int SHOWN = 50;

    private final int position;

    RuleSyntaxException(String problem, String rule, int position) {
        super(Printable.of(problem) + ", at character " + (rule.codePointCount(0, position) + 1) + "\n"
                + picture(rule, position));
        this.position = position;
    }

    /** Returns where in the rule's text the problem lies, from 0, in UTF-16 units; its length if it lies at the end. */
    public int position() {
        return position;
    }

    private static String picture(String rule, int position) {
        int from = Math.max(0, position - SHOWN);
        int to = Math.min(rule.length(), position + SHOWN);
        String before = (from > 0 ? "  ..." : "  ") + Printable.of(rule.substring(from, position));
        String after = Printable.of(rule.substring(position, to)) + (to < rule.length() ? "..." : "");
        return before + after + "\n" + " ".repeat(before.codePointCount(0, before.length())) + "^";
    }
}
