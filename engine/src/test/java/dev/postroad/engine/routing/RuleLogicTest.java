package dev.postroad.engine.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Random rules, written with all parentheses, against a second reading of SQL's logic that shares no code. */
class RuleLogicTest {
    /** A part of a rule: how it is written, and what it is worth given the fields. */
    private record Part(String text, Function<Map<String, @Nullable Object>, @Nullable Object> worth) {}

    private static final Object[] VALUES = {0L, 1L, 2L, -1L, 1.0, 0.5, "a", "b", "ab", true, false};

    private final Random random = Seeds.random("three-valued logic");

    @Test
    void agreesWithASecondReadingOfTheLogic() {
        int matched = 0;
        for (int i = 0; i < 40_000; i++) {
            Part part = condition(4);
            Rule rule = Rule.parse(part.text());
            Rule canonical = Rule.parse(rule.toString());
            assertThat(canonical).hasToString(rule.toString());
            for (int j = 0; j < 5; j++) {
                Map<String, @Nullable Object> fields = new HashMap<>();
                for (String name : new String[] {"a", "b", "c", "d"}) {
                    fields.put(name, random.nextInt(5) == 0 ? null : Seeds.oneOf(random, VALUES));
                }
                boolean expected = Boolean.TRUE.equals(part.worth().apply(fields));
                matched += expected ? 1 : 0;
                if (rule.matches(fields::get) != expected || canonical.matches(fields::get) != expected) {
                    throw new AssertionError(part.text() + "\n" + rule + "\nshould be " + expected + " of " + fields);
                }
            }
        }
        assertThat(matched).isBetween(10_000, 190_000);
    }

    private Part condition(int depth) {
        if (depth == 0) {
            return random.nextBoolean() ? field() : truth();
        }
        return switch (random.nextInt(11)) {
            case 0 -> {
                Part part = condition(depth - 1);
                yield new Part(
                        Seeds.oneOf(random, "NOT (", "! (", "not (") + part.text() + ")",
                        fields -> part.worth().apply(fields) instanceof Boolean b ? !b : null);
            }
            case 1, 2 -> {
                Part left = condition(depth - 1);
                Part right = condition(depth - 1);
                yield new Part(
                        "(" + left.text() + ")" + Seeds.oneOf(random, " AND ", "&&", " and ") + "(" + right.text()
                                + ")",
                        fields ->
                                least(left.worth().apply(fields), right.worth().apply(fields), false));
            }
            case 3, 4 -> {
                Part left = condition(depth - 1);
                Part right = condition(depth - 1);
                yield new Part(
                        "(" + left.text() + ")" + Seeds.oneOf(random, " OR ", "||", " Or ") + "(" + right.text() + ")",
                        fields ->
                                least(left.worth().apply(fields), right.worth().apply(fields), true));
            }
            case 5, 6, 7 -> {
                Part left = value(depth - 1);
                Part right = value(depth - 1);
                String sign = Seeds.oneOf(random, "=", "<>", "<", "<=", ">", ">=");
                boolean order = !sign.equals("=") && !sign.equals("<>");
                if (order
                        && (left.text().matches("(?i)true|false")
                                || right.text().matches("(?i)true|false"))) {
                    yield truth();
                }
                yield new Part(
                        "(" + left.text() + ") " + sign + " (" + right.text() + ")",
                        fields -> compared(
                                left.worth().apply(fields), sign, right.worth().apply(fields)));
            }
            case 8 -> {
                Part part = value(depth - 1);
                boolean not = random.nextBoolean();
                yield new Part(
                        "(" + part.text() + ") IS " + (not ? "NOT NULL" : "NULL"),
                        fields -> (part.worth().apply(fields) == null) != not);
            }
            case 9 -> {
                Part part = number(depth - 1);
                Part low = number(depth - 1);
                Part high = number(depth - 1);
                boolean not = random.nextBoolean();
                yield new Part(
                        "(" + part.text() + ")" + (not ? " NOT BETWEEN (" : " BETWEEN (") + low.text() + ") AND ("
                                + high.text() + ")",
                        fields -> least(
                                compared(
                                        part.worth().apply(fields),
                                        not ? "<" : ">=",
                                        low.worth().apply(fields)),
                                compared(
                                        part.worth().apply(fields),
                                        not ? ">" : "<=",
                                        high.worth().apply(fields)),
                                not));
            }
            default -> {
                Part part = field();
                boolean not = random.nextBoolean();
                yield new Part(part.text() + (not ? " NOT IN ('a', 1, TRUE)" : " IN ('a', 1, TRUE)"), fields -> {
                    Object value = part.worth().apply(fields);
                    Object in = least(
                            least(compared(value, "=", "a"), compared(value, "=", 1L), true),
                            compared(value, "=", true),
                            true);
                    return in instanceof Boolean b ? b != not : null;
                });
            }
        };
    }

