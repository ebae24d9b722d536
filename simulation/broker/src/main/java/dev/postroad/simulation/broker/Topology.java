package dev.postroad.simulation.broker;

import dev.postroad.engine.Binding;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.TopicDefinition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Topics and bindings of the model, matched one by one. */
final class Topology {
    /** What a topic hashes that does not hash the routing key. */
    static final String HASHED = "header:colour";

    private final History history;
    private final Policies policies;
    final Map<String, TopicDefinition> topics = new LinkedHashMap<>();
    final List<Binding> bindings = new ArrayList<>();

    Topology(History history, Policies policies) {
        this.history = history;
        this.policies = policies;
    }

    void declare(TopicDefinition topic) {
        topics.put(topic.name(), topic);
        history.changed(() -> topics.remove(topic.name()));
    }

    boolean has(Binding binding) {
        return at(binding) >= 0;
    }

    /** Its place in the list; -1 where there is none. Two of them are as a rule told apart by their names. */
    private int at(Binding binding) {
        for (int i = 0; i < bindings.size(); i++) {
            Binding each = bindings.get(i);
            if (each == binding
                    || (each.topic().equals(binding.topic())
                            && each.destination().equals(binding.destination())
                            && each.equals(binding))) {
                return i;
            }
        }
        return -1;
    }

    boolean hasBindings(String topic) {
        return bindings.stream().anyMatch(b -> b.topic().equals(topic));
    }

    void bind(Binding binding) {
        bindings.add(binding);
        history.changed(() -> bindings.remove(at(binding)));
    }

    private void remove(Binding binding) {
        int at = at(binding);
        bindings.remove(at);
        history.changed(() -> bindings.add(at, binding));
    }

    /** Takes a binding away, in a batch of its own; topics that lived by it follow. */
    void unbind(Binding binding) {
        history.batch();
        remove(binding);
        dropUnbound(List.of(binding));
    }

    /** The bindings that lead to a channel go with it; within its batch. Returns them. */
    List<Binding> channelGone(String channel) {
        List<Binding> gone = bindings.stream()
                .filter(b -> !b.toTopic() && b.destination().equals(channel))
                .toList();
        gone.forEach(this::remove);
        return gone;
    }

    void delete(String name) {
        history.batch();
        TopicDefinition topic = topics.remove(name);
        if (topic != null) {
            history.changed(() -> topics.put(name, topic));
        }
        List<Binding> to = bindings.stream()
                .filter(b -> b.toTopic() && b.destination().equals(name))
                .toList();
        List.copyOf(bindings).stream()
                .filter(b -> b.topic().equals(name) || to.contains(b))
                .forEach(this::remove);
        dropUnbound(to);
    }

    /** The broker starts again. */
    void deleteTemporary() {
        for (TopicDefinition topic : List.copyOf(topics.values())) {
            if (topic.temporary() && topics.containsKey(topic.name())) {
                delete(topic.name());
            }
        }
    }

    /** Topics that are deleted with their last binding. */
    void dropUnbound(List<Binding> gone) {
        for (Binding binding : gone) {
            TopicDefinition topic = topics.get(binding.topic());
            if (topic != null && topic.autoDelete() && !hasBindings(topic.name())) {
                delete(topic.name());
            }
        }
    }

    /** The channels a message goes to. */
    Set<String> route(String topic, String key, EngineMessage message) {
        Set<String> channels = new LinkedHashSet<>();
        route(topic, key, message, channels, new LinkedHashMap<>());
        return channels;
    }

    private boolean route(
            String name, String key, EngineMessage message, Set<String> channels, Map<String, Boolean> asked) {
        TopicDefinition topic = topics.get(name);
        Boolean known = asked.putIfAbsent(name, false);
        if (topic == null || known != null) {
            return known != null && known;
        }
        boolean any = false;
        Binding share =
                topic.routing() == TopicDefinition.Routing.HASH ? share(name, hashed(topic, key, message)) : null;
        for (Binding binding : bindings) {
            if (binding.topic().equals(name)
                    && (topic.routing() == TopicDefinition.Routing.HASH
                            ? binding == share
                            : matches(topic.routing(), binding, key, message))) {
                if (binding.toTopic()) {
                    any |= route(binding.destination(), key, message, channels, asked);
                } else {
                    channels.add(binding.destination());
                    any = true;
                }
            }
        }
        String alternate = policies.alternate(topic);
        any = any || (alternate != null && route(alternate, key, message, channels, asked));
        asked.put(name, any);
        return any;
    }

