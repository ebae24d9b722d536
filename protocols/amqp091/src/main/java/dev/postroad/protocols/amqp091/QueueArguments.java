package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Definition;
import dev.postroad.engine.Durability;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.TopicDefinition;
import dev.postroad.protocols.amqp091.codec.ReplyCode;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Queues as they are declared, and the engine's queues and streams.
 *
 * <pre>
 *   x-queue-type              classic, quorum: a queue; stream: a stream of one partition
 *   durable = false           a temporary queue of transient messages
 *   x-message-ttl, x-expires  ttlMillis (0 as 1), expiresMillis
 *   x-max-length(-bytes)      maxMessages, maxBytes, of what waits
 *   x-overflow                drop-head: DROP_OLDEST, or DEAD_LETTER_OLDEST with a dead-letter exchange
 *                             reject-publish: REJECT_PUBLISH; reject-publish-dlx: DEAD_LETTER_NEWEST
 *   x-dead-letter-…           deadLetter; both strategies are carried out as at-least-once
 *   x-max-priority n          n + 1 priorities
 *   x-delivery-limit n        deliveryLimit n + 1, for it counts returns
 *   x-max-age, x-max-length-bytes of a stream: retention
 * </pre>
 *
 * What says how a cluster places a queue, or what of it lies in memory, is checked and kept, and has nothing to say here.
 */
final class QueueArguments {
    private static final String QUEUE_TYPE = "x-queue-type";
    private static final String LETTER_EXCHANGE = "x-dead-letter-exchange";
    private static final String LETTER_KEY = "x-dead-letter-routing-key";
    private static final String STRATEGY = "x-dead-letter-strategy";
    private static final String MAX_LENGTH = "x-max-length";
    private static final String MAX_BYTES = "x-max-length-bytes";
    private static final String MAX_AGE = "x-max-age";
    private static final String TTL = "x-message-ttl";
    private static final String EXPIRES = "x-expires";
    private static final String OVERFLOW = "x-overflow";
    private static final String PRIORITIES = "x-max-priority";
    private static final String SINGLE_ACTIVE = "x-single-active-consumer";
    private static final String DELIVERY_LIMIT = "x-delivery-limit";
    private static final String SEGMENT_BYTES = "x-stream-max-segment-size-bytes";
    private static final String LEADER = "x-queue-leader-locator";
    private static final Set<String> QUEUES = Set.of(
            QUEUE_TYPE,
            LETTER_EXCHANGE,
            LETTER_KEY,
            STRATEGY,
            MAX_LENGTH,
            MAX_BYTES,
            TTL,
            EXPIRES,
            OVERFLOW,
            SINGLE_ACTIVE,
            DELIVERY_LIMIT,
            LEADER);
    private static final Set<String> CLASSIC =
            with(QUEUES, PRIORITIES, "x-queue-mode", "x-queue-version", "x-queue-master-locator");
    private static final Set<String> QUORUM =
            with(QUEUES, "x-quorum-initial-group-size", "x-max-in-memory-length", "x-max-in-memory-bytes");
    private static final Set<String> STREAM =
            Set.of(QUEUE_TYPE, MAX_BYTES, MAX_AGE, SEGMENT_BYTES, LEADER, "x-initial-cluster-size");
    private static final Pattern AGE = Pattern.compile("([0-9]{1,9})([YMDhms])");
    private static final long LONGEST_SEGMENT = 3_000_000_000L;

    private QueueArguments() {}

    private static Set<String> with(Set<String> some, String... more) {
        Set<String> all = new HashSet<>(some);
        all.addAll(List.of(more));
        return all;
    }

    /**
     * A queue as it is declared.
     *
     * @param arguments as received
     */
    record Declared(boolean durable, boolean exclusive, boolean autoDelete, Map<String, @Nullable Object> arguments) {}

