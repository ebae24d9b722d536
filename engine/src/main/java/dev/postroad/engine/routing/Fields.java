package dev.postroad.engine.routing;

import org.jspecify.annotations.Nullable;

/**
 * What a rule or a header match may read of one message: a view of its headers and, where someone has taught the
 * engine to read payloads, of the fields of its payload.
 */
@FunctionalInterface
public interface Fields {
    /**
     * Returns the value of a field, or null if the message has none of this name.
     *
     * @param name as the rule wrote it: a header's name, or a path such as {@code order.customer.id} or {@code
     *     items[0].sku}; never empty
     * @return a {@link String}, {@link Long}, {@link Double}, {@link Boolean} or {@code byte[]}; the caller does not
     *     change it. Whole numbers of any width are given as {@code Long}, all others as {@code Double}, decimals as
     *     {@code BigDecimal}. A value of any other type breaks no rule but is there only: a number counts as its {@code
     *     doubleValue}, anything else is equal to nothing.
     */
    @Nullable
    Object get(String name);

    /** Whether the message has a field of this name, be it one without a value. */
    default boolean has(String name) {
        return get(name) != null;
    }
}
