package dev.postroad.server;

import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.PayloadFields;
import dev.postroad.engine.channel.ValueCompression;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Lets rules look into payloads that are JSON objects or arrays of up to 1 MiB. A payload is read when the first rule asks,
 * and once for all rules that look at the same message; what is no JSON has no fields. For one thread at a time.
 */
public final class JsonPayload implements PayloadFields {
    private static final int MAX_BYTES = 1024 * 1024;
    private static final int MAX_DEPTH = 64;
    private static final int MAX_PATHS = 1_000;
    private static final char REPLACEMENT = '\ufffd';

    /** Without a table of names that were seen: it is copied for each message with a new one. */
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(400)
                            .maxNameLength(1_024)
                            .build())
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                    .build())
            .build();

    private final Map<String, Object[]> paths = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Object[]> eldest) {
            return size() > MAX_PATHS;
        }
    };

    private @Nullable EngineMessage last;
    private @Nullable JsonNode tree;

    /** For brokers that look for one on the class path. */
    public JsonPayload() {}

    @Override
    public @Nullable Object get(EngineMessage message, String path) {
        JsonNode node = tree(message);
        if (node == null) {
            return null;
        }
        for (Object step : paths.computeIfAbsent(path, JsonPayload::steps)) {
            node = step instanceof Integer index ? node.get(index) : node.get((String) step);
            if (node == null) {
                return null;
            }
        }
        if (node.isString()) {
            return node.stringValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isIntegralNumber() && node.canConvertToLong()) {
            return node.longValue();
        }
        return node.isNumber() ? (Object) node.doubleValue() : null;
    }

    @SuppressWarnings("ReferenceEquality")
    private @Nullable JsonNode tree(EngineMessage message) {
        if (last != message) {
            last = message;
            tree = read(message);
        }
        return tree;
    }

    private static @Nullable JsonNode read(EngineMessage message) {
        byte[] payload = message.payload();
        if (payload == null || payload.length > MAX_BYTES) {
            return null;
        }
        try {
            byte[] plain = ValueCompression.unpack(message, MAX_BYTES).payload();
            String text = plain == null || !looksLikeJson(plain) ? null : text(plain);
            return text == null ? null : MAPPER.readTree(text);
        } catch (JacksonException | EngineException e) {
            return null;
        }
    }

    /** Null for what is not in UTF-8. */
    private static @Nullable String text(byte[] payload) {
        String text = new String(payload, StandardCharsets.UTF_8);
        boolean replaced = text.indexOf(REPLACEMENT) >= 0;
        return replaced && !Arrays.equals(text.getBytes(StandardCharsets.UTF_8), payload) ? null : text;
    }

    private static boolean looksLikeJson(byte[] payload) {
        for (byte b : payload) {
            if (b == '{' || b == '[') {
                return true;
            }
            if (b != ' ' && b != '\n' && b != '\r' && b != '\t') {
                return false;
            }
        }
        return false;
    }

    /** {@code order.items[0].sku} as names and indexes. */
    private static Object[] steps(String path) {
        List<Object> steps = new ArrayList<>();
        for (String part : path.split("\\.", -1)) {
            int bracket = part.indexOf('[');
            String name = bracket < 0 ? part : part.substring(0, bracket);
            if (!name.isEmpty()) {
                steps.add(name);
            }
            while (bracket >= 0) {
                int end = part.indexOf(']', bracket);
                if (end < 0) {
                    break;
                }
                String index = part.substring(bracket + 1, end);
                steps.add(index.matches("\\d{1,9}") ? (Object) Integer.valueOf(index) : index);
                bracket = part.indexOf('[', end);
            }
        }
        return steps.toArray();
    }
}
