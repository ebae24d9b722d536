package dev.postroad.proof.history;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * What a message of an experiment carries.
 *
 * <pre>
 *   0      4     8          12         20    24           28      28+n
 *   magic  run   producer   sequence   key   body length  body    CRC-32C of all before
 * </pre>
 *
 * The body follows from the other fields, so that it can be compared byte by byte without being kept.
 *
 * @param run which history it belongs to
 * @param producer who sent it, from 0
 * @param sequence which of its producer's messages it is, from 0
 * @param key number of its key
 */
public record Payload(int run, int producer, long sequence, int key) {
    private static final int MAGIC = 0x50524f46;
    private static final int HEADER = 28;
    private static final int TRAILER = 4;

    /** Bytes of a payload with an empty body. */
    public static final int LEAST_BYTES = HEADER + TRAILER;

    /** @param size bytes in all, at least {@link #LEAST_BYTES} */
    public byte[] write(int size) {
        if (size < LEAST_BYTES) {
            throw new IllegalArgumentException("size is " + size + "; it must be at least " + LEAST_BYTES);
        }
        byte[] bytes = new byte[size];
        int body = size - LEAST_BYTES;
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        buffer.putInt(MAGIC)
                .putInt(run)
                .putInt(producer)
                .putLong(sequence)
                .putInt(key)
                .putInt(body);
        fill(bytes, HEADER, body);
        CRC32C sum = new CRC32C();
        sum.update(bytes, 0, size - TRAILER);
        buffer.putInt(size - TRAILER, (int) sum.getValue());
        return bytes;
    }

    /** What the bytes say, or null if any of them is not as it was written. */
    public static @Nullable Payload read(byte[] bytes) {
        if (bytes.length < LEAST_BYTES) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        if (buffer.getInt() != MAGIC) {
            return null;
        }
        Payload payload = new Payload(buffer.getInt(), buffer.getInt(), buffer.getLong(), buffer.getInt());
        return Arrays.equals(bytes, payload.write(bytes.length)) ? payload : null;
    }

    private void fill(byte[] bytes, int from, int length) {
        long state = (((long) run << 32) | producer) * 0x9e3779b97f4a7c15L ^ sequence * 0xc2b2ae3d27d4eb4fL ^ key;
        int at = from;
        int end = from + length;
        while (at < end) {
            state += 0x9e3779b97f4a7c15L;
            long mixed = (state ^ (state >>> 30)) * 0xbf58476d1ce4e5b9L;
            mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
            mixed ^= mixed >>> 31;
            for (int i = 0; i < Long.BYTES && at < end; i++) {
                bytes[at++] = (byte) (mixed >>> (8 * i));
            }
        }
    }
}