    /**
     * A queue's or stream's definition.
     *
     * @param name the queue's, as the client says it
     * @throws AmqpException for an argument that this type of queue does not have, that is wrong, or contradicts another
     */
    static Definition definition(String name, VirtualHost host, Declared declared) {
        Arguments arguments = new Arguments(Arguments.queue(name, host), declared.arguments());
        String type = arguments.word(QUEUE_TYPE, List.of("classic", "quorum", "stream"));
        checkPlacing(arguments);
        if (type == null || type.equals("classic")) {
            arguments.checkNames(CLASSIC, " of queue type rabbit_classic_queue");
            arguments.word("x-queue-mode", List.of("default", "lazy"));
            arguments.number("x-queue-version", 1, 2);
            return queue(name, host, declared, arguments);
        }
        checkLasting(declared, arguments);
        if (type.equals("quorum")) {
            arguments.checkNames(QUORUM, " of queue type rabbit_quorum_queue");
            arguments.number("x-max-in-memory-length", 0, Long.MAX_VALUE);
            arguments.number("x-max-in-memory-bytes", 0, Long.MAX_VALUE);
            return queue(name, host, declared, arguments);
        }
        arguments.checkNames(STREAM, " of queue type rabbit_stream_queue");
        return stream(name, host, declared, arguments);
    }

    /** One broker is the leader of all, and the only member. */
    private static void checkPlacing(Arguments arguments) {
        arguments.word(LEADER, List.of("client-local", "balanced", "random", "least-leaders"));
        arguments.word("x-queue-master-locator", List.of("client-local", "min-masters", "random"));
        for (String size : List.of("x-quorum-initial-group-size", "x-initial-cluster-size")) {
            arguments.number(size, 1, 1);
        }
    }

    private static void checkLasting(Declared declared, Arguments arguments) {
        String wrong = !declared.durable()
                ? "non-durable"
                : declared.autoDelete() ? "auto-delete" : declared.exclusive() ? "exclusive-owner" : null;
        if (wrong != null) {
            throw new AmqpException(
                    ReplyCode.PRECONDITION_FAILED, "invalid property '" + wrong + "' for " + arguments.what());
        }
    }

    private static QueueDefinition queue(String name, VirtualHost host, Declared declared, Arguments arguments) {
        long ttl = arguments.number(TTL, 0, Arguments.MOST_MILLIS);
        long expires = arguments.number(EXPIRES, 1, Arguments.MOST_MILLIS);
        // 0 of a bound is none in the engine; a queue that keeps nothing is not what it is for.
        long maxMessages = Math.max(0, arguments.number(MAX_LENGTH, 1, Long.MAX_VALUE));
        long maxBytes = Math.max(0, arguments.number(MAX_BYTES, 1, Long.MAX_VALUE));
        long priority = arguments.number(PRIORITIES, 0, 255);
        long deliveries = arguments.number(DELIVERY_LIMIT, 0, Integer.MAX_VALUE - 1);
        DeadLetterTarget deadLetter = deadLetter(host, arguments, LETTER_EXCHANGE, LETTER_KEY, STRATEGY);
        boolean bounded = maxMessages > 0 || maxBytes > 0;
        return QueueDefinition.named(host.inEngine(name))
                .withDurability(declared.durable() ? Durability.DURABLE : Durability.TRANSIENT)
                .withTemporary(!declared.durable())
                .withExclusive(declared.exclusive())
                .withAutoDelete(declared.autoDelete())
                .withTtlMillis(ttl < 0 ? 0 : Math.max(1, ttl))
                .withExpiresMillis(Math.max(0, expires))
                .withMaxMessages(maxMessages)
                .withMaxBytes(maxBytes)
                .withBoundsWaiting(bounded)
                .withPriorities(priority < 0 ? 1 : (int) priority + 1)
                .withDeliveryLimit(deliveries < 0 ? 0 : (int) deliveries + 1)
                .withSingleActiveConsumer(arguments.flag(SINGLE_ACTIVE))
                .withDeadLetter(deadLetter)
                .withOverflow(overflow(arguments, bounded, deadLetter != null))
                .withOverflowSaid(arguments.has(OVERFLOW))
                .withAttributes(Arguments.keep(declared.arguments()));
    }

