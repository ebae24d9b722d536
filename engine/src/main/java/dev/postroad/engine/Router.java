package dev.postroad.engine;

import dev.postroad.engine.routing.Fields;
import dev.postroad.engine.routing.HeaderMatch;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.routing.TopicPattern;
import dev.postroad.engine.routing.TopicTrie;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;

/**
 * Topics and their bindings: which channels a message published to a topic goes to. Durable: it changes by the {@code
 * apply…} methods only.
 *
 * <pre>
 *   publish ─▶ topic ─ matching bindings ─▶ channel, channel, topic ─ … (each topic visited once)
 *                └─ none matched ─▶ alternate topic
 * </pre>
 */
final class Router {
    private static final int MOST_BINDINGS = 1_000_000;
    private static final int MOST_KNOWN = 10_000;
    private static final int MOST_WEIGHT = 1_000_000;
    private static final String HEADER = "header:";

    /** Read by other threads as well. */
    private final Map<String, Topic> topics = new ConcurrentSkipListMap<>();

    private final MessageFields fields;
    private final HeaderFields headers = new HeaderFields();
    private int bindings;

    /** By topic and routing key, where nothing else of a message matters; emptied whenever a topic or binding changes. */
    private final Map<String, Map<String, List<String>>> known = new HashMap<>();

    private int knownRoutes;

    private PolicySet policies = PolicySet.EMPTY;

    /** True if what was found depends on more of the message than its routing key. */
    private boolean looked;

    Router(PayloadFields payloads) {
        this.fields = new MessageFields(payloads);
    }

    @Nullable
    TopicDefinition topic(String name) {
        Topic topic = topics.get(name);
        return topic == null ? null : topic.definition;
    }

    List<TopicDefinition> topics() {
        return topics.values().stream().map(t -> t.definition).toList();
    }

    List<Binding> bindings() {
        List<Binding> all = new ArrayList<>();
        topics.values().forEach(t -> all.addAll(t.bindings.keySet()));
        return all;
    }

    boolean has(Binding binding) {
        Topic topic = topics.get(binding.topic());
        return topic != null && topic.bindings.containsKey(binding);
    }

    boolean hasBindings(String topic) {
        Topic known = topics.get(topic);
        return known != null && !known.bindings.isEmpty();
    }

