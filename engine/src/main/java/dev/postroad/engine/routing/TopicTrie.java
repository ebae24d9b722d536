package dev.postroad.engine.routing;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds whose pattern matches a topic: pairs of {@link TopicPattern} and value, held in one trie for both styles.
 *
 * <pre>
 *   words ──a──▶ ● ──*──▶ ● ──c──▶ ● {v1}          a.*.c = v1
 *                └───#──▶ ● {v2} ──b──▶ ● {v3}     a.# = v2   a.#.b = v3
 *   levels ─a──▶ ● ──#──▶ ● {v2}                   a/# = v2
 * </pre>
 *
 * <p>A topic is read word by word; what is kept is the set of nodes that the words so far can lead to, each at most
 * once, so that a match takes at most the number of words times the number of nodes in steps, however the wildcards lie
 * ({@code #.#.#.#} has one node per {@code #}, not one path per way to divide the topic). Without wildcards the set
 * has one node.
 *
 * <p>Order is part of the contract, because what a broker does must follow from what it was told: matches come in the
 * order in which the pairs were first added, and adding the pairs of {@link #forEach} to an empty trie, in that order,
 * makes a trie that behaves the same for ever.
 *
 * <p>Belongs to one thread, for matching too. Values are told apart by {@code equals}.
 *
 * @param <T> what is bound to patterns
 */
public final class TopicTrie<T> {
    private static final class Node<T> {
        final @Nullable Node<T> parent;
        final String part;
        // The '#' node stays reached by further words.
        final boolean staysReached;

        @Nullable
        Map<String, Node<T>> literal;

        @Nullable
        Node<T> one;

        @Nullable
        Node<T> many;

        @Nullable
        Map<T, Pair<T>> pairs;

        long reachedAt;

        Node(@Nullable Node<T> parent, String part, boolean staysReached) {
            this.parent = parent;
            this.part = part;
            this.staysReached = staysReached;
        }

        boolean isEmpty() {
            return literal == null && one == null && many == null && pairs == null;
        }

        void drop(Node<T> child) {
            if (child == one) {
                one = null;
            } else if (child == many) {
                many = null;
            } else if (literal != null) {
                literal.remove(child.part);
                if (literal.isEmpty()) {
                    literal = null;
                }
            }
        }
    }

    /** A value as often as it is bound, so that one match can mark it as found. */
    private static final class Bound<T> {
        final T value;
        int pairs;
        long foundAt;

        Bound(T value) {
            this.value = value;
        }
    }

    private static final class Pair<T> {
        final TopicPattern pattern;
        final Bound<T> bound;
        final long sequence;
        int references;

        Pair(TopicPattern pattern, Bound<T> bound, long sequence) {
            this.pattern = pattern;
            this.bound = bound;
            this.sequence = sequence;
        }
    }

    private final Node<T> words = new Node<>(null, "", false);
    private final Node<T> levels = new Node<>(null, "", false);
    private final Map<T, Bound<T>> bound = new HashMap<>();
    private final List<Node<T>> reached = new ArrayList<>();
    private final List<Node<T>> next = new ArrayList<>();
    private long nextSequence;
    private int size;
    // Counts the steps of all matches; a node or value marked with the current step has been met in it.
    private long step;
    private long visits;

    /**
     * Adds a pair. Adding one that is there already counts a further reference to it and keeps its place in the order.
     *
     * @return how many references the pair has now
     */
    public int add(TopicPattern pattern, T value) {
        Node<T> node = root(pattern);
        for (String part : pattern.parts()) {
            node = childFor(pattern, node, part);
        }
        if (node.pairs == null) {
            node.pairs = new LinkedHashMap<>();
        }
        Pair<T> pair = node.pairs.get(value);
        if (pair == null) {
            Bound<T> target = bound.computeIfAbsent(value, Bound::new);
            target.pairs++;
            pair = new Pair<>(pattern, target, nextSequence++);
            node.pairs.put(value, pair);
            size++;
        }
        pair.references = Math.addExact(pair.references, 1);
        return pair.references;
    }

    /**
     * Takes one reference to a pair back; the pair is gone with its last.
     *
     * @return how many references the pair has left, or -1 if there was no such pair
     */
    public int remove(TopicPattern pattern, T value) {
        Node<T> node = find(pattern);
        Pair<T> pair = node == null || node.pairs == null ? null : node.pairs.get(value);
        if (node == null || node.pairs == null || pair == null) {
            return -1;
        }
        if (--pair.references > 0) {
            return pair.references;
        }
        node.pairs.remove(value);
        if (node.pairs.isEmpty()) {
            node.pairs = null;
        }
        if (--pair.bound.pairs == 0) {
            bound.remove(value);
        }
        size--;
        prune(node);
        return 0;
    }

    /** Returns how many references a pair has, 0 if there is no such pair. */
    public int references(TopicPattern pattern, T value) {
        Node<T> node = find(pattern);
        Pair<T> pair = node == null || node.pairs == null ? null : node.pairs.get(value);
        return pair == null ? 0 : pair.references;
    }

    /** Returns how many different pairs there are. */
    public int size() {
        return size;
    }

    /**
     * Gives each value that has a pattern matching the topic to the consumer, once, in the order in which the first of
     * its matching pairs was added. The consumer may use this trie, also to change it; this match is not affected.
     *
     * @throws IllegalArgumentException if the topic breaks {@link TopicPattern#checkTopic}
     */
    public void match(String topic, Consumer<? super T> each) {
        match(topic).forEach(each);
    }

    /** Returns what {@link #match(String, Consumer)} gives to its consumer, as a list of the caller's own. */
    public List<T> match(String topic) {
        TopicPattern.checkTopic(topic);
        List<Pair<T>> found = new ArrayList<>();
        collect(words, TopicPattern.Style.WORDS, topic, found);
        collect(levels, TopicPattern.Style.LEVELS, topic, found);
        sort(found);
        step++;
        List<T> values = new ArrayList<>(found.size());
        for (Pair<T> pair : found) {
            if (pair.bound.foundAt != step) {
                pair.bound.foundAt = step;
                values.add(pair.bound.value);
            }
        }
        return values;
    }

    /** Gives every pair to the consumer, once, in the order in which they were first added. */
    public void forEach(BiConsumer<? super TopicPattern, ? super T> each) {
        List<Pair<T>> pairs = new ArrayList<>(size);
        List<Node<T>> open = new ArrayList<>(List.of(words, levels));
        while (!open.isEmpty()) {
            Node<T> node = open.remove(open.size() - 1);
            addPairs(node, pairs);
            if (node.literal != null) {
                open.addAll(node.literal.values());
            }
            addIfPresent(node.one, open);
            addIfPresent(node.many, open);
        }
        sort(pairs);
        pairs.forEach(pair -> each.accept(pair.pattern, pair.bound.value));
    }

    /** How many nodes all matches so far have come to: the cost of matching, whatever the clock says. */
    long visits() {
        return visits;
    }

    private Node<T> root(TopicPattern pattern) {
        return pattern.style() == TopicPattern.Style.WORDS ? words : levels;
    }

    private Node<T> childFor(TopicPattern pattern, Node<T> node, String part) {
        if (pattern.isMany(part)) {
            if (node.many == null) {
                node.many = new Node<>(node, part, true);
            }
            return node.many;
        }
        if (pattern.isOne(part)) {
            if (node.one == null) {
                node.one = new Node<>(node, part, false);
            }
            return node.one;
        }
        if (node.literal == null) {
            node.literal = new HashMap<>(4);
        }
        return node.literal.computeIfAbsent(part, p -> new Node<>(node, p, false));
    }

    private @Nullable Node<T> find(TopicPattern pattern) {
        Node<T> node = root(pattern);
        for (String part : pattern.parts()) {
            Node<T> child = pattern.isMany(part)
                    ? node.many
                    : pattern.isOne(part) ? node.one : node.literal == null ? null : node.literal.get(part);
            if (child == null) {
                return null;
            }
            node = child;
        }
        return node;
    }

    private void prune(Node<T> leaf) {
        Node<T> node = leaf;
        Node<T> parent = node.parent;
        while (parent != null && node.isEmpty()) {
            parent.drop(node);
            node = parent;
            parent = node.parent;
        }
    }

    private void collect(Node<T> root, TopicPattern.Style style, String topic, Collection<Pair<T>> found) {
        if (root.isEmpty()) {
            return;
        }
        boolean wildcards = !style.hides(topic);
        reached.clear();
        step++;
        reach(root, wildcards, reached);
        for (String word : style.split(topic)) {
            step++;
            next.clear();
            for (Node<T> node : reached) {
                if (node.staysReached) {
                    reach(node, true, next);
                }
                reach(node.literal == null ? null : node.literal.get(word), true, next);
                reach(wildcards || node != root ? node.one : null, true, next);
            }
            reached.clear();
            if (next.isEmpty()) {
                return;
            }
            reached.addAll(next);
        }
        for (Node<T> node : reached) {
            addPairs(node, found);
        }
        reached.clear();
        next.clear();
    }

    /** Reaches a node and, as '#' may stand for nothing, the '#' node below it, and so on. */
    private void reach(@Nullable Node<T> start, boolean wildcards, List<Node<T>> into) {
        for (Node<T> node = start; node != null && node.reachedAt != step; node = wildcards ? node.many : null) {
            node.reachedAt = step;
            visits++;
            into.add(node);
        }
    }

    private static <T> void addPairs(Node<T> node, Collection<Pair<T>> into) {
        if (node.pairs != null) {
            into.addAll(node.pairs.values());
        }
    }

    private static <T> void addIfPresent(@Nullable Node<T> node, List<Node<T>> into) {
        if (node != null) {
            into.add(node);
        }
    }

    private static <T> void sort(List<Pair<T>> pairs) {
        pairs.sort(Comparator.comparingLong(pair -> pair.sequence));
    }
}
