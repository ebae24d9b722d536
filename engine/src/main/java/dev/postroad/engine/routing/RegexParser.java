package dev.postroad.engine.routing;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads the syntax of Python's {@code re}, as far as a match without going back can follow it; the rest is refused by
 * its name.
 *
 * <pre>
 *   choice   := sequence ('|' sequence)*
 *   sequence := (atom quantifier?)*
 *   quantifier := ('*' | '+' | '?' | '{m}' | '{m,}' | '{,n}' | '{m,n}') '?'?
 *   atom     := character | '.' | '[' '^'? item+ ']' | '(' choice ')' | '^' | '$' | escape
 * </pre>
 */
final class RegexParser {
    private static final int MAX_COUNT = 1_000;

    private final String pattern;
    private int at;
    private int depth;

    RegexParser(String pattern) {
        this.pattern = pattern;
    }

    RegexTree parse() throws PatternProblem {
        RegexTree tree = choice();
        if (at < pattern.length()) {
            throw new PatternProblem("this ')' closes no group; write \\) for the character", at);
        }
        return tree;
    }

    private RegexTree choice() throws PatternProblem {
        List<RegexTree> ways = new ArrayList<>();
        ways.add(sequence());
        while (accept('|')) {
            ways.add(sequence());
        }
        return ways.size() == 1 ? ways.get(0) : new RegexTree.Choice(ways);
    }

    private RegexTree sequence() throws PatternProblem {
        List<RegexTree> parts = new ArrayList<>();
        while (at < pattern.length() && peek() != '|' && peek() != ')') {
            int start = at;
            RegexTree atom = atom();
            RegexTree repeated = quantified(atom, start);
            parts.add(repeated);
        }
        return parts.size() == 1 ? parts.get(0) : new RegexTree.Sequence(parts);
    }

    private RegexTree quantified(RegexTree atom, int start) throws PatternProblem {
        int quantifierAt = at;
        int[] counts = quantifier();
        if (counts == null) {
            return atom;
        }
        if (atom instanceof RegexTree.At && pattern.charAt(start) != '(') {
            throw new PatternProblem(
                    "'" + pattern.substring(start, quantifierAt) + "' is a place, which cannot be repeated",
                    quantifierAt);
        }
        accept('?');
        if (at < pattern.length() && peek() == '+') {
            throw new PatternProblem("possessive quantifiers (such as *+) are not supported", at);
        }
        int again = at;
        if (quantifier() != null) {
            throw new PatternProblem("a quantifier follows a quantifier; put the first in a group: (a*){2}", again);
        }
        return new RegexTree.Repeat(atom, counts[0], counts[1]);
    }

    /** Returns least and most, or null if no quantifier stands here. */
    private int @Nullable [] quantifier() throws PatternProblem {
        if (accept('*')) {
            return new int[] {0, RegexTree.FOREVER};
        }
        if (accept('+')) {
            return new int[] {1, RegexTree.FOREVER};
        }
        if (accept('?')) {
            return new int[] {0, 1};
        }
        int start = at;
        if (!accept('{')) {
            return null;
        }
        int least = number(start);
        int most = least;
        boolean range = accept(',');
        if (range) {
            most = number(start);
        }
        if (!accept('}') || (least < 0 && !range)) {
            // As in Python, a brace that is no quantifier is a character.
            at = start;
            return null;
        }
        least = Math.max(0, least);
        most = most < 0 ? RegexTree.FOREVER : most;
        if (most < least) {
            throw new PatternProblem("the least count, " + least + ", is more than the most, " + most, start);
        }
        return new int[] {least, most};
    }

    /** Returns the number that stands here, -1 if there is none. */
    private int number(int quantifierAt) throws PatternProblem {
        int start = at;
        int value = 0;
        while (at < pattern.length() && peek() >= '0' && peek() <= '9') {
            value = Math.min(value * 10 + (peek() - '0'), MAX_COUNT + 1);
            at++;
        }
        if (value > MAX_COUNT) {
            throw new PatternProblem(
                    String.format(
                            Locale.ROOT,
                            "the count %s is too large; the limit is %,d",
                            pattern.substring(start, at),
                            MAX_COUNT),
                    quantifierAt);
        }
        return at == start ? -1 : value;
    }

