package dev.postroad.schemas.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.api.Format;
import dev.postroad.api.Serde;
import dev.postroad.api.Serdes;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonSerdeTest {
    enum State {
        OPEN,
        PAID
    }

    record Line(String article, int count) {}

    record Order(
            String id,
            State state,
            BigDecimal total,
            List<Line> lines,
            Map<String, String> notes,
            Instant placed,
            LocalDate due,
            Duration patience,
            Optional<String> coupon) {}

    private static final Order ORDER = new Order(
            "ö-7 \"quoted\" \u0000 🚚",
            State.PAID,
            new BigDecimal("12.50"),
            List.of(new Line("tea", 2), new Line("milk", 1)),
            Map.of("gift", "yes"),
            Instant.parse("2026-11-21T09:30:00.123456789Z"),
            LocalDate.of(2026, 12, 24),
            Duration.ofMinutes(90),
            Optional.empty());

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void recordsAndTimesComeBackAsTheyWere() {
        Serde<Order> serde = Serdes.json(Order.class);
        byte[] bytes = serde.serialize(ORDER);
        assertThat(serde.deserialize(bytes)).isEqualTo(ORDER);
        assertThat(new String(bytes, StandardCharsets.UTF_8))
                .contains("\"placed\":\"2026-11-21T09:30:00.123456789Z\"", "\"due\":\"2026-12-24\"", "\"PT1H30M\"");
        assertThat(serde.contentType()).isEqualTo("application/json");
        assertThat(Format.json(Order.class).value()).isInstanceOf(JsonSerde.class);
    }

    @Test
    void unknownFieldsArePassedOver() {
        Serde<Line> serde = JsonSerde.of(Line.class);
        assertThat(serde.deserialize(utf8("{\"article\":\"tea\",\"count\":2,\"colour\":{\"deep\":[1]}}")))
                .isEqualTo(new Line("tea", 2));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "{\"article\":\"tea\"",
                "{\"article\":\"tea\",\"count\":2} {}",
                "{\"article\":\"tea\",\"count\":null}",
                "{\"article\":\"tea\",\"count\":\"many\"}",
                "{\"article\":\"tea\",\"article\":\"milk\",\"count\":2}",
                "[1,2]",
                "{'article':'tea'}",
                "\u0000\u0001"
            })
    void whatIsNoProperValueIsRefused(String json) {
        Serde<Line> serde = JsonSerde.of(Line.class);
        assertThatThrownBy(() -> serde.deserialize(utf8(json)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Line");
    }

    @Test
    void anErrorTellsWhatAndWhere() {
        Serde<Order> serde = JsonSerde.of(Order.class);
        byte[] wrong = utf8("{\"id\":\"7\",\n \"lines\":[{\"article\":\"tea\",\"count\":1},{\"count\":\"x\"}]}");
        assertThatThrownBy(() -> serde.deserialize(wrong))
                .hasMessageContaining("[\"lines\"]")
                .hasMessageContaining("[1]")
                .hasMessageContaining("[\"count\"]")
                .hasMessageContaining("line 2, column");
        assertThatThrownBy(() -> serde.deserialize(utf8("{\"id\":\"7\",\"id\":\"8\"}")))
                .hasMessageContaining("Duplicate")
                .hasMessageContaining("line 1, column");
    }

    @Test
    void nestingBeyondTheLimitIsRefusedBothWays() {
        Serde<Object> serde = JsonSerde.of(Object.class);
        int depth = JsonSerde.MAX_DEPTH;
        assertThat(serde.deserialize(utf8("[".repeat(depth) + "]".repeat(depth))))
                .isNotNull();
        assertThatThrownBy(() -> serde.deserialize(utf8("[".repeat(depth + 1) + "]".repeat(depth + 1))))
                .hasMessageContaining("64");
        assertThatThrownBy(() -> serde.deserialize(utf8("[".repeat(1_000_000)))).hasMessageContaining("64");
        Object nested = List.of();
        for (int i = 0; i < depth; i++) {
            nested = List.of(nested);
        }
        Object tooDeep = nested;
        assertThatThrownBy(() -> serde.serialize(tooDeep)).hasMessageContaining("64");
    }

    @Test
    void numbersBeyondTheLimitAreRefused() {
        Serde<BigDecimal> serde = JsonSerde.of(BigDecimal.class);
        assertThatThrownBy(() -> serde.deserialize(utf8("1".repeat(1_001)))).hasMessageContaining("1000");
    }

    @Test
    void listsOfRecordsAreReadByTheirFullType() throws NoSuchFieldException {
        Serde<List<Line>> serde =
                JsonSerde.of(Holder.class.getDeclaredField("lines").getGenericType());
        List<Line> lines = List.of(new Line("tea", 2));
        assertThat(serde.deserialize(serde.serialize(lines))).isEqualTo(lines);
    }

    private record Holder(List<Line> lines) {}

    @Test
    void whatHasNoJsonIsRefusedWithItsPath() {
        record Odd(String name, Object inner) {}
        Serde<Odd> serde = JsonSerde.of(Odd.class);
        Object selfless = new Object() {
            @SuppressWarnings("unused")
            public String getTrouble() {
                throw new IllegalStateException("no");
            }
        };
        assertThatThrownBy(() -> serde.serialize(new Odd("n", selfless)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("inner");
    }
}
