package dev.postroad.engine.routing;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The types that the value of a header may have, how a caller's becomes one of them, and when two are the same. */
final class FieldValue {
    private FieldValue() {}

    /** Returns the value as one of these types: whole numbers as Long, floating ones as Double; bytes as a copy. */
    static Object of(String name, Object value) {
        return switch (value) {
            case byte[] bytes -> bytes.clone();
            case Integer n -> n.longValue();
            case Short n -> n.longValue();
            case Byte n -> n.longValue();
            case Float n -> n.doubleValue();
            case String text -> text;
            case Long n -> n;
            case Double n -> n;
            case Boolean truth -> truth;
            case BigDecimal n -> n;
            case Instant moment -> moment;
            case List<?> list -> {
                List<Object> copy = new ArrayList<>(list.size());
                for (Object element : list) {
                    copy.add(isNoValue(element) ? element : of(name, element));
                }
                yield copy;
            }
            case Map<?, ?> map -> {
                Map<Object, Object> copy = new LinkedHashMap<>();
                map.forEach((key, element) -> copy.put(key, isNoValue(element) ? element : of(name, element)));
                yield copy;
            }
            default ->
                throw new IllegalArgumentException("the value of '" + Printable.of(name) + "' is a "
                        + value.getClass().getName()
                        + "; it must be a text, a number, a truth value, bytes, a moment, a list or a table");
        };
    }

    /** What stands for no value within a list or table is the caller's: a constant that equals itself. */
    private static boolean isNoValue(Object element) {
        return element instanceof Enum;
    }

    /** True if both are of one kind and equal; a whole number and a floating one are not of one kind. */
    static boolean same(@Nullable Object a, @Nullable Object b) {
        if (a instanceof Number left && b instanceof Number right) {
            return same(left, right);
        }
        if (a instanceof byte[] left && b instanceof byte[] right) {
            return Arrays.equals(left, right);
        }
        if (a instanceof List<?> left && b instanceof List<?> right) {
            return same(left, right);
        }
        if (a instanceof Map<?, ?> left && b instanceof Map<?, ?> right) {
            return same(left, right);
        }
        return a != null && a.equals(b);
    }

    private static boolean same(Number a, Number b) {
        if (isFloating(a) || isFloating(b)) {
            return isFloating(a) && isFloating(b) && a.doubleValue() == b.doubleValue();
        }
        if (a instanceof BigDecimal || b instanceof BigDecimal) {
            return decimal(a).compareTo(decimal(b)) == 0;
        }
        return a.longValue() == b.longValue();
    }

    private static boolean isFloating(Number number) {
        return number instanceof Double || number instanceof Float;
    }

    private static BigDecimal decimal(Number number) {
        return number instanceof BigDecimal decimal ? decimal : BigDecimal.valueOf(number.longValue());
    }

    private static boolean same(List<?> a, List<?> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (int i = 0; i < a.size(); i++) {
            if (!same(a.get(i), b.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean same(Map<?, ?> a, Map<?, ?> b) {
        if (a.size() != b.size()) {
            return false;
        }
        for (Map.Entry<?, ?> entry : a.entrySet()) {
            if (!same(entry.getValue(), b.get(entry.getKey()))) {
                return false;
            }
        }
        return true;
    }
}
