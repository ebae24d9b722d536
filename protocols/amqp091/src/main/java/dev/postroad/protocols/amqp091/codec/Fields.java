package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;

/** Writes the elementary fields. */
public final class Fields {
    private Fields() {}

    /** @throws IllegalArgumentException if it has more than 255 bytes of UTF-8 */
    public static void writeShortString(ByteBuf out, String text) {
        int at = out.writerIndex();
        out.writeByte(0);
        int length = ByteBufUtil.writeUtf8(out, text);
        if (length > 255) {
            out.writerIndex(at);
            throw new IllegalArgumentException("a short string has " + length + " bytes; it must have 255 at most");
        }
        out.setByte(at, length);
    }

    /** A text as a short string, cut where it has more than 255 bytes: for reply texts. */
    public static String shorten(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= 255) {
            return text;
        }
        int end = 252;
        while (end > 0 && (bytes[end] & 0xC0) == 0x80) {
            end--;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8) + "...";
    }

    static void writeLongString(ByteBuf out, byte[] bytes) {
        out.writeInt(bytes.length);
        out.writeBytes(bytes);
    }
}
