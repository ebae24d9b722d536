package dev.postroad.engine.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RuleSyntaxTest {
    /** The position is where the caret stands, counted from 0. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '\u0001',
            value = {
                "amount => 10 ~ 7 ~ there is no operator '=>' (did you mean '>='?)",
                "amount =< 10 ~ 7 ~ did you mean '<='?",
                "a === 1 ~ 2 ~ did you mean '=='?",
                "a & b ~ 2 ~ did you mean 'AND'?",
                "a | b ~ 2 ~ did you mean 'OR'?",
                "a == \"x\" ~ 5 ~ strings stand between single straight quotes",
                "a == ‘x’ ~ 5 ~ strings stand between single straight quotes",
                "a = 'x ~ 4 ~ this ' has no closing '",
                "a = `x ~ 4 ~ this ` has no closing `",
                "a = `` ~ 4 ~ the field name between backticks is empty",
                "a gt 5 ~ 2 ~ expected an operator, but found 'gt' (did you mean >?)",
                "a matches 'x' ~ 2 ~ did you mean matches_regex?",
                "a startswith 'x' ~ 2 ~ did you mean LIKE 'text%'?",
                "a = 1 b = 2 ~ 6 ~ expected AND, OR or the end of the rule, but found 'b'",
                "a = 1 AND ~ 9 ~ expected a field, a value or '(' but found the end of the rule",
                "a = AND b ~ 4 ~ expected a field, a value or '(' but found 'AND'",
                "= 1 ~ 0 ~ expected a field, a value or '(' but found '='",
                "(a = 1 ~ 0 ~ this '(' is not closed",
                "(a = 1 b) ~ 7 ~ expected AND, OR or ')' but found 'b'",
                "a = 1) ~ 5 ~ but found ')'",
                "a = NULL ~ 4 ~ write IS NULL or IS NOT NULL",
                "a IS 5 ~ 5 ~ expected NULL or NOT NULL after IS, but found the number 5",
                "a < b < c ~ 6 ~ comparisons cannot be chained",
                "a BETWEEN 1 OR 2 ~ 12 ~ expected AND between the two bounds of BETWEEN, but found 'OR'",
                "a IN 'x' ~ 5 ~ expected '(' after IN",
                "a IN () ~ 6 ~ expected a string, a number, TRUE or FALSE in the list of IN, but found ')'",
                "a IN ('x', b) ~ 11 ~ but found 'b'",
                "a IN ('x' 'y') ~ 10 ~ expected ',' or ')' in the list of IN, but found the string 'y'",
                "a IN ['x'] ~ 5 ~ a list is written ('a', 'b')",
                "a NOT 5 ~ 6 ~ expected BETWEEN, IN, LIKE, contains or matches_regex after NOT",
                "a LIKE b ~ 7 ~ expected a string between single quotes after LIKE, but found 'b'",
                "a LIKE 'x' ESCAPE 'ab' ~ 18 ~ the escape character must be one character",
                "a LIKE 'it''s!' ESCAPE '!' ~ 13 ~ the escape character stands last",
                "5 LIKE 'x' ~ 0 ~ LIKE is said of strings, but this is a number",
                "a contains 5 ~ 11 ~ contains is said of strings, but this is a number",
                "a AND 5 ~ 6 ~ expected a condition, but found a number",
                "'x' ~ 0 ~ expected a condition, but found a string",
                "a + 1 ~ 0 ~ expected a condition, but found a number",
                "NOT 5 ~ 4 ~ expected a condition, but found a number",
                "a + 'x' = 1 ~ 4 ~ only numbers can be calculated with, but this is a string",
                "(a = 1) * 2 = 1 ~ 0 ~ only numbers can be calculated with, but this is a condition",
                "a > TRUE ~ 4 ~ truth values have no order",
                "a BETWEEN FALSE AND TRUE ~ 10 ~ truth values have no order: 'BETWEEN'",
                "a = 08 ~ 4 ~ with a leading 0 it is octal",
                "a = 12abc ~ 4 ~ 12abc is no number",
                "a = 0x ~ 4 ~ 0x is no number",
                "a = 1_ ~ 4 ~ 1_ is no number",
                "a = 1.2.3 ~ 4 ~ 1.2.3 is no number",
                "a = 9223372036854775808 ~ 4 ~ out of range: whole numbers lie between -9223372036854775808 and",
                "a = -9223372036854775809 ~ 4 ~ out of range",
                "a = 1e999 ~ 4 ~ out of range",
                "a = 1e-999 ~ 4 ~ out of range",
                "a. = 1 ~ 2 ~ expected a name after the '.' of the path",
                "a..b = 1 ~ 2 ~ expected a name after the '.' of the path",
                "a[x] = 1 ~ 1 ~ expected an index such as [0]",
                "a.b[0 = 1 ~ 3 ~ expected an index such as [0]",
                "a % 2 = 0 ~ 2 ~ there is no remainder",
                "a ; b ~ 2 ~ ';' has no meaning here",
                "a matches_regex 'x(?=y)' ~ 18 ~ a lookahead is not supported",
                "a matches_regex '(it''s)\\1' ~ 24 ~ a backreference (\\1) is not supported",
                "a matches_regex '[z-a]' ~ 18 ~ 'z-a' is no range",
            })
    void saysWhatIsWrongAndWhere(String rule, int position, String message) {
        RuleSyntaxException e = catchThrowableOfType(RuleSyntaxException.class, () -> Rule.parse(rule));
        assertThat(e).as(rule).hasMessageContaining(message).hasMessageContaining("at character " + (position + 1));
        assertThat(e.position()).as(e.getMessage()).isEqualTo(position);
    }

    @Test
    void showsThePlaceWithACaret() {
        assertThatThrownBy(() -> Rule.parse("eventType == 'OrderCreated' amount > 1000"))
                .hasMessage("expected AND, OR or the end of the rule, but found 'amount', at character 29\n"
                        + "  eventType == 'OrderCreated' amount > 1000\n"
                        + "                              ^");
    }

    @Test
    void showsOnlyThePartAroundThePlaceAndNothingThatMovesTheTerminal() {
        assertThatThrownBy(() -> Rule.parse("\u001b[31mred\n = 1")).hasMessageContaining("   [31mred  = 1\n  ^");
        assertThatThrownBy(() -> Rule.parse("a = 1 AND ".repeat(20) + "\n ? " + "AND b = 2 ".repeat(20)))
                .satisfies(e -> assertThat(e.getMessage().lines().skip(1))
                        .hasSize(2)
                        .first()
                        .asString()
                        .startsWith("  ...")
                        .endsWith("...")
                        .hasSize(108));
        assertThatThrownBy(() -> Rule.parse("a = '\ud83d\ude00' b"))
                .hasMessageEndingWith("\n  a = '\ud83d\ude00' b\n          ^");
    }

    @Test
    void refusesTheEmptyRule() {
        assertThatThrownBy(() -> Rule.parse(" \n")).hasMessageContaining("leave it out to match every message");
        assertThatThrownBy(() -> Rule.parse("")).isInstanceOf(RuleSyntaxException.class);
    }

    @Test
    void refusesWhatIsTooLargeAndSaysTheLimit() {
        String long4096 = "a = '" + "x".repeat(4_090) + "'";
        assertThat(Rule.parse(long4096).toString()).hasSize(4_096);
        assertThatThrownBy(() -> Rule.parse(long4096 + " "))
                .hasMessageContaining("4,097 bytes or more; the limit is 4,096");
        assertThatThrownBy(() -> Rule.parse("a = '" + "ä".repeat(2_050) + "'")).hasMessageContaining("4,106 bytes");
        assertThatThrownBy(() -> Rule.parse("x".repeat(10_000_000))).isInstanceOf(RuleSyntaxException.class);
        assertThatThrownBy(() -> Rule.parse("a&&" + "'" + "x".repeat(4_080) + "'=b&&c"))
                .hasMessageContaining("written with single spaces and all words in full");
        assertThatThrownBy(() -> Rule.parse("a = '\ud83d'")).hasMessageContaining("surrogate");
        assertThatThrownBy(() -> Rule.parse("a" + "&&a".repeat(511))).hasMessageContaining("more than 512 parts");
        assertThatThrownBy(() -> Rule.parse("a IN (1" + ",1".repeat(600) + ")"))
                .hasMessageContaining("more than 512 parts");
        assertThatThrownBy(() -> Rule.parse("a matches_regex '(x{100}){100}'")).hasMessageContaining("takes more than");
    }

    @Test
    void refusesWhatIsTooDeepAndSaysTheLimit() {
        for (String open : new String[] {"(", "NOT ", "!", "-", "1+(", "NOT("}) {
            String close = open.contains("(") ? ")" : "";
            int depth = open.equals("NOT(") ? 16 : 32;
            String inner = open.equals("-") || open.equals("1+(") ? "1" : "a";
            String end = open.equals("-") || open.equals("1+(") ? " = 1" : "";
            Rule.parse(open.repeat(depth) + inner + close.repeat(depth) + end);
            assertThatThrownBy(() -> Rule.parse(open.repeat(depth + 1) + inner + close.repeat(depth + 1) + end))
                    .as(open)
                    .hasMessageContaining("more than 32 deep");
            assertThatThrownBy(() -> Rule.parse(open.repeat(4_000 / open.length())))
                    .as(open)
                    .isInstanceOf(RuleSyntaxException.class);
        }
        Rule.parse("a matches_regex '" + "(".repeat(32) + ")".repeat(32) + "'");
        assertThatThrownBy(() -> Rule.parse("a matches_regex '" + "(".repeat(33) + ")".repeat(33) + "'"))
                .hasMessageContaining("groups lie more than 32 deep");
    }
}
