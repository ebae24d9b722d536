package dev.postroad.api;

import java.util.AbstractMap;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Headers copied once and unchangeable from then on, so that the messages made from one another can share them. */
final class FrozenHeaders extends AbstractMap<String, String> {
    private final LinkedHashMap<String, String> headers;

    private FrozenHeaders(Map<String, String> headers) {
        this.headers = new LinkedHashMap<>(headers);
    }

    static Map<String, String> of(Map<String, String> headers) {
        if (headers instanceof FrozenHeaders) {
            return headers;
        }
        return headers.isEmpty() ? Map.of() : new FrozenHeaders(headers);
    }

    @Override
    public Set<Map.Entry<String, String>> entrySet() {
        return Collections.unmodifiableMap(headers).entrySet();
    }

    @Override
    public @Nullable String get(@Nullable Object name) {
        return headers.get(name);
    }

    @Override
    public boolean containsKey(@Nullable Object name) {
        return headers.containsKey(name);
    }

    @Override
    public int size() {
        return headers.size();
    }
}