    private RegexTree atom() throws PatternProblem {
        int start = at;
        int c = take();
        return switch (c) {
            case '.' -> new RegexTree.One(CharacterSet.ANY_BUT_LINE_FEED);
            case '^' -> new RegexTree.At(RegexTree.Place.START);
            case '$' -> new RegexTree.At(RegexTree.Place.END_OR_LAST_LINE_FEED);
            case '(' -> group(start);
            case '[' -> new RegexTree.One(bracket(start));
            case '\\' -> escape(start);
            case '*', '+', '?' ->
                throw new PatternProblem(
                        "there is nothing before '" + (char) c + "' to repeat; write \\" + (char) c
                                + " for the character",
                        start);
            case '{' -> {
                at = start;
                if (quantifier() != null) {
                    throw new PatternProblem(
                            "there is nothing before '{' to repeat; write \\{ for the character", start);
                }
                at = start + 1;
                yield new RegexTree.One(CharacterSet.of(c));
            }
            default -> new RegexTree.One(CharacterSet.of(c));
        };
    }

    private RegexTree group(int start) throws PatternProblem {
        if (++depth > Rule.MAX_DEPTH) {
            throw new PatternProblem("groups lie more than " + Rule.MAX_DEPTH + " deep", start);
        }
        if (accept('?')) {
            groupKind(start);
        }
        RegexTree tree = choice();
        if (!accept(')')) {
            throw new PatternProblem("this '(' is not closed; write \\( for the character", start);
        }
        depth--;
        return tree;
    }

    /** Reads what stands after {@code (?}. */
    private void groupKind(int start) throws PatternProblem {
        if (accept(':')) {
            return;
        }
        if (pattern.startsWith("P<", at)) {
            int end = pattern.indexOf('>', at);
            String name = end < 0 ? "" : pattern.substring(at + 2, end);
            if (name.isEmpty() || !name.codePoints().allMatch(CharacterSet::isWord)) {
                throw new PatternProblem("a named group is written (?P<name>...)", start);
            }
            at = end + 1;
            return;
        }
        String rest = pattern.substring(at);
        String what = rest.startsWith("=") || rest.startsWith("!")
                ? "a lookahead is"
                : rest.startsWith("<=") || rest.startsWith("<!")
                        ? "a lookbehind is"
                        : rest.startsWith("P=")
                                ? "a backreference is"
                                : rest.startsWith(">")
                                        ? "an atomic group is"
                                        : rest.startsWith("(")
                                                ? "a conditional group is"
                                                : rest.startsWith("#") ? "a comment is" : "an inline flag is";
        throw new PatternProblem(
                what + " not supported: patterns are matched in linear time, with (...), (?:...) and"
                        + " (?P<name>...) as groups",
                start);
    }

    private RegexTree escape(int start) throws PatternProblem {
        if (at == pattern.length()) {
            throw new PatternProblem("the pattern ends with a single '\\'; write \\\\ for the character", start);
        }
        switch (peek()) {
            case 'A' -> {
                at++;
                return new RegexTree.At(RegexTree.Place.START);
            }
            case 'Z' -> {
                at++;
                return new RegexTree.At(RegexTree.Place.END);
            }
            case 'b' -> {
                at++;
                return new RegexTree.At(RegexTree.Place.WORD_EDGE);
            }
            case 'B' -> {
                at++;
                return new RegexTree.At(RegexTree.Place.NO_WORD_EDGE);
            }
            default -> {
                CharacterSet.Class characters = characterClass();
                return new RegexTree.One(
                        characters == null ? CharacterSet.of(character(start)) : CharacterSet.of(characters));
            }
        }
    }

