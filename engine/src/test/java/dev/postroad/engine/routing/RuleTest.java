package dev.postroad.engine.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RuleTest {
    private static final Map<String, @Nullable Object> ORDER = new HashMap<>(Map.ofEntries(
            Map.entry("eventType", "OrderCreated"),
            Map.entry("amount", 1500L),
            Map.entry("price", 9.5),
            Map.entry("region", "US"),
            Map.entry("urgent", true),
            Map.entry("cancelled", false),
            Map.entry("note", "it's 100% off_er"),
            Map.entry("day", "2024-01-15"),
            Map.entry("bytes", new byte[] {1}),
            Map.entry("max", Long.MAX_VALUE),
            Map.entry("nan", Double.NaN),
            Map.entry("order.customer.id", "c-17"),
            Map.entry("items[0].sku", "book"),
            Map.entry("content-type", "application/json"),
            Map.entry("equals", "e"),
            Map.entry("contains", "c"),
            Map.entry("Größe", 3L),
            Map.entry("$x_1", 1L)));

    private static boolean matches(String rule) {
        Rule parsed = Rule.parse(rule);
        Rule again = Rule.parse(parsed.toString());
        assertThat(again).isEqualTo(parsed).hasToString(parsed.toString());
        boolean matches = parsed.matches(ORDER::get);
        assertThat(again.matches(ORDER::get)).isEqualTo(matches);
        return matches;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // the rules people write first
                "eventType == 'OrderCreated' AND amount > 1000",
                "eventType == 'OrderCreated' AND region == 'US'",
                "eventType == 'OrderCreated' && (region == 'EU' || amount >= 1500) && !(cancelled)",
                "amount greater_than 1000",
                "amount GREATER_THAN 1000",
                "eventType equals 'OrderCreated'",
                "eventType contains 'Created'",
                "eventType contains ''",
                "eventType NOT contains 'Deleted'",
                "eventType matches_regex '^Order.*'",
                "eventType matches_regex 'Order'",
                "eventType NOT matches_regex 'Created'",
                "order.customer.id = 'c-17' and items[0].sku = 'book'",
                "`content-type` LIKE 'application/%'",
                "equals equals 'e' and contains contains 'c'",
                "day > '2024-01-01' and day between '2024-01-15' and '2024-02'",
                "Größe = 3 AND $x_1 = 1",
                // literals
                "amount = 1500 AND amount = 1_500 AND amount = 1500L AND amount = 0x5DC AND amount = 02734"
                        + " AND amount = 0b10111011100 AND amount = 0X5dc",
                "amount = 1.5e3 AND amount = 1500. AND amount = 1500.0 AND amount = 15E+2 AND amount = 1500d",
                "price = 9.5 AND price = 0x1.3p3 AND price = 95e-1 AND price > .5",
                "note = 'it''s 100% off_er'",
                "urgent = TRUE AND urgent <> false AND urgent AND NOT cancelled AND true",
                "max = 9223372036854775807 AND -max - 1 = -9223372036854775808",
                "0xFFFFFFFFFFFFFFFF = -1",
                // precedence
                "2 + 3 * 4 = 14 AND (2 + 3) * 4 = 20 AND 10 - 4 - 3 = 3 AND 100 / 10 / 5 = 2",
                "-2 * -3 = 6 AND - amount < 0 AND +amount = 1500 AND 1 - -1 = 2 AND --amount = 1500",
                "FALSE AND FALSE OR TRUE",
                "TRUE OR TRUE AND FALSE",
                "NOT FALSE AND TRUE",
                "NOT (TRUE AND FALSE)",
                "NOT amount = 1",
                "amount + 500 * 2 = 2500",
                "7 / 2 = 3 AND 7 / 2.0 = 3.5 AND -7 / 2 = -3",
                // BETWEEN, IN, LIKE, IS NULL
                "amount BETWEEN 1000 AND 2000 AND amount NOT BETWEEN 1 AND 2",
                "amount between 1499.5 and 1500",
                "region IN ('UK', 'US') AND region NOT IN ('UK')",
                "amount IN (1, 1500) AND amount IN (1500.0) AND urgent IN (TRUE, 'x')",
                "-amount IN (-1500)",
                "note LIKE 'it%' AND note LIKE '%er' AND note LIKE '%100\\% off%' ESCAPE '\\'",
                "note LIKE '%off!_er' ESCAPE '!' AND note NOT LIKE '%offer' AND note LIKE '%off_er'",
                "region LIKE 'U_' AND region NOT LIKE '_' AND region LIKE '__' AND region LIKE '%'",
                "missing IS NULL AND amount IS NOT NULL",
                // types
                "amount = 1500.0 AND price < 10",
                "NOT (region = 5)",
                "nan <> nan AND nan <> 1 AND NOT (nan = nan) AND NOT (nan < 1)",
                "bytes = bytes",
                "region NOT IN (5)",
                "amount NOT LIKE 'x'",
                // unknown
                "(missing = 1) IS NULL AND (NOT (amount = 1500)) IS NOT NULL",
                "missing = 1 OR TRUE",
                "max + 1 IS NULL AND 1 / 0 IS NULL AND max * 2 IS NULL AND -max - 2 IS NULL AND region + 1 IS NULL",
                "-9223372036854775808 / -1 IS NULL AND 1 / 0.0 > max",
                "(amount > 1) = TRUE AND (amount > 1) = urgent",
            })
    void isTrue(String rule) {
        assertThat(matches(rule)).as(rule).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "eventType == 'OrderCreated' AND amount > 2000",
                "eventType = 'ordercreated'",
                "EVENTTYPE = 'OrderCreated'",
                "missing = 1",
                "NOT (missing = 1)",
                "missing <> 1",
                "missing LIKE '%'",
                "missing NOT LIKE 'x'",
                "missing NOT IN ('x')",
                "missing BETWEEN 1 AND 2",
                "missing NOT BETWEEN 1 AND 2",
                "missing contains 'x'",
                "missing NOT matches_regex 'x'",
                "missing",
                "NOT missing",
                "missing = missing",
                "missing AND TRUE",
                "TRUE AND NOT missing",
                // unlike types are neither equal nor different
                "region = 5",
                "region <> 5",
                "region > 5",
                "amount > '1000'",
                "amount NOT BETWEEN 'a' AND 'b'",
                "urgent = 'true'",
                "bytes = 'x'",
                "bytes < bytes",
                "urgent > cancelled",
                "amount LIKE '1%'",
                "amount contains '5'",
                "eventType contains amount",
                "region",
                "NOT region",
                "nan = nan",
                "nan BETWEEN 0 AND 1",
                "nan NOT BETWEEN 0 AND 1",
                "day = '2024-1-15'",
                "eventType matches_regex 'Created'",
                "eventType matches_regex 'Order$'",
                "region LIKE 'U'",
                "region LIKE ''",
            })
    void isNotTrue(String rule) {
        assertThat(matches(rule)).as(rule).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '"',
            value = {
                "a==1&&b!='x'||!c ~ a = 1 AND b <> 'x' OR NOT c",
                "a equals 1 and b greater_than 2 ~ a = 1 AND b > 2",
                "((a)) and ((b and c) and d) ~ a AND b AND c AND d",
                "(a or b) and c ~ (a OR b) AND c",
                "a or b and c ~ a OR b AND c",
                "not (a and b) ~ NOT (a AND b)",
                "not not a ~ NOT NOT a",
                "(a + b) * -c - (d - e) = 1 ~ (a + b) * -c - (d - e) = 1",
                "a + (b + c) > 1 ~ a + (b + c) > 1",
                "a * b / c > -(-1) ~ a * b / c > 1",
                "- - a = - 0x10 ~ --a = -16",
                "(a = b) = c ~ (a = b) = c",
                "x not in (1,'b',true,-2.50) ~ x NOT IN (1, 'b', TRUE, -2.5)",
                "x like 'a' escape '!' ~ x LIKE 'a' ESCAPE '!'",
                "x NOT CONTAINS 'a' ~ x NOT contains 'a'",
                "`a` = 1 and `a b` = 2 and `and` = 3 and `a``b` = 4 ~ a = 1 AND `a b` = 2 AND `and` = 3 AND `a``b` = 4",
                "a.b[0].c[1][2] is not null ~ a.b[0].c[1][2] IS NOT NULL",
                "(a is null) is null ~ (a IS NULL) IS NULL",
            })
    void hasOneCanonicalForm(String rule, String canonical) {
        assertThat(Rule.parse(rule)).hasToString(canonical);
        assertThat(Rule.parse(canonical)).hasToString(canonical).isEqualTo(Rule.parse(rule));
    }

    @Test
    void namesItsFieldsInTheOrderOfTheirFirstUse() {
        assertThat(Rule.parse("b = 1 AND a.x[0] > b OR `c d` IS NULL AND 'a' = TRUE")
                        .identifiers())
                .containsExactly("b", "a.x[0]", "c d");
    }

    @Test
    void comparesStringsByCodePointAsPythonAndUtf8Do() {
        assertThat(Rule.parse("'\uffee' < '\ud83d\ude00' AND '\ud83d\ude00' < '\ud83d\ude01' AND 'a' < 'aa'")
                        .matches(name -> null))
                .isTrue();
        assertThat(Rule.parse("'\ud83d\ude00' LIKE '_' AND '\ud83d\ude00' matches_regex '^.$'")
                        .matches(name -> null))
                .isTrue();
    }

    @Test
    void findsLongTextsInLongTexts() {
        String needle = "ab".repeat(200) + "c";
        Map<String, Object> fields = Map.of("text", "ab".repeat(5_000) + "c", "needle", needle);
        assertThat(Rule.parse("text contains '" + needle + "' AND text contains needle")
                        .matches(fields::get))
                .isTrue();
        assertThat(Rule.parse("text contains '" + needle + "d' OR needle contains text")
                        .matches(fields::get))
                .isFalse();
        assertThat(Rule.parse("text LIKE 'ab%" + needle + "' AND text LIKE '%" + needle + "%'")
                        .matches(fields::get))
                .isTrue();
    }

    @Test
    void filtersAreRules() {
        assertThat(Rule.filter("amount", "greater_than", 1000)).hasToString("amount > 1000");
        assertThat(Rule.filter("eventType", "EQUALS", "it's")).hasToString("eventType = 'it''s'");
        assertThat(Rule.filter("content-type", "contains", "json").matches(ORDER::get))
                .isTrue();
        assertThat(Rule.filter("order.customer.id", "matches_regex", "c-\\d+$").matches(ORDER::get))
                .isTrue();
        assertThat(Rule.filter("price", "equals", 9.5f).matches(ORDER::get)).isTrue();
        assertThat(Rule.filter("urgent", "equals", true).matches(ORDER::get)).isTrue();
        assertThatThrownBy(() -> Rule.filter("a", "less_than", 1))
                .hasMessage(
                        "'less_than' is no filter operator; there are equals, contains, greater_than, matches_regex");
        assertThatThrownBy(() -> Rule.filter("a", "equals", Double.NaN)).hasMessageContaining("no finite number");
        assertThatThrownBy(() -> Rule.filter("a", "equals", new Object()))
                .hasMessageContaining("the value of 'a' is a");
        assertThatThrownBy(() -> Rule.filter("", "equals", 1)).hasMessageContaining("the field of a filter is empty");
        assertThatThrownBy(() -> Rule.filter("a", "contains", 1)).isInstanceOf(RuleSyntaxException.class);
    }

    @Test
    void aFieldOfAnotherTypeIsEqualToNothingAndBreaksNothing() {
        Fields odd = name -> name.equals("n") ? new BigDecimal("2.5") : new Object();
        assertThat(Rule.parse("n = 2.5 AND n < 3 AND n * 2 = 5").matches(odd)).isTrue();
        assertThat(Rule.parse("x IS NOT NULL AND NOT (x = 'a') AND NOT (x LIKE '%')")
                        .matches(odd))
                .isTrue();
        assertThat(Rule.parse("x = x OR x > 1 OR x + 1 > 0 OR x OR -x < 1").matches(odd))
                .isFalse();
    }
}
