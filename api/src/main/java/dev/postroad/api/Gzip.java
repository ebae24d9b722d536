package dev.postroad.api;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** Values of compressed channels on the wire. */
final class Gzip {
    /** Marks a packed value; of our own, so that what an application says of its values stays its own matter. */
    static final String HEADER = "postroad-encoding";

    static final String NAME = "gzip";

    /** Values up to this size travel as they are: they would hardly shrink. */
    static final int THRESHOLD_BYTES = 1024;

    private static final int BUFFER_BYTES = 8 * 1024;

    private Gzip() {}

    static byte[] compress(byte[] value) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream(value.length / 2);
        try (GZIPOutputStream gzip = new GZIPOutputStream(compressed, BUFFER_BYTES)) {
            gzip.write(value);
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return compressed.toByteArray();
    }

    /**
     * The value again, taking memory as it comes forth and never more than the limit.
     *
     * @throws IOException if these are not the bytes of a whole gzip file
     * @throws MessagingException {@code TOO_LARGE} as soon as it grows over the limit
     */
    static byte[] undo(byte[] compressed, int limit) throws IOException {
        ByteArrayOutputStream value = new ByteArrayOutputStream(Math.min(limit, compressed.length * 2));
        byte[] buffer = new byte[Math.min(BUFFER_BYTES, limit + 1)];
        try (GZIPInputStream gzip = new GZIPInputStream(new ByteArrayInputStream(compressed), BUFFER_BYTES)) {
            for (int read = gzip.read(buffer); read >= 0; read = gzip.read(buffer)) {
                if (value.size() + read > limit) {
                    throw new MessagingException(
                            MessagingException.Reason.TOO_LARGE,
                            "the " + compressed.length + " gzipped bytes unpack to more than " + limit
                                    + ", the channel's largest value");
                }
                value.write(buffer, 0, read);
            }
        }
        return value.toByteArray();
    }
}
