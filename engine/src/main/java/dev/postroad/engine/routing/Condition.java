package dev.postroad.engine.routing;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A part of a rule that is true, false or unknown of a message. */
sealed interface Condition extends Node {
    @Override
    Truth test(Fields fields);

    @Override
    default Kind kind() {
        return Kind.CONDITION;
    }

    @Override
    default Binding binding() {
        return Binding.PREDICATE;
    }

    @Override
    default @Nullable Object evaluate(Fields fields) {
        return test(fields).asValue();
    }

    /** True if all are true, false as soon as one is false. */
    record And(List<Node> parts) implements Condition {
        @Override
        public Binding binding() {
            return Binding.AND;
        }

        @Override
        public Truth test(Fields fields) {
            Truth all = Truth.TRUE;
            for (int i = 0; i < parts.size(); i++) {
                Truth part = parts.get(i).test(fields);
                if (part == Truth.FALSE) {
                    return Truth.FALSE;
                }
                all = part == Truth.UNKNOWN ? Truth.UNKNOWN : all;
            }
            return all;
        }

        @Override
        public void write(StringBuilder out) {
            writeAll(out, parts, " AND ", Binding.NOT);
        }
    }

    /** False if all are false, true as soon as one is true. */
    record Or(List<Node> parts) implements Condition {
        @Override
        public Binding binding() {
            return Binding.OR;
        }

        @Override
        public Truth test(Fields fields) {
            Truth any = Truth.FALSE;
            for (int i = 0; i < parts.size(); i++) {
                Truth part = parts.get(i).test(fields);
                if (part == Truth.TRUE) {
                    return Truth.TRUE;
                }
                any = part == Truth.UNKNOWN ? Truth.UNKNOWN : any;
            }
            return any;
        }

        @Override
        public void write(StringBuilder out) {
            writeAll(out, parts, " OR ", Binding.AND);
        }
    }

    record Not(Node part) implements Condition {
        @Override
        public Binding binding() {
            return Binding.NOT;
        }

        @Override
        public Truth test(Fields fields) {
            return part.test(fields).not();
        }

        @Override
        public void write(StringBuilder out) {
            out.append("NOT ");
            part.write(out, Binding.NOT);
        }
    }

    record Compare(Node left, Comparison comparison, Node right) implements Condition {
        @Override
        public Truth test(Fields fields) {
            return comparison.test(left.evaluate(fields), right.evaluate(fields));
        }

        @Override
        public void write(StringBuilder out) {
            left.write(out, Binding.SUM);
            out.append(' ').append(comparison).append(' ');
            right.write(out, Binding.SUM);
        }
    }

    /** {@code value >= low AND value <= high}; negated {@code value < low OR value > high}. */
    record Between(Node value, boolean negated, Node low, Node high) implements Condition {
        @Override
        public Truth test(Fields fields) {
            Object v = value.evaluate(fields);
            Truth fromLow = (negated ? Comparison.LESS : Comparison.AT_LEAST).test(v, low.evaluate(fields));
            Truth toHigh = (negated ? Comparison.GREATER : Comparison.AT_MOST).test(v, high.evaluate(fields));
            Truth decisive = negated ? Truth.TRUE : Truth.FALSE;
            if (fromLow == decisive || toHigh == decisive) {
                return decisive;
            }
            return fromLow == Truth.UNKNOWN ? fromLow : toHigh;
        }

        @Override
        public void write(StringBuilder out) {
            value.write(out, Binding.SUM);
            out.append(negated ? " NOT BETWEEN " : " BETWEEN ");
            low.write(out, Binding.SUM);
            out.append(" AND ");
            high.write(out, Binding.SUM);
        }
    }

