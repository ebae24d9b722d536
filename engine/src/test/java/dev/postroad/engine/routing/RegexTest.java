package dev.postroad.engine.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Random;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegexTest {
    private static final int STATES = Rule.MAX_SIZE;

    private static boolean matches(String pattern, String text) throws PatternProblem {
        Truth truth = Regex.parse(pattern, STATES).matchesStartOf(text);
        assertThat(truth).isNotEqualTo(Truth.UNKNOWN);
        return truth == Truth.TRUE;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "^A.* ~ ABC",
                "A ~ ABC",
                "'' ~ ''x",
                "a|b ~ bc",
                "(a|b)*c$ ~ ababc",
                "(?:ab)+ ~ ab",
                "(?P<name>ab){2} ~ abab",
                "a{2,3}$ ~ aaa",
                "a{,2}b ~ aab",
                "a{,}b ~ aaab",
                "a{2,}b ~ aaaab",
                "a*? ~ b",
                "x{a} ~ x{a}",
                "a{ ~ a{",
                "a{} ~ a{}",
                "[]a]+$ ~ ]a]",
                "[^]a]+$ ~ bc",
                "[a-]+$ ~ a-a",
                "[-a]+$ ~ a-a",
                "[\\d\\-x]+$ ~ 1-x",
                "[\\]\\[]+$ ~ []",
                "[^\\W\\d]+$ ~ abc",
                "\\w+\\s\\d+\\S\\D\\W$ ~ ab 12xx.",
                "\\bab\\b ~ ab c",
                "a\\Bb ~ ab",
                "\\Aa\\Z ~ a",
                "\\x41\\u0042\\U00000043 ~ ABC",
                "\\.\\*\\(\\\\ ~ .*(\\",
                "é+\\w\\d$ ~ éé語٣",
                ".$ ~ 😀",
                "[😀-😂]$ ~ 😁",
                "()* ~ x",
                "(a*)*$ ~ aaa",
                "(|a)+$ ~ aa",
                "((a{0}){3}|b)+$ ~ b",
                "$ ~ ",
            })
    void matchesTheBeginningOfTheText(String pattern, @Nullable String text) throws PatternProblem {
        assertThat(matches(pattern, text == null ? "" : text)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "B ~ ABC",
                "a$ ~ ab",
                "[^a] ~ a",
                "\\d ~ x",
                "a{2} ~ a",
                "\\bab\\b ~ abc",
                "a\\b. ~ ab",
                "x^ ~ x",
                "[a-c] ~ d",
                "(abcdefghijklmnopqrst)+ ~ x",
                "(abcdefghijklmnopqrst){1,} ~ x",
            })
    void doesNotMatch(String pattern, String text) throws PatternProblem {
        assertThat(matches(pattern, text)).isFalse();
    }

    @Test
    void endsBeforeALastLineFeedAsPythonDoes() throws PatternProblem {
        assertThat(matches("a$", "a\n")).isTrue();
        assertThat(matches("a$", "a\n\n")).isFalse();
        assertThat(matches("a\\Z", "a\n")).isFalse();
        assertThat(matches("a.b", "a\nb")).isFalse();
        assertThat(matches("a[^x]b", "a\nb")).isTrue();
        assertThat(matches("", "")).isTrue();
        assertThat(matches("a[\\b]\\t", "a\b\t")).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "(?=a) ~ 0 ~ a lookahead is not supported",
                "x(?!a) ~ 1 ~ a lookahead is not supported",
                "(?<=a) ~ 0 ~ a lookbehind is not supported",
                "(?<!a) ~ 0 ~ a lookbehind is not supported",
                "(a)\\1 ~ 3 ~ a backreference (\\1) is not supported",
                "(?P=x) ~ 0 ~ a backreference is not supported",
                "(?>a) ~ 0 ~ an atomic group is not supported",
                "(?i)a ~ 0 ~ an inline flag is not supported",
                "(?#a) ~ 0 ~ a comment is not supported",
                "(?(1)a) ~ 0 ~ a conditional group is not supported",
                "(?P<>a) ~ 0 ~ a named group is written (?P<name>...)",
                "a*+ ~ 2 ~ possessive quantifiers",
                "a** ~ 2 ~ a quantifier follows a quantifier",
                "a{2}{3} ~ 4 ~ a quantifier follows a quantifier",
                "^* ~ 1 ~ '^' is a place, which cannot be repeated",
                "\\b+ ~ 2 ~ is a place",
                "*a ~ 0 ~ there is nothing before '*' to repeat",
                "a|+ ~ 2 ~ there is nothing before '+' to repeat",
                "{2} ~ 0 ~ there is nothing before '{' to repeat",
                "a{3,2} ~ 1 ~ the least count, 3, is more than the most, 2",
                "a{1001} ~ 1 ~ the count 1001 is too large; the limit is 1,000",
                "a{99999999999} ~ 1 ~ is too large; the limit is 1,000",
                "(a ~ 0 ~ this '(' is not closed",
                "a) ~ 1 ~ this ')' closes no group",
                "[a ~ 0 ~ this '[' is not closed",
                "[] ~ 0 ~ this '[' is not closed",
                "[a\\ ~ 0 ~ this '[' is not closed",
                "[z-a] ~ 1 ~ 'z-a' is no range",
                "[\\d-z] ~ 1 ~ '\\d-z' is no range",
                "a\\ ~ 1 ~ the pattern ends with a single '\\'",
                "\\q ~ 0 ~ \\q means nothing",
                "\\012 ~ 0 ~ octal escapes are not supported",
                "\\x4 ~ 0 ~ this escape takes 2 hexadecimal digits",
                "\\uD800 ~ 0 ~ this escape is no Unicode character",
                "\\UFFFFFFFF ~ 0 ~ this escape is no Unicode character",
                "(((){1000}){1000}){1000} ~ 0 ~ takes more than the 512 states",
                "((a{10}){10}){10} ~ 0 ~ takes more than the 512 states",
            })
    void refusesByName(String pattern, int position, String message) {
        PatternProblem problem = catchThrowableOfType(PatternProblem.class, () -> Regex.parse(pattern, STATES));
        assertThat(problem).as(pattern).hasMessageContaining(message);
        assertThat(problem.position()).as(pattern).isEqualTo(position);
    }

    /** The classic killers of matchers that go back: each must cost at most a visit of each state per character. */
    @ParameterizedTest
    @CsvSource({"(a+)+$", "(a*)*$", "(a|aa)+$", "(a|a?)+$", "(.*a){20}$", "(a?){30}a{30}$", "([a-z]+)*[0-9]$"})
    void costsTextTimesStatesAtMost(String pattern) throws PatternProblem {
        Regex regex = Regex.parse(pattern, STATES);
        for (int length : new int[] {10, 100, 1_000, 10_000}) {
            Regex.Run run = regex.new Run("a".repeat(length) + "!");
            assertThat(run.decide()).isEqualTo(Truth.FALSE);
            // A state is visited at most once for each edge that leads to it, of which each state has at most two.
            assertThat(run.steps()).isLessThanOrEqualTo((length + 2) * 2L * regex.states());
        }
    }

    @Test
    void givesUpOnATextThatIsStillOpenAtTheLimit() throws PatternProblem {
        Regex regex = Regex.parse(".*z", STATES);
        assertThat(regex.matchesStartOf("a".repeat(Regex.MAX_TEXT))).isEqualTo(Truth.FALSE);
        assertThat(regex.matchesStartOf("a".repeat(Regex.MAX_TEXT - 1) + "z")).isEqualTo(Truth.TRUE);
        assertThat(regex.matchesStartOf("a".repeat(Regex.MAX_TEXT) + "z")).isEqualTo(Truth.UNKNOWN);
        assertThat(Regex.parse("a.*", STATES).matchesStartOf("a".repeat(Regex.MAX_TEXT + 1)))
                .isEqualTo(Truth.TRUE);
        assertThat(Regex.parse("b", STATES).matchesStartOf("a".repeat(Regex.MAX_TEXT + 1)))
                .isEqualTo(Truth.FALSE);
    }

    /**
     * A random pattern, and the same for the matcher of the JDK with repeated groups written out: that one stops
     * counting at a repetition that matches nothing, where the definition goes on.
     */
    private record Twin(String pattern, String oracle) {
        Twin then(Twin other) {
            return new Twin(pattern + other.pattern, oracle + other.oracle);
        }

        Twin or(Twin other) {
            return new Twin(pattern + "|" + other.pattern, oracle + "|" + other.oracle);
        }
    }

    @Test
    void agreesWithTheMatcherOfTheJdkOnRandomPatterns() throws PatternProblem {
        Random random = Seeds.random("regex against java.util.regex");
        int matched = 0;
        for (int i = 0; i < 60_000; i++) {
            Twin twin = randomPattern(random, 3);
            Regex regex = Regex.parse(twin.pattern(), STATES * 8);
            Pattern oracle = Pattern.compile(twin.oracle(), Pattern.UNIX_LINES);
            for (int j = 0; j < 10; j++) {
                String text = randomText(random);
                boolean expected = oracle.matcher(text).lookingAt();
                matched += expected ? 1 : 0;
                if ((regex.matchesStartOf(text) == Truth.TRUE) != expected) {
                    throw new AssertionError("'" + twin.pattern() + "' on '" + text + "' should be " + expected);
                }
            }
        }
        assertThat(matched).isBetween(60_000, 540_000);
    }

    private static Twin randomPattern(Random random, int depth) {
        Twin all = new Twin("", "");
        for (int i = random.nextInt(4); i >= 0; i--) {
            all = all.then(randomPart(random, depth));
        }
        return all;
    }

    private static Twin randomPart(Random random, int depth) {
        switch (random.nextInt(depth > 0 ? 8 : 5)) {
            case 0, 1, 2 -> {
                return repeated(random, Seeds.oneOf(random, "a", "b", "0", " ", "\\n"));
            }
            case 3 -> {
                return repeated(
                        random,
                        Seeds.oneOf(
                                random, ".", "[ab]", "[^a]", "[a-b0]", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S",
                                "[^\\w]", "[\\sa]"));
            }
            case 4 -> {
                String place = Seeds.oneOf(random, "^", "$", "\\b", "\\B", "\\A", "\\Z");
                return new Twin(place, place.equals("\\Z") ? "\\z" : place);
            }
            default -> {
                Twin inner = randomPattern(random, depth - 1);
                if (random.nextBoolean()) {
                    inner = inner.or(randomPattern(random, depth - 1));
                }
                return repeatedGroup(
                        random,
                        (random.nextBoolean() ? "(" : "(?:") + inner.pattern() + ")",
                        "(?:" + inner.oracle() + ")");
            }
        }
    }

    private static Twin repeated(Random random, String one) {
        String quantifier = random.nextInt(3) > 0
                ? ""
                : Seeds.oneOf(random, "*", "+", "?", "{2}", "{1,2}", "{0,2}", "{1,}") + lazy(random);
        return new Twin(one + quantifier, one + quantifier);
    }

    private static Twin repeatedGroup(Random random, String group, String oracle) {
        return switch (random.nextInt(12)) {
            case 0 -> new Twin(group + "*" + lazy(random), oracle + "*");
            case 1 -> new Twin(group + "+" + lazy(random), oracle + oracle + "*");
            case 2 -> new Twin(group + "{1,}", oracle + oracle + "*");
            case 3 -> new Twin(group + "?" + lazy(random), "(?:" + oracle + "|)");
            case 4 -> new Twin(group + "{2}", oracle + oracle);
            case 5 -> new Twin(group + "{1,2}" + lazy(random), oracle + "(?:" + oracle + "|)");
            case 6 -> new Twin(group + "{,2}", "(?:" + oracle + "(?:" + oracle + "|)|)");
            default -> new Twin(group, oracle);
        };
    }

    private static String lazy(Random random) {
        return random.nextInt(4) == 0 ? "?" : "";
    }

    private static String randomText(Random random) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(7); i > 0; i--) {
            text.append(Seeds.oneOf(random, "a", "b", "0", " ", "\n", "!"));
        }
        return text.toString();
    }

    @Test
    void likeAgreesWithItsDefinition() throws PatternProblem {
        Random random = Seeds.random("LIKE against its definition");
        for (int i = 0; i < 200_000; i++) {
            StringBuilder pattern = new StringBuilder();
            for (int n = random.nextInt(6); n > 0; n--) {
                pattern.append(Seeds.oneOf(random, "a", "b", "%", "_", "!%", "!_", "!!", "\ud83d\ude00"));
            }
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(6); n > 0; n--) {
                text.append(Seeds.oneOf(random, "a", "b", "%", "_", "!", "\ud83d\ude00"));
            }
            boolean expected =
                    like(pattern.codePoints().toArray(), 0, text.codePoints().toArray(), 0);
            Truth actual = LikePattern.parse(pattern.toString(), '!', STATES).matches(text.toString());
            if ((actual == Truth.TRUE) != expected) {
                throw new AssertionError("'" + text + "' LIKE '" + pattern + "' should be " + expected);
            }
        }
    }

    private static boolean like(int[] pattern, int p, int[] text, int t) {
        if (p == pattern.length) {
            return t == text.length;
        }
        if (pattern[p] == '%') {
            return like(pattern, p + 1, text, t) || (t < text.length && like(pattern, p, text, t + 1));
        }
        if (t == text.length) {
            return false;
        }
        if (pattern[p] == '!') {
            return pattern[p + 1] == text[t] && like(pattern, p + 2, text, t + 1);
        }
        return (pattern[p] == '_' || pattern[p] == text[t]) && like(pattern, p + 1, text, t + 1);
    }

    @Test
    void textSearchAgreesWithThePlainSearch() {
        Random random = Seeds.random("text search");
        for (int i = 0; i < 100_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(200); n > 0; n--) {
                text.append(random.nextInt(12) == 0 ? 'b' : 'a');
            }
            int start = random.nextInt(text.length() + 1);
            int end = start + random.nextInt(text.length() - start + 1);
            String wanted = random.nextInt(4) == 0 ? text.substring(start, end) + "b" : text.substring(start, end);
            int from = random.nextInt(text.length() + 1);
            assertThat(new TextSearch(wanted).find(text.toString(), from)).isEqualTo(text.indexOf(wanted, from));
        }
    }
}
