package dev.postroad.simulation.broker;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Policy;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.QueueDefinition.DeadLetterTarget;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.StreamDefinition;
import dev.postroad.engine.TopicDefinition;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Draws definitions and messages. */
final class Draws {
    private static final TopicDefinition.Routing[] ALL_ROUTINGS = TopicDefinition.Routing.values();

    /** All but the share by hash. */
    private static final TopicDefinition.Routing[] ROUTINGS = Arrays.stream(TopicDefinition.Routing.values())
            .filter(routing -> routing != TopicDefinition.Routing.HASH)
            .toArray(TopicDefinition.Routing[]::new);

    private static final String[] COLOURS = {"red", "green", "blue"};
    private static final String[] WORDS = {
        "a", "b", "a.b", "a.b.c", "b.c", "a/b", "a/b/c", "", "b", "a..b", "$a/b", "/a"
    };
    private static final String[] PATTERNS = {"a", "#", "a.*", "a.#", "*.b", "#.c", "*", "a.*.c", "*.#.b", "b"};
    private static final String[] LEVELS = {"a", "#", "a/+", "a/#", "+/b", "+", "a/+/c", "b", "+/+", "/+"};

    /** What all of a run's queues have in common, so that not everything meets everything. */
    final boolean ttls;

    final boolean bounds;
    final boolean big;
    final Scenario scenario;
    /** True while nothing may be too large at once. */
    boolean small;

    private final int firstRouting;
    private long tags;
    private int ids;

    Draws(Scenario scenario, Dice dice) {
        this.scenario = scenario;
        ttls = scenario == Scenario.TIMER || (scenario != Scenario.KEYED && dice.chance(1, 3));
        bounds = !ttls && dice.chance(1, 2);
        big = dice.chance(1, 4);
        firstRouting = scenario.large() ? dice.below(ALL_ROUTINGS.length) : 0;
    }

    static String name(Dice dice, String kind, int count) {
        return kind + dice.below(count);
    }

    private static Durability durability(Dice dice) {
        return dice.chance(3, 4) ? Durability.DURABLE : dice.chance(2, 3) ? Durability.BUFFERED : Durability.TRANSIENT;
    }

    private @Nullable DeadLetterTarget deadLetter(String name, Dice dice) {
        boolean dead = name.startsWith("dead");
        if (ttls) {
            // When they come is not known: they must not come round.
            return dead || dice.chance(1, 4) ? null : DeadLetterTarget.channel("dead" + dice.below(2));
        }
        // None goes round: what would is dropped, by rules that the model does not know.
        return switch (dice.below(10)) {
            case 0, 1 -> null;
            case 2 -> DeadLetterTarget.channel("dead1");
            case 3 ->
                scenario.everything() && !ttls ? DeadLetterTarget.channel("s0") : DeadLetterTarget.channel("dead0");
            case 4 ->
                scenario.everything() && !ttls
                        ? new DeadLetterTarget("t0", dice.chance(1, 2) ? null : "a")
                        : DeadLetterTarget.channel("dead1");
            case 5 -> DeadLetterTarget.channel("nowhere");
            default -> DeadLetterTarget.channel(dead ? "dead1" : "dead0");
        };
    }

