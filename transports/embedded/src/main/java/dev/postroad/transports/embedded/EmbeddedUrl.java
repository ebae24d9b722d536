package dev.postroad.transports.embedded;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.engine.EngineSettings;
import dev.postroad.engine.channel.Quantity;
import dev.postroad.engine.runtime.BrokerSettings;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** A url of this transport, taken apart. */
record EmbeddedUrl(String url, String place, Map<String, Long> options) {
    private static final String MEMORY = "memory";
    private static final long MEMORY_BYTES = 1L << 30;

    static EmbeddedUrl parse(String url) {
        int question = url.indexOf('?');
        String place = url.substring(url.indexOf(':') + 1, question < 0 ? url.length() : question);
        if (place.isEmpty()) {
            throw invalid(url, "a directory must follow, as in embedded:data, or the word memory");
        }
        if (place.startsWith("//") || place.startsWith(MEMORY + ":")) {
            throw invalid(
                    url,
                    "a path must follow the colon at once, as in embedded:/var/lib/shop or embedded:data; memory"
                            + " has no names. For a directory of such a name write embedded:./NAME");
        }
        Map<String, Long> options = new LinkedHashMap<>();
        if (question >= 0) {
            for (String pair : url.substring(question + 1).split("&", -1)) {
                option(url, place, pair, options);
            }
        }
        return new EmbeddedUrl(url, place, options);
    }

    private static void option(String url, String place, String pair, Map<String, Long> options) {
        int equals = pair.indexOf('=');
        String name = equals < 0 ? pair : pair.substring(0, equals);
        boolean known = switch (name) {
            case "cacheBytes", "indexBytes" -> true;
            case "maxBytes" -> place.equals(MEMORY);
            default -> false;
        };
        if (!known) {
            throw invalid(
                    url,
                    "there is no option '" + name + "' here; there are cacheBytes, indexBytes"
                            + (place.equals(MEMORY) ? ", maxBytes" : ""));
        }
        try {
            long bytes = Quantity.bytes(pair.substring(equals + 1));
            if (equals < 0 || bytes < 1 || options.put(name, bytes) != null) {
                throw invalid(url, "option '" + name + "' must be given once, with a size of 1 byte or more");
            }
        } catch (IllegalArgumentException e) {
            throw invalid(url, "option '" + name + "': " + e.getMessage());
        }
    }

    private static MessagingException invalid(String url, String why) {
        return new MessagingException(Reason.INVALID, "the url " + url + " is not understood: " + why);
    }

    BrokerSettings settings() {
        BrokerSettings settings;
        if (place.equals(MEMORY)) {
            settings = BrokerSettings.memory(options.getOrDefault("maxBytes", MEMORY_BYTES));
        } else {
            try {
                settings = BrokerSettings.directory(Path.of(place));
            } catch (InvalidPathException e) {
                throw invalid(url, String.valueOf(e.getMessage()));
            }
        }
        EngineSettings engine = settings.engine();
        return settings.withEngine(engine.withCacheBytes(options.getOrDefault("cacheBytes", engine.cacheBytes()))
                .withIndexBytes(options.getOrDefault("indexBytes", engine.indexBytes())));
    }
}
