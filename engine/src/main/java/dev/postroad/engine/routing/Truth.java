package dev.postroad.engine.routing;

import org.jspecify.annotations.Nullable;

/** SQL's three truth values: what is said about an absent field is neither true nor false. */
enum Truth {
    TRUE,
    FALSE,
    UNKNOWN;

    static Truth of(boolean holds) {
        return holds ? TRUE : FALSE;
    }

    /** What a value says where a condition is wanted: only truth values say anything. */
    static Truth ofValue(@Nullable Object value) {
        return value instanceof Boolean b ? of(b.booleanValue()) : UNKNOWN;
    }

    Truth not() {
        return switch (this) {
            case TRUE -> FALSE;
            case FALSE -> TRUE;
            case UNKNOWN -> UNKNOWN;
        };
    }

    @Nullable
    Boolean asValue() {
        return switch (this) {
            case TRUE -> Boolean.TRUE;
            case FALSE -> Boolean.FALSE;
            case UNKNOWN -> null;
        };
    }
}
