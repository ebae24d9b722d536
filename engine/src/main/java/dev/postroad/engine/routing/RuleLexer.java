package dev.postroad.engine.routing;

import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Divides a rule into tokens, one when asked. */
final class RuleLexer {
    enum Type {
        /** A word or a path; its text is the name. */
        NAME,
        /** A name between backticks, which is never a keyword. */
        QUOTED_NAME,
        /** A string; its text is what it stands for. */
        STRING,
        /** A number, as written. */
        NUMBER,
        SYMBOL,
        END
    }

    /**
     * A token.
     *
     * @param start its first character
     * @param end the character after its last
     */
    record Token(Type type, String text, int start, int end) {
        boolean isSymbol(String symbol) {
            return type == Type.SYMBOL && text.equals(symbol);
        }

        boolean isWord(String word) {
            return type == Type.NAME && text.equalsIgnoreCase(word);
        }

        boolean isKeyword() {
            return type == Type.NAME
                    && text.length() <= LONGEST_KEYWORD
                    && KEYWORDS.contains(text.toUpperCase(Locale.ROOT));
        }

        @Override
        public String toString() {
            String shown = text.length() <= 40 ? text : text.substring(0, 40) + "...";
            return switch (type) {
                case END -> "the end of the rule";
                case STRING -> "the string '" + shown + "'";
                case NUMBER -> "the number " + shown;
                case QUOTED_NAME -> "the field `" + shown + "`";
                case NAME, SYMBOL -> "'" + shown + "'";
            };
        }
    }

    static final Set<String> KEYWORDS =
            Set.of("AND", "OR", "NOT", "BETWEEN", "IN", "LIKE", "ESCAPE", "IS", "NULL", "TRUE", "FALSE");

    private static final int LONGEST_KEYWORD = 7;

    /** Longest first, so that the first that fits is meant. */
    private static final String[] SYMBOLS = {
        "===", "!==", "==", "!=", "<>", "<=", ">=", "=>", "=<", "=!", "=~", "&&", "||", "=", "<", ">", "!", "+", "-",
        "*", "/", "(", ")", ","
    };

    private static final Map<String, String> MEANT = Map.of(
            "===", "==",
            "!==", "!=",
            "=>", ">=",
            "=<", "<=",
            "=!", "!=",
            "=~", "matches_regex",
            "&", "AND",
            "|", "OR");

    private final String rule;
    private int at;

    RuleLexer(String rule) {
        this.rule = rule;
    }

    Token next() {
        while (at < rule.length() && Character.isWhitespace(rule.charAt(at))) {
            at++;
        }
        int start = at;
        if (at == rule.length()) {
            return new Token(Type.END, "", start, start);
        }
        int c = rule.codePointAt(at);
        if (c == '\'') {
            return quoted(Type.STRING, '\'');
        }
        if (c == '`') {
            return name();
        }
        if (isDigit(c) || (c == '.' && at + 1 < rule.length() && isDigit(rule.charAt(at + 1)))) {
            return number();
        }
        if (isNameStart(c)) {
            at = pathEnd(rule, at);
            if (at < 0) {
                throw brokenPath(start);
            }
            return new Token(Type.NAME, rule.substring(start, at), start, at);
        }
        return symbol(c);
    }

    RuleSyntaxException problem(String what, int position) {
        return new RuleSyntaxException(what, rule, position);
    }

    private Token quoted(Type type, char quote) {
        int start = at;
        StringBuilder text = new StringBuilder();
        int i = start + 1;
        while (true) {
            if (i >= rule.length()) {
                throw problem("this " + quote + " has no closing " + quote + " (inside it is written twice)", start);
            }
            char c = rule.charAt(i++);
            if (c == quote) {
                if (i < rule.length() && rule.charAt(i) == quote) {
                    i++;
                } else {
                    at = i;
                    return new Token(type, text.toString(), start, at);
                }
            }
            text.append(c);
        }
    }

    private Token name() {
        Token name = quoted(Type.QUOTED_NAME, '`');
        if (name.text().isEmpty()) {
            throw problem("the field name between backticks is empty", name.start());
        }
        if (name.text().chars().anyMatch(Character::isISOControl)) {
            throw problem("the field name between backticks has a control character", name.start());
        }
        return name;
    }

