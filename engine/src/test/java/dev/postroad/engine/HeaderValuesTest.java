package dev.postroad.engine;

import static dev.postroad.engine.Rig.message;
import static dev.postroad.engine.Rig.publishing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.TopicDefinition.Routing;
import dev.postroad.engine.routing.Rule;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Headers of every type, kept as they are. */
class HeaderValuesTest {
    private static final Map<String, Object> ALL = all();

    private static Map<String, Object> all() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("string", "grün");
        all.put("boolean", true);
        all.put("byte", (byte) -7);
        all.put("short", (short) -300);
        all.put("integer", -70_000);
        all.put("long", Long.MIN_VALUE);
        all.put("float", 0.1f);
        all.put("double", 0.1);
        all.put("decimal", new BigDecimal("12345678901234567890.1230"));
        all.put("instant", Instant.ofEpochSecond(-1));
        all.put("bytes", new byte[] {0, -1});
        all.put("nothing", NoValue.NONE);
        all.put("list", List.of(1, "two", List.of(), Map.of("three", (short) 3)));
        all.put("map", Map.of("inner", Map.of("deep", List.of(NoValue.NONE, new BigDecimal("1E+5")))));
        return all;
    }

    private static Object any(Generator gen, int depth) {
        return switch (gen.between(0, depth > 3 ? 11 : 13)) {
            case 0 -> gen.text(0, 20);
            case 1 -> gen.flip();
            case 2 -> (byte) gen.nextLong();
            case 3 -> (short) gen.nextLong();
            case 4 -> (int) gen.nextLong();
            case 5 -> gen.nextLong();
            case 6 -> Float.intBitsToFloat((int) gen.nextLong());
            case 7 -> Double.longBitsToDouble(gen.nextLong());
            case 8 -> new BigDecimal(new BigInteger(gen.bytes(1, 20)), gen.between(-1000, 1000));
            case 9 -> Instant.ofEpochSecond(gen.between(-(1L << 40), 1L << 40), gen.between(0, 999_999_999));
            case 10 -> NoValue.NONE;
            case 11 -> gen.bytes(0, 30);
            case 12 -> gen.list(0, 4, () -> any(gen, depth + 1));
            default -> {
                Map<String, Object> map = new LinkedHashMap<>();
                for (int i = gen.between(0, 4); i > 0; i--) {
                    map.put(gen.text(0, 8), any(gen, depth + 1));
                }
                yield map;
            }
        };
    }

    @Test
    void whatIsEncodedDecodesToTheSameWithinItsBound() {
        Property.forAll("header values survive their bytes", 2_000, gen -> {
            Object value = any(gen, 0);
            ByteBuffer out = ByteBuffer.allocate((int) HeaderValues.maxBytes(value));
            HeaderValues.encode(value, out);
            Object decoded = HeaderValues.decode(out.flip());
            assertThat(same(decoded, value))
                    .as("%s comes back as %s", value, decoded)
                    .isTrue();
            assertThat(out.hasRemaining()).isFalse();
            assertThat(HeaderValues.text(value)).isNotNull();
        });
    }

    /** Equal and of the same types, all the way down. */
    private static boolean same(Object a, Object b) {
        if (a instanceof byte[] left && b instanceof byte[] right) {
            return Arrays.equals(left, right);
        }
        if (a instanceof List<?> left && b instanceof List<?> right) {
            return left.size() == right.size()
                    && IntStream.range(0, left.size()).allMatch(i -> same(left.get(i), right.get(i)));
        }
        if (a instanceof Map<?, ?> left && b instanceof Map<?, ?> right) {
            return List.copyOf(left.keySet()).equals(List.copyOf(right.keySet()))
                    && left.entrySet().stream().allMatch(e -> same(e.getValue(), right.get(e.getKey())));
        }
        return a.equals(b);
    }

    @Test
    void everyTypeComesBackAsItselfAlsoAfterACrash() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("q"));
            rig.send("q", message("m").withHeaders(ALL));
            rig.crash();
            Map<String, Object> back = rig.consume("q", 1).one().message().headers();
            assertThat(same(back, ALL)).as("%s", back).isTrue();
            rig.check();
        }
    }

    @Test
    void rulesCompareNumbersOfAnyWidthByValue() {
        Fields see = new Fields(ALL);
        assertThat(see.match("byte = -7 AND short = -300 AND integer = -70000")).isTrue();
        assertThat(see.match("decimal > 12345678901234567890 AND decimal < 12345678901234567891"))
                .isFalse();
        assertThat(see.match("integer < short AND short < byte")).isTrue();
        assertThat(see.match("decimal > 12345678901234560000.0")).isTrue();
        assertThat(see.match("instant = -1000")).isTrue();
        assertThat(see.match("nothing IS NULL AND list IS NOT NULL")).isTrue();
        assertThat(see.match("list = 'x' OR map = 1")).isFalse();
    }

    private record Fields(Map<String, Object> headers) {
        boolean match(String rule) {
            try {
                return Rule.parse(rule)
                        .matches(new MessageFields(PayloadFields.NONE)
                                .of(message("").withHeaders(headers)));
            } catch (IllegalArgumentException e) {
                // A literal beyond 64 bits is none.
                return false;
            }
        }
    }

    @Test
    void headerMatchesCompareWholeNumbersByValueAndAskForPresenceByNoValue() {
        try (Rig rig = new Rig()) {
            rig.declare(TopicDefinition.named("t", Routing.HEADERS));
            for (String queue : List.of("whole", "floating", "there", "decimal", "list")) {
                rig.declare(QueueDefinition.named(queue));
            }
            rig.bind(new Binding("t", "whole", false, "", Map.of("n", 5L)));
            rig.bind(new Binding("t", "floating", false, "", Map.of("n", 5.0)));
            rig.bind(new Binding("t", "there", false, "", Map.of("n", NoValue.NONE)));
            rig.bind(new Binding("t", "decimal", false, "", Map.of("n", new BigDecimal("5.00"))));
            rig.bind(new Binding("t", "list", false, "", Map.of("n", List.of(1L, "x"))));
            rig.crash();
            rig.sendTo("t", "", message("byte").withHeaders(Map.of("n", (byte) 5)));
            rig.sendTo("t", "", message("float").withHeaders(Map.of("n", 5.0f)));
            rig.sendTo("t", "", message("none").withHeaders(Map.of("n", NoValue.NONE)));
            rig.sendTo("t", "", message("list").withHeaders(Map.of("n", List.of((short) 1, "x"))));
            assertThat(rig.contents("whole")).containsExactly("byte");
            assertThat(rig.contents("decimal")).containsExactly("byte");
            assertThat(rig.contents("floating")).containsExactly("float");
            assertThat(rig.contents("list")).containsExactly("list");
            assertThat(rig.contents("there")).containsExactly("byte", "float", "none", "list");
            rig.check();
        }
    }

    @Test
    void whatIsNoHeaderOrTooDeepOrTooManyIsRefusedByName() {
        try (Rig rig = new Rig()) {
            rig.declare(QueueDefinition.named("q"));
            EngineException type =
                    rig.refused(publishing("q", message("m").withHeaders(Map.of("h", new StringBuilder()))));
            assertThat(type.reason()).isEqualTo(Reason.INVALID);
            assertThat(type).hasMessageContaining("header 'h'").hasMessageContaining("StringBuilder");

            Object deep = "bottom";
            for (int i = 0; i <= HeaderValues.MAX_DEPTH; i++) {
                deep = List.of(deep);
            }
            EngineException tooDeep = rig.refused(publishing("q", message("m").withHeaders(Map.of("h", deep))));
            assertThat(tooDeep.reason()).isEqualTo(Reason.TOO_LARGE);
            assertThat(tooDeep).hasMessageContaining("header 'h'").hasMessageContaining("32 deep");

            List<Object> many = new ArrayList<>();
            for (int i = 0; i < HeaderValues.MAX_VALUES; i++) {
                many.add(i);
            }
            EngineException tooMany = rig.refused(publishing("q", message("m").withHeaders(Map.of("h", many))));
            assertThat(tooMany).hasMessageContaining("10000 values");
            assertThat(rig.contents("q")).isEmpty();
        }
    }

    @Test
    void nestedValuesReadAsJsonWhereOnlyTextIsKnown() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("a\"b", List.of(1, 2.5, "x\n", NoValue.NONE, true));
        map.put("at", Instant.EPOCH);
        map.put("raw", new byte[] {-1});
        assertThat(HeaderValues.text(map))
                .isEqualTo(
                        "{\"a\\\"b\":[1,2.5,\"x\\u000a\",null,true],\"at\":\"1970-01-01T00:00:00Z\",\"raw\":\"/w==\"}");
        assertThat(HeaderValues.text(List.of())).isEqualTo("[]");
        assertThat(HeaderValues.text("plain")).isEqualTo("plain");
        assertThatThrownBy(() -> HeaderValues.decode(ByteBuffer.wrap(new byte[] {99})))
                .isInstanceOf(IllegalStateException.class);
    }
}