    /** A queue's definition; queues whose names begin with b are bounded where bounds are drawn. */
    QueueDefinition queue(String name, Dice dice) {
        boolean dead = name.startsWith("dead");
        boolean keyed = scenario == Scenario.KEYED ? !dead : dice.chance(1, 3) && scenario != Scenario.QUEUE;
        QueueDefinition definition = QueueDefinition.named(name)
                .withDurability(dead ? Durability.DURABLE : durability(dice))
                .withKeyOrdered(keyed)
                .withPriorities(keyed || dice.chance(3, 4) ? 1 : dice.choose(2, 3, 255))
                .withDeliveryLimit(dice.choose(0, 0, 1, 2, 3))
                .withLeaseMillis(dice.choose(0L, 0L, 500L, 5_000L))
                .withTtlMillis(ttls && !dead && dice.chance(1, 3) ? dice.choose(300L, 3_000L, 30_000L) : 0)
                .withDedupMillis(dice.chance(1, 3) ? dice.choose(1_000L, 20_000L, 1_000_000L) : 0)
                .withDeadLetter(dead && dice.chance(1, 2) ? null : deadLetter(name, dice));
        if (dead) {
            return definition.withDeadLetter(name.equals("dead1") ? null : definition.deadLetter());
        }
        if (dice.chance(1, 8)) {
            definition = definition.withAutoDelete(true);
        }
        if (scenario.wide() && dice.chance(1, 3)) {
            definition = definition.withSingleActiveConsumer(true);
        }
        if (dice.chance(1, 10)) {
            definition = definition.withExclusive(true);
        }
        if (definition.deadLetter() == null && dice.chance(1, scenario == Scenario.TIMER ? 2 : 4)) {
            definition = definition.withExpiresMillis(dice.choose(1_000L, 10_000L));
        }
        if (name.startsWith("w")) {
            definition = definition
                    .withDeadLetter(dice.chance(2, 3) ? DeadLetterTarget.channel("dead2") : null)
                    .withMaxBytes(dice.choose(600L, 4_000L, 20_000L))
                    .withMaxMessages(dice.chance(1, 4) ? dice.between(2, 8) : 0)
                    .withBoundsWaiting(dice.chance(1, 4));
            Overflow overflow = dice.choose(Overflow.REJECT_PUBLISH, Overflow.DROP_OLDEST, Overflow.DEAD_LETTER_OLDEST);
            return definition
                    .withOverflow(
                            overflow == Overflow.DEAD_LETTER_OLDEST && definition.deadLetter() == null
                                    ? Overflow.DROP_OLDEST
                                    : overflow)
                    .withOverflowSaid(dice.chance(1, 2));
        }
        if (bounds && name.startsWith("b")) {
            Overflow overflow = dice.choose(Overflow.REJECT_PUBLISH, Overflow.DROP_OLDEST, Overflow.DEAD_LETTER_OLDEST);
            definition = definition
                    .withMaxMessages(dice.between(1, 8))
                    .withOverflow(
                            overflow == Overflow.DEAD_LETTER_OLDEST && definition.deadLetter() == null
                                    ? Overflow.DROP_OLDEST
                                    : overflow);
        }
        return scenario == Scenario.RARE ? rare(definition, dice) : definition;
    }

    private static QueueDefinition rare(QueueDefinition definition, Dice dice) {
        QueueDefinition rare =
                definition.withAttributes(definition.name().endsWith("1") ? "of " + definition.name() : null);
        if (dice.chance(1, 8) && !definition.exclusive()) {
            rare = rare.withTemporary(true);
        }
        if (definition.dedupMillis() > 0 && dice.chance(1, 2)) {
            rare = rare.withDedupLimit(dice.between(1, 6));
        }
        return definition.maxMessages() > 0 && definition.deadLetter() != null && dice.chance(1, 2)
                ? rare.withOverflow(Overflow.DEAD_LETTER_NEWEST)
                : rare;
    }

    QueueDefinition group(String name, Dice dice) {
        return QueueDefinition.named(name)
                .withDurability(durability(dice))
                .withKeyOrdered(dice.chance(1, 3))
                .withDeliveryLimit(dice.choose(0, 1, 3))
                .withLeaseMillis(dice.choose(0L, 1_000L))
                .withTtlMillis(ttls && dice.chance(1, 4) ? 3_000L : 0)
                .withDeadLetter(dice.chance(1, 2) ? DeadLetterTarget.channel("dead0") : null);
    }

    StreamDefinition stream(String name, Dice dice) {
        StreamDefinition definition = StreamDefinition.named(name, dice.between(1, 4))
                .withDurability(durability(dice))
                .withCompacted(dice.chance(1, 4))
                .withTombstoneMillis(dice.choose(0L, 2_000L, 1_000_000L))
                .withDedupMillis(dice.chance(1, 3) ? dice.choose(1_000L, 1_000_000L) : 0);
        if (scenario == Scenario.RARE && definition.dedupMillis() == 1_000) {
            definition = definition.withDedupLimit(2 * definition.partitions());
        }
        if (dice.chance(1, 3)) {
            definition = definition.withRetentionMillis(dice.choose(1_000L, 20_000L));
        }
        return dice.chance(1, 4) ? definition.withRetentionBytes(dice.choose(1L, 500L, 5_000L)) : definition;
    }

