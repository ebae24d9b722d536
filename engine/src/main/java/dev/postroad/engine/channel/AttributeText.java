package dev.postroad.engine.channel;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Names and values as one line, {@code mark name=value;name=value}; values are percent-encoded. */
final class AttributeText {
    private final StringBuilder text;

    AttributeText(String mark) {
        this.text = new StringBuilder(mark);
    }

    AttributeText put(String name, Object value) {
        if (text.charAt(text.length() - 1) != ';') {
            text.append(';');
        }
        text.append(name).append('=').append(URLEncoder.encode(String.valueOf(value), StandardCharsets.UTF_8));
        return this;
    }

    @Override
    public String toString() {
        return text.toString();
    }

    /** Names and values of a text with this mark; empty if it has another or is null. */
    static Optional<Map<String, String>> parse(String mark, @Nullable String text) {
        if (text == null || !text.startsWith(mark)) {
            return Optional.empty();
        }
        Map<String, String> found = new LinkedHashMap<>();
        for (String pair : text.substring(mark.length()).split(";", -1)) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                found.put(
                        pair.substring(0, equals),
                        URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
            }
        }
        return Optional.of(found);
    }
}
