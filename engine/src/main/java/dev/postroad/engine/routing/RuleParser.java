package dev.postroad.engine.routing;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a rule by recursive descent; each method reads one line of the grammar. Words are read in either case.
 *
 * <pre>
 *   or         := and (('OR' | '||') and)*
 *   and        := not (('AND' | '&amp;&amp;') not)*
 *   not        := ('NOT' | '!') not | predicate
 *   predicate  := sum (comparison | 'IS' 'NOT'? 'NULL' | 'NOT'? text)?
 *   comparison := ('=' | '==' | 'equals' | '&lt;&gt;' | '!=' | '&lt;' | '&lt;=' | '&gt;=' | '&gt;' | 'greater_than')
 *                 sum
 *   text       := 'BETWEEN' sum 'AND' sum | 'IN' '(' literal (',' literal)* ')' | 'LIKE' string ('ESCAPE' string)?
 *               | 'contains' sum | 'matches_regex' string
 *   sum        := product (('+' | '-') product)*
 *   product    := sign (('*' | '/') sign)*
 *   sign       := ('+' | '-') sign | primary
 *   primary    := literal | field | '(' or ')'
 * </pre>
 *
 * <p>The words {@code equals}, {@code greater_than}, {@code contains} and {@code matches_regex} are operators only
 * where an operator can stand, so that fields may have these names, as any JMS identifier may.
 */
final class RuleParser {
    private static final Map<String, String> MEANT = Map.ofEntries(
            Map.entry("eq", "="),
            Map.entry("equal", "equals"),
            Map.entry("ne", "<>"),
            Map.entry("not_equals", "<>"),
            Map.entry("gt", ">"),
            Map.entry("greaterthan", "greater_than"),
            Map.entry("ge", ">="),
            Map.entry("gte", ">="),
            Map.entry("lt", "<"),
            Map.entry("less_than", "<"),
            Map.entry("lessthan", "<"),
            Map.entry("le", "<="),
            Map.entry("lte", "<="),
            Map.entry("contain", "contains"),
            Map.entry("includes", "contains"),
            Map.entry("starts_with", "LIKE 'text%'"),
            Map.entry("startswith", "LIKE 'text%'"),
            Map.entry("ends_with", "LIKE '%text'"),
            Map.entry("endswith", "LIKE '%text'"),
            Map.entry("matches", "matches_regex"),
            Map.entry("match", "matches_regex"),
            Map.entry("regex", "matches_regex"),
            Map.entry("matchesregex", "matches_regex"),
            Map.entry("rlike", "matches_regex"),
            Map.entry("ilike", "LIKE"));

    private final RuleLexer lexer;
    private final Set<String> fields = new LinkedHashSet<>();
    private RuleLexer.Token token;
    private int depth;
    private int size;

    RuleParser(String rule) {
        lexer = new RuleLexer(rule);
        token = lexer.next();
    }

    Node parse() {
        if (token.type() == RuleLexer.Type.END) {
            throw problem("the rule is empty; leave it out to match every message");
        }
        int start = token.start();
        Node rule = or();
        if (token.type() != RuleLexer.Type.END) {
            throw problem(
                    rule.kind() == Node.Kind.CONDITION
                            ? "expected AND, OR or the end of the rule, but found " + token + suggestion()
                            : "expected an operator, but found " + token + suggestion());
        }
        return condition(rule, start);
    }

    /** Returns the fields that were read, in the order in which they first appear. */
    Set<String> fields() {
        return fields;
    }

    private Node or() {
        int start = token.start();
        Node first = and();
        if (!isOr()) {
            return first;
        }
        List<Node> parts = new ArrayList<>();
        addFlat(parts, condition(first, start));
        while (isOr()) {
            advance();
            start = token.start();
            addFlat(parts, condition(and(), start));
        }
        return counted(new Condition.Or(List.copyOf(parts)));
    }

    private static void addFlat(List<Node> parts, Node part) {
        if (part instanceof Condition.Or or) {
            parts.addAll(or.parts());
        } else {
            parts.add(part);
        }
    }

    private Node and() {
        int start = token.start();
        Node first = not();
        if (!isAnd()) {
            return first;
        }
        List<Node> parts = new ArrayList<>();
        addFlatAnd(parts, condition(first, start));
        while (isAnd()) {
            advance();
            start = token.start();
            addFlatAnd(parts, condition(not(), start));
        }
        return counted(new Condition.And(List.copyOf(parts)));
    }