    /** Checks that a binding could be made. @throws EngineException if its topic is unknown or its pattern is wrong */
    void check(Binding binding) {
        Topic topic = topics.get(binding.topic());
        if (topic == null) {
            throw new EngineException(
                    EngineException.Reason.NOT_FOUND, "there is no topic '" + binding.topic() + "' to bind from");
        }
        if (bindings >= MOST_BINDINGS) {
            throw new EngineException(
                    EngineException.Reason.FULL, "there are " + bindings + " bindings, the most allowed");
        }
        try {
            Matcher.of(topic.definition.routing(), binding);
        } catch (IllegalArgumentException e) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "binding from topic '" + binding.topic() + "' to '" + binding.destination() + "': "
                            + e.getMessage(),
                    e);
        }
    }

    /** The channels a message goes to, each once, in order of the bindings; empty if no binding takes it. */
    Collection<String> route(String topic, List<String> routingKeys, EngineMessage message) {
        Map<String, List<String>> routes = routingKeys.size() == 1 ? known.get(topic) : null;
        List<String> before = routes == null ? null : routes.get(routingKeys.getFirst());
        if (before != null) {
            return before;
        }
        Set<String> channels = new LinkedHashSet<>();
        looked = false;
        route(topic, routingKeys, message, channels, new HashMap<>(), 0);
        List<String> found = List.copyOf(channels);
        if (!looked && routingKeys.size() == 1) {
            if (knownRoutes++ == MOST_KNOWN) {
                forget();
            }
            known.computeIfAbsent(topic, t -> new HashMap<>()).put(routingKeys.getFirst(), found);
        }
        return found;
    }

    private void forget() {
        known.clear();
        knownRoutes = 0;
    }

    /** A topic that is bound behind this many others is not reached: no topology that people draw is as deep. */
    private static final int DEEPEST = 100;

    /** True if the topic, or one behind it, had a place for the message. Each is asked once, and what it said is kept. */
    private boolean route(
            String name,
            List<String> routingKeys,
            EngineMessage message,
            Set<String> channels,
            Map<String, Boolean> asked,
            int depth) {
        Topic topic = topics.get(name);
        Boolean said = asked.putIfAbsent(name, false);
        if (topic == null || said != null || depth >= DEEPEST) {
            return said != null && said;
        }
        Collection<Binding> taken = match(topic, routingKeys, message);
        boolean any = false;
        for (Binding binding : taken) {
            if (binding.toTopic()) {
                any |= route(binding.destination(), routingKeys, message, channels, asked, depth + 1);
            } else {
                channels.add(binding.destination());
                any = true;
            }
        }
        String alternate = topic.alternate;
        any = any || (alternate != null && route(alternate, routingKeys, message, channels, asked, depth + 1));
        asked.put(name, any);
        return any;
    }

    private Collection<Binding> match(Topic topic, List<String> routingKeys, EngineMessage message) {
        TopicDefinition definition = topic.definition;
        switch (definition.routing()) {
            case HEADERS -> {
                looked = true;
                return topic.match("", headers.of(message));
            }
            case RULE -> {
                looked = true;
                return topic.match("", fields.of(message));
            }
            case HASH -> {
                String on = definition.hashOn();
                looked |= on != null;
                return topic.share(on == null ? routingKeys.getFirst() : hashed(on, message));
            }
            default -> {
                // Nothing but the routing key matters.
            }
        }
        if (routingKeys.size() == 1) {
            return topic.match(routingKeys.getFirst(), headers.of(message));
        }
        Set<Binding> taken = new LinkedHashSet<>();
        for (String routingKey : routingKeys) {
            taken.addAll(topic.match(routingKey, headers.of(message)));
        }
        return taken;
    }

    private String hashed(String on, EngineMessage message) {
        Object value = on.startsWith(HEADER)
                ? headers.of(message).get(on.substring(HEADER.length()))
                : fields.of(message).get(on);
        return value == null ? "" : HeaderValues.text(value);
    }

    /** Bindings that lead to this channel or topic. */
    List<Binding> leadingTo(String destination, boolean isTopic) {
        return bindings().stream()
                .filter(b -> b.toTopic() == isTopic && b.destination().equals(destination))
                .toList();
    }

    // ── Apply ────────────────────────────────────────────────────────────────────────────────────────────────────────

    void applyDeclared(TopicDefinition definition) {
        forget();
        Topic topic = new Topic(definition);
        topic.alternate = policies.effective(definition).alternate();
        topics.put(definition.name(), topic);
    }

    /** Policies make of the topics what they do from now on. */
    void applyPolicies(PolicySet newPolicies) {
        forget();
        policies = newPolicies;
        for (Topic topic : topics.values()) {
            topic.alternate = newPolicies.effective(topic.definition).alternate();
        }
    }

    /** A topic goes, with its bindings and those that lead to it. */
    void applyDeleted(String name) {
        forget();
        Topic gone = topics.remove(name);
        if (gone != null) {
            bindings -= gone.bindings.size();
        }
        leadingTo(name, true).forEach(this::applyUnbound);
    }

    /** A queue or stream has gone, and the bindings that lead to it with it. */
    void applyChannelDeleted(String name) {
        leadingTo(name, false).forEach(this::applyUnbound);
    }

    void applyBound(Binding binding) {
        forget();
        Topic topic = topics.get(binding.topic());
        if (topic != null && topic.add(binding)) {
            bindings++;
        }
    }

    void applyUnbound(Binding binding) {
        forget();
        Topic topic = topics.get(binding.topic());
        if (topic != null && topic.remove(binding)) {
            bindings--;
        }
    }

    void write(Snapshot snapshot) {
        Bytes.putVarint(snapshot.room(10), topics.size());
        for (Topic topic : topics.values()) {
            snapshot.write(topic.definition::encode);
        }
        List<Binding> all = bindings();
        Bytes.putVarint(snapshot.room(10), all.size());
        for (Binding binding : all) {
            snapshot.write(binding::encode);
        }
    }

    void read(ByteBuffer in) {
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            applyDeclared(TopicDefinition.decode(in));
        }
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            applyBound(Binding.decode(in));
        }
    }

    /** A topic with its bindings, arranged for its kind of routing. */
    private static final class Topic {
        final TopicDefinition definition;
        final Map<Binding, Matcher> bindings = new LinkedHashMap<>();
        /** Declared, or a policy's. */
        @Nullable
        String alternate;

        private final Map<String, List<Binding>> byKey = new LinkedHashMap<>();
        private final TopicTrie<Binding> trie = new TopicTrie<>();

        Topic(TopicDefinition definition) {
            this.definition = definition;
        }

        boolean add(Binding binding) {
            Matcher matcher = Matcher.of(definition.routing(), binding);
            if (bindings.putIfAbsent(binding, matcher) != null) {
                return false;
            }
            if (definition.routing() == TopicDefinition.Routing.DIRECT) {
                byKey.computeIfAbsent(binding.pattern(), k -> new ArrayList<>()).add(binding);
            } else if (matcher instanceof Matcher.ByPattern byPattern) {
                trie.add(byPattern.pattern(), binding);
            }
            return true;
        }

        boolean remove(Binding binding) {
            Matcher matcher = bindings.remove(binding);
            if (matcher == null) {
                return false;
            }
            List<Binding> sameKey = byKey.get(binding.pattern());
            if (sameKey != null) {
                sameKey.remove(binding);
                if (sameKey.isEmpty()) {
                    byKey.remove(binding.pattern());
                }
            }
            if (matcher instanceof Matcher.ByPattern byPattern) {
                trie.remove(byPattern.pattern(), binding);
            }
            return true;
        }

        List<Binding> match(String routingKey, Fields message) {
            return switch (definition.routing()) {
                case DIRECT -> byKey.getOrDefault(routingKey, List.of());
                case FANOUT -> List.copyOf(bindings.keySet());
                case PATTERN, LEVELS -> trie.match(routingKey);
                case HEADERS, RULE -> {
                    List<Binding> taken = new ArrayList<>();
                    bindings.forEach((binding, matcher) -> {
                        if (matcher.matches(message)) {
                            taken.add(binding);
                        }
                    });
                    yield taken;
                }
                case HASH -> share(routingKey);
            };
        }

        /** The one binding whose share a text falls into: the highest of weighted random numbers that binding and text make. */
        List<Binding> share(String text) {
            long seed = Hash.of(text, 0);
            Binding best = null;
            double highest = 0;
            for (Map.Entry<Binding, Matcher> each : bindings.entrySet()) {
                if (each.getValue() instanceof Matcher.ByWeight(int weight)) {
                    Binding binding = each.getKey();
                    long hash = Hash.of(binding.destination(), binding.toTopic() ? ~seed : seed);
                    double drawn = ((hash >>> 11) + 0.5) * 0x1.0p-53;
                    double score = -weight / StrictMath.log(drawn);
                    if (best == null || score > highest) {
                        best = binding;
                        highest = score;
                    }
                }
            }
            return best == null ? List.of() : List.of(best);
        }
    }

    /** A binding's condition, parsed. */
    private sealed interface Matcher {
        record Always() implements Matcher {}

        record ByPattern(TopicPattern pattern) implements Matcher {}

        record ByHeaders(HeaderMatch match) implements Matcher {}

        record ByRule(Rule rule) implements Matcher {}

        record ByWeight(int weight) implements Matcher {}

        default boolean matches(Fields message) {
            return switch (this) {
                case ByHeaders(HeaderMatch match) -> match.matches(message);
                case ByRule(Rule rule) -> rule.matches(message);
                case Always() -> true;
                case ByPattern(TopicPattern pattern) -> false;
                case ByWeight(int weight) -> false;
            };
        }

        private static int weight(String pattern) {
            if (!pattern.matches("[0-9]{1,7}")
                    || Integer.parseInt(pattern) < 1
                    || Integer.parseInt(pattern) > MOST_WEIGHT) {
                throw new IllegalArgumentException("the weight is '" + pattern
                        + "'; a topic with HASH routing wants a whole number from 1 to " + MOST_WEIGHT);
            }
            return Integer.parseInt(pattern);
        }

        /** @throws IllegalArgumentException if the condition is not understood */
        static Matcher of(TopicDefinition.Routing routing, Binding binding) {
            return switch (routing) {
                case DIRECT, FANOUT -> new Always();
                case PATTERN -> new ByPattern(TopicPattern.words(binding.pattern()));
                case LEVELS -> new ByPattern(TopicPattern.levels(binding.pattern()));
                case RULE -> new ByRule(Rule.parse(binding.pattern()));
                case HASH -> new ByWeight(weight(binding.pattern()));
                case HEADERS -> {
                    Map<String, @Nullable Object> wanted = new LinkedHashMap<>();
                    binding.arguments()
                            .forEach((name, value) -> wanted.put(name, value == NoValue.NONE ? null : value));
                    Object mode = wanted.remove("x-match");
                    yield new ByHeaders(
                            HeaderMatch.of(HeaderMatch.Mode.of(mode == null ? "all" : mode.toString()), wanted));
                }
            };
        }
    }
}
