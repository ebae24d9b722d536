package dev.postroad.security;

import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * What a user may do in a virtual host: a regular expression for each {@link Action}, of the names that it may be done with. An
 * expression matches a name in which it is found, as RabbitMQ's do; so {@code ^} and {@code $} are for those who mean a whole
 * name, and the empty expression matches the empty name alone, which is no name.
 *
 * @param configure names that may be declared and deleted
 * @param write names that may be published to, and bound to exchanges
 * @param read names that may be consumed, purged, and bound from
 */
public record Permission(Pattern configure, Pattern write, Pattern read) {
    /** Everything. */
    public static final Permission ALL = of(".*", ".*", ".*");

    private static final int LONGEST = 1024;
    private static final Pattern NOTHING = Pattern.compile("^$");

    /**
     * The permission of these expressions.
     *
     * @throws IllegalArgumentException naming the one that is no regular expression, or has more than 1,024 characters
     */
    public static Permission of(String configure, String write, String read) {
        return new Permission(pattern("configure", configure), pattern("write", write), pattern("read", read));
    }

    private static Pattern pattern(String action, String expression) {
        if (expression.length() > LONGEST) {
            throw new IllegalArgumentException("the expression of " + action + " has " + expression.length()
                    + " characters; it may have " + LONGEST);
        }
        try {
            return expression.isEmpty() ? NOTHING : Pattern.compile(expression);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "the expression of " + action + " '" + expression + "' is none: " + e.getDescription(), e);
        }
    }

    /** What is done with a name. */
    public enum Action {
        CONFIGURE,
        WRITE,
        READ
    }

    /** Whether that may be done with a queue or an exchange of this name. */
    public boolean allows(Action action, String name) {
        return switch (action) {
            case CONFIGURE -> configure.matcher(name).find();
            case WRITE -> write.matcher(name).find();
            case READ -> read.matcher(name).find();
        };
    }

    /** The expression of an action, as it was said. */
    public String expression(Action action) {
        Pattern pattern = switch (action) {
            case CONFIGURE -> configure;
            case WRITE -> write;
            case READ -> read;
        };
        return pattern == NOTHING ? "" : pattern.pattern();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Permission that && expressions().equals(that.expressions());
    }

    @Override
    public int hashCode() {
        return expressions().hashCode();
    }

    private List<String> expressions() {
        return List.of(expression(Action.CONFIGURE), expression(Action.WRITE), expression(Action.READ));
    }

    @Override
    public String toString() {
        return "configure '" + expression(Action.CONFIGURE) + "', write '" + expression(Action.WRITE) + "', read '"
                + expression(Action.READ) + "'";
    }
}
