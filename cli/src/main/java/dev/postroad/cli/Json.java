package dev.postroad.cli;

import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/** JSON as the HTTP interface speaks it, and as commands print it. */
final class Json {
    private static final int MAX_DEPTH = 64;
    private static final int MAX_TEXT = 64 * 1024 * 1024;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxStringLength(MAX_TEXT)
                            .build())
                    .build())
            .build();

    private Json() {}

    /** @throws CliException if it is no JSON, saying where it came from */
    static JsonNode read(byte[] bytes, String where) {
        try {
            return bytes.length == 0 ? MissingNode.getInstance() : MAPPER.readTree(bytes);
        } catch (JacksonException e) {
            throw new CliException(
                    ExitCode.FAILED, where + " did not answer in JSON: " + Units.oneLine(e.getOriginalMessage()), e);
        }
    }

    static JsonNode tree(Object value) {
        return MAPPER.valueToTree(value);
    }

    static byte[] write(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    /** On one line, as text. */
    static String inline(@Nullable Object value) {
        return MAPPER.writeValueAsString(value);
    }

    /** One document for people and scripts, indented. */
    static void print(PrintStream out, Object document) {
        out.println(MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(document));
    }

    /** One line. */
    static void printLine(PrintStream out, Object value) {
        out.println(MAPPER.writeValueAsString(value));
    }

    /** The text at a path of members; null where there is none. */
    static @Nullable String text(JsonNode node, String... path) {
        JsonNode at = at(node, path);
        return at.isMissingNode() || at.isNull() ? null : at.asString();
    }

    static String text(String otherwise, JsonNode node, String... path) {
        String text = text(node, path);
        return text == null ? otherwise : text;
    }

    static long number(JsonNode node, String... path) {
        JsonNode at = at(node, path);
        return at.isNumber() ? at.longValue() : 0;
    }

    /** The elements of an array; none where there is none. */
    static List<JsonNode> list(JsonNode node, String... path) {
        JsonNode at = at(node, path);
        return at.isArray() ? at.valueStream().toList() : List.of();
    }

    private static JsonNode at(JsonNode node, String... path) {
        JsonNode at = node;
        for (String member : path) {
            at = at.path(member);
        }
        return at;
    }

    /** The members of an object. */
    static List<Map.Entry<String, JsonNode>> members(JsonNode node) {
        return List.copyOf(node.properties());
    }
}