    /** Takes the letter of a class after a backslash, or returns null if another character stands here. */
    private CharacterSet.@Nullable Class characterClass() {
        CharacterSet.Class characters = switch (peek()) {
            case 'd' -> CharacterSet.Class.DIGIT;
            case 'D' -> CharacterSet.Class.NOT_DIGIT;
            case 'w' -> CharacterSet.Class.WORD;
            case 'W' -> CharacterSet.Class.NOT_WORD;
            case 's' -> CharacterSet.Class.SPACE;
            case 'S' -> CharacterSet.Class.NOT_SPACE;
            default -> null;
        };
        if (characters != null) {
            at++;
        }
        return characters;
    }

    /** Takes one escaped character, after its backslash. */
    private int character(int start) throws PatternProblem {
        int c = take();
        return switch (c) {
            case 't' -> '\t';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 'f' -> '\f';
            case 'v' -> 0x0b;
            case 'a' -> 0x07;
            case 'x' -> hexadecimal(2, start);
            case 'u' -> hexadecimal(4, start);
            case 'U' -> hexadecimal(8, start);
            case '0' -> throw new PatternProblem("octal escapes are not supported; write \\x00", start);
            case '1', '2', '3', '4', '5', '6', '7', '8', '9' ->
                throw new PatternProblem(
                        "a backreference (\\" + (char) c + ") is not supported: patterns are matched in linear time",
                        start);
            default -> {
                if (c < 128 && Character.isLetter(c)) {
                    throw new PatternProblem("\\" + (char) c + " means nothing", start);
                }
                yield c;
            }
        };
    }

    private int hexadecimal(int digits, int start) throws PatternProblem {
        int end = at + digits;
        long value = 0;
        for (; at < end; at++) {
            int digit = at < pattern.length() && peek() < 128 ? Character.digit(peek(), 16) : -1;
            if (digit < 0) {
                throw new PatternProblem("this escape takes " + digits + " hexadecimal digits", start);
            }
            value = value * 16 + digit;
        }
        if (value > Character.MAX_CODE_POINT || (value >= 0xd800 && value < 0xe000)) {
            throw new PatternProblem("this escape is no Unicode character", start);
        }
        return (int) value;
    }

    private CharacterSet bracket(int start) throws PatternProblem {
        CharacterSet.Builder set = new CharacterSet.Builder();
        boolean negated = accept('^');
        boolean first = true;
        while (true) {
            if (at >= pattern.length()) {
                throw new PatternProblem("this '[' is not closed; write \\[ for the character", start);
            }
            // As in Python, a bracket that closes at once is a character.
            if (peek() == ']' && !first) {
                at++;
                return set.build(negated);
            }
            first = false;
            bracketItem(set, start);
        }
    }

    private void bracketItem(CharacterSet.Builder set, int start) throws PatternProblem {
        int itemAt = at;
        int from = bracketCharacter(set, start);
        boolean range = at + 1 < pattern.length() && peek() == '-' && pattern.charAt(at + 1) != ']';
        if (!range) {
            if (from >= 0) {
                set.add(from, from);
            }
            return;
        }
        at++;
        int to = bracketCharacter(set, start);
        if (from < 0 || to < 0 || to < from) {
            throw new PatternProblem(
                    "'" + pattern.substring(itemAt, at) + "' is no range: it goes from one character up to another",
                    itemAt);
        }
        set.add(from, to);
    }

    /** Takes one character between brackets; adds a class to the set instead, and returns -1, if one stands here. */
    private int bracketCharacter(CharacterSet.Builder set, int bracketAt) throws PatternProblem {
        int start = at;
        int c = take();
        if (c != '\\') {
            return c;
        }
        if (at == pattern.length()) {
            throw new PatternProblem("this '[' is not closed; write \\[ for the character", bracketAt);
        }
        if (accept('b')) {
            return '\b';
        }
        CharacterSet.Class characters = characterClass();
        if (characters != null) {
            set.add(characters);
            return -1;
        }
        return character(start);
    }

    private char peek() {
        return pattern.charAt(at);
    }

    private int take() {
        int c = pattern.codePointAt(at);
        at += Character.charCount(c);
        return c;
    }

    private boolean accept(char c) {
        if (at < pattern.length() && pattern.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }
}
