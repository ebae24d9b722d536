package dev.postroad.engine.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TopicPatternTest {
    private static final String NONE = "";

    /** A pattern, the topics it matches, the topics it does not. */
    record Example(TopicPattern pattern, List<String> matching, List<String> other) {}

    private static Example words(String pattern, String matching, String other) {
        return new Example(TopicPattern.words(pattern), topics(matching), topics(other));
    }

    private static Example levels(String pattern, String matching, String other) {
        return new Example(TopicPattern.levels(pattern), topics(matching), topics(other));
    }

    /** Topics between blanks; '' is the empty one. */
    private static List<String> topics(String list) {
        return Arrays.stream(list.split(" "))
                .filter(topic -> !topic.isEmpty())
                .map(topic -> topic.equals("''") ? "" : topic)
                .toList();
    }

    static Stream<Example> examples() {
        return Stream.of(
                words("a.b.c", "a.b.c", "'' a a.b a.b.c.d A.b.c a/b/c"),
                words("", "''", "a ."),
                words("#", "'' a a.b . a..b $SYS.x a/b", NONE),
                words("*", "a $SYS a/b", "'' a.b ."),
                words("*.*", "a.b . a. .b", "'' a a.b.c"),
                words(
                        "*.orange.*",
                        "quick.orange.rabbit lazy.orange.elephant",
                        "quick.orange.fox.x orange quick.orange"),
                words("*.*.rabbit", "quick.orange.rabbit a.b.rabbit", "rabbit a.rabbit a.b.c.rabbit"),
                words("lazy.#", "lazy lazy.orange.elephant lazy.pink", "laz lazyx x.lazy"),
                words("#.b", "b a.b a.a.b", "'' a.b.c a"),
                words("a.#.b", "a.b a.x.b a.x.y.b a.b.b", "a b a.b.c"),
                words("#.#", "'' a a.b", NONE),
                words("#.*", "a a.b", "''"),
                words("*.#.*", "a.b a.b.c", "'' a"),
                words("+", "+", "a"),
                levels("a/b", "a/b", "a b a/b/ /a/b a.b"),
                levels("sport/tennis/+", "sport/tennis/p1 sport/tennis/", "sport/tennis sport/tennis/p1/ranking"),
                levels("sport/#", "sport sport/ sport/tennis sport/tennis/p1", "sports /sport"),
                levels(
                        "sport/tennis/player1/#",
                        "sport/tennis/player1 sport/tennis/player1/score/wimbledon",
                        "sport/tennis"),
                levels("+/+", "/finance a/b /", "finance a/b/c"),
                levels("/+", "/finance /", "finance /a/b"),
                levels("+", "finance a.b", "/finance $SYS $"),
                levels("+/tennis/#", "a/tennis a/tennis/b", "tennis a/b/tennis $a/tennis"),
                levels("#", "a a/b / a.b", "$SYS $SYS/monitor $"),
                levels("+/monitor/Clients", "x/monitor/Clients", "$SYS/monitor/Clients"),
                levels("$SYS/#", "$SYS $SYS/ $SYS/monitor", "SYS"),
                levels("$SYS/monitor/+", "$SYS/monitor/Clients", "$SYS/monitor"),
                levels("a/+", "a/$b", "a"),
                levels("*", "*", "a"));
    }

    @ParameterizedTest
    @MethodSource("examples")
    void matchesWhatItsStyleSays(Example example) {
        TopicTrie<String> trie = new TopicTrie<>();
        trie.add(example.pattern(), "x");
        for (String topic : example.matching()) {
            assertThat(example.pattern().matches(topic))
                    .as("'%s' matches '%s'", example.pattern(), topic)
                    .isTrue();
            assertThat(trie.match(topic))
                    .as("'%s' matches '%s'", example.pattern(), topic)
                    .containsExactly("x");
        }
        for (String topic : example.other()) {
            assertThat(example.pattern().matches(topic))
                    .as("'%s' matches '%s'", example.pattern(), topic)
                    .isFalse();
            assertThat(trie.match(topic))
                    .as("'%s' matches '%s'", example.pattern(), topic)
                    .isEmpty();
        }
    }

    @Test
    void refusesWildcardsThatAreNoWholeWord() {
        assertThatThrownBy(() -> TopicPattern.words("a*"))
                .hasMessage("pattern 'a*': '*' stands for a whole word and cannot be a part of 'a*'");
        assertThatThrownBy(() -> TopicPattern.words("a.b#.c")).hasMessageContaining("'#' stands for a whole word");
        assertThatThrownBy(() -> TopicPattern.levels("a/b#")).hasMessageContaining("'#' stands for a whole level");
        assertThatThrownBy(() -> TopicPattern.levels("sport+")).hasMessageContaining("'+' stands for a whole level");
    }

    @Test
    void refusesAManyLevelWildcardThatIsNotLast() {
        assertThatThrownBy(() -> TopicPattern.levels("sport/tennis/#/ranking"))
                .hasMessage("pattern 'sport/tennis/#/ranking': '#' must be the last level; use '+' for one level in"
                        + " between");
    }

    @Test
    void refusesAnEmptyPatternOfLevels() {
        assertThatThrownBy(() -> TopicPattern.levels("")).hasMessageContaining("write '#' to match every topic");
    }

    @Test
    void refusesWhatIsTooLongAndSaysTheLimit() {
        assertThat(TopicPattern.words("a".repeat(1024)).matches("a".repeat(1024)))
                .isTrue();
        assertThatThrownBy(() -> TopicPattern.words("a".repeat(1025)))
                .hasMessage("a pattern has 1,025 bytes or more; the limit is 1,024");
        assertThatThrownBy(() -> TopicPattern.words("ä".repeat(513))).hasMessageContaining("1,026 bytes");
        assertThatThrownBy(() -> TopicPattern.checkTopic("€".repeat(342)))
                .hasMessageContaining("a topic has 1,026 bytes");
        assertThat(TopicPattern.levels("a/".repeat(127) + "#").toString()).hasSize(255);
        assertThatThrownBy(() -> TopicPattern.levels("a/".repeat(128) + "#"))
                .hasMessageContaining("has 129 levels; the limit is 128");
        assertThatThrownBy(() -> TopicPattern.words("#.".repeat(128) + "#")).hasMessageContaining("has 129 words");
    }

    @Test
    void refusesTextThatCannotBeWrittenDown() {
        assertThatThrownBy(() -> TopicPattern.words("a.\ud83d")).hasMessageContaining("surrogate");
        assertThatThrownBy(() -> TopicPattern.levels("a/\0")).hasMessage("a pattern has a NUL character at position 2");
        assertThatThrownBy(() -> new TopicTrie<String>().match("a\0")).hasMessageContaining("NUL");
        TopicPattern.checkTopic("sensors/\ud83d\ude00/ä");
    }

    @Test
    void isEqualByStyleAndText() {
        assertThat(TopicPattern.words("a"))
                .isEqualTo(TopicPattern.words("a"))
                .hasSameHashCodeAs(TopicPattern.words("a"));
        assertThat(TopicPattern.words("a")).isNotEqualTo(TopicPattern.levels("a"));
        assertThat(TopicPattern.words("a.#").hasWildcard()).isTrue();
        assertThat(TopicPattern.words("a.+").hasWildcard()).isFalse();
        assertThat(TopicPattern.levels("+/a").hasWildcard()).isTrue();
    }
}
