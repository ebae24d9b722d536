package dev.postroad.engine.routing;

import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A condition on the headers and payload fields of a message, such as {@code eventType == 'OrderCreated' AND amount >
 * 1000}.
 *
 * <p>The language is the message selector of Jakarta Messaging 3.1 (a part of SQL-92), complete, and more:
 *
 * <ul>
 *   <li>{@code ==}, {@code !=}, {@code &&}, {@code ||} and {@code !} for {@code =}, {@code <>}, {@code AND}, {@code OR}
 *       and {@code NOT};
 *   <li>{@code field equals v}, {@code field greater_than v}, {@code field contains 'part'}, {@code field matches_regex
 *       'pattern'}; a pattern has the syntax and the classes of Python's {@code re} and must match the beginning of the
 *       text ({@code re.match}), not all of it. What cannot be matched in linear time (backreferences, lookaround) is
 *       refused;
 *   <li>paths into the payload, {@code order.items[0].sku}, and between backticks any name: {@code `content-type`};
 *   <li>numbers, {@code TRUE} and {@code FALSE} in the list of {@code IN}, and any value before {@code IN}, {@code
 *       LIKE} and {@code IS NULL}; strings in an order, by code point.
 * </ul>
 *
 * <p>Logic has SQL's three values: a comparison with an absent field is unknown, so is its negation, and a rule matches
 * only if it is true. Values of unlike types are not equal, not different and in no order; whole and other numbers are
 * alike. A calculation with something that is no number, or whose whole result does not exist in 64 bits, has no value.
 * A pattern that is still undecided after 65,536 characters of text is unknown.
 *
 * <p>Immutable and safe for any thread. Evaluation costs at most the length of the texts times the size of the rule.
 */
public final class Rule {
    /** The most bytes of UTF-8 a rule may have, as written and in its canonical form. */
    public static final int MAX_BYTES = 4_096;
    /** How deep parentheses, {@code NOT}, signs, and groups in a pattern may lie in each other. */
    public static final int MAX_DEPTH = 32;
    /** The most parts of a rule: values, fields, operators, entries of lists and states of patterns. */
    public static final int MAX_SIZE = 512;

    private static final List<String> FILTERS = List.of("equals", "contains", "greater_than", "matches_regex");

    private final Node condition;
    private final Set<String> identifiers;
    private final String canonical;

    private Rule(Node condition, Set<String> identifiers, String canonical) {
        this.condition = condition;
        this.identifiers = identifiers;
        this.canonical = canonical;
    }

    /**
     * Reads a rule.
     *
     * @throws RuleSyntaxException if it is none, or larger than the limits of this class
     */
    public static Rule parse(String text) {
        checkLength(text, text, "the rule");
        RuleParser parser = new RuleParser(text);
        Node condition = parser.parse();
        StringBuilder canonical = new StringBuilder();
        condition.write(canonical);
        checkLength(canonical, text, "the rule, written with single spaces and all words in full,");
        return new Rule(
                condition, Collections.unmodifiableSet(new LinkedHashSet<>(parser.fields())), canonical.toString());
    }

    private static void checkLength(CharSequence measured, String text, String what) {
        int bytes = measured.length() > MAX_BYTES ? measured.length() : Utf8.length(measured.toString());
        if (bytes < 0) {
            throw new RuleSyntaxException("the rule has half of a surrogate pair, which UTF-8 cannot carry", "", 0);
        }
        if (bytes > MAX_BYTES) {
            throw new RuleSyntaxException(
                    String.format(Locale.ROOT, "%s has %,d bytes or more; the limit is %,d", what, bytes, MAX_BYTES),
                    text,
                    text.length());
        }
    }

    /**
     * Makes a rule of one filter.
     *
     * @param field the name of a header, or a path into the payload
     * @param operator {@code equals}, {@code contains}, {@code greater_than} or {@code matches_regex}, in either case
     * @param value a text, a number or a truth value; {@code contains} and {@code matches_regex} take a text
     * @throws RuleSyntaxException if the pattern of {@code matches_regex} is none, or the operator does not go with
     *     the value
     * @throws IllegalArgumentException if there is no such operator, or the value has another type
     */
    public static Rule filter(String field, String operator, Object value) {
        String word = operator.toLowerCase(Locale.ROOT);
        if (!FILTERS.contains(word)) {
            throw new IllegalArgumentException(
                    "'" + Printable.of(operator) + "' is no filter operator; there are " + String.join(", ", FILTERS));
        }
        if (field.isEmpty() || field.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("the field of a filter is empty or has a control character");
        }
        Object literal = FieldValue.of(field, value);
        if (literal instanceof byte[] || literal instanceof Double d && !Double.isFinite(d)) {
            throw new IllegalArgumentException("the filter on '" + field
                    + "' compares with bytes or with no finite number; it takes a text, a number or a truth value");
        }
        StringBuilder text = new StringBuilder();
        new Node.Field(field).write(text);
        text.append(' ').append(word).append(' ');
        new Node.Literal(literal).write(text);
        return parse(text.toString());
    }

    /** Whether the rule is true of a message. */
    public boolean matches(Fields fields) {
        return condition.test(fields) == Truth.TRUE;
    }

    /** Returns the names of the fields the rule reads, in the order in which they first appear. */
    public Set<String> identifiers() {
        return identifiers;
    }

    /** Equal rules have the same canonical form; rules that only mean the same may differ. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Rule that && canonical.equals(that.canonical);
    }

    @Override
    public int hashCode() {
        return canonical.hashCode();
    }

    /** Returns the rule in its canonical form, which can be read again and gives an equal rule. */
    @Override
    public String toString() {
        return canonical;
    }
}
