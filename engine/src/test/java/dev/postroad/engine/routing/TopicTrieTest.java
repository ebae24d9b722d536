package dev.postroad.engine.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TopicTrieTest {
    private final TopicTrie<String> trie = new TopicTrie<>();

    @Test
    void givesAValueOnceHoweverManyOfItsPatternsMatch() {
        trie.add(TopicPattern.words("#"), "all");
        trie.add(TopicPattern.words("#.#.#"), "all");
        trie.add(TopicPattern.words("orders.*"), "all");
        trie.add(TopicPattern.levels("#"), "all");
        assertThat(trie.match("orders.created")).containsExactly("all");
    }

    @Test
    void givesValuesInTheOrderInWhichTheirMatchingPairsWereAdded() {
        trie.add(TopicPattern.words("z.z"), "late");
        trie.add(TopicPattern.words("#"), "one");
        trie.add(TopicPattern.words("a.b"), "two");
        trie.add(TopicPattern.levels("+"), "three");
        trie.add(TopicPattern.words("*.b"), "late");
        trie.add(TopicPattern.words("a.b"), "one");
        assertThat(trie.match("a.b")).containsExactly("one", "two", "three", "late");
        trie.remove(TopicPattern.words("#"), "one");
        assertThat(trie.match("a.b")).containsExactly("two", "three", "late", "one");
    }

    @Test
    void countsReferencesToAPair() {
        TopicPattern pattern = TopicPattern.words("a.*");
        assertThat(trie.add(pattern, "x")).isEqualTo(1);
        assertThat(trie.add(TopicPattern.words("a.*"), "x")).isEqualTo(2);
        assertThat(trie.add(pattern, "y")).isEqualTo(1);
        assertThat(trie.size()).isEqualTo(2);
        assertThat(trie.remove(pattern, "x")).isEqualTo(1);
        assertThat(trie.match("a.b")).containsExactly("x", "y");
        assertThat(trie.references(pattern, "x")).isEqualTo(1);
        assertThat(trie.remove(pattern, "x")).isZero();
        assertThat(trie.remove(pattern, "x")).isEqualTo(-1);
        assertThat(trie.remove(TopicPattern.levels("a.*"), "y")).isEqualTo(-1);
        assertThat(trie.match("a.b")).containsExactly("y");
        assertThat(trie.size()).isEqualTo(1);
    }

    @Test
    void theConsumerMayUseAndChangeTheTrie() {
        trie.add(TopicPattern.words("a"), "x");
        trie.add(TopicPattern.words("#"), "y");
        List<String> seen = new ArrayList<>();
        trie.match("a", value -> {
            seen.add(value);
            trie.remove(TopicPattern.words("#"), "y");
            trie.add(TopicPattern.words("*"), value + value);
            seen.addAll(trie.match("a"));
        });
        assertThat(seen).containsExactly("x", "x", "xx", "y", "x", "xx", "yy");
    }

    @Test
    void manyWildcardsCostWordsTimesPartsAndNotTheirProductOfWays() {
        for (int parts : new int[] {4, 16, 64}) {
            TopicTrie<String> deep = new TopicTrie<>();
            deep.add(TopicPattern.words("#.".repeat(parts - 1) + "nowhere"), "x");
            deep.add(TopicPattern.words("#.a.".repeat(parts / 2 - 1) + "#.nowhere"), "y");
            deep.add(TopicPattern.words("*.#.".repeat(parts / 2 - 1) + "#.nowhere"), "z");
            String topic = "a" + ".a".repeat(199);
            assertThat(deep.match(topic)).isEmpty();
            assertThat(deep.visits()).isLessThanOrEqualTo(201L * 3 * (parts + 1));
        }
    }

    @Test
    void literalPatternsDoNotSlowEachOtherDown() {
        for (int i = 0; i < 100_000; i++) {
            trie.add(TopicPattern.levels("plant/" + i + "/temperature"), "sensor-" + i);
        }
        assertThat(trie.match("plant/77777/temperature")).containsExactly("sensor-77777");
        assertThat(trie.visits()).isEqualTo(4);
    }

    @Test
    void addingItsPairsAgainMakesATrieThatBehavesTheSame() {
        Random random = Seeds.random("trie restored");
        for (int round = 0; round < 2_000; round++) {
            TopicTrie<Integer> original = new TopicTrie<>();
            for (int i = 0; i < 30; i++) {
                TopicPattern pattern = randomPattern(random);
                int value = random.nextInt(4);
                if (random.nextInt(3) == 0) {
                    original.remove(pattern, value);
                } else {
                    original.add(pattern, value);
                }
            }
            TopicTrie<Integer> restored = new TopicTrie<>();
            original.forEach((pattern, value) -> {
                for (int i = original.references(pattern, value); i > 0; i--) {
                    restored.add(pattern, value);
                }
            });
            assertThat(restored.size()).isEqualTo(original.size());
            for (int i = 0; i < 20; i++) {
                String topic = randomTopic(random);
                assertThat(restored.match(topic)).isEqualTo(original.match(topic));
            }
        }
    }

    /** What the trie and the single pattern say, against the definition of the wildcards, on millions of cases. */
    @Test
    void agreesWithTheDefinitionOfTheWildcards() {
        Random random = Seeds.random("trie against definition");
        for (int round = 0; round < 30_000; round++) {
            TopicTrie<Integer> tested = new TopicTrie<>();
            Map<List<Object>, Integer> model = new LinkedHashMap<>();
            for (int i = random.nextInt(16); i >= 0; i--) {
                TopicPattern pattern = randomPattern(random);
                int value = random.nextInt(5);
                List<Object> pair = List.of(pattern, value);
                if (random.nextInt(4) > 0) {
                    assertThat(tested.add(pattern, value)).isEqualTo(model.merge(pair, 1, Integer::sum));
                } else {
                    int left = model.getOrDefault(pair, 0) - 1;
                    assertThat(tested.remove(pattern, value)).isEqualTo(left);
                    if (left > 0) {
                        model.put(pair, left);
                    } else {
                        model.remove(pair);
                    }
                }
            }
            assertThat(tested.size()).isEqualTo(model.size());
            for (int i = 0; i < 16; i++) {
                String topic = randomTopic(random);
                List<Object> expected = new ArrayList<>();
                for (List<Object> pair : model.keySet()) {
                    TopicPattern pattern = (TopicPattern) pair.get(0);
                    boolean matches = defined(pattern, topic);
                    if (pattern.matches(topic) != matches) {
                        throw new AssertionError("'" + pattern + "' matches '" + topic + "': should be " + matches);
                    }
                    if (matches && !expected.contains(pair.get(1))) {
                        expected.add(pair.get(1));
                    }
                }
                if (!tested.match(topic).equals(expected)) {
                    throw new AssertionError(
                            topic + " matches " + tested.match(topic) + ", should match " + expected + " of " + model);
                }
            }
        }
    }

    private static TopicPattern randomPattern(Random random) {
        boolean words = random.nextBoolean();
        int parts = random.nextInt(5) + (words ? 0 : 1);
        List<String> pattern = new ArrayList<>();
        for (int i = 0; i < parts; i++) {
            boolean manyAllowed = words || i == parts - 1;
            String part = Seeds.oneOf(random, "a", "b", "", "$", words ? "*" : "+", manyAllowed ? "#" : "a");
            pattern.add(part);
        }
        String text = String.join(words ? "." : "/", pattern);
        return words || text.isEmpty() ? TopicPattern.words(text) : TopicPattern.levels(text);
    }

    private static String randomTopic(Random random) {
        StringBuilder topic = new StringBuilder();
        for (int i = random.nextInt(5); i > 0; i--) {
            topic.append(Seeds.oneOf(random, "a", "b", "", "$", "$b"))
                    .append(i == 1 ? "" : Seeds.oneOf(random, ".", "/"));
        }
        return topic.toString();
    }

    private static boolean defined(TopicPattern pattern, String topic) {
        boolean words = pattern.style() == TopicPattern.Style.WORDS;
        String separator = words ? "." : "/";
        List<String> wanted = parts(pattern.toString(), separator, words);
        List<String> given = parts(topic, separator, words);
        if (!words
                && topic.startsWith("$")
                && (wanted.get(0).equals("+") || wanted.get(0).equals("#"))) {
            return false;
        }
        return defined(wanted, given, words ? "*" : "+");
    }

    private static List<String> parts(String text, String separator, boolean emptyHasNone) {
        return emptyHasNone && text.isEmpty() ? List.of() : Arrays.asList(text.split("\\" + separator, -1));
    }

    private static boolean defined(List<String> wanted, List<String> given, String one) {
        if (wanted.isEmpty()) {
            return given.isEmpty();
        }
        List<String> rest = wanted.subList(1, wanted.size());
        if (wanted.get(0).equals("#")) {
            return defined(rest, given, one)
                    || (!given.isEmpty() && defined(wanted, given.subList(1, given.size()), one));
        }
        return !given.isEmpty()
                && (wanted.get(0).equals(one) || wanted.get(0).equals(given.get(0)))
                && defined(rest, given.subList(1, given.size()), one);
    }
}