    private Part value(int depth) {
        return switch (random.nextInt(4)) {
            case 0 -> field();
            case 1 -> {
                String text = Seeds.oneOf(random, "a", "b", "ab");
                yield new Part("'" + text + "'", fields -> text);
            }
            case 2 -> random.nextInt(4) == 0 ? truth() : field();
            default -> number(depth);
        };
    }

    private Part number(int depth) {
        if (depth <= 0 || random.nextBoolean()) {
            Object number = Seeds.oneOf(random, 0L, 1L, 2L, 0.5, 1.0);
            return random.nextBoolean() ? field() : new Part(number.toString(), fields -> number);
        }
        Part left = number(depth - 1);
        if (random.nextInt(4) == 0) {
            return new Part(
                    "-(" + left.text() + ")", fields -> calculated(left.worth().apply(fields), "*", -1L));
        }
        Part right = number(depth - 1);
        String sign = Seeds.oneOf(random, "+", "-", "*", "/");
        return new Part(
                "(" + left.text() + ")" + sign + "(" + right.text() + ")",
                fields -> calculated(
                        left.worth().apply(fields), sign, right.worth().apply(fields)));
    }

    private Part field() {
        String name = Seeds.oneOf(random, "a", "b", "c", "d");
        return new Part(name, fields -> fields.get(name));
    }

    private Part truth() {
        boolean truth = random.nextBoolean();
        return new Part(truth ? "TRUE" : "false", fields -> truth);
    }

    /** OR if {@code decisive} is true, AND if it is false; what is no truth value is unknown. */
    private static @Nullable Object least(@Nullable Object left, @Nullable Object right, boolean decisive) {
        Object wanted = decisive;
        if (wanted.equals(left) || wanted.equals(right)) {
            return decisive;
        }
        return left instanceof Boolean && right instanceof Boolean ? !decisive : null;
    }

    private static @Nullable Object compared(@Nullable Object left, String sign, @Nullable Object right) {
        if (left == null || right == null) {
            return null;
        }
        boolean numbers = left instanceof Number && right instanceof Number;
        if (!numbers && left.getClass() != right.getClass()) {
            return false;
        }
        if (left instanceof Boolean) {
            return sign.equals("=") ? left.equals(right) : sign.equals("<>") && !left.equals(right);
        }
        if (numbers) {
            double a = ((Number) left).doubleValue();
            double b = ((Number) right).doubleValue();
            return switch (sign) {
                case "=" -> a == b;
                case "<>" -> a != b;
                case "<" -> a < b;
                case "<=" -> a <= b;
                case ">" -> a > b;
                default -> a >= b;
            };
        }
        int order = ((String) left).compareTo((String) right);
        return switch (sign) {
            case "=" -> order == 0;
            case "<>" -> order != 0;
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            default -> order >= 0;
        };
    }

    private static @Nullable Object calculated(@Nullable Object left, String sign, @Nullable Object right) {
        if (left instanceof Long a && right instanceof Long b) {
            return switch (sign) {
                case "+" -> a + b;
                case "-" -> a - b;
                case "*" -> a * b;
                default -> b == 0 ? null : (Object) (a / b);
            };
        }
        if (!(left instanceof Number a) || !(right instanceof Number b)) {
            return null;
        }
        return switch (sign) {
            case "+" -> a.doubleValue() + b.doubleValue();
            case "-" -> a.doubleValue() - b.doubleValue();
            case "*" -> a.doubleValue() * b.doubleValue();
            default -> a.doubleValue() / b.doubleValue();
        };
    }
}