    private static void addFlatAnd(List<Node> parts, Node part) {
        if (part instanceof Condition.And and) {
            parts.addAll(and.parts());
        } else {
            parts.add(part);
        }
    }

    private Node not() {
        if (!token.isWord("NOT") && !token.isSymbol("!")) {
            return predicate();
        }
        descend();
        advance();
        int start = token.start();
        Node part = condition(not(), start);
        depth--;
        return counted(new Condition.Not(part));
    }

    private Node predicate() {
        int start = token.start();
        Node left = sum();
        Comparison comparison = comparison();
        if (comparison != null) {
            return comparison(left, start, comparison);
        }
        if (token.isWord("IS")) {
            advance();
            boolean negated = acceptWord("NOT");
            expectWord("NULL", "NULL or NOT NULL after IS");
            return counted(new Condition.IsNull(left, negated));
        }
        boolean negated = token.isWord("NOT");
        if (negated) {
            advance();
        }
        if (acceptWord("BETWEEN")) {
            return between(left, start, negated);
        }
        if (acceptWord("IN")) {
            return in(left, negated);
        }
        if (acceptWord("LIKE")) {
            return like(text(left, start, "LIKE"), negated);
        }
        if (acceptWord("contains")) {
            return contains(text(left, start, "contains"), negated);
        }
        if (acceptWord("matches_regex")) {
            return matchesRegex(text(left, start, "matches_regex"), negated);
        }
        if (negated) {
            throw problem("expected BETWEEN, IN, LIKE, contains or matches_regex after NOT, but found " + token
                    + suggestion());
        }
        return left;
    }

    private @Nullable Comparison comparison() {
        if (token.type() == RuleLexer.Type.SYMBOL) {
            return switch (token.text()) {
                case "=", "==" -> Comparison.EQUAL;
                case "<>", "!=" -> Comparison.DIFFERENT;
                case "<" -> Comparison.LESS;
                case "<=" -> Comparison.AT_MOST;
                case ">" -> Comparison.GREATER;
                case ">=" -> Comparison.AT_LEAST;
                default -> null;
            };
        }
        return token.isWord("equals") ? Comparison.EQUAL : token.isWord("greater_than") ? Comparison.GREATER : null;
    }

    private Node comparison(Node left, int start, Comparison comparison) {
        String written = token.text();
        advance();
        if (token.isWord("NULL")) {
            throw problem("nothing compares with NULL; write IS NULL or IS NOT NULL");
        }
        int rightStart = token.start();
        Node right = sum();
        if (comparison.isOrder()) {
            ordered(left, start, written);
            ordered(right, rightStart, written);
        }
        if (comparison() != null) {
            throw problem("comparisons cannot be chained; write a < b AND b < c");
        }
        return counted(new Condition.Compare(left, comparison, right));
    }

    private void ordered(Node node, int start, String operator) {
        if (node.kind() == Node.Kind.CONDITION) {
            throw lexer.problem("truth values have no order: '" + operator + "' compares numbers or strings", start);
        }
    }

    private Node between(Node value, int start, boolean negated) {
        ordered(value, start, "BETWEEN");
        int lowStart = token.start();
        Node low = sum();
        ordered(low, lowStart, "BETWEEN");
        expectWord("AND", "AND between the two bounds of BETWEEN");
        int highStart = token.start();
        Node high = sum();
        ordered(high, highStart, "BETWEEN");
        return counted(new Condition.Between(value, negated, low, high));
    }

    private Node in(Node value, boolean negated) {
        expectSymbol("(", "'(' after IN");
        List<Node.Literal> list = new ArrayList<>();
        do {
            list.add(literal());
        } while (acceptSymbol(","));
        expectSymbol(")", "',' or ')' in the list of IN");
        return counted(Condition.In.of(value, negated, list));
    }

    private Node.Literal literal() {
        int start = token.start();
        boolean signed = token.isSymbol("-") || token.isSymbol("+");
        if (signed || token.type() == RuleLexer.Type.NUMBER) {
            boolean minus = acceptSymbol("-");
            if (!minus) {
                acceptSymbol("+");
            }
            if (token.type() == RuleLexer.Type.NUMBER) {
                return number(minus, start);
            }
        } else if (token.type() == RuleLexer.Type.STRING || token.isWord("TRUE") || token.isWord("FALSE")) {
            return counted(constant());
        }
        throw problem("expected a string, a number, TRUE or FALSE in the list of IN, but found " + token);
    }

