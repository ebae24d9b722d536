package dev.postroad.protocols.amqp091;

import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.Route;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Exchange and routing key as the engine's route, with copies for the keys of the headers CC and BCC, and back. */
final class Routed {
    /** Further routing keys, that receivers see. */
    static final String CC = "CC";

    /** Further routing keys, that they don't. */
    static final String BCC = "BCC";

    private Routed() {}

    /** The route of a message with these headers; null for straight to the queue that it names. */
    static @Nullable Route of(
            PublishGroup.Place place, @Nullable Map<String, @Nullable Object> headers, VirtualHost host) {
        if (headers == null || !(headers.containsKey(CC) || headers.containsKey(BCC))) {
            return place.route();
        }
        List<String> keys = new ArrayList<>();
        keys.add(place.target());
        add(headers, CC, place, host, keys);
        int seen = keys.size();
        add(headers, BCC, place, host, keys);
        return new Route(place.topic(), keys, keys.size() - seen);
    }

    private static void add(
            Map<String, @Nullable Object> headers,
            String name,
            PublishGroup.Place place,
            VirtualHost host,
            List<String> keys) {
        if (!headers.containsKey(name)) {
            return;
        }
        if (!(headers.get(name) instanceof List<?> list)) {
            throw refused(name);
        }
        for (Object key : list) {
            if (!(key instanceof String text)) {
                throw refused(name);
            }
            keys.add(place.topic() == null ? host.inEngine(text) : text);
        }
    }

    private static AmqpException refused(String name) {
        return new AmqpException(
                ReplyCode.PRECONDITION_FAILED, "header '" + name + "' must be an array of texts, the routing keys");
    }

    static String exchange(EngineDelivery delivery, VirtualHost host) {
        Route route = delivery.message().route();
        String topic = route == null ? null : route.topic();
        return topic == null ? "" : host.local(topic);
    }

    /** @param queue the queue's name, which is the routing key of what came by the default exchange */
    static String routingKey(EngineDelivery delivery, VirtualHost host, String queue) {
        Route route = delivery.message().route();
        if (route == null) {
            return queue;
        }
        String key = route.topic() == null ? host.local(route.key()) : route.key();
        // A short string has 255 bytes; other protocols' keys may have more.
        return key.length() <= 85 ? key : dev.postroad.protocols.amqp091.codec.Fields.shorten(key);
    }
}
