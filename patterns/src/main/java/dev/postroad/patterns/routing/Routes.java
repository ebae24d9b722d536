package dev.postroad.patterns.routing;

import dev.postroad.api.Message;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which messages go where.
 *
 * @param routes looked at in this order
 * @param otherwise channel for what no route matches; null to make it a dead letter
 * @param all true if a message goes along every route that matches, false if only along the first
 * @param maxPause how long is waited at most between two tries at a channel that refuses for now, 1 ms or more
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public record Routes<K, V>(
        List<Route<K, V>> routes, @Nullable String otherwise, boolean all, Duration maxPause) {

    /**
     * One route.
     *
     * @param name shown in counts, its own among the routes
     * @param rule what it takes; what it throws is a failure of handling the message, never a "no"
     * @param channel where it leads: a declared channel
     */
    public record Route<K, V>(String name, Predicate<Message<K, V>> rule, String channel) {}

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public Routes {
        routes = List.copyOf(routes);
        Set<String> names = new HashSet<>();
        for (Route<K, V> route : routes) {
            if (!names.add(route.name())) {
                throw new IllegalArgumentException("there are two routes with the name '" + route.name() + "'");
            }
        }
        if (maxPause.toMillis() < 1) {
            throw new IllegalArgumentException("maxPause is " + maxPause + "; it must be 1 ms or more");
        }
    }

    /** No route yet, no default, the first that matches, pauses of up to ten seconds. */
    public static <K, V> Routes<K, V> none() {
        return new Routes<>(List.of(), null, false, Duration.ofSeconds(10));
    }

    /** These routes and one more, behind them, named for its channel. */
    public Routes<K, V> withRoute(Predicate<Message<K, V>> rule, String channel) {
        return withRoute(channel, rule, channel);
    }

    /** These routes and one more, behind them. */
    public Routes<K, V> withRoute(String name, Predicate<Message<K, V>> rule, String channel) {
        List<Route<K, V>> more = new ArrayList<>(routes);
        more.add(new Route<>(name, rule, channel));
        return new Routes<>(more, otherwise, all, maxPause);
    }

    /** These routes with a channel for what none of them matches. */
    public Routes<K, V> withOtherwise(@Nullable String channel) {
        return new Routes<>(routes, channel, all, maxPause);
    }

    /** These routes, with a message going along every one that matches. */
    public Routes<K, V> withAll(boolean newAll) {
        return new Routes<>(routes, otherwise, newAll, maxPause);
    }

    /** These routes with another bound of the pause between two tries. */
    public Routes<K, V> withMaxPause(Duration newMaxPause) {
        return new Routes<>(routes, otherwise, all, newMaxPause);
    }

    /** Where a message goes: each channel once, none if no route matches and there is no default. */
    public Set<String> channelsFor(Message<K, V> message) {
        Set<String> channels = new LinkedHashSet<>();
        for (Route<K, V> route : routes) {
            if (route.rule().test(message)) {
                channels.add(route.channel());
                if (!all) {
                    break;
                }
            }
        }
        if (channels.isEmpty() && otherwise != null) {
            channels.add(otherwise);
        }
        return channels;
    }
}
