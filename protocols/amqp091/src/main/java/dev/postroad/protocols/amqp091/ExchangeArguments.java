package dev.postroad.protocols.amqp091;

import dev.postroad.engine.TopicDefinition;
import dev.postroad.engine.TopicDefinition.Routing;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Exchanges as they are declared, and the engine's topics.
 *
 * <pre>
 *   direct, fanout, topic, headers      DIRECT, FANOUT, PATTERN, HEADERS
 *   x-consistent-hash                   HASH, of the routing key, of hash-header or of hash-property
 *   x-delayed-message                   the routing of x-delayed-type; messages with x-delay get a time to be delivered at
 *   durable = false                     a temporary topic
 *   alternate-exchange                  alternate
 * </pre>
 */
final class ExchangeArguments {
    private static final String DELAYED = "x-delayed-message";
    private static final String DELAYED_TYPE = "x-delayed-type";
    private static final String HASH = "x-consistent-hash";
    private static final String TYPE = "type";
    private static final Map<String, String> HASHED =
            Map.of("message_id", "messageId", "correlation_id", "correlationId", "timestamp", "timestamp");

    private ExchangeArguments() {}

    /**
     * An exchange as it is declared.
     *
     * @param arguments as received
     */
    record Declared(
            String type,
            boolean durable,
            boolean autoDelete,
            boolean internal,
            Map<String, @Nullable Object> arguments) {}

    /**
     * @param name the exchange's, as the client says it
     * @throws AmqpException for a type that there is none of, an argument that is not known, or one that is wrong
     */
    static TopicDefinition definition(String name, VirtualHost host, Declared declared) {
        Arguments arguments = new Arguments(Arguments.exchange(name, host), declared.arguments());
        Set<String> known = new HashSet<>(Set.of("alternate-exchange"));
        String type = declared.type();
        if (type.equals(DELAYED)) {
            known.add(DELAYED_TYPE);
            String delayed = arguments.word(DELAYED_TYPE, List.of("direct", "fanout", "topic", "headers", HASH));
            if (delayed == null) {
                throw arguments.invalid(DELAYED_TYPE, "an exchange of type '" + DELAYED + "' must say it");
            }
            type = delayed;
        }
        Routing routing = routing(type);
        if (routing == Routing.HASH) {
            known.addAll(Set.of("hash-header", "hash-property"));
        }
        arguments.checkNames(known, " of type " + declared.type());
        String alternate = arguments.text("alternate-exchange");
        Map<String, @Nullable Object> kept = new TreeMap<>(declared.arguments());
        if (declared.type().equals(DELAYED)) {
            kept.put(TYPE, DELAYED);
        }
        return new TopicDefinition(
                host.inEngine(name),
                routing,
                alternate == null ? null : host.inEngine(alternate),
                declared.autoDelete(),
                declared.internal(),
                !declared.durable(),
                hashOn(arguments),
                Arguments.keep(kept));
    }

    private static Routing routing(String type) {
        return switch (type) {
            case "direct" -> Routing.DIRECT;
            case "fanout" -> Routing.FANOUT;
            case "topic" -> Routing.PATTERN;
            case "headers" -> Routing.HEADERS;
            case HASH -> Routing.HASH;
            default -> throw new AmqpException(ReplyCode.COMMAND_INVALID, "unknown exchange type '" + type + "'");
        };
    }

    private static @Nullable String hashOn(Arguments arguments) {
        String header = arguments.text("hash-header");
        String property = arguments.word("hash-property", List.of("correlation_id", "message_id", "timestamp"));
        if (header != null && property != null) {
            throw arguments.invalid("hash-property", "hash-header is given too; only one of them can be hashed");
        }
        return header != null ? "header:" + header : property == null ? null : HASHED.get(property);
    }

    /** The exchange as it was declared, or, if something else made the topic, as it could have been. */
    static Declared declared(TopicDefinition topic, VirtualHost host) {
        Map<String, @Nullable Object> arguments = new TreeMap<>();
        Map<String, @Nullable Object> kept = Arguments.kept(topic.attributes());
        if (kept != null) {
            arguments.putAll(kept);
        } else {
            String alternate = topic.alternate();
            if (alternate != null) {
                arguments.put("alternate-exchange", host.local(alternate));
            }
        }
        boolean delayed = DELAYED.equals(arguments.remove(TYPE));
        String type = switch (topic.routing()) {
            case DIRECT -> "direct";
            case FANOUT -> "fanout";
            case PATTERN -> "topic";
            case HEADERS -> "headers";
            case HASH -> HASH;
            case LEVELS -> "x-levels";
            case RULE -> "x-rule";
        };
        return new Declared(
                delayed ? DELAYED : type, !topic.temporary(), topic.autoDelete(), topic.internal(), arguments);
    }

    /** True if messages published to the topic may say by {@code x-delay} when they are to be delivered. */
    static boolean delays(TopicDefinition topic) {
        Map<String, @Nullable Object> kept = Arguments.kept(topic.attributes());
        return kept != null && DELAYED.equals(kept.get(TYPE));
    }

    /** In what an exchange that is there differs from what is declared, in RabbitMQ's words; null if in nothing. */
    static @Nullable String difference(String name, VirtualHost host, TopicDefinition topic, Declared received) {
        String what = Arguments.exchange(name, host);
        Declared current = declared(topic, host);
        String difference = Arguments.difference(what, "type", received.type(), current.type());
        if (difference == null) {
            difference = Arguments.difference(what, "durable", received.durable(), current.durable());
        }
        if (difference == null) {
            difference = Arguments.difference(what, "auto_delete", received.autoDelete(), current.autoDelete());
        }
        if (difference == null) {
            difference = Arguments.difference(what, "internal", received.internal(), current.internal());
        }
        return difference != null ? difference : Arguments.difference(what, received.arguments(), current.arguments());
    }
}
