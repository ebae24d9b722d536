package dev.postroad.protocols.http;

import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** JSON, read strictly: 64 levels deep at most, no duplicate names, nothing behind the end. */
final class Json {
    static final int MAX_DEPTH = 64;

    /** Shared; immutable. */
    static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxStringLength(32 * 1024 * 1024)
                            .maxNumberLength(400)
                            .maxNameLength(1_024)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /**
     * Reads one value.
     *
     * @param what what is read, for the message when it can't be
     */
    static JsonNode read(byte[] bytes, int from, int length, String what) {
        try {
            JsonNode node = MAPPER.readTree(bytes, from, length);
            if (node == null || node.isMissingNode()) {
                throw Problem.invalid(what + " is empty; it must be JSON");
            }
            return node;
        } catch (JacksonException e) {
            String where = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr();
            throw Problem.invalid(what + " is no JSON that is accepted here: " + e.getOriginalMessage() + where);
        }
    }

    /** Reads one object. */
    static ObjectNode readObject(byte[] bytes, int from, int length, String what) {
        if (read(bytes, from, length, what) instanceof ObjectNode object) {
            return object;
        }
        throw Problem.invalid(what + " must be a JSON object");
    }

    static byte[] write(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    static String text(Object value) {
        return new String(write(value), StandardCharsets.UTF_8);
    }
}
