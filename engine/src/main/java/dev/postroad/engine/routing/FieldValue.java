package dev.postroad.engine.routing;

/** The five types a field may have, and how a caller's value becomes one of them. */
final class FieldValue {
    private FieldValue() {}

    /** Returns the value as one of the five types, bytes as a copy. */
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
            default ->
                throw new IllegalArgumentException("the value of '" + Printable.of(name) + "' is a "
                        + value.getClass().getName() + "; it must be a text, a number, a truth value or bytes");
        };
    }
}