    private Node like(Node value, boolean negated) {
        RuleLexer.Token pattern = string("LIKE");
        String escape = "";
        if (acceptWord("ESCAPE")) {
            RuleLexer.Token character = string("ESCAPE");
            escape = character.text();
            if (escape.codePointCount(0, escape.length()) != 1) {
                throw lexer.problem("the escape character must be one character", character.start());
            }
        }
        try {
            LikePattern compiled =
                    LikePattern.parse(pattern.text(), escape.isEmpty() ? -1 : escape.codePointAt(0), left());
            grow(compiled.states());
            return counted(new Condition.Like(value, negated, pattern.text(), escape, compiled));
        } catch (PatternProblem e) {
            throw inside(pattern, e);
        }
    }

    private Node matchesRegex(Node value, boolean negated) {
        RuleLexer.Token pattern = string("matches_regex");
        try {
            Regex compiled = Regex.parse(pattern.text(), left());
            grow(compiled.states());
            return counted(new Condition.MatchesRegex(value, negated, pattern.text(), compiled));
        } catch (PatternProblem e) {
            throw inside(pattern, e);
        }
    }

    /** A problem at a character of a string, where a quote was written as two. */
    private RuleSyntaxException inside(RuleLexer.Token string, PatternProblem problem) {
        String before = string.text().substring(0, problem.position());
        int quotes = (int) before.chars().filter(c -> c == '\'').count();
        return lexer.problem(
                Objects.requireNonNull(problem.getMessage()), string.start() + 1 + problem.position() + quotes);
    }

    private Node contains(Node value, boolean negated) {
        int start = token.start();
        Node part = sum();
        return counted(Condition.Contains.of(value, negated, text(part, start, "contains")));
    }

    private Node sum() {
        int start = token.start();
        Node first = product();
        if (!token.isSymbol("+") && !token.isSymbol("-")) {
            return first;
        }
        number(first, start);
        List<Node.Step> steps = new ArrayList<>();
        while (token.isSymbol("+") || token.isSymbol("-")) {
            Arithmetic operator = token.isSymbol("+") ? Arithmetic.PLUS : Arithmetic.MINUS;
            advance();
            start = token.start();
            steps.add(new Node.Step(operator, number(product(), start)));
        }
        return counted(new Node.Calculation(first, List.copyOf(steps)));
    }

    private Node product() {
        int start = token.start();
        Node first = sign();
        if (!token.isSymbol("*") && !token.isSymbol("/")) {
            return first;
        }
        number(first, start);
        List<Node.Step> steps = new ArrayList<>();
        while (token.isSymbol("*") || token.isSymbol("/")) {
            Arithmetic operator = token.isSymbol("*") ? Arithmetic.TIMES : Arithmetic.DIVIDED_BY;
            advance();
            start = token.start();
            steps.add(new Node.Step(operator, number(sign(), start)));
        }
        return counted(new Node.Calculation(first, List.copyOf(steps)));
    }

    private Node sign() {
        boolean minus = token.isSymbol("-");
        if (!minus && !token.isSymbol("+")) {
            return primary();
        }
        int start = token.start();
        descend();
        advance();
        Node result;
        if (token.type() == RuleLexer.Type.NUMBER) {
            result = number(minus, start);
        } else {
            int operandStart = token.start();
            result = signed(minus, number(sign(), operandStart));
        }
        depth--;
        return result;
    }

    /** A sign before a number that stands in the rule becomes a part of it. */
    private Node signed(boolean minus, Node operand) {
        if (operand instanceof Node.Literal literal) {
            Object value = minus ? Node.Sign.negated(literal.literal()) : literal.literal();
            if (value != null) {
                return new Node.Literal(value);
            }
        }
        return counted(new Node.Sign(minus, operand));
    }

