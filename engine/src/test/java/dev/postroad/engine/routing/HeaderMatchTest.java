package dev.postroad.engine.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.routing.HeaderMatch.Mode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HeaderMatchTest {
    private static final Map<String, @Nullable Object> EU_TRACED = map("region", "eu", "traced", null);

    private static Map<String, @Nullable Object> map(@Nullable Object... namesAndValues) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put((String) Objects.requireNonNull(namesAndValues[i]), namesAndValues[i + 1]);
        }
        return map;
    }

    private static Fields headers(@Nullable Object... namesAndValues) {
        Map<String, @Nullable Object> map = map(namesAndValues);
        return new Fields() {
            @Override
            public @Nullable Object get(String name) {
                return map.get(name);
            }

            @Override
            public boolean has(String name) {
                return map.containsKey(name);
            }
        };
    }

    @Test
    void allWantsEveryHeader() {
        HeaderMatch match = HeaderMatch.of(Mode.ALL, EU_TRACED);
        assertThat(match.matches(headers("region", "eu", "traced", true, "more", 1L)))
                .isTrue();
        assertThat(match.matches(headers("region", "eu"))).isFalse();
        assertThat(match.matches(headers("region", "us", "traced", true))).isFalse();
    }

    @Test
    void anyWantsOneHeader() {
        HeaderMatch match = HeaderMatch.of(Mode.ANY, EU_TRACED);
        assertThat(match.matches(headers("region", "eu"))).isTrue();
        assertThat(match.matches(headers("region", "us", "traced", false))).isTrue();
        assertThat(match.matches(headers("region", "us"))).isFalse();
    }

    @Test
    void withoutAValuePresenceIsEnoughEvenOfAHeaderWithoutValue() {
        HeaderMatch match = HeaderMatch.of(Mode.ALL, map("traced", null));
        assertThat(match.matches(headers("traced", null))).isTrue();
        assertThat(match.matches(headers("traced", "no"))).isTrue();
        assertThat(match.matches(headers("tracing", "yes"))).isFalse();
    }

    @Test
    void headersThatBeginWithXCountOnlyWhenAskedTo() {
        Map<String, @Nullable Object> wanted = map("x-hop", 1L, "region", "eu");
        Fields hopOnly = headers("x-hop", 1L, "region", "us");
        Fields regionOnly = headers("x-hop", 2L, "region", "eu");
        assertThat(HeaderMatch.of(Mode.ALL, wanted).matches(regionOnly)).isTrue();
        assertThat(HeaderMatch.of(Mode.ALL_WITH_X, wanted).matches(regionOnly)).isFalse();
        assertThat(HeaderMatch.of(Mode.ANY, wanted).matches(hopOnly)).isFalse();
        assertThat(HeaderMatch.of(Mode.ANY_WITH_X, wanted).matches(hopOnly)).isTrue();
    }

    @Test
    void withNothingWantedAllMatchesEverythingAndAnyNothing() {
        assertThat(HeaderMatch.of(Mode.ALL, map()).matches(headers())).isTrue();
        assertThat(HeaderMatch.of(Mode.ANY, map()).matches(headers("a", 1L))).isFalse();
    }

    @Test
    void valuesMatchOnlyWithinTheirType() {
        List<Object> values = List.of(1L, 1.0, "1", true, new byte[] {1});
        for (Object wanted : values) {
            for (Object given : values) {
                assertThat(HeaderMatch.of(Mode.ALL, map("h", wanted)).matches(headers("h", given)))
                        .as("%s against %s", wanted, given)
                        .isEqualTo(wanted == given);
            }
        }
        assertThat(HeaderMatch.of(Mode.ALL, map("h", 1)).matches(headers("h", 1L)))
                .isTrue();
        assertThat(HeaderMatch.of(Mode.ALL, map("h", (short) 1)).matches(headers("h", 1L)))
                .isTrue();
        assertThat(HeaderMatch.of(Mode.ALL, map("h", 0.5f)).matches(headers("h", 0.5)))
                .isTrue();
        assertThat(HeaderMatch.of(Mode.ALL, map("h", new byte[] {1, 2})).matches(headers("h", new byte[] {1, 2})))
                .isTrue();
        assertThat(HeaderMatch.of(Mode.ALL, map("h", 0.0)).matches(headers("h", -0.0)))
                .isTrue();
    }

    @Test
    void takesNoNoticeOfLaterChangesToItsArguments() {
        byte[] bytes = {1};
        Map<String, @Nullable Object> wanted = map("h", bytes);
        HeaderMatch match = HeaderMatch.of(Mode.ALL, wanted);
        bytes[0] = 2;
        wanted.put("more", 1L);
        assertThat(match.matches(headers("h", new byte[] {1}))).isTrue();
    }

    @Test
    void equalMatchesWantTheSameInAnyOrder() {
        HeaderMatch match = HeaderMatch.of(Mode.ALL, map("a", 1L, "b", null, "c", new byte[] {1}));
        HeaderMatch same = HeaderMatch.of(Mode.ALL, map("c", new byte[] {1}, "b", null, "a", 1));
        assertThat(match).isEqualTo(same).hasSameHashCodeAs(same);
        assertThat(match).isNotEqualTo(HeaderMatch.of(Mode.ANY, map("a", 1L, "b", null, "c", new byte[] {1})));
        assertThat(match).isNotEqualTo(HeaderMatch.of(Mode.ALL, map("a", 1L, "d", null, "c", new byte[] {1})));
        assertThat(match).hasToString("all of a = 1, b, c = 1 bytes");
    }

    @Test
    void refusesWhatItCannotCompare() {
        assertThatThrownBy(() -> HeaderMatch.of(Mode.ALL, map("h", new StringBuilder())))
                .hasMessageContaining("the value of 'h' is a")
                .hasMessageContaining("must be a text, a number, a truth value, bytes, a moment, a list or a table");
        assertThatThrownBy(() -> HeaderMatch.of(Mode.ALL, map("", 1L))).hasMessageContaining("empty name");
        Map<String, @Nullable Object> many = new HashMap<>();
        for (int i = 0; i <= HeaderMatch.MAX_HEADERS; i++) {
            many.put("h" + i, null);
        }
        assertThatThrownBy(() -> HeaderMatch.of(Mode.ALL, many)).hasMessage("257 headers are wanted; the limit is 256");
    }

    @Test
    void modesAreFoundByTheirWord() {
        for (Mode mode : Mode.values()) {
            assertThat(Mode.of(mode.toString())).isEqualTo(mode);
        }
        assertThatThrownBy(() -> Mode.of("some"))
                .hasMessage("'some' is no way to match headers; there are all, any, all-with-x and any-with-x");
    }

    @Test
    void agreesWithTheDefinitionOnRandomHeaders() {
        Random random = Seeds.random("header match");
        String[] names = {"a", "b", "x-c", "x-d"};
        for (int i = 0; i < 50_000; i++) {
            Map<String, @Nullable Object> wanted = randomHeaders(random, names);
            Map<String, @Nullable Object> given = randomHeaders(random, names);
            Fields fields = headers(flat(given));
            for (Mode mode : Mode.values()) {
                assertThat(HeaderMatch.of(mode, wanted).matches(fields))
                        .as("%s of %s against %s", mode, wanted, given)
                        .isEqualTo(defined(mode, wanted, given));
            }
        }
    }

    private static boolean defined(
            Mode mode, Map<String, @Nullable Object> wanted, Map<String, @Nullable Object> given) {
        List<String> names = wanted.keySet().stream()
                .filter(name -> mode.toString().endsWith("-with-x") || !name.startsWith("x-"))
                .toList();
        Predicate<String> matches = name -> given.containsKey(name)
                && (wanted.get(name) == null || wanted.get(name).equals(given.get(name)));
        return mode.toString().startsWith("all")
                ? names.stream().allMatch(matches)
                : names.stream().anyMatch(matches);
    }

    private static Map<String, @Nullable Object> randomHeaders(Random random, String[] names) {
        Map<String, @Nullable Object> headers = new LinkedHashMap<>();
        for (String name : names) {
            if (random.nextBoolean()) {
                headers.put(name, Seeds.oneOf(random, 1L, 1.0, "1", null));
            }
        }
        return headers;
    }

    private static @Nullable Object[] flat(Map<String, @Nullable Object> map) {
        List<@Nullable Object> flat = new ArrayList<>();
        map.forEach((name, value) -> {
            flat.add(name);
            flat.add(value);
        });
        return flat.toArray();
    }
}