    private static String hashed(TopicDefinition topic, String key, EngineMessage message) {
        if (topic.hashOn() == null) {
            return key;
        }
        Object colour = message.headers().get("colour");
        return colour == null ? "" : colour.toString();
    }

    /** Whose share something is: of numbers that it and the destination make, spread by weight, the highest wins. */
    private @Nullable Binding share(String topic, String hashed) {
        Binding best = null;
        double highest = 0;
        for (Binding binding : bindings) {
            if (binding.topic().equals(topic)) {
                long seed = hash(hashed, 0);
                long hash = hash(binding.destination(), binding.toTopic() ? ~seed : seed);
                double drawn = ((hash >>> 11) + 0.5) / (1L << 53);
                double score = -Integer.parseInt(binding.pattern()) / StrictMath.log(drawn);
                if (best == null || score > highest) {
                    best = binding;
                    highest = score;
                }
            }
        }
        return best;
    }

    /** Fowler, Noll and Vo's hash of 16 bits at a time, stirred. */
    private static long hash(String text, long seed) {
        long h = 0xCBF29CE484222325L ^ seed;
        for (char c : text.toCharArray()) {
            h = (h ^ c) * 0x100000001B3L;
        }
        h += text.length();
        h = (h ^ (h >>> 30)) * 0xBF58476D1CE4E5B9L;
        h = (h ^ (h >>> 27)) * 0x94D049BB133111EBL;
        h ^= h >>> 31;
        return h == 0 ? 1 : h;
    }

    private static boolean matches(
            TopicDefinition.Routing routing, Binding binding, String key, EngineMessage message) {
        return switch (routing) {
            case DIRECT -> binding.pattern().equals(key);
            case FANOUT -> true;
            case PATTERN -> parts(binding.pattern(), "\\.", "*", parts(key, "\\."));
            case LEVELS ->
                !(key.startsWith("$") && !binding.pattern().startsWith("$"))
                        && parts(binding.pattern(), "/", "+", parts(key, "/"));
            case HEADERS -> headers(binding.arguments(), message.headers());
            case RULE -> rule(binding.pattern(), message);
            case HASH -> throw new IllegalStateException("of these one is chosen, not each by itself");
        };
    }

    /** A word alone is a rule too, about a field that no message has. */
    private static boolean rule(String text, EngineMessage message) {
        for (int i = 0; i < Filter.COUNT; i++) {
            if (Filter.number(i).text().equals(text)) {
                return Filter.number(i).takes(message);
            }
        }
        return false;
    }

    private static List<String> parts(String text, String separator) {
        return text.isEmpty() && separator.equals("\\.") ? List.of() : Arrays.asList(text.split(separator, -1));
    }

    private static boolean parts(String pattern, String separator, String one, List<String> key) {
        return parts(parts(pattern, separator), one, key);
    }

    private static boolean parts(List<String> pattern, String one, List<String> key) {
        if (pattern.isEmpty()) {
            return key.isEmpty();
        }
        String first = pattern.getFirst();
        List<String> rest = pattern.subList(1, pattern.size());
        if (first.equals("#")) {
            return parts(rest, one, key) || (!key.isEmpty() && parts(pattern, one, key.subList(1, key.size())));
        }
        return !key.isEmpty()
                && (first.equals(one) || first.equals(key.getFirst()))
                && parts(rest, one, key.subList(1, key.size()));
    }

    private static boolean headers(Map<String, Object> wanted, Map<String, Object> headers) {
        boolean all = String.valueOf(wanted.getOrDefault("x-match", "all")).startsWith("all");
        boolean any = false;
        boolean every = true;
        for (Map.Entry<String, Object> each : wanted.entrySet()) {
            if (!each.getKey().startsWith("x-")) {
                @Nullable Object value = headers.get(each.getKey());
                boolean equal = Objects.equals(value, each.getValue());
                any |= equal;
                every &= equal;
            }
        }
        return all ? every : any;
    }
}