    /** A policy for queues and streams; one for the queues with bounds in bytes says nothing else. */
    Policy policy(String name, boolean operator, Dice dice) {
        boolean heavy = dice.chance(1, 4);
        boolean bound = bounds && dice.chance(1, 2);
        Policy.Settings settings = heavy
                ? new Policy.Settings(
                        0,
                        0,
                        dice.chance(1, 3) ? dice.between(1, 6) : 0,
                        dice.choose(500L, 2_000L, 10_000L),
                        dice.chance(1, 2) ? dice.choose(Overflow.REJECT_PUBLISH, Overflow.DROP_OLDEST) : null,
                        null,
                        0,
                        0,
                        null,
                        null)
                : new Policy.Settings(
                        ttls && dice.chance(1, 3) ? dice.choose(300L, 3_000L) : 0,
                        !ttls && dice.chance(1, 8) ? dice.choose(5_000L, 60_000L) : 0,
                        bound ? dice.between(1, 10) : 0,
                        0,
                        bound && dice.chance(1, 2)
                                ? dice.choose(
                                        Overflow.REJECT_PUBLISH, Overflow.DROP_OLDEST, Overflow.DEAD_LETTER_OLDEST)
                                : null,
                        !operator && !ttls && dice.chance(1, 3)
                                ? DeadLetterTarget.channel("dead" + dice.below(2))
                                : null,
                        dice.chance(1, 2) ? dice.between(1, 3) : 0,
                        dice.chance(1, 3) ? dice.choose(1_000L, 20_000L) : 0,
                        null,
                        "said");
        return new Policy(
                name,
                operator,
                Policy.Scope.ALL,
                heavy ? Policies.HEAVY.pattern() : dice.choose(Policies.NAMES).pattern(),
                settings.maxAgeMillis() > 0 || dice.chance(1, 2) ? Policy.AppliesTo.ALL : Policy.AppliesTo.CHANNELS,
                dice.below(3),
                settings);
    }

    /** The same policy for some of the names, or some of the kinds. */
    Policy scoped(Policy policy, Dice dice) {
        if (!policy.operator() && dice.chance(1, 5)) {
            return new Policy(
                    policy.name(),
                    false,
                    Policy.Scope.ALL,
                    Policies.TOPICS.pattern(),
                    dice.choose(Policy.AppliesTo.TOPICS, Policy.AppliesTo.ALL),
                    policy.priority(),
                    new Policy.Settings(0, 0, 0, 0, null, null, 0, 0, name(dice, "t", 3), null));
        }
        boolean heavy = Policies.HEAVY.pattern().equals(policy.pattern());
        Policy.Scope scope = heavy
                ? policy.scope()
                : dice.choose(
                        policy.scope(),
                        new Policy.Scope("q", null),
                        new Policy.Scope("", "q1"),
                        new Policy.Scope("s", "s0"));
        boolean streams = !heavy && dice.chance(1, 4);
        return new Policy(
                policy.name(),
                policy.operator(),
                scope,
                scope.within().isEmpty() ? policy.pattern() : Policies.SHORT.pattern(),
                streams ? Policy.AppliesTo.STREAMS : policy.appliesTo(),
                policy.priority(),
                streams
                        ? new Policy.Settings(0, 0, 0, 0, null, null, 0, dice.choose(1_000L, 20_000L), null, null)
                        : policy.settings());
    }

    TopicDefinition topic(String name, @Nullable String alternate, Dice dice) {
        TopicDefinition definition = TopicDefinition.named(name, routing(name, dice))
                .withAlternate(alternate)
                .withAutoDelete(dice.chance(1, 6));
        return scenario == Scenario.RARE ? rare(definition, dice) : definition;
    }

    private static TopicDefinition rare(TopicDefinition definition, Dice dice) {
        boolean hash = definition.routing() == TopicDefinition.Routing.HASH;
        return definition
                .withAttributes(definition.name().endsWith("1") ? "of " + definition.name() : null)
                .withTemporary(dice.chance(1, 6))
                .withInternal(dice.chance(1, 8))
                .withHashOn(hash && dice.chance(1, 2) ? Topology.HASHED : null);
    }

