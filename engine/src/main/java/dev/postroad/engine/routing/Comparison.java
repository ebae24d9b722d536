package dev.postroad.engine.routing;

import java.math.BigDecimal;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * How two values are compared. With an absent one the answer is unknown; values of unlike types are neither equal nor
 * different nor in any order, so that every comparison of them is false. Whole and other numbers are alike, compared as
 * Java compares them, and decimals exactly. Truth values and bytes have no order; texts have that of their code points.
 */
enum Comparison {
    EQUAL("="),
    DIFFERENT("<>"),
    LESS("<"),
    AT_MOST("<="),
    GREATER(">"),
    AT_LEAST(">=");

    private final String symbol;

    Comparison(String symbol) {
        this.symbol = symbol;
    }

    boolean isOrder() {
        return this != EQUAL && this != DIFFERENT;
    }

    Truth test(@Nullable Object left, @Nullable Object right) {
        if (left == null || right == null) {
            return Truth.UNKNOWN;
        }
        if (left instanceof Long a && right instanceof Long b) {
            return Truth.of(holds(Long.compare(a, b)));
        }
        if (left instanceof BigDecimal || right instanceof BigDecimal) {
            BigDecimal a = decimal(left);
            BigDecimal b = decimal(right);
            if (a != null && b != null) {
                return Truth.of(holds(a.compareTo(b)));
            }
        }
        if (left instanceof Number a && right instanceof Number b) {
            return Truth.of(compare(a.doubleValue(), b.doubleValue()));
        }
        if (left instanceof String a && right instanceof String b) {
            return Truth.of(isOrder() ? holds(compareCodePoints(a, b)) : holdsEqual(a.equals(b)));
        }
        if (left instanceof Boolean a && right instanceof Boolean b) {
            return Truth.of(holdsEqual(a.equals(b)));
        }
        if (left instanceof byte[] a && right instanceof byte[] b) {
            return Truth.of(holdsEqual(Arrays.equals(a, b)));
        }
        return Truth.FALSE;
    }

    /** The number exactly; null if it is none, or infinite. */
    private static @Nullable BigDecimal decimal(Object value) {
        return switch (value) {
            case BigDecimal number -> number;
            case Long number -> BigDecimal.valueOf(number);
            case Double number when Double.isFinite(number) -> new BigDecimal(number);
            default -> null;
        };
    }

    /** Spelled out, because NaN is different from everything and in no order to it. */
    private boolean compare(double a, double b) {
        return switch (this) {
            case EQUAL -> a == b;
            case DIFFERENT -> a != b;
            case LESS -> a < b;
            case AT_MOST -> a <= b;
            case GREATER -> a > b;
            case AT_LEAST -> a >= b;
        };
    }

    private boolean holds(int order) {
        return compare(order, 0);
    }

    private boolean holdsEqual(boolean equal) {
        return this == EQUAL ? equal : this == DIFFERENT && !equal;
    }

    /** The order of UTF-8 bytes and of Python, which that of UTF-16 units is not. */
    private static int compareCodePoints(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                boolean surrogateX = Character.isSurrogate(x);
                return surrogateX == Character.isSurrogate(y) ? x - y : surrogateX ? 1 : -1;
            }
        }
        return a.length() - b.length();
    }

    @Override
    public String toString() {
        return symbol;
    }
}
