package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * AMQP's codec, each decoder as a function of bytes, and bytes to begin with. It is in the codec's package so that nothing of it
 * need be public for the sake of fuzzing. What is refused is a {@link MalformedException}. For any thread.
 */
public final class AmqpDecoders {
    private static final int LARGEST_FRAME = 128 * 1024;

    private AmqpDecoders() {}

    /** Whether that is how the codec refuses what it is given. */
    public static boolean refuses(Throwable thrown) {
        return thrown instanceof MalformedException;
    }

    /** Frames, as a connection reads them: the same ones, wherever the first byte of the input splits the rest. */
    public static void frames(byte[] input) {
        if (input.length == 0) {
            return;
        }
        ByteBuf bytes = Unpooled.wrappedBuffer(input, 1, input.length - 1);
        List<String> whole = new ArrayList<>();
        parse(bytes.duplicate(), whole);
        int split = Math.min(input[0] & 0xFF, input.length - 1);
        List<String> parts = new ArrayList<>();
        ByteBuf first = bytes.slice(0, split);
        parse(first, parts);
        parse(bytes.slice(first.readerIndex(), bytes.readableBytes() - first.readerIndex()), parts);
        if (!whole.equals(parts)) {
            throw new AssertionError("in one piece: " + whole + "; in two: " + parts);
        }
    }

    private static void parse(ByteBuf in, List<String> found) {
        ArgumentReader reader = new ArgumentReader();
        Frames.parse(in, LARGEST_FRAME, (type, channel, payload, length) -> {
            String what = switch (type) {
                case Frames.METHOD ->
                    String.valueOf(Method.read(reader.over(payload, length)).id());
                case Frames.HEADER -> header(reader.over(payload, length));
                default -> String.valueOf(length);
            };
            found.add(type + " " + channel + " " + what);
            return true;
        });
    }

    private static String header(ArgumentReader in) {
        int classId = in.readUnsignedShort();
        in.readUnsignedShort();
        long size = in.readLong();
        BasicProperties.read(in);
        return classId + " " + size;
    }

    /** A method; written and read again. */
    public static void method(byte[] input) {
        byte[] once = bytes(out -> Method.read(reader(input)).write(out));
        same(once, bytes(out -> Method.read(reader(once)).write(out)));
    }

    /** A field table; written and read again. */
    public static void table(byte[] input) {
        byte[] once = bytes(out -> FieldTable.write(out, FieldTable.read(reader(input))));
        same(once, bytes(out -> FieldTable.write(out, FieldTable.read(reader(once)))));
    }

    /** The properties of a content header; written and read again. */
    public static void properties(byte[] input) {
        byte[] once = bytes(out -> BasicProperties.read(reader(input)).write(out));
        same(once, bytes(out -> BasicProperties.read(reader(once)).write(out)));
    }

    private static ArgumentReader reader(byte[] input) {
        return new ArgumentReader().over(Unpooled.wrappedBuffer(input), input.length);
    }

    private interface Writing {
        void to(ByteBuf out);
    }

    private static byte[] bytes(Writing writing) {
        ByteBuf out = Unpooled.buffer();
        writing.to(out);
        return ByteBufUtil.getBytes(out);
    }

    private static void same(byte[] once, byte[] again) {
        if (!Arrays.equals(once, again)) {
            throw new AssertionError("what was written is read as something else: " + ByteBufUtil.hexDump(once));
        }
    }

    // ── To begin with ────────────────────────────────────────────────────────────────────────────────────────────────

    /** A table with a value of every type. */
    public static Map<String, @Nullable Object> exampleTable(String text, long number) {
        return Map.of(
                "text",
                text,
                "x-long",
                number,
                "int",
                (int) number,
                "flag",
                (number & 1) == 0,
                "list",
                List.of(text, (short) number, List.of((byte) number)),
                "table",
                Map.of(text, 1.5, "float", (float) number),
                "bytes",
                new byte[] {1, (byte) number},
                "time",
                Instant.ofEpochSecond(number & 0xFFFF_FFFFL),
                "decimal",
                new java.math.BigDecimal("12.34"));
    }

    /** A field table. */
    public static byte[] exampleTableBytes(String text, long number) {
        return tableBytes(exampleTable(text, number));
    }

    /** This table as bytes. */
    public static byte[] tableBytes(Map<String, ? extends @Nullable Object> table) {
        return bytes(out -> FieldTable.write(out, table));
    }

    /** The properties of a content header. */
    public static byte[] exampleProperties(String text, long number) {
        return bytes(out -> new BasicProperties(
                        text,
                        (number & 2) == 0 ? text : null,
                        (number & 4) == 0 ? exampleTable(text, number) : null,
                        (int) (number & 3),
                        (number & 8) == 0 ? (Integer) 9 : null,
                        text,
                        null,
                        "60000",
                        text,
                        number,
                        null,
                        "guest",
                        null,
                        null)
                .write(out));
    }

    private static Method method(String text, long number) {
        return switch ((int) (number & 7)) {
            case 0 -> new BasicMethod.Publish(0, text, text, (number & 16) == 0, false);
            case 1 -> new BasicMethod.Consume(0, text, text, false, true, false, false, exampleTable(text, number));
            case 2 -> new BasicMethod.Ack(number, true);
            case 3 -> new BasicMethod.Qos(0, 100, false);
            case 4 -> new BasicMethod.Deliver(text, number, true, text, text);
            case 5 -> new QueueMethod.Declare(0, text, false, true, false, true, false, exampleTable(text, number));
            case 6 ->
                new ConnectionMethod.StartOk(exampleTable(text, number), "PLAIN", new byte[] {0, 'a', 0, 'b'}, "en_US");
            default -> new ConnectionMethod.Close(320, text, 10, 50);
        };
    }

    /** A method. */
    public static byte[] exampleMethod(String text, long number) {
        return bytes(method(text, number)::write);
    }

    /** What {@link #frames} takes: methods, a message and a heartbeat. */
    public static byte[] exampleFrames(String text, long number) {
        return bytes(out -> {
            out.writeByte((int) number);
            Frames.writeMethod(out, 1, method(text, number));
            Frames.writeMethod(out, 1, new BasicMethod.Publish(0, text, text, false, false));
            Frames.writeHeader(out, 1, 3, BasicProperties.read(reader(exampleProperties(text, number))));
            Frames.writeHead(out, Frames.BODY, 1, 3);
            out.writeBytes(new byte[3]).writeByte(Frames.END);
            Frames.writeHeartbeat(out);
        });
    }
}
