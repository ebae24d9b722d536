package dev.postroad.transports.http;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Lines of a stream of bytes, taking memory as they come and never more than a bound. */
final class Lines implements Closeable {
    private static final int MAX_LINE_BYTES = 64 * 1024 * 1024;

    private final InputStream in;
    private byte[] buffer = new byte[64 * 1024];
    private int from;
    private int to;
    private volatile long readNanos = System.nanoTime();

    Lines(InputStream in) {
        this.in = in;
    }

    /** When something was read last. */
    long readNanos() {
        return readNanos;
    }

    /** The next line without its end; null at the end of the stream. */
    byte @Nullable [] next() throws IOException {
        int searched = from;
        while (true) {
            for (int i = searched; i < to; i++) {
                if (buffer[i] == '\n') {
                    byte[] line = Arrays.copyOfRange(buffer, from, i);
                    from = i + 1;
                    return line;
                }
            }
            searched = to;
            if (from > 0) {
                System.arraycopy(buffer, from, buffer, 0, to - from);
                searched -= from;
                to -= from;
                from = 0;
            }
            if (to == buffer.length) {
                if (buffer.length >= MAX_LINE_BYTES) {
                    throw new IOException("a line has more than " + MAX_LINE_BYTES + " bytes");
                }
                buffer = Arrays.copyOf(buffer, buffer.length * 2);
            }
            int read = in.read(buffer, to, buffer.length - to);
            readNanos = System.nanoTime();
            if (read < 0) {
                return null;
            }
            to += read;
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
