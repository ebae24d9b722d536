package dev.postroad.protocols.amqp091;

import dev.postroad.engine.Policy;
import dev.postroad.engine.Policy.AppliesTo;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Policies as RabbitMQ's tools say them, and the engine's. The keys mean what the arguments of their names do, and are checked
 * alike; one that is not known is refused by its name.
 *
 * <pre>
 *   message-ttl, expires, max-length(-bytes), max-age, delivery-limit      the smaller of it and of what is declared holds
 *   overflow, dead-letter-exchange, -routing-key, alternate-exchange       what is declared holds
 *   queue-mode, queue-version, …-locator, max-in-memory-…, dead-letter-strategy, stream-max-segment-size-bytes
 *                                                                          checked and kept
 *   apply-to   queues: queues and streams · streams · exchanges · all
 * </pre>
 */
public final class Policies {
    private static final String TTL = "message-ttl";
    private static final String EXPIRES = "expires";
    private static final String MAX_LENGTH = "max-length";
    private static final String MAX_BYTES = "max-length-bytes";
    private static final String OVERFLOW = "overflow";
    private static final String LETTER_EXCHANGE = "dead-letter-exchange";
    private static final String LETTER_KEY = "dead-letter-routing-key";
    private static final String STRATEGY = "dead-letter-strategy";
    private static final String DELIVERY_LIMIT = "delivery-limit";
    private static final String MAX_AGE = "max-age";
    private static final String ALTERNATE = "alternate-exchange";
    private static final String SEGMENT_BYTES = "stream-max-segment-size-bytes";
    private static final Set<String> KNOWN = Set.of(
            TTL,
            EXPIRES,
            MAX_LENGTH,
            MAX_BYTES,
            OVERFLOW,
            LETTER_EXCHANGE,
            LETTER_KEY,
            STRATEGY,
            DELIVERY_LIMIT,
            MAX_AGE,
            ALTERNATE,
            SEGMENT_BYTES,
            "queue-mode",
            "queue-version",
            "queue-leader-locator",
            "queue-master-locator",
            "max-in-memory-length",
            "max-in-memory-bytes");
    private static final Set<String> BOUNDS = Set.of(TTL, EXPIRES, MAX_LENGTH, MAX_BYTES, DELIVERY_LIMIT);

    private Policies() {}

    /**
     * A policy, or an operator policy.
     *
     * @param applyTo {@code queues}, {@code streams}, {@code exchanges} or {@code all}
     * @param definition keys and values as received, whole numbers as {@code Long}
     */
    public record Declared(
            String vhost,
            String name,
            boolean operator,
            String pattern,
            String applyTo,
            int priority,
            Map<String, @Nullable Object> definition) {}

    /** The engine's name for a policy of a virtual host. @throws IllegalArgumentException if it may not have that name */
    public static String inEngine(String vhost, String name) {
        return Declarations.inEngine(vhost, name);
    }

