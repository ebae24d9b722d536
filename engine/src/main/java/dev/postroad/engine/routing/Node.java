package dev.postroad.engine.routing;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of a rule, ready to be evaluated: a value, or a {@link Condition}. Immutable, without state of its own.
 *
 * <p>Each can write itself down again in the one canonical way, with the fewest parentheses.
 */
sealed interface Node permits Condition, Node.Literal, Node.Field, Node.Sign, Node.Calculation {
    /** What is known of a value before any message is seen. */
    enum Kind {
        CONDITION("a condition"),
        NUMBER("a number"),
        TEXT("a string"),
        ANY("a field");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    /** How tightly a part holds together, loosest first; a looser one inside a tighter one needs parentheses. */
    enum Binding {
        OR,
        AND,
        NOT,
        PREDICATE,
        SUM,
        PRODUCT,
        SIGN,
        PRIMARY
    }

    Kind kind();

    Binding binding();

    /** Returns one of the types of {@link Fields#get}, or null where there is nothing. */
    @Nullable
    Object evaluate(Fields fields);

    default Truth test(Fields fields) {
        return Truth.ofValue(evaluate(fields));
    }

    void write(StringBuilder out);

    /** Writes this where something at least as tight is wanted. */
    default void write(StringBuilder out, Binding wanted) {
        if (binding().compareTo(wanted) >= 0) {
            write(out);
        } else {
            out.append('(');
            write(out);
            out.append(')');
        }
    }

    /** A value that stands in the rule: a {@link String}, {@link Long}, {@link Double} or {@link Boolean}. */
    record Literal(Object literal) implements Node {
        @Override
        public Kind kind() {
            return literal instanceof String ? Kind.TEXT : literal instanceof Boolean ? Kind.CONDITION : Kind.NUMBER;
        }

        @Override
        public Binding binding() {
            return literal instanceof Number && literal.toString().startsWith("-") ? Binding.SIGN : Binding.PRIMARY;
        }

        @Override
        public Object evaluate(Fields fields) {
            return literal;
        }

        @Override
        public void write(StringBuilder out) {
            switch (literal) {
                case String text ->
                    out.append('\'').append(text.replace("'", "''")).append('\'');
                case Boolean truth -> out.append(truth ? "TRUE" : "FALSE");
                default -> out.append(literal);
            }
        }
    }

    /** A field of the message. */
    record Field(String name) implements Node {
        @Override
        public Kind kind() {
            return Kind.ANY;
        }

        @Override
        public Binding binding() {
            return Binding.PRIMARY;
        }

        @Override
        public @Nullable Object evaluate(Fields fields) {
            return fields.get(name);
        }

        @Override
        public void write(StringBuilder out) {
            if (RuleLexer.isPlainName(name)) {
                out.append(name);
            } else {
                out.append('`').append(name.replace("`", "``")).append('`');
            }
        }
    }

    /** Plus or minus before a value. */
    record Sign(boolean minus, Node operand) implements Node {
        @Override
        public Kind kind() {
            return Kind.NUMBER;
        }

        @Override
        public Binding binding() {
            return Binding.SIGN;
        }

        @Override
        public @Nullable Object evaluate(Fields fields) {
            return minus ? negated(operand.evaluate(fields)) : operand.evaluate(fields) instanceof Number n ? n : null;
        }

        static @Nullable Number negated(@Nullable Object value) {
            return switch (value) {
                case Long n -> n == Long.MIN_VALUE ? null : -n;
                case Number n -> -n.doubleValue();
                case null, default -> null;
            };
        }

        @Override
        public void write(StringBuilder out) {
            out.append(minus ? '-' : '+');
            operand.write(out, Binding.SIGN);
        }
    }

    /** One step of a {@link Calculation}. */
    record Step(Arithmetic operator, Node operand) {}

    /** Sums or products from left to right: all steps are of one of the two kinds. */
    record Calculation(Node first, List<Step> steps) implements Node {
        @Override
        public Kind kind() {
            return Kind.NUMBER;
        }

        @Override
        public Binding binding() {
            return steps.get(0).operator().isProduct() ? Binding.PRODUCT : Binding.SUM;
        }

        @Override
        public @Nullable Object evaluate(Fields fields) {
            Object result = first.evaluate(fields);
            for (int i = 0; i < steps.size() && result != null; i++) {
                Step step = steps.get(i);
                result = step.operator().apply(result, step.operand().evaluate(fields));
            }
            return result;
        }

        @Override
        public void write(StringBuilder out) {
            first.write(out, binding());
            for (Step step : steps) {
                out.append(' ').append(step.operator()).append(' ');
                step.operand().write(out, binding() == Binding.SUM ? Binding.PRODUCT : Binding.SIGN);
            }
        }
    }
}
