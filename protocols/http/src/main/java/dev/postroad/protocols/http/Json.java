package dev.postroad.protocols.http;

import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** JSON, read strictly: 64 levels deep at most, half a million tokens, no duplicate names, nothing behind the end. */
final class Json {
    static final int MAX_DEPTH = 64;

    /** A token of three bytes may be a hundred in memory; ten thousand messages have fifty each. */
    private static final long MAX_TOKENS = 500_000;

    private static final char BYTE_ORDER_MARK = '\ufeff';

    /**
     * Shared; immutable. Without a table of names that were seen: it is copied for each message with a new one, and who sends a new
     * one each time has 40 bytes cost 300 KiB.
     */
    static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxTokenCount(MAX_TOKENS)
                            .maxStringLength(32 * 1024 * 1024)
                            .maxNumberLength(400)
                            .maxNameLength(1_024)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
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
            String text = Utf8.decode(bytes, from, length);
            if (text == null) {
                throw Problem.invalid(what + " is no JSON that is accepted here: it is not in UTF-8");
            }
            boolean marked = !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK;
            JsonNode node = MAPPER.readTree(marked ? text.substring(1) : text);
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
