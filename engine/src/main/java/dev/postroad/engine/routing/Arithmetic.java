package dev.postroad.engine.routing;

import org.jspecify.annotations.Nullable;

/**
 * Calculation as in Java: of two whole numbers whole, otherwise in floating point. There is no result (null) if an
 * operand is absent or no number, if a whole result does not fit 64 bits, or if a whole number is divided by zero.
 */
enum Arithmetic {
    PLUS("+"),
    MINUS("-"),
    TIMES("*"),
    DIVIDED_BY("/");

    private final String symbol;

    Arithmetic(String symbol) {
        this.symbol = symbol;
    }

    boolean isProduct() {
        return this == TIMES || this == DIVIDED_BY;
    }

    @Nullable
    Number apply(@Nullable Object left, @Nullable Object right) {
        if (left instanceof Long a && right instanceof Long b) {
            return whole(a, b);
        }
        return left instanceof Number a && right instanceof Number b ? real(a.doubleValue(), b.doubleValue()) : null;
    }

    private @Nullable Number whole(long a, long b) {
        switch (this) {
            case PLUS -> {
                long sum = a + b;
                return ((a ^ sum) & (b ^ sum)) < 0 ? null : sum;
            }
            case MINUS -> {
                long difference = a - b;
                return ((a ^ b) & (a ^ difference)) < 0 ? null : difference;
            }
            case TIMES -> {
                long product = a * b;
                return Math.multiplyHigh(a, b) == product >> 63 ? product : null;
            }
            default -> {
                return b == 0 || (a == Long.MIN_VALUE && b == -1) ? null : a / b;
            }
        }
    }

    private double real(double a, double b) {
        return switch (this) {
            case PLUS -> a + b;
            case MINUS -> a - b;
            case TIMES -> a * b;
            case DIVIDED_BY -> a / b;
        };
    }

    @Override
    public String toString() {
        return symbol;
    }
}
