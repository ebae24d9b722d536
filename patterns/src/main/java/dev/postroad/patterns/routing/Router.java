package dev.postroad.patterns.routing;

import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Postroad;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * A handler that sends each message to the channels that its content asks for. Safe for use by many threads.
 *
 * <pre>{@code
 *   Routes<String, String> routes = Routes.<String, String>none()
 *           .withRoute(Rules.header("region", "eu"), "orders.eu")
 *           .withOtherwise("orders.rest");
 *   postroad.listen("orders", format, options, new Router<>(postroad, format, routes));
 * }</pre>
 *
 * <p>Nothing is lost: a message is in all its channels before it is acknowledged. With transactions both happen together;
 * without them a crash in between passes it on again, with the same message id. A channel that refuses for now (full, out of
 * reach) is tried again while the delivery is held, so that its source waits instead of making dead letters. What a channel
 * refuses for good becomes a dead letter, and waits where the source keeps none.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public final class Router<K, V> implements Handler<K, V> {
    private final Routes<K, V> routes;
    private final Passage<K, V> passage;
    private final Map<String, AtomicLong> routed = new LinkedHashMap<>();
    private final AtomicLong unroutable = new AtomicLong();

    /**
     * @param postroad the connection of the source and of all channels of the routes
     * @throws MessagingException {@code NOT_FOUND} if one of the channels is not declared
     */
    public Router(Postroad postroad, Format<K, V> format, Routes<K, V> routes) {
        this.routes = routes;
        this.passage = new Passage<>(postroad, format, routes.maxPause());
        Stream.concat(routes.routes().stream().map(Routes.Route::channel), Stream.ofNullable(routes.otherwise()))
                .distinct()
                .forEach(channel -> {
                    if (postroad.find(channel).isEmpty()) {
                        throw new MessagingException(
                                MessagingException.Reason.NOT_FOUND,
                                "a route leads to channel '" + channel + "', which is not declared");
                    }
                    routed.put(channel, new AtomicLong());
                });
    }

    @Override
    public void handle(Delivery<K, V> delivery) throws Exception {
        Set<String> channels = routes.channelsFor(delivery.message());
        if (channels.isEmpty()) {
            unroutable.incrementAndGet();
            throw new DeadLetterException("none of the " + routes.routes().size()
                    + " routes takes it, and there is no channel for what is left");
        }
        passage.pass(delivery, Passage.Outgoing.toEach(channels, delivery.message()));
        routed.forEach((channel, count) -> {
            if (channels.contains(channel)) {
                count.incrementAndGet();
            }
        });
    }

    /** Messages passed on, by channel. */
    public Map<String, Long> routed() {
        Map<String, Long> counts = new LinkedHashMap<>();
        routed.forEach((channel, count) -> counts.put(channel, count.get()));
        return counts;
    }

    /** Messages that no route took, for want of a default. */
    public long unroutable() {
        return unroutable.get();
    }

    /** Tries that a channel refused. */
    public long refused() {
        return passage.refused();
    }
}
