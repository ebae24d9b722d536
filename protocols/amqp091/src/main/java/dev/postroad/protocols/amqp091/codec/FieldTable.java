package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Field tables, with the types that RabbitMQ and its clients use, which are not quite those of the specification.
 *
 * <pre>
 *   t Boolean        b Byte            s Short           I Integer         l Long
 *                    B Short (u8)      u Integer (u16)   i Long (u32)
 *   f Float          d Double          D BigDecimal (scale u8, unscaled i32)
 *   S String, or byte[] where it is not UTF-8            x byte[]          T Instant (seconds)
 *   F table: Map     A array: List     V null
 * </pre>
 *
 * <p>Types in brackets are read only: an unsigned value is written again as the signed one of the next size.
 */
public final class FieldTable {
    /** Tables and arrays within one another at most. */
    public static final int DEEPEST = 32;

    /** Values of a table with all that are within it, at most: an entry of a few bytes takes a hundred bytes of heap. */
    public static final int MOST_VALUES = 16_384;

    private FieldTable() {}

    /** Reads a table with its length. @throws MalformedException if it is none, or is too deep or too large */
    public static Map<String, @Nullable Object> read(ArgumentReader in) {
        return new Reader(in).table(0);
    }

    private static final class Reader {
        private final ArgumentReader in;
        private int values;

        Reader(ArgumentReader in) {
            this.in = in;
        }

        Map<String, @Nullable Object> table(int depth) {
            int outer = in.narrow(in.readUnsignedInt(), "a field table");
            if (in.remaining() == 0) {
                in.widen(outer);
                return Map.of();
            }
            Map<String, @Nullable Object> table = new LinkedHashMap<>();
            while (in.remaining() > 0) {
                String name = in.readShortString();
                table.put(name, value(depth));
            }
            in.widen(outer);
            return table;
        }

        private List<@Nullable Object> array(int depth) {
            int outer = in.narrow(in.readUnsignedInt(), "a field array");
            List<@Nullable Object> array = new ArrayList<>();
            while (in.remaining() > 0) {
                array.add(value(depth));
            }
            in.widen(outer);
            return array;
        }

        private @Nullable Object value(int depth) {
            if (++values > MOST_VALUES) {
                throw MalformedException.syntax("a field table has more than " + MOST_VALUES + " values");
            }
            int type = in.readUnsignedByte();
            return switch (type) {
                case 't' -> in.readUnsignedByte() != 0;
                case 'b' -> in.readByte();
                case 'B' -> (short) in.readUnsignedByte();
                case 's' -> in.readShort();
                case 'u' -> in.readUnsignedShort();
                case 'I' -> in.readInt();
                case 'i' -> in.readUnsignedInt();
                case 'l' -> in.readLong();
                case 'f' -> Float.intBitsToFloat(in.readInt());
                case 'd' -> Double.longBitsToDouble(in.readLong());
                case 'D' -> {
                    int scale = in.readUnsignedByte();
                    yield new BigDecimal(BigInteger.valueOf(in.readInt()), scale);
                }
                case 'S' -> {
                    byte[] bytes = in.readLongString();
                    String text = ArgumentReader.utf8(bytes);
                    yield text == null ? bytes : text;
                }
                case 'x' -> in.readLongString();
                case 'T' -> instant(in.readLong());
                case 'F' -> table(deeper(depth));
                case 'A' -> array(deeper(depth));
                case 'V' -> null;
                default ->
                    throw MalformedException.syntax(
                            "a field table has a value of the unknown type '" + printable(type) + "'");
            };
        }

        private static int deeper(int depth) {
            if (depth + 1 >= DEEPEST) {
                throw MalformedException.syntax("field tables are more than " + DEEPEST + " deep");
            }
            return depth + 1;
        }

        private static Instant instant(long seconds) {
            if (seconds < Instant.MIN.getEpochSecond() || seconds > Instant.MAX.getEpochSecond()) {
                throw MalformedException.syntax("a timestamp says " + seconds + " seconds, which is no time");
            }
            return Instant.ofEpochSecond(seconds);
        }

        private static String printable(int type) {
            return type > 32 && type < 127 ? String.valueOf((char) type) : "0x" + Integer.toHexString(type);
        }
    }

    /**
     * Writes a table with its length.
     *
     * @throws IllegalArgumentException if it has a value that a field table can't have, or a name of more than 255 bytes
     */
    public static void write(ByteBuf out, Map<String, ? extends @Nullable Object> table) {
        int at = out.writerIndex();
        out.writeInt(0);
        for (Map.Entry<String, ? extends @Nullable Object> entry : table.entrySet()) {
            Fields.writeShortString(out, entry.getKey());
            writeValue(out, entry.getValue());
        }
        out.setInt(at, out.writerIndex() - at - 4);
    }

    private static void writeValue(ByteBuf out, @Nullable Object value) {
        switch (value) {
            case null -> out.writeByte('V');
            case String text -> {
                out.writeByte('S');
                int at = out.writerIndex();
                out.writeInt(0);
                out.setInt(at, ByteBufUtil.writeUtf8(out, text));
            }
            case Boolean flag -> out.writeByte('t').writeByte(flag ? 1 : 0);
            case Byte number -> out.writeByte('b').writeByte(number);
            case Short number -> out.writeByte('s').writeShort(number);
            case Integer number -> out.writeByte('I').writeInt(number);
            case Long number -> out.writeByte('l').writeLong(number);
            case Float number -> out.writeByte('f').writeInt(Float.floatToRawIntBits(number));
            case Double number -> out.writeByte('d').writeLong(Double.doubleToRawLongBits(number));
            case BigDecimal number -> writeDecimal(out, number);
            case Instant time -> out.writeByte('T').writeLong(time.getEpochSecond());
            case byte[] bytes -> {
                out.writeByte('x');
                Fields.writeLongString(out, bytes);
            }
            case Map<?, ?> map -> {
                out.writeByte('F');
                int at = out.writerIndex();
                out.writeInt(0);
                map.forEach((name, inner) -> {
                    Fields.writeShortString(out, String.valueOf(name));
                    writeValue(out, inner);
                });
                out.setInt(at, out.writerIndex() - at - 4);
            }
            case List<?> list -> {
                out.writeByte('A');
                int at = out.writerIndex();
                out.writeInt(0);
                list.forEach(inner -> writeValue(out, inner));
                out.setInt(at, out.writerIndex() - at - 4);
            }
            default ->
                throw new IllegalArgumentException("a field table can't have a value of "
                        + value.getClass().getName());
        }
    }

    private static void writeDecimal(ByteBuf out, BigDecimal number) {
        BigInteger unscaled = number.unscaledValue();
        if (number.scale() < 0 || number.scale() > 255 || unscaled.bitLength() > 31) {
            // A decimal of the wire has 31 bits and a scale of an octet: what does not fit is told exactly, as text.
            byte[] text = number.toString().getBytes(StandardCharsets.US_ASCII);
            out.writeByte('S');
            Fields.writeLongString(out, text);
            return;
        }
        out.writeByte('D').writeByte(number.scale()).writeInt(unscaled.intValue());
    }
}
