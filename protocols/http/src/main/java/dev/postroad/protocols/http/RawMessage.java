package dev.postroad.protocols.http;

import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.channel.Words;
import io.helidon.http.Header;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message whose value is the request's body as it is, and whose other parts are the request's headers: {@code Postroad-Key}
 * and so on, or the attributes of CloudEvents in binary mode ({@code ce-id} …).
 */
final class RawMessage {
    private static final String OWN = "postroad-";
    private static final String HEADER = "postroad-header-";
    private static final String EVENT = "ce-";
    private static final List<String> NAMES = List.of(
            "postroad-id",
            "postroad-key",
            "postroad-type",
            "postroad-source",
            "postroad-correlation-id",
            "postroad-reply-to",
            "postroad-version",
            "postroad-timestamp",
            "postroad-priority",
            "postroad-ttl",
            "postroad-deliver-at",
            "postroad-delay");

    private final Map<String, String> own = new LinkedHashMap<>();
    private final Map<String, Object> headers = new LinkedHashMap<>();
    private boolean event;

    private RawMessage() {}

    static EngineMessage read(Exchange exchange, byte[] value, long nowMillis) {
        RawMessage raw = new RawMessage();
        for (Header header : exchange.headers()) {
            raw.take(header.name().toLowerCase(Locale.ROOT), header);
        }
        return raw.message(value, exchange.contentType(), nowMillis);
    }

    private void take(String name, Header header) {
        if (name.startsWith(HEADER) && name.length() > HEADER.length()) {
            headers.put(MessageJson.checkHeader(name.substring(HEADER.length())), single(name, header));
        } else if (name.startsWith(OWN)) {
            if (!NAMES.contains(name)) {
                throw Problem.invalid("the header '" + name + "' is not known here" + Words.hint(name, NAMES)
                        + " (a header of the message itself is Postroad-Header-NAME)");
            }
            put(name, single(name, header));
        } else if (name.startsWith(EVENT)) {
            event = true;
            String attribute = name.substring(EVENT.length());
            String value = single(name, header);
            switch (attribute) {
                case "specversion" -> CloudEvents.checkVersion(value);
                case "id" -> put("postroad-id", value);
                case "type" -> put("postroad-type", value);
                case "source" -> put("postroad-source", value);
                case "time" -> put("postroad-timestamp", value);
                case "partitionkey" -> put("postroad-key", value);
                default -> headers.put(MessageJson.checkHeader(attribute), value);
            }
        }
    }

    private void put(String name, String value) {
        if (own.put(name, value) != null) {
            throw Problem.invalid(
                    "the header '" + name + "' is given twice, or once for Postroad and once for CloudEvents");
        }
    }

    private static String single(String name, Header header) {
        if (header.valueCount() != 1) {
            throw Problem.invalid("the header '" + name + "' is given " + header.valueCount() + " times");
        }
        String value = header.get();
        for (int i = 0; i < value.length(); i++) {
            if (value.charAt(i) > 126) {
                throw Problem.invalid("the header '" + name + "' has a character that is not ASCII; send the message as"
                        + " application/vnd.postroad.message+json, which carries all characters");
            }
        }
        return value;
    }

    private EngineMessage message(byte[] value, @Nullable String contentType, long nowMillis) {
        if (event && !own.containsKey("postroad-id")) {
            throw Problem.invalid("a CloudEvent must have 'ce-id'");
        }
        if (headers.size() > MessageJson.MAX_HEADERS) {
            throw Problem.invalid(
                    "the message has " + headers.size() + " headers; the limit is " + MessageJson.MAX_HEADERS);
        }
        String id = own.get("postroad-id");
        String key = own.get("postroad-key");
        return new EngineMessage(
                id == null ? MessageIds.next(nowMillis) : MessageJson.checkId("postroad-id", id),
                key == null ? null : key.getBytes(StandardCharsets.US_ASCII),
                value,
                headers,
                MessageJson.properties(
                        own.get("postroad-type"),
                        own.get("postroad-source"),
                        own.get("postroad-correlation-id"),
                        own.get("postroad-reply-to"),
                        contentType,
                        own.get("postroad-version")),
                moment("postroad-timestamp", nowMillis),
                priority(),
                time("postroad-ttl", 1),
                MessageJson.deliverAt(
                        moment("postroad-deliver-at", 0),
                        time("postroad-delay", 0),
                        own.containsKey("postroad-deliver-at"),
                        "postroad-",
                        nowMillis));
    }

    private long moment(String name, long otherwise) {
        String text = own.get(name);
        return text == null ? otherwise : JsonFields.instant(name, text);
    }

    private long time(String name, long least) {
        String text = own.get(name);
        return text == null ? 0 : JsonFields.time(name, text, least, MessageJson.MAX_MILLIS);
    }

    private int priority() {
        String text = own.get("postroad-priority");
        if (text == null) {
            return 0;
        }
        if (!text.matches("[0-9]")) {
            throw Problem.invalid(
                    "the header 'postroad-priority' is '" + text + "'; it must be a whole number from 0 to 9");
        }
        return Integer.parseInt(text);
    }
}