    private static Overflow overflow(Arguments arguments, boolean bounded, boolean deadLetters) {
        boolean quorum = "quorum".equals(arguments.table().get(QUEUE_TYPE));
        String word = arguments.word(
                OVERFLOW,
                quorum
                        ? List.of("drop-head", "reject-publish")
                        : List.of("drop-head", "reject-publish", "reject-publish-dlx"));
        if (!bounded && word == null) {
            // As a queue of any protocol: what a policy that bounds it says holds.
            return Overflow.REJECT_PUBLISH;
        }
        boolean letters = bounded && deadLetters;
        return switch (word) {
            case "reject-publish" -> Overflow.REJECT_PUBLISH;
            case "reject-publish-dlx" -> letters ? Overflow.DEAD_LETTER_NEWEST : Overflow.REJECT_PUBLISH;
            case null, default -> letters ? Overflow.DEAD_LETTER_OLDEST : Overflow.DROP_OLDEST;
        };
    }

    /** Arguments have these names; without an exchange there is no target, and must be no key. */
    static @Nullable DeadLetterTarget deadLetter(
            VirtualHost host, Arguments arguments, String exchangeName, String keyName, String strategyName) {
        String exchange = arguments.text(exchangeName);
        String key = arguments.text(keyName);
        arguments.word(strategyName, List.of("at-most-once", "at-least-once"));
        if (exchange == null) {
            if (key != null) {
                throw arguments.invalid(keyName, "routing_key_but_no_dlx_defined");
            }
            return null;
        }
        if (!exchange.isEmpty()) {
            return new DeadLetterTarget(host.inEngine(exchange), key);
        }
        if (key == null && !host.prefix().isEmpty()) {
            throw arguments.invalid(
                    exchangeName, "to the default exchange of a vhost other than '/', dead letters need a " + keyName);
        }
        return new DeadLetterTarget(null, key == null ? null : host.inEngine(key));
    }

    private static StreamDefinition stream(String name, VirtualHost host, Declared declared, Arguments arguments) {
        arguments.number(SEGMENT_BYTES, 1, LONGEST_SEGMENT);
        long bytes = arguments.number(MAX_BYTES, 1, Long.MAX_VALUE);
        return StreamDefinition.named(host.inEngine(name), 1)
                .withRetentionBytes(Math.max(0, bytes))
                .withRetentionMillis(age(arguments, MAX_AGE))
                .withAttributes(Arguments.keep(declared.arguments()));
    }

    /** {@code 7D} in milliseconds: a year has 365 days, a month 30; 0 if the argument is not there. */
    static long age(Arguments arguments, String name) {
        String text = arguments.text(name);
        if (text == null) {
            return 0;
        }
        Matcher matcher = AGE.matcher(text);
        if (!matcher.matches() || Long.parseLong(matcher.group(1)) == 0) {
            throw arguments.invalid(
                    name, "'" + text + "' is no age; it must be a number and one of Y, M, D, h, m, s: 7D");
        }
        long seconds = switch (matcher.group(2)) {
            case "Y" -> 365L * 24 * 60 * 60;
            case "M" -> 30L * 24 * 60 * 60;
            case "D" -> 24L * 60 * 60;
            case "h" -> 60L * 60;
            case "m" -> 60L;
            default -> 1L;
        };
        return Long.parseLong(matcher.group(1)) * seconds * 1000;
    }

