package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Death;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Route;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The headers by which AMQP tells a message's history of dead letters: {@code x-death} and the first and last of it. */
final class DeadLetterHeaders {
    private DeadLetterHeaders() {}

    /** Adds the history to the headers a message is delivered with; what a client had put there under these names goes. */
    static void add(EngineMessage message, VirtualHost host, Map<String, @Nullable Object> headers) {
        List<Death> deaths = message.deaths();
        if (deaths.isEmpty()) {
            return;
        }
        List<@Nullable Object> tables = new ArrayList<>(deaths.size());
        for (Death death : deaths) {
            tables.add(table(death, host));
            if (death.first()) {
                put(headers, "x-first-death-", death, host);
            }
        }
        put(headers, "x-last-death-", deaths.getFirst(), host);
        headers.put("x-death", tables);
        Route route = message.route();
        if (route == null || route.keys().size() == 1) {
            // The letter goes by a key of its own, and to nobody else.
            headers.remove("CC");
        }
    }

    private static void put(Map<String, @Nullable Object> headers, String prefix, Death death, VirtualHost host) {
        headers.put(prefix + "reason", reason(death.cause()));
        headers.put(prefix + "queue", host.local(death.queue()));
        headers.put(prefix + "exchange", exchange(death, host));
    }

    private static Map<String, @Nullable Object> table(Death death, VirtualHost host) {
        Map<String, @Nullable Object> table = new LinkedHashMap<>();
        table.put("count", death.count());
        table.put("exchange", exchange(death, host));
        if (death.ttlMillis() > 0) {
            table.put("original-expiration", Long.toString(death.ttlMillis()));
        }
        table.put("queue", host.local(death.queue()));
        table.put("reason", reason(death.cause()));
        table.put("routing-keys", keys(death, host));
        table.put("time", Instant.ofEpochSecond(Math.floorDiv(death.firstMillis(), 1000L)));
        return table;
    }

    private static String exchange(Death death, VirtualHost host) {
        Route route = death.route();
        String topic = route == null ? null : route.topic();
        return topic == null ? "" : host.local(topic);
    }

    private static List<@Nullable Object> keys(Death death, VirtualHost host) {
        Route route = death.route();
        List<@Nullable Object> keys = new ArrayList<>();
        if (route == null) {
            keys.add(host.local(death.queue()));
        } else if (route.topic() == null) {
            route.visibleKeys().forEach(key -> keys.add(host.local(key)));
        } else {
            keys.addAll(route.visibleKeys());
        }
        return keys;
    }

    /** The engine's causes in RabbitMQ's words; what follows an earlier message of its key was rejected with it. */
    static String reason(Death.Cause cause) {
        return switch (cause) {
            case REJECTED, KEY_ORDER -> "rejected";
            case EXPIRED -> "expired";
            case OVERFLOW -> "maxlen";
            case DELIVERY_LIMIT -> "delivery_limit";
        };
    }
}
