package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A part of one file in memory. Reading on from where the last part ended takes ever larger parts, up to the normal
 * size; reading elsewhere starts small again, so that single records cost little and long runs one read per 256 KiB.
 */
final class ReadWindow {
    private static final int FIRST_BYTES = 8 << 10;

    /** Who reads on will do so for a while: a buffer that is larger than the first is as large as this at least. */
    private static final int SECOND_BYTES = 64 << 10;

    /** After so many loads that did not need it, a buffer for something large is let go. */
    private static final int KEEP_LARGE = 256;

    private static final ByteBuffer NOTHING = ByteBuffer.allocateDirect(0);

    private final int normalBytes;
    /** As large as was needed so far: most readers never read more than single records. */
    private ByteBuffer normal = NOTHING;

    private @Nullable ByteBuffer large;
    private int unneeded;
    private ByteBuffer buffer;
    private @Nullable StorageFile file;
    private long start;
    private int filled;
    private int ahead;

    ReadWindow(int normalBytes) {
        this.normalBytes = normalBytes;
        this.buffer = normal;
        this.ahead = Math.min(FIRST_BYTES, normalBytes);
    }

    /** The bytes; use with absolute indexes from {@link #index}. */
    ByteBuffer buffer() {
        return buffer;
    }

    /** Where that offset of the file is in the buffer; only for what was loaded. */
    int index(long offset) {
        return (int) (offset - start);
    }

    /** How many bytes are in memory from that offset on. */
    int available(StorageFile of, long offset) {
        return of == file && offset >= start && offset <= start + filled ? (int) (start + filled - offset) : 0;
    }

    /**
     * Makes {@code length} bytes from {@code offset} available, and reads no byte at or behind {@code limit}.
     *
     * @return false if the file ends before, or the limit is before
     */
    boolean load(StorageFile of, long offset, int length, long limit) throws IOException {
        int have = available(of, offset);
        if (have >= length) {
            return true;
        }
        if (offset + length > limit) {
            return false;
        }
        boolean onward = of == file && offset >= start && offset <= start + filled && filled > 0;
        ahead = onward ? Math.min(normalBytes, ahead * 4) : Math.min(FIRST_BYTES, normalBytes);
        int want = (int) Math.min(Math.max(length, ahead), limit - offset);
        ByteBuffer old = buffer;
        int keepFrom = index(offset);
        buffer = bufferFor(want);
        if (have > 0) {
            // bytes that are here already move to the front: nothing is read twice
            buffer.put(0, old, keepFrom, have);
        }
        file = of;
        start = offset;
        filled = have;
        while (filled < length) {
            buffer.limit(want).position(filled);
            int read = of.read(buffer, offset + filled);
            if (read <= 0) {
                break;
            }
            filled += read;
        }
        buffer.clear();
        return filled >= length;
    }

    private ByteBuffer bufferFor(int bytes) {
        ByteBuffer kept = large;
        if (bytes <= normalBytes) {
            if (kept != null && ++unneeded > KEEP_LARGE) {
                large = null;
            }
            if (normal.capacity() < bytes) {
                int wanted = bytes <= FIRST_BYTES
                        ? FIRST_BYTES
                        : Math.max(SECOND_BYTES, Integer.highestOneBit(bytes - 1) << 1);
                normal = ByteBuffer.allocateDirect(Math.min(normalBytes, wanted));
            }
            return normal;
        }
        unneeded = 0;
        if (kept == null || kept.capacity() < bytes) {
            kept = ByteBuffer.allocateDirect(bytes);
            large = kept;
        }
        return kept;
    }

    /** The buffer itself, with room for so many bytes, for another use until the next {@link #load}; what was loaded is forgotten. */
    ByteBuffer lend(int bytes) {
        forget();
        buffer = bufferFor(bytes);
        return buffer.clear();
    }

    void forget() {
        file = null;
        filled = 0;
    }
}
