package dev.postroad.transports.amqp;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.LongString;
import java.math.BigDecimal;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A message of AMQP, with any properties and headers there can be. */
record SomeMessage(String exchange, String key, AMQP.BasicProperties properties, byte[] body) {
    void addTo(Outgoing outgoing) {
        outgoing.add(exchange, key, properties, body);
    }

    void assertSame(AMQP.BasicProperties read, byte[] readBody) {
        assertThat(read.builder().headers(null).build())
                .isEqualTo(properties.builder().headers(null).build());
        assertThat(readable(read.getHeaders())).isEqualTo(readable(properties.getHeaders()));
        assertThat(readBody).isEqualTo(body);
    }

    /** With texts as texts, and bytes that can be compared. */
    private static @Nullable Object readable(@Nullable Object value) {
        return switch (value) {
            case LongString text -> text.toString();
            case byte[] bytes -> java.util.HexFormat.of().formatHex(bytes);
            case Map<?, ?> map -> {
                Map<Object, @Nullable Object> readable = new LinkedHashMap<>();
                map.forEach((name, each) -> readable.put(name, readable(each)));
                yield readable;
            }
            case List<?> list -> list.stream().map(SomeMessage::readable).toList();
            case null, default -> value;
        };
    }

    private static @Nullable String text(RandomGenerator random, int most) {
        if (random.nextBoolean()) {
            return null;
        }
        int[] points = random.ints(random.nextInt(most), 1, random.nextBoolean() ? 0x7F : 0xD000)
                .toArray();
        return new String(points, 0, points.length);
    }

    private static Object value(RandomGenerator random, int depth) {
        return switch (random.nextInt(depth == 0 ? 11 : 13)) {
            case 0 -> String.valueOf(text(random, 300));
            case 1 -> random.nextLong();
            case 2 -> random.nextInt();
            case 3 -> random.nextBoolean();
            case 4 -> new byte[random.nextInt(50)];
            case 5 -> new Date(random.nextInt() * 1000L);
            case 6 -> new BigDecimal("12.5");
            case 7 -> random.nextDouble();
            case 8 -> (short) random.nextInt();
            case 9 -> (byte) random.nextInt();
            case 10 -> random.nextFloat();
            case 11 -> List.of(value(random, depth - 1), value(random, depth - 1));
            default -> Map.of("a", value(random, depth - 1));
        };
    }

    static SomeMessage drawn(RandomGenerator random) {
        Map<String, Object> headers = new LinkedHashMap<>();
        for (int i = random.nextInt(4); i > 0; i--) {
            headers.put("h" + i, value(random, 2));
        }
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .contentType(text(random, 80))
                .contentEncoding(text(random, 80))
                .headers(random.nextInt(5) == 0 ? null : headers)
                .deliveryMode(random.nextBoolean() ? 2 : null)
                .priority(random.nextBoolean() ? random.nextInt(10) : null)
                .correlationId(text(random, 80))
                .replyTo(text(random, 80))
                .expiration(text(random, 80))
                .messageId(text(random, 80))
                .timestamp(random.nextBoolean() ? new Date(random.nextInt() * 1000L) : null)
                .type(text(random, 80))
                .userId(text(random, 80))
                .appId(text(random, 80))
                .clusterId(text(random, 80))
                .build();
        byte[] body = new byte[random.nextInt(random.nextInt(4) == 0 ? 40_000 : 300)];
        random.nextBytes(body);
        return new SomeMessage(
                random.nextInt(4) == 0 ? "exchange" : "", "queue-" + random.nextInt(2), properties, body);
    }
}
