package dev.postroad.engine;

import dev.postroad.engine.routing.Fields;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the conditions of a HEADERS binding see of a message: its headers, and nothing else. */
final class HeaderFields implements Fields {
    private Map<String, Object> headers = Map.of();

    HeaderFields of(EngineMessage message) {
        headers = message.headers();
        return this;
    }

    @Override
    public @Nullable Object get(String name) {
        return headers.get(name);
    }

    @Override
    public boolean has(String name) {
        return headers.containsKey(name);
    }
}