    private TopicDefinition.Routing routing(String name, Dice dice) {
        if (scenario.large()) {
            // A name keeps its routing: within a long turn it may go and come back, and bindings fit all the same.
            return ALL_ROUTINGS[(firstRouting + name.charAt(1)) % ALL_ROUTINGS.length];
        }
        return dice.choose(scenario.wide() ? ALL_ROUTINGS : ROUTINGS);
    }

    Binding binding(TopicDefinition from, String destination, boolean toTopic, Dice dice) {
        String pattern = switch (from.routing()) {
            case DIRECT -> dice.choose(WORDS);
            case FANOUT, HEADERS -> "";
            case HASH -> dice.choose("1", "1", "2", "1000000");
            case PATTERN -> dice.choose(PATTERNS);
            case LEVELS -> dice.choose(LEVELS);
            case RULE -> Filter.number(dice.below(Filter.COUNT)).text();
        };
        Map<String, Object> arguments = new LinkedHashMap<>();
        if (from.routing() == TopicDefinition.Routing.HEADERS) {
            arguments.put("x-match", dice.choose("all", "any"));
            arguments.put("colour", dice.choose(COLOURS));
            if (dice.chance(1, 2)) {
                arguments.put("n", (long) dice.below(4));
            }
        }
        return new Binding(from.name(), destination, toTopic, pattern, arguments);
    }

    String routingKey(Dice dice) {
        return dice.choose(WORDS);
    }

    /** An id that is new or, now and then, was used before. */
    String id(Dice dice) {
        return "id" + (dice.chance(1, 3) && ids > 0 ? dice.between(Math.max(0, ids - 6), ids - 1) : ids++);
    }

    String anyId(Dice dice) {
        return "id" + dice.between(Math.max(0, ids - 6), ids);
    }

    EngineMessage message(long now, boolean delays, boolean tombstones, Dice dice) {
        return message(now, delays, tombstones, 0, dice);
    }

    /** @param wanted size of the payload; 0 draws it */
    EngineMessage message(long now, boolean delays, boolean tombstones, int wanted, Dice dice) {
        boolean keyed = dice.chance(2, 3);
        byte[] key = keyed ? ("k" + dice.below(4)).getBytes(StandardCharsets.UTF_8) : null;
        Map<String, Object> headers = Map.of();
        if (dice.chance(1, 2)) {
            headers = new HashMap<>();
            if (dice.chance(2, 3)) {
                headers.put("colour", dice.choose(COLOURS));
            }
            if (dice.chance(2, 3)) {
                headers.put("n", (long) dice.below(9));
            }
            if (dice.chance(1, 8)) {
                headers.put("häder", dice.choose("", "ü\u0000", 1.5, true, new byte[] {1, 0, (byte) dice.below(256)}));
            }
        }
        int size = wanted > 0
                ? wanted
                : big && dice.chance(1, 6)
                        ? dice.between(1_000, small ? 1_000 : 12_000)
                        : dice.chance(1, 20) ? 0 : dice.between(1, 120);
        byte[] payload = new byte[size];
        long bits = dice.next();
        for (int i = 0; i < size; i++) {
            payload[i] = (byte) (bits >>> (i & 31));
        }
        EngineMessage.Properties properties = dice.chance(1, 6)
                ? new EngineMessage.Properties("type", dice.chance(1, 2) ? "source" : null, null, "reply", null, "1")
                : EngineMessage.Properties.NONE;
        return new EngineMessage(
                null,
                key,
                tombstones && keyed && dice.chance(1, 4) ? null : payload,
                headers,
                properties,
                ++tags,
                dice.chance(1, 4) ? dice.choose(1, 2, 3, 255) : 0,
                ttls && dice.chance(1, 5) ? dice.choose(1L, 500L, 5_000L, 100_000L) : 0,
                delays && dice.chance(1, 4) ? now + dice.choose(-5L, 1L, 700L, 5_000L, 50_000L) : 0);
    }
}
