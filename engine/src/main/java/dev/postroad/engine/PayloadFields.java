package dev.postroad.engine;

import org.jspecify.annotations.Nullable;

/**
 * How rules look into payloads. The engine knows no format of payloads: who embeds it supplies this, for JSON say. Called on
 * the thread that runs the engine, with payloads from outside: it must be quick, bounded, and must not throw.
 */
@FunctionalInterface
public interface PayloadFields {
    /** Sees nothing. */
    PayloadFields NONE = (message, path) -> null;

    /**
     * A field of the payload.
     *
     * @param path names separated by dots, with indexes in brackets: {@code order.items[0].sku}
     * @return String, Long, Double or Boolean; null where there is no such field
     */
    @Nullable
    Object get(EngineMessage message, String path);
}
