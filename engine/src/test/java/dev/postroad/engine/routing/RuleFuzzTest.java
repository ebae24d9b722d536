package dev.postroad.engine.routing;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Whatever the text is, it is a rule or a {@link RuleSyntaxException} that points into it. */
class RuleFuzzTest {
    private static final String[] TOKENS = {
        "a",
        "b.c",
        "d[0]",
        "`e f`",
        "'x'",
        "'%y_'",
        "''",
        "1",
        "-2",
        "0.5",
        "0x1F",
        "017",
        "1e3",
        "TRUE",
        "false",
        "NULL",
        "AND",
        "OR",
        "NOT",
        "BETWEEN",
        "IN",
        "LIKE",
        "ESCAPE",
        "IS",
        "contains",
        "equals",
        "greater_than",
        "matches_regex",
        "'a(b|c)*'",
        "'!'",
        "(",
        ")",
        ",",
        "=",
        "==",
        "<>",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "&&",
        "||",
        "!",
        "+",
        "-",
        "*",
        "/",
        "'",
        "`",
        ".",
        "[",
        "=>",
        "#",
        "\"",
        "\n"
    };

    private final Random random = Seeds.random("rule fuzz");
    private final Fields fields = this::randomValue;

    private @Nullable Object randomValue(String name) {
        return Seeds.oneOf(random, null, "x", "", 1L, Long.MIN_VALUE, 0.5, Double.NaN, true, new byte[] {1});
    }

    private boolean check(String text) {
        Rule rule;
        try {
            rule = Rule.parse(text);
        } catch (RuleSyntaxException e) {
            long lines = e.getMessage().lines().count();
            if (e.position() < 0 || e.position() > text.length() || lines != 3) {
                throw new AssertionError(text, e);
            }
            return false;
        }
        rule.matches(fields);
        if (!Rule.parse(rule.toString()).equals(rule)) {
            throw new AssertionError(text + "\n" + rule);
        }
        return true;
    }

    @Test
    void randomBytesAreRefusedOrRead() {
        for (int i = 0; i < 100_000; i++) {
            byte[] bytes = new byte[random.nextInt(60)];
            random.nextBytes(bytes);
            check(new String(bytes, ISO_8859_1));
        }
    }

    @Test
    void randomCharactersAreRefusedOrRead() {
        for (int i = 0; i < 50_000; i++) {
            StringBuilder text = new StringBuilder("a = '");
            for (int n = random.nextInt(20); n > 0; n--) {
                text.append((char) random.nextInt(0x10000));
            }
            check(text.append("' OR ").append((char) random.nextInt(0x10000)).toString());
        }
    }

    @Test
    void randomTokensAreRefusedOrRead() {
        int rules = 0;
        for (int i = 0; i < 200_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int n = random.nextInt(14); n >= 0; n--) {
                text.append(Seeds.oneOf(random, TOKENS)).append(random.nextInt(10) == 0 ? "" : " ");
            }
            rules += check(text.toString()) ? 1 : 0;
        }
        assertThat(rules).isGreaterThan(1_000);
    }

    @Test
    void damagedRulesAreRefusedOrRead() {
        String[] whole = {
            "eventType == 'OrderCreated' AND amount > 1000 OR NOT (a.b[0] BETWEEN 1 AND 2.5E3)",
            "x LIKE 'a!%_' ESCAPE '!' AND y NOT IN ('a', -1, TRUE) AND z IS NOT NULL",
            "name matches_regex '^(a|b)*[^c-d]{2,3}\\d\\bx$' && -(a + 0x1F) * 3 / 2 <> 1",
        };
        for (int i = 0; i < 100_000; i++) {
            StringBuilder text = new StringBuilder(Seeds.oneOf(random, whole));
            for (int n = random.nextInt(3); n >= 0; n--) {
                int at = random.nextInt(text.length());
                switch (random.nextInt(3)) {
                    case 0 -> text.deleteCharAt(at);
                    case 1 -> text.insert(at, (char) random.nextInt(128));
                    default -> text.setCharAt(at, (char) random.nextInt(256));
                }
            }
            check(text.toString());
        }
    }

    @Test
    void randomPatternsAreRefusedOrRead() {
        String[] tokens = {
            "a",
            "b",
            ".",
            "*",
            "+",
            "?",
            "{2}",
            "{1,3}",
            "{,",
            "}",
            "(",
            ")",
            "(?:",
            "(?P<n>",
            "(?=",
            "|",
            "[",
            "]",
            "^",
            "-",
            "$",
            "\\d",
            "\\b",
            "\\",
            "\\x4",
            "\\u0041",
            "''",
            "\ud83d\ude00",
            "{100}"
        };
        int rules = 0;
        for (int i = 0; i < 100_000; i++) {
            StringBuilder text = new StringBuilder("a matches_regex '");
            for (int n = random.nextInt(10); n >= 0; n--) {
                text.append(Seeds.oneOf(random, tokens));
            }
            rules += check(text.append('\'').toString()) ? 1 : 0;
        }
        assertThat(rules).isGreaterThan(1_000);
    }
}
