package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Definition;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Route;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.protocols.amqp091.codec.BasicProperties;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Exchanges, queues, bindings and messages as AMQP declares them and the engine keeps them, in both directions, for whoever
 * looks after them without a connection. Methods that take names or arguments from outside throw {@link
 * IllegalArgumentException} with what AMQP would answer.
 */
public final class Declarations {
    private Declarations() {}

    /** An exchange. */
    public record Exchange(
            String vhost,
            String name,
            String type,
            boolean durable,
            boolean autoDelete,
            boolean internal,
            Map<String, @Nullable Object> arguments) {}

    /** A queue. */
    public record Queue(
            String vhost,
            String name,
            boolean durable,
            boolean autoDelete,
            boolean exclusive,
            Map<String, @Nullable Object> arguments) {}

    /** A binding. */
    public record Bound(
            String vhost,
            String source,
            String destination,
            boolean toExchange,
            String routingKey,
            Map<String, @Nullable Object> arguments) {}

    /** The exchanges that every virtual host has. */
    public static List<TopicDefinition> predeclared(String vhost) {
        List<TopicDefinition> topics = new ArrayList<>();
        AmqpServer.PREDECLARED.forEach(
                (name, routing) -> topics.add(TopicDefinition.named(inEngine(vhost, name), routing)));
        return topics;
    }

    /** The engine's name for one of a virtual host. */
    public static String inEngine(String vhost, String name) {
        try {
            return VirtualHost.named(vhost).inEngine(name);
        } catch (AmqpException e) {
            throw refused(e);
        }
    }

    private static IllegalArgumentException refused(AmqpException e) {
        return new IllegalArgumentException(e.getMessage(), e);
    }

    // ── To the engine ────────────────────────────────────────────────────────────────────────────────────────────────

    /** The topic of an exchange. */
    public static TopicDefinition toDefinition(Exchange exchange) {
        try {
            VirtualHost host = VirtualHost.named(exchange.vhost());
            return ExchangeArguments.definition(exchange.name(), host, declared(exchange));
        } catch (AmqpException e) {
            throw refused(e);
        }
    }

    /** The queue or stream of a queue. */
    public static Definition toDefinition(Queue queue) {
        try {
            VirtualHost host = VirtualHost.named(queue.vhost());
            return QueueArguments.definition(queue.name(), host, declared(queue));
        } catch (AmqpException e) {
            throw refused(e);
        }
    }

    private static ExchangeArguments.Declared declared(Exchange exchange) {
        return new ExchangeArguments.Declared(
                exchange.type(), exchange.durable(), exchange.autoDelete(), exchange.internal(), exchange.arguments());
    }

    private static QueueArguments.Declared declared(Queue queue) {
        return new QueueArguments.Declared(queue.durable(), queue.exclusive(), queue.autoDelete(), queue.arguments());
    }

    /** In what an exchange that is there differs from this one, in RabbitMQ's words; null if in nothing. */
    public static @Nullable String difference(TopicDefinition there, Exchange wanted) {
        return ExchangeArguments.difference(wanted.name(), VirtualHost.named(wanted.vhost()), there, declared(wanted));
    }

    /** In what a queue that is there differs from this one, in RabbitMQ's words; null if in nothing. */
    public static @Nullable String difference(Definition there, Queue wanted) {
        return QueueArguments.difference(wanted.name(), VirtualHost.named(wanted.vhost()), there, declared(wanted));
    }

    /** The engine's binding. */
    public static Binding toBinding(Bound bound) {
        return new Binding(
                inEngine(bound.vhost(), bound.source()),
                inEngine(bound.vhost(), bound.destination()),
                bound.toExchange(),
                bound.routingKey(),
                MessageMapping.inEngine(bound.arguments()));
    }

    /**
     * What is published to an exchange, ready for the engine.
     *
     * @param topic null for the default exchange
     * @param channel the queue, or the routing key where there is a topic
     */
    public record Addressed(@Nullable String topic, String channel, EngineMessage message) {}

    /**
     * A message to an exchange.
     *
     * @param properties by AMQP's names, as {@link #properties} gives them
     */
    public static Addressed address(
            String vhost, String exchange, String routingKey, Map<String, @Nullable Object> properties, byte[] body) {
        VirtualHost host = VirtualHost.named(vhost);
        String topic = exchange.isEmpty() ? null : inEngine(vhost, exchange);
        String target = topic == null ? inEngine(vhost, routingKey) : routingKey;
        Map<String, @Nullable Object> left = new LinkedHashMap<>(properties);
        try {
            BasicProperties basic = new BasicProperties(
                    text(left, "content_type"),
                    text(left, "content_encoding"),
                    table(left, "headers"),
                    octet(left, "delivery_mode"),
                    octet(left, "priority"),
                    text(left, "correlation_id"),
                    text(left, "reply_to"),
                    text(left, "expiration"),
                    text(left, "message_id"),
                    number(left, "timestamp"),
                    text(left, "type"),
                    text(left, "user_id"),
                    text(left, "app_id"),
                    text(left, "cluster_id"));
            if (!left.isEmpty()) {
                throw new IllegalArgumentException("unknown properties: " + left.keySet());
            }
            PublishGroup.Place place = new PublishGroup.Place(
                    exchange, routingKey, true, topic, target, topic == null ? null : Route.of(topic, target));
            EngineMessage message = MessageMapping.toEngine(basic, body, Routed.of(place, basic.headers(), host));
            return new Addressed(topic, target, message);
        } catch (AmqpException e) {
            throw refused(e);
        }
    }