    // ── And back ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** The queue as it was declared, or, if something else made it, as it could have been. */
    static Declared declared(Definition definition, VirtualHost host) {
        return switch (definition) {
            case QueueDefinition queue ->
                new Declared(
                        !queue.temporary(),
                        queue.exclusive(),
                        queue.autoDelete(),
                        orElse(Arguments.kept(queue.attributes()), () -> arguments(queue, host)));
            case StreamDefinition stream ->
                new Declared(true, false, false, orElse(Arguments.kept(stream.attributes()), () -> arguments(stream)));
            case TopicDefinition topic -> throw new IllegalArgumentException("'" + topic.name() + "' is a topic");
        };
    }

    private static Map<String, @Nullable Object> orElse(
            @Nullable Map<String, @Nullable Object> kept,
            java.util.function.Supplier<Map<String, @Nullable Object>> otherwise) {
        return kept != null ? kept : otherwise.get();
    }

    private static Map<String, @Nullable Object> arguments(QueueDefinition queue, VirtualHost host) {
        Map<String, @Nullable Object> arguments = new TreeMap<>();
        number(arguments, TTL, queue.ttlMillis());
        number(arguments, EXPIRES, queue.expiresMillis());
        number(arguments, MAX_LENGTH, queue.maxMessages());
        number(arguments, MAX_BYTES, queue.maxBytes());
        number(arguments, PRIORITIES, queue.priorities() - 1L);
        number(arguments, DELIVERY_LIMIT, Math.max(0, queue.deliveryLimit() - 1L));
        if (queue.singleActiveConsumer()) {
            arguments.put(SINGLE_ACTIVE, true);
        }
        if (queue.maxMessages() > 0 || queue.maxBytes() > 0) {
            arguments.put(
                    OVERFLOW,
                    switch (queue.overflow()) {
                        case REJECT_PUBLISH -> "reject-publish";
                        case DEAD_LETTER_NEWEST -> "reject-publish-dlx";
                        case DROP_OLDEST, DEAD_LETTER_OLDEST -> "drop-head";
                    });
        }
        DeadLetterTarget target = queue.deadLetter();
        if (target != null) {
            String topic = target.topic();
            String key = target.channel();
            arguments.put(LETTER_EXCHANGE, topic == null ? "" : host.local(topic));
            if (key != null) {
                arguments.put(LETTER_KEY, topic == null ? host.local(key) : key);
            }
        }
        return arguments;
    }

    private static Map<String, @Nullable Object> arguments(StreamDefinition stream) {
        Map<String, @Nullable Object> arguments = new TreeMap<>();
        arguments.put(QUEUE_TYPE, "stream");
        number(arguments, MAX_BYTES, stream.retentionBytes());
        if (stream.retentionMillis() > 0) {
            arguments.put(MAX_AGE, Math.max(1, stream.retentionMillis() / 1000) + "s");
        }
        return arguments;
    }

    private static void number(Map<String, @Nullable Object> arguments, String name, long value) {
        if (value > 0) {
            arguments.put(name, value);
        }
    }

    /** In what a queue that is there differs from what is declared, in RabbitMQ's words; null if in nothing. */
    static @Nullable String difference(String name, VirtualHost host, Definition there, Declared received) {
        String what = Arguments.queue(name, host);
        Declared current = declared(there, host);
        String difference = Arguments.difference(what, "durable", received.durable(), current.durable());
        if (difference == null) {
            difference = Arguments.difference(what, "auto_delete", received.autoDelete(), current.autoDelete());
        }
        if (difference == null) {
            difference = Arguments.difference(what, "exclusive", received.exclusive(), current.exclusive());
        }
        return difference != null
                ? difference
                : Arguments.difference(
                        what, withoutDefaults(received.arguments()), withoutDefaults(current.arguments()));
    }

    /** A classic queue is what a queue is that does not say it. */
    private static Map<String, @Nullable Object> withoutDefaults(Map<String, @Nullable Object> arguments) {
        Map<String, @Nullable Object> rest = new TreeMap<>(arguments);
        rest.remove(QUEUE_TYPE, "classic");
        return rest;
    }
}