    private Token number() {
        int start = at;
        boolean hexadecimal = rule.startsWith("0x", at) || rule.startsWith("0X", at);
        while (at < rule.length()) {
            char c = rule.charAt(at);
            char before = at > start ? Character.toLowerCase(rule.charAt(at - 1)) : ' ';
            boolean exponentSign = (c == '+' || c == '-') && before == (hexadecimal ? 'p' : 'e');
            if (!exponentSign && c != '.' && !Character.isJavaIdentifierPart(c)) {
                break;
            }
            at++;
        }
        return new Token(Type.NUMBER, rule.substring(start, at), start, at);
    }

    private Token symbol(int c) {
        int start = at;
        for (String symbol : SYMBOLS) {
            if (rule.startsWith(symbol, at)) {
                String meant = MEANT.get(symbol);
                if (meant != null) {
                    throw problem("there is no operator '" + symbol + "' (did you mean '" + meant + "'?)", start);
                }
                at += symbol.length();
                return new Token(Type.SYMBOL, symbol, start, at);
            }
        }
        String shown = Character.isISOControl(c) || Character.isWhitespace(c) || Character.isSpaceChar(c)
                ? String.format(Locale.ROOT, "the character U+%04X", c)
                : "'" + Character.toString(c) + "'";
        throw problem(shown + " has no meaning here" + hint(c), start);
    }

    private static String hint(int c) {
        String meant = MEANT.get(Character.toString(c));
        return switch (c) {
            case '"', 0x2018, 0x2019, 0x201c, 0x201d ->
                "; strings stand between single straight quotes, 'like this', and unusual field names between"
                        + " backticks";
            case '[', '{' -> "; a list is written ('a', 'b')";
            case '%' -> "; there is no remainder, and the wildcard of LIKE stands inside its string";
            default -> meant == null ? "" : " (did you mean '" + meant + "'?)";
        };
    }

    private RuleSyntaxException brokenPath(int start) {
        int i = start;
        while (i < rule.length()) {
            int end = stepEnd(rule, i);
            if (end < 0) {
                return rule.charAt(i) == '['
                        ? problem("expected an index such as [0] of at most 9 digits", i)
                        : problem("expected a name after the '.' of the path", i + 1);
            }
            i = end;
        }
        throw new AssertionError("the path at " + start + " is whole");
    }

    /** Whether a name stands for itself in a rule, without backticks. */
    static boolean isPlainName(String name) {
        return isNameStart(name.codePointAt(0))
                && pathEnd(name, 0) == name.length()
                && !KEYWORDS.contains(name.toUpperCase(Locale.ROOT));
    }

    /** Returns the end of the path that begins at a name's first character, -1 if one of its steps is broken. */
    private static int pathEnd(String text, int start) {
        int i = start;
        do {
            i = stepEnd(text, i);
        } while (i >= 0 && i < text.length() && (text.charAt(i) == '.' || text.charAt(i) == '['));
        return i;
    }

    /** Returns the end of one step of a path: a name, {@code .name} or {@code [index]}; -1 if it is none of these. */
    private static int stepEnd(String text, int start) {
        int i = start;
        if (text.charAt(i) == '[') {
            i++;
            while (i < text.length() && isDigit(text.charAt(i))) {
                i++;
            }
            int digits = i - start - 1;
            return digits >= 1 && digits <= 9 && i < text.length() && text.charAt(i) == ']' ? i + 1 : -1;
        }
        if (text.charAt(i) == '.') {
            i++;
        }
        if (i == text.length() || !isNameStart(text.codePointAt(i))) {
            return -1;
        }
        while (i < text.length() && isNamePart(text.codePointAt(i))) {
            i += Character.charCount(text.codePointAt(i));
        }
        return i;
    }

    private static boolean isNameStart(int c) {
        return Character.isJavaIdentifierStart(c);
    }

    private static boolean isNamePart(int c) {
        return Character.isJavaIdentifierPart(c) && !Character.isIdentifierIgnorable(c);
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }
}
