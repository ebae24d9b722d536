package dev.postroad.protocols.amqp091.codec;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the fields of one frame's payload: never beyond its end, and nothing is allocated for a length before the bytes are
 * there. Reused from frame to frame, so that short texts that come again and again (names of exchanges, routing keys) are not
 * made anew. For one thread.
 */
public final class ArgumentReader {
    private static final int KNOWN = 64;
    private static final char REPLACEMENT = '\ufffd';

    private ByteBuf in = io.netty.buffer.Unpooled.EMPTY_BUFFER;
    private int end;
    private int bits;
    private final byte[][] knownBytes = new byte[KNOWN][0];
    private final @Nullable String[] known = new String[KNOWN];

    /** A reader of nothing; begin with {@link #over(ByteBuf, int)}. */
    public ArgumentReader() {}

    /**
     * Reads from the buffer's reader index on.
     *
     * @param length of the payload, which must be there
     */
    public ArgumentReader over(ByteBuf buffer, int length) {
        if (buffer.readableBytes() < length) {
            throw new IllegalArgumentException(
                    "the payload has " + length + " bytes and " + buffer.readableBytes() + " are there");
        }
        in = buffer;
        end = buffer.readerIndex() + length;
        return this;
    }

    /** Forgets the buffer. */
    public void release() {
        in = io.netty.buffer.Unpooled.EMPTY_BUFFER;
        end = 0;
    }

    /** Bytes left. */
    public int remaining() {
        return end - in.readerIndex();
    }

    private void need(int bytes, String what) {
        if (remaining() < bytes) {
            throw MalformedException.syntax(
                    what + " wants " + bytes + " bytes, and " + remaining() + " are left in the frame");
        }
    }

    int readUnsignedByte() {
        need(1, "an octet");
        return in.readUnsignedByte();
    }

    byte readByte() {
        need(1, "an octet");
        return in.readByte();
    }

    /** An unsigned short. */
    public int readUnsignedShort() {
        need(2, "a short");
        return in.readUnsignedShort();
    }

    short readShort() {
        need(2, "a short");
        return in.readShort();
    }

    int readInt() {
        need(4, "a long");
        return in.readInt();
    }

    /** An unsigned long of 32 bits. */
    public long readUnsignedInt() {
        need(4, "a long");
        return in.readUnsignedInt();
    }

    /** A long of 64 bits. */
    public long readLong() {
        need(8, "a longlong");
        return in.readLong();
    }

    /** A bit of the octet that the first of a row of bits (0) begins. */
    boolean readBit(int number) {
        if ((number & 7) == 0) {
            bits = readUnsignedByte();
        }
        return (bits & 1 << (number & 7)) != 0;
    }

    /** Up to 255 bytes of UTF-8. */
    public String readShortString() {
        int length = readUnsignedByte();
        need(length, "a short string");
        if (length == 0) {
            return "";
        }
        int from = in.readerIndex();
        int slot = (31 * (31 * length + in.getByte(from)) + in.getByte(from + length - 1)) & KNOWN - 1;
        byte[] bytes = knownBytes[slot];
        String text = known[slot];
        if (text != null && bytes.length == length && equal(bytes, from)) {
            in.skipBytes(length);
            return text;
        }
        byte[] fresh = new byte[length];
        in.readBytes(fresh);
        String made = utf8(fresh);
        if (made == null) {
            throw MalformedException.syntax("a short string is not UTF-8");
        }
        if (length <= 64) {
            knownBytes[slot] = fresh;
            known[slot] = made;
        }
        return made;
    }

    private boolean equal(byte[] bytes, int from) {
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != in.getByte(from + i)) {
                return false;
            }
        }
        return true;
    }

    /** The text, or null if the bytes are not UTF-8. */
    static @Nullable String utf8(byte[] bytes) {
        int or = 0;
        for (byte b : bytes) {
            or |= b;
        }
        if (or >= 0) {
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.indexOf(REPLACEMENT) < 0) {
            return text;
        }
        // It stands there itself, or for what is no character.
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    byte[] readLongString() {
        long length = readUnsignedInt();
        if (length > remaining()) {
            throw MalformedException.syntax(
                    "a long string says " + length + " bytes, and " + remaining() + " are left in the frame");
        }
        byte[] bytes = new byte[(int) length];
        in.readBytes(bytes);
        return bytes;
    }

    Map<String, @Nullable Object> readTable() {
        return FieldTable.read(this);
    }

    /** The end of what may be read, for a field with a length of its own; give it back to {@link #widen}. */
    int narrow(long length, String what) {
        if (length > remaining()) {
            throw MalformedException.syntax(
                    what + " says " + length + " bytes, and " + remaining() + " are left in the frame");
        }
        int outer = end;
        end = in.readerIndex() + (int) length;
        return outer;
    }

    void widen(int outer) {
        end = outer;
    }
}