    /**
     * The engine's policy.
     *
     * @throws IllegalArgumentException for a key that is not known, or a value that is wrong
     * @throws dev.postroad.engine.EngineException {@code INVALID} for a pattern that is none, or a key that can't apply
     */
    public static Policy toPolicy(Declared declared) {
        try {
            return policy(declared);
        } catch (AmqpException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static Policy policy(Declared declared) {
        VirtualHost host = VirtualHost.named(declared.vhost());
        String what = (declared.operator() ? "operator policy '" : "policy '") + declared.name() + "' in vhost '"
                + host.name() + "'";
        Arguments keys = new Arguments(what, declared.definition());
        keys.checkNames(declared.operator() ? BOUNDS : KNOWN, "");
        checkKept(keys);
        long ttl = keys.number(TTL, 0, Arguments.MOST_MILLIS);
        long deliveries = keys.number(DELIVERY_LIMIT, 0, Integer.MAX_VALUE - 1);
        String alternate = keys.text(ALTERNATE);
        long maxMessages = Math.max(0, keys.number(MAX_LENGTH, 1, Long.MAX_VALUE));
        long maxBytes = Math.max(0, keys.number(MAX_BYTES, 1, Long.MAX_VALUE));
        AppliesTo appliesTo = appliesTo(what, declared.applyTo());
        boolean bounds = maxMessages > 0 || (maxBytes > 0 && appliesTo != AppliesTo.STREAMS);
        return new Policy(
                host.inEngine(declared.name()),
                declared.operator(),
                host.scope(),
                declared.pattern(),
                appliesTo,
                declared.priority(),
                new Policy.Settings(
                        ttl < 0 ? 0 : Math.max(1, ttl),
                        Math.max(0, keys.number(EXPIRES, 1, Arguments.MOST_MILLIS)),
                        maxMessages,
                        maxBytes,
                        overflow(keys, bounds),
                        QueueArguments.deadLetter(host, keys, LETTER_EXCHANGE, LETTER_KEY, STRATEGY),
                        deliveries < 0 ? 0 : (int) deliveries + 1,
                        QueueArguments.age(keys, MAX_AGE),
                        alternate == null ? null : host.inEngine(alternate),
                        Arguments.keep(declared.definition())));
    }

    private static void checkKept(Arguments keys) {
        keys.word("queue-mode", List.of("default", "lazy"));
        keys.number("queue-version", 1, 2);
        keys.word("queue-leader-locator", List.of("client-local", "balanced", "random", "least-leaders"));
        keys.word("queue-master-locator", List.of("client-local", "min-masters", "random"));
        keys.number("max-in-memory-length", 0, Long.MAX_VALUE);
        keys.number("max-in-memory-bytes", 0, Long.MAX_VALUE);
        keys.number(SEGMENT_BYTES, 1, 3_000_000_000L);
    }

    /** The head of a queue is dead-lettered where there is a target, and dropped where there is none: by default too. */
    private static @Nullable Overflow overflow(Arguments keys, boolean bounds) {
        String word = keys.word(OVERFLOW, List.of("drop-head", "reject-publish", "reject-publish-dlx"));
        return switch (word) {
            case "drop-head" -> Overflow.DEAD_LETTER_OLDEST;
            case "reject-publish" -> Overflow.REJECT_PUBLISH;
            case "reject-publish-dlx" -> Overflow.DEAD_LETTER_NEWEST;
            case null, default -> bounds ? Overflow.DEAD_LETTER_OLDEST : null;
        };
    }

    private static AppliesTo appliesTo(String what, String word) {
        return switch (word) {
            case "queues" -> AppliesTo.CHANNELS;
            case "streams" -> AppliesTo.STREAMS;
            case "exchanges" -> AppliesTo.TOPICS;
            case "all" -> AppliesTo.ALL;
            default ->
                throw new IllegalArgumentException(
                        what + ": apply-to is '" + word + "'; it must be queues, streams, exchanges or all");
        };
    }

    // ── And back ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** The policy as it was declared, or, if something else made it, as it could have been. */
    public static Declared of(Policy policy) {
        VirtualHost host = VirtualHost.of(policy.name());
        Map<String, @Nullable Object> kept = Arguments.kept(policy.settings().attributes());
        return new Declared(
                host.name(),
                host.local(policy.name()),
                policy.operator(),
                policy.pattern(),
                switch (policy.appliesTo()) {
                    case CHANNELS -> "queues";
                    case STREAMS -> "streams";
                    case TOPICS -> "exchanges";
                    case ALL -> "all";
                },
                policy.priority(),
                kept != null ? kept : definition(policy.settings(), host));
    }

    private static Map<String, @Nullable Object> definition(Policy.Settings settings, VirtualHost host) {
        Map<String, @Nullable Object> keys = new TreeMap<>();
        number(keys, TTL, settings.ttlMillis());
        number(keys, EXPIRES, settings.expiresMillis());
        number(keys, MAX_LENGTH, settings.maxMessages());
        number(keys, MAX_BYTES, settings.maxBytes());
        number(keys, DELIVERY_LIMIT, Math.max(0, settings.deliveryLimit() - 1L));
        Overflow overflow = settings.overflow();
        if (overflow != null) {
            keys.put(
                    OVERFLOW,
                    switch (overflow) {
                        case REJECT_PUBLISH -> "reject-publish";
                        case DEAD_LETTER_NEWEST -> "reject-publish-dlx";
                        case DROP_OLDEST, DEAD_LETTER_OLDEST -> "drop-head";
                    });
        }
        DeadLetterTarget target = settings.deadLetter();
        if (target != null) {
            String topic = target.topic();
            String key = target.channel();
            keys.put(LETTER_EXCHANGE, topic == null ? "" : host.local(topic));
            if (key != null) {
                keys.put(LETTER_KEY, topic == null ? host.local(key) : key);
            }
        }
        if (settings.maxAgeMillis() > 0) {
            keys.put(MAX_AGE, Math.max(1, settings.maxAgeMillis() / 1000) + "s");
        }
        String alternate = settings.alternate();
        if (alternate != null) {
            keys.put(ALTERNATE, host.local(alternate));
        }
        return keys;
    }

    private static void number(Map<String, @Nullable Object> keys, String name, long value) {
        if (value > 0) {
            keys.put(name, value);
        }
    }

    /** What a policy and an operator policy say together: of bounds the smaller. */
    public static Map<String, @Nullable Object> together(@Nullable Policy policy, @Nullable Policy operators) {
        Map<String, @Nullable Object> keys = new LinkedHashMap<>();
        if (policy != null) {
            keys.putAll(of(policy).definition());
        }
        if (operators != null) {
            of(operators).definition().forEach((name, bound) -> {
                Object said = keys.get(name);
                boolean wider = !(said instanceof Number own && bound instanceof Number most)
                        || own.longValue() > most.longValue();
                if (wider) {
                    keys.put(name, bound);
                }
            });
        }
        return keys;
    }
}