    private Node primary() {
        switch (token.type()) {
            case NUMBER -> {
                return number(false, token.start());
            }
            case STRING -> {
                return counted(constant());
            }
            case QUOTED_NAME -> {
                return field();
            }
            case NAME -> {
                if (token.isWord("TRUE") || token.isWord("FALSE")) {
                    return counted(constant());
                }
                if (!token.isKeyword()) {
                    return field();
                }
            }
            case SYMBOL -> {
                if (token.isSymbol("(")) {
                    return parenthesised();
                }
            }
            case END -> {}
        }
        throw problem("expected a field, a value or '(' but found " + token);
    }

    private Node field() {
        fields.add(token.text());
        Node field = counted(new Node.Field(token.text()));
        advance();
        return field;
    }

    private Node parenthesised() {
        int open = token.start();
        descend();
        advance();
        Node inner = or();
        if (!token.isSymbol(")")) {
            throw token.type() == RuleLexer.Type.END
                    ? lexer.problem("this '(' is not closed", open)
                    : problem("expected AND, OR or ')' but found " + token + suggestion());
        }
        advance();
        depth--;
        return inner;
    }

    private Node.Literal constant() {
        Object value = token.type() == RuleLexer.Type.STRING ? token.text() : (Object) token.isWord("TRUE");
        advance();
        return new Node.Literal(value);
    }

    private Node.Literal number(boolean negative, int start) {
        try {
            Node.Literal literal = new Node.Literal(NumberLiteral.parse(token.text(), negative));
            advance();
            return counted(literal);
        } catch (NumberFormatException e) {
            throw lexer.problem(Objects.requireNonNull(e.getMessage()), start);
        }
    }

    private RuleLexer.Token string(String after) {
        if (token.type() != RuleLexer.Type.STRING) {
            throw problem("expected a string between single quotes after " + after + ", but found " + token);
        }
        RuleLexer.Token string = token;
        advance();
        return string;
    }

    private Node condition(Node node, int start) {
        if (node.kind() == Node.Kind.NUMBER || node.kind() == Node.Kind.TEXT) {
            throw lexer.problem(
                    "expected a condition, but found " + node.kind() + "; compare it with something", start);
        }
        return node;
    }

    private Node number(Node node, int start) {
        if (node.kind() == Node.Kind.CONDITION || node.kind() == Node.Kind.TEXT) {
            throw lexer.problem("only numbers can be calculated with, but this is " + node.kind(), start);
        }
        return node;
    }

    private Node text(Node node, int start, String operator) {
        if (node.kind() == Node.Kind.CONDITION || node.kind() == Node.Kind.NUMBER) {
            throw lexer.problem(operator + " is said of strings, but this is " + node.kind(), start);
        }
        return node;
    }

    private boolean isOr() {
        return token.isWord("OR") || token.isSymbol("||");
    }

    private boolean isAnd() {
        return token.isWord("AND") || token.isSymbol("&&");
    }

    private void advance() {
        token = lexer.next();
    }

    private boolean acceptWord(String word) {
        boolean found = token.isWord(word);
        if (found) {
            advance();
        }
        return found;
    }

    private boolean acceptSymbol(String symbol) {
        boolean found = token.isSymbol(symbol);
        if (found) {
            advance();
        }
        return found;
    }

    private void expectWord(String word, String expected) {
        if (!acceptWord(word)) {
            throw problem("expected " + expected + ", but found " + token);
        }
    }

    private void expectSymbol(String symbol, String expected) {
        if (!acceptSymbol(symbol)) {
            throw problem("expected " + expected + ", but found " + token);
        }
    }

    private void descend() {
        if (++depth > Rule.MAX_DEPTH) {
            throw problem("parentheses, NOT and signs lie more than " + Rule.MAX_DEPTH + " deep");
        }
    }

    private int left() {
        return Rule.MAX_SIZE - size;
    }

    private <N extends Node> N counted(N node) {
        grow(1);
        return node;
    }

    private void grow(int parts) {
        size += parts;
        if (size > Rule.MAX_SIZE) {
            throw problem("the rule has more than " + Rule.MAX_SIZE
                    + " parts (values, fields, operators, entries of lists and states of patterns)");
        }
    }

    /** What a word was meant for where no operator of this name exists. */
    private String suggestion() {
        if (token.type() != RuleLexer.Type.NAME) {
            return "";
        }
        String meant = MEANT.get(token.text().toLowerCase(Locale.ROOT));
        return meant == null ? "" : " (did you mean " + meant + "?)";
    }

    private RuleSyntaxException problem(String what) {
        return lexer.problem(what, token.start());
    }
}
