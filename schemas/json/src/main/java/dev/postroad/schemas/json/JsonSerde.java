package dev.postroad.schemas.json;

import dev.postroad.api.Serde;
import java.lang.reflect.Type;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.StreamWriteConstraints;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Values of one type as JSON in UTF-8: records, beans, collections, maps, and {@code java.time} as ISO-8601 text.
 *
 * <p>Reading is tolerant of what it does not know and strict with what it does: unknown fields are passed over, so that
 * senders can add some; a field twice, a null for a primitive, text after the value, or nesting deeper than {@value
 * #MAX_DEPTH} is refused. Class names in the data are never followed. Errors tell what was wrong and where (line, column
 * and path), and never repeat the data. Safe for use by many threads.
 *
 * @param <T> type of the values
 */
public final class JsonSerde<T> implements Serde<T> {
    /** Objects and arrays within one another at most. */
    public static final int MAX_DEPTH = 64;

    private static final int MAX_STRING_CHARS = 16 * 1024 * 1024;
    private static final int MAX_NAME_CHARS = 1024;
    private static final int MAX_NUMBER_CHARS = 1000;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxStringLength(MAX_STRING_CHARS)
                            .maxNameLength(MAX_NAME_CHARS)
                            .maxNumberLength(MAX_NUMBER_CHARS)
                            .build())
                    .streamWriteConstraints(StreamWriteConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .build())
                    .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS)
            .disable(DateTimeFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
            .build();

    private final String typeName;
    private final ObjectReader reader;
    private final ObjectWriter writer;

    private JsonSerde(JavaType type) {
        this.typeName = type.toCanonical();
        this.reader = MAPPER.readerFor(type);
        this.writer = MAPPER.writerFor(type);
    }

    /** A serde for a class, a record for example. */
    public static <T> JsonSerde<T> of(Class<T> type) {
        return new JsonSerde<>(MAPPER.constructType(type));
    }

    /**
     * A serde for a type with parameters, {@code List<Order>} for example, as reflection tells it.
     *
     * @param type has to be that of {@code T}; nothing checks it
     */
    public static <T> JsonSerde<T> of(Type type) {
        return new JsonSerde<>(MAPPER.constructType(type));
    }

    @Override
    public byte[] serialize(T value) {
        try {
            return writer.writeValueAsBytes(value);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("can't be written as JSON of " + typeName + where(e), e);
        }
    }

    @Override
    public T deserialize(byte[] bytes) {
        T value;
        try {
            value = reader.readValue(bytes);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("is no JSON of " + typeName + where(e), e);
        }
        if (value == null) {
            throw new IllegalArgumentException("is the JSON null, which is no " + typeName);
        }
        return value;
    }

    @Override
    public @Nullable String contentType() {
        return "application/json";
    }

    private static String where(JacksonException e) {
        StringBuilder text = new StringBuilder();
        if (e instanceof DatabindException databind && !databind.getPath().isEmpty()) {
            text.append(", at ").append(databind.getPathReference());
        }
        TokenStreamLocation location = e.getLocation();
        if (location != null && location.getLineNr() > 0) {
            text.append(", line ")
                    .append(location.getLineNr())
                    .append(", column ")
                    .append(location.getColumnNr());
        }
        return text.append(": ").append(e.getOriginalMessage()).toString();
    }
}