    /** {@code value = a OR value = b ...} over literals; the texts among them are found by hash. */
    record In(Node value, boolean negated, List<Literal> list, Set<String> texts, List<Literal> others)
            implements Condition {
        static In of(Node value, boolean negated, List<Literal> list) {
            Set<String> texts = new HashSet<>();
            for (Literal literal : list) {
                if (literal.literal() instanceof String text) {
                    texts.add(text);
                }
            }
            List<Literal> others =
                    list.stream().filter(l -> !(l.literal() instanceof String)).toList();
            return new In(value, negated, List.copyOf(list), texts, others);
        }

        @Override
        public Truth test(Fields fields) {
            Object v = value.evaluate(fields);
            if (v == null) {
                return Truth.UNKNOWN;
            }
            return Truth.of((v instanceof String text ? texts.contains(text) : isAmongOthers(v)) != negated);
        }

        private boolean isAmongOthers(Object v) {
            for (int i = 0; i < others.size(); i++) {
                if (Comparison.EQUAL.test(v, others.get(i).literal()) == Truth.TRUE) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public void write(StringBuilder out) {
            value.write(out, Binding.SUM);
            out.append(negated ? " NOT IN (" : " IN (");
            writeAll(out, list, ", ", Binding.SIGN);
            out.append(')');
        }
    }

    /** What is said of a text; false of a value that is none. */
    sealed interface OfText extends Condition {
        Node value();

        boolean negated();

        Truth test(String text, Fields fields);

        @Override
        default Truth test(Fields fields) {
            Object v = value().evaluate(fields);
            if (v == null) {
                return Truth.UNKNOWN;
            }
            Truth truth = v instanceof String text ? test(text, fields) : Truth.FALSE;
            return negated() ? truth.not() : truth;
        }
    }

    /**
     * {@code LIKE}.
     *
     * @param escape the escape character, empty if there is none
     */
    record Like(Node value, boolean negated, String pattern, String escape, LikePattern compiled) implements OfText {
        @Override
        public Truth test(String text, Fields fields) {
            return compiled.matches(text);
        }

        @Override
        public void write(StringBuilder out) {
            value.write(out, Binding.SUM);
            out.append(negated ? " NOT LIKE " : " LIKE ");
            new Literal(pattern).write(out);
            if (!escape.isEmpty()) {
                out.append(" ESCAPE ");
                new Literal(escape).write(out);
            }
        }
    }

    record MatchesRegex(Node value, boolean negated, String pattern, Regex compiled) implements OfText {
        @Override
        public Truth test(String text, Fields fields) {
            return compiled.matchesStartOf(text);
        }

        @Override
        public void write(StringBuilder out) {
            value.write(out, Binding.SUM);
            out.append(negated ? " NOT matches_regex " : " matches_regex ");
            new Literal(pattern).write(out);
        }
    }

    /** Whether one text stands in another. */
    record Contains(
            Node value,
            boolean negated,
            Node part,
            @Nullable TextSearch literal) implements OfText {
        static Contains of(Node value, boolean negated, Node part) {
            TextSearch literal =
                    part instanceof Literal l && l.literal() instanceof String text ? new TextSearch(text) : null;
            return new Contains(value, negated, part, literal);
        }

        @Override
        public Truth test(String text, Fields fields) {
            if (literal != null) {
                return Truth.of(literal.find(text, 0) >= 0);
            }
            Object wanted = part.evaluate(fields);
            return wanted == null
                    ? Truth.UNKNOWN
                    : Truth.of(wanted instanceof String w && new TextSearch(w).find(text, 0) >= 0);
        }

        @Override
        public void write(StringBuilder out) {
            value.write(out, Binding.SUM);
            out.append(negated ? " NOT contains " : " contains ");
            part.write(out, Binding.SUM);
        }
    }

    record IsNull(Node value, boolean negated) implements Condition {
        @Override
        public Truth test(Fields fields) {
            return Truth.of((value.evaluate(fields) == null) != negated);
        }

        @Override
        public void write(StringBuilder out) {
            value.write(out, Binding.SUM);
            out.append(negated ? " IS NOT NULL" : " IS NULL");
        }
    }

    private static void writeAll(StringBuilder out, List<? extends Node> nodes, String separator, Binding wanted) {
        for (int i = 0; i < nodes.size(); i++) {
            out.append(i == 0 ? "" : separator);
            nodes.get(i).write(out, wanted);
        }
    }
}