    private static @Nullable String text(Map<String, @Nullable Object> properties, String name) {
        Object value = properties.remove(name);
        if (value == null || value instanceof String) {
            return (String) value;
        }
        throw new IllegalArgumentException("property " + name + " must be a text");
    }

    private static @Nullable Long number(Map<String, @Nullable Object> properties, String name) {
        Object value = properties.remove(name);
        if (value == null) {
            return null;
        }
        if ((value instanceof Long || value instanceof Integer) && value instanceof Number number) {
            return number.longValue();
        }
        throw new IllegalArgumentException("property " + name + " must be a whole number");
    }

    private static @Nullable Integer octet(Map<String, @Nullable Object> properties, String name) {
        Long value = number(properties, name);
        if (value != null && (value < 0 || value > 255)) {
            throw new IllegalArgumentException("property " + name + " is " + value + "; it must be 0 to 255");
        }
        return value == null ? null : (Integer) value.intValue();
    }

    private static @Nullable Map<String, @Nullable Object> table(
            Map<String, @Nullable Object> properties, String name) {
        Object value = properties.remove(name);
        if (value == null) {
            return null;
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> table = new LinkedHashMap<>();
            map.forEach((key, inner) -> table.put(String.valueOf(key), inner));
            return table;
        }
        throw new IllegalArgumentException("property " + name + " must be an object");
    }

    // ── From the engine ──────────────────────────────────────────────────────────────────────────────────────────────

    /** The exchange that a topic is. */
    public static Exchange of(TopicDefinition topic) {
        VirtualHost host = VirtualHost.of(topic.name());
        ExchangeArguments.Declared declared = ExchangeArguments.declared(topic, host);
        return new Exchange(
                host.name(),
                host.local(topic.name()),
                declared.type(),
                declared.durable(),
                declared.autoDelete(),
                declared.internal(),
                declared.arguments());
    }

    /** The queue that a queue or stream is. */
    public static Queue of(Definition definition) {
        VirtualHost host = VirtualHost.of(definition.name());
        QueueArguments.Declared declared = QueueArguments.declared(definition, host);
        return new Queue(
                host.name(),
                host.local(definition.name()),
                declared.durable(),
                declared.autoDelete(),
                declared.exclusive(),
                declared.arguments());
    }

    /** The binding as clients know it. */
    public static Bound of(Binding binding) {
        VirtualHost host = VirtualHost.of(binding.topic());
        Map<String, @Nullable Object> arguments = new LinkedHashMap<>();
        binding.arguments().forEach((name, value) -> arguments.put(name, MessageMapping.inTable(value)));
        return new Bound(
                host.name(),
                host.local(binding.topic()),
                host.local(binding.destination()),
                binding.toTopic(),
                binding.pattern(),
                arguments);
    }

    /** The exchange that a delivery came by. */
    public static String exchange(EngineDelivery delivery) {
        return Routed.exchange(delivery, VirtualHost.of(delivery.queue()));
    }

    /** The routing key that a delivery came by. */
    public static String routingKey(EngineDelivery delivery) {
        VirtualHost host = VirtualHost.of(delivery.queue());
        return Routed.routingKey(delivery, host, host.local(delivery.queue()));
    }

    /** The properties that are set, by AMQP's names. */
    public static Map<String, @Nullable Object> properties(EngineMessage message) {
        BasicProperties p = MessageMapping.toAmqp(message);
        Map<String, @Nullable Object> properties = new LinkedHashMap<>();
        set(properties, "type", p.type());
        set(properties, "message_id", p.messageId());
        set(properties, "app_id", p.appId());
        set(properties, "cluster_id", p.clusterId());
        set(properties, "user_id", p.userId());
        set(properties, "timestamp", p.timestamp());
        set(properties, "expiration", p.expiration());
        set(properties, "reply_to", p.replyTo());
        set(properties, "correlation_id", p.correlationId());
        set(properties, "priority", p.priority());
        set(properties, "delivery_mode", p.deliveryMode());
        set(properties, "headers", p.headers());
        set(properties, "content_encoding", p.contentEncoding());
        set(properties, "content_type", p.contentType());
        return properties;
    }

    private static void set(Map<String, @Nullable Object> properties, String name, @Nullable Object value) {
        if (value != null) {
            properties.put(name, value);
        }
    }
}
