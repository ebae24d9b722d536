package dev.postroad.protocols.amqp091.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.LongString;
import com.rabbitmq.client.impl.ValueReader;
import com.rabbitmq.client.impl.ValueWriter;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class FieldTableTest {

    @Test
    void what_we_write_the_java_client_reads() {
        Property.forAll("tables out", 500, random -> {
            Map<String, Object> table = table(random, 0);
            ByteBuf out = Unpooled.buffer();
            FieldTable.write(out, table);

            Map<String, Object> theirs = new ValueReader(
                            new DataInputStream(new ByteArrayInputStream(ByteBufUtil.getBytes(out))))
                    .readTable();

            assertThat(converted(theirs, FieldTableTest::ours))
                    .usingRecursiveComparison()
                    .isEqualTo(table);
        });
    }

    @Test
    @SuppressWarnings("unchecked")
    void what_the_java_client_writes_we_read() {
        Property.forAll("tables in", 500, random -> {
            Map<String, Object> table = table(random, 0);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            ValueWriter writer = new ValueWriter(new DataOutputStream(out));
            writer.writeTable((Map<String, Object>) converted(table, FieldTableTest::theirs));
            writer.flush();

            assertThat(read(out.toByteArray())).usingRecursiveComparison().isEqualTo(table);
        });
    }

    @Test
    void unsigned_types_are_read_as_the_next_larger_signed_ones() {
        ByteBuf entries = Unpooled.buffer();
        entries.writeBytes(new byte[] {1, 'a', 'B', (byte) 200});
        entries.writeBytes(new byte[] {1, 'b', 'u', (byte) 0xFF, (byte) 0xFE});
        entries.writeBytes(new byte[] {1, 'c', 'i', (byte) 0xFF, 0, 0, 1});

        assertThat(read(withLength(entries))).isEqualTo(Map.of("a", (short) 200, "b", 0xFFFE, "c", 0xFF000001L));
    }

    @Test
    void a_string_that_is_not_utf8_is_kept_as_bytes() {
        ByteBuf entries = Unpooled.buffer().writeBytes(new byte[] {1, 'a', 'S', 0, 0, 0, 2, (byte) 0xC3, 0x28});

        assertThat((byte[]) read(withLength(entries)).get("a")).containsExactly(0xC3, 0x28);
    }

    @Test
    void tables_too_deep_are_refused_before_they_overflow_the_stack() {
        ByteBuf table = Unpooled.buffer();
        for (int depth = 0; depth < 5000; depth++) {
            table.writeBytes(new byte[] {1, 'a', 'F'}).writeInt(7 * (4999 - depth));
        }

        assertThatThrownBy(() -> read(withLength(table)))
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("deep");
    }

    @Test
    void a_table_of_too_many_values_is_refused() {
        ByteBuf many = Unpooled.buffer();
        many.writeBytes(new byte[] {1, 'a', 'A'}).writeInt(20_000);
        many.writeBytes("V".repeat(20_000).getBytes(StandardCharsets.US_ASCII));

        assertThatThrownBy(() -> read(withLength(many)))
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("16384");
    }

    @Test
    void a_length_beyond_the_frame_takes_no_memory() {
        ByteBuf lie = Unpooled.buffer().writeBytes(new byte[] {1, 'a', 'x'}).writeInt(Integer.MAX_VALUE);

        assertThatThrownBy(() -> read(withLength(lie)))
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("2147483647");
    }

    private static byte[] withLength(ByteBuf entries) {
        ByteBuf table = Unpooled.buffer().writeInt(entries.readableBytes()).writeBytes(entries);
        return ByteBufUtil.getBytes(table);
    }

    private static Map<String, Object> read(byte[] bytes) {
        return FieldTable.read(new ArgumentReader().over(Unpooled.wrappedBuffer(bytes), bytes.length));
    }

    static Map<String, Object> table(Generator random, int depth) {
        Map<String, Object> table = new LinkedHashMap<>();
        for (int i = random.between(0, 5); i > 0; i--) {
            table.put(random.word(1, 12), value(random, depth));
        }
        return table;
    }

    static Object value(Generator random, int depth) {
        return switch (random.between(0, depth > 3 ? 11 : 13)) {
            case 0 -> random.flip();
            case 1 -> (byte) random.nextLong();
            case 2 -> (short) random.nextLong();
            case 3 -> (int) random.nextLong();
            case 4 -> random.nextLong();
            case 5 -> (float) random.fraction();
            case 6 -> random.fraction();
            case 7 -> new BigDecimal(BigInteger.valueOf((int) random.nextLong()), random.between(0, 255));
            case 8 -> Instant.ofEpochSecond(random.between(-1L << 40, 1L << 40));
            case 9 -> random.text(0, 40);
            case 10 -> random.bytes(0, 40);
            case 11 -> null;
            case 12 -> table(random, depth + 1);
            default -> {
                List<Object> list = new ArrayList<>();
                for (int i = random.between(0, 4); i > 0; i--) {
                    list.add(value(random, depth + 1));
                }
                yield list;
            }
        };
    }

    private static Object ours(Object leaf) {
        return leaf instanceof LongString text ? text.toString() : leaf instanceof Date date ? date.toInstant() : leaf;
    }

    private static Object theirs(Object leaf) {
        return leaf instanceof Instant time ? Date.from(time) : leaf;
    }

    private static Object converted(Object value, UnaryOperator<Object> leaf) {
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> result = new LinkedHashMap<>();
            map.forEach((name, inner) -> result.put(name.toString(), converted(inner, leaf)));
            return result;
        }
        if (value instanceof List<?> list) {
            List<Object> result = new ArrayList<>();
            list.forEach(inner -> result.add(converted(inner, leaf)));
            return result;
        }
        return leaf.apply(value);
    }
}
