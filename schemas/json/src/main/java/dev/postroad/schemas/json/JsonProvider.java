package dev.postroad.schemas.json;

import dev.postroad.api.Serde;

/** Brings JSON to {@link dev.postroad.api.Serdes#json}. */
public final class JsonProvider implements Serde.Provider {

    @Override
    public String format() {
        return "json";
    }

    @Override
    public <T> Serde<T> serde(Class<T> type) {
        return JsonSerde.of(type);
    }
}
