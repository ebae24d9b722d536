package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Numbers and strings as they lie in records and checkpoints: big-endian, lengths as base-128 varints. */
final class Bytes {
    private Bytes() {}

    static void putVarint(ByteBuffer out, long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.put((byte) (rest | 0x80));
            rest >>>= 7;
        }
        out.put((byte) rest);
    }

    static long getVarint(ByteBuffer in) {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte b = in.get();
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw new IllegalStateException("a varint of more than ten bytes");
    }

    /** Signed numbers near zero in few bytes: zigzag. */
    static void putSigned(ByteBuffer out, long value) {
        putVarint(out, (value << 1) ^ (value >> 63));
    }

    static long getSigned(ByteBuffer in) {
        long raw = getVarint(in);
        return (raw >>> 1) ^ -(raw & 1);
    }

    /** Most bytes that {@link #putString} can take for this string. */
    static int maxBytes(@Nullable String text) {
        if (text == null) {
            return 5;
        }
        return text.length() <= 64 ? 5 + 3 * text.length() : 5 + utf8Bytes(text);
    }

    private static int utf8Bytes(String text) {
        int bytes = text.length();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            bytes += c < 0x80 ? 0 : c < 0x800 ? 1 : 2;
        }
        return bytes;
    }

    static void putString(ByteBuffer out, String text) {
        int length = text.length();
        if (length < 128) {
            int start = out.position();
            out.put((byte) length);
            int i = 0;
            for (; i < length; i++) {
                char c = text.charAt(i);
                if (c >= 128) {
                    break;
                }
                out.put((byte) c);
            }
            if (i == length) {
                return;
            }
            out.position(start);
        }
        putBytes(out, text.getBytes(StandardCharsets.UTF_8));
    }

    static String getString(ByteBuffer in) {
        return new String(getBytes(in), StandardCharsets.UTF_8);
    }

    static void putNullable(ByteBuffer out, @Nullable String text) {
        out.put((byte) (text == null ? 0 : 1));
        if (text != null) {
            putString(out, text);
        }
    }

    static @Nullable String getNullable(ByteBuffer in) {
        return in.get() == 0 ? null : getString(in);
    }

    static void putBytes(ByteBuffer out, byte[] bytes) {
        putVarint(out, bytes.length);
        out.put(bytes);
    }

    static byte[] getBytes(ByteBuffer in) {
        long length = getVarint(in);
        if (length < 0 || length > in.remaining()) {
            throw new IllegalStateException("a length of " + length + " where " + in.remaining() + " bytes are left");
        }
        byte[] bytes = new byte[(int) length];
        in.get(bytes);
        return bytes;
    }
}
