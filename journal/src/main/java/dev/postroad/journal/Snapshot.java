package dev.postroad.journal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** The snapshot of a checkpoint, to be read once from its begin. Its checksum was verified before. */
public final class Snapshot extends InputStream {
    private final StorageFile file;
    private final long position;
    private final long timeMillis;
    private final ByteBuffer buffer;
    private long offset;
    private long unread;

    Snapshot(StorageFile file, long offset, long bytes, long position, long timeMillis) {
        this.file = file;
        this.offset = offset;
        this.unread = bytes;
        this.position = position;
        this.timeMillis = timeMillis;
        this.buffer = ByteBuffer.allocateDirect((int) Math.min(64 << 10, bytes)).limit(0);
    }

    /** The journal position at which the snapshot was taken: all batches before it are in it. */
    public long position() {
        return position;
    }

    /** The time of the last batch before the snapshot, in milliseconds since 1970. */
    public long timeMillis() {
        return timeMillis;
    }

    /** How many bytes have not been read yet. */
    public long remaining() {
        return unread + buffer.remaining();
    }

    @Override
    public int read() throws IOException {
        return fill() ? buffer.get() & 0xff : -1;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (!fill()) {
            return -1;
        }
        int count = Math.min(length, buffer.remaining());
        buffer.get(bytes, from, count);
        return count;
    }

    /** Reads into the buffer until it is full or the snapshot ends; returns the number of bytes, -1 at the end. */
    public int read(ByteBuffer dst) throws IOException {
        int total = 0;
        while (dst.hasRemaining() && fill()) {
            int count = Math.min(dst.remaining(), buffer.remaining());
            int limit = buffer.limit();
            buffer.limit(buffer.position() + count);
            dst.put(buffer);
            buffer.limit(limit);
            total += count;
        }
        return total == 0 && dst.hasRemaining() ? -1 : total;
    }

    private boolean fill() throws IOException {
        if (buffer.hasRemaining()) {
            return true;
        }
        if (unread == 0) {
            return false;
        }
        buffer.position(0).limit((int) Math.min(buffer.capacity(), unread));
        int read = file.read(buffer, offset);
        buffer.flip();
        if (read <= 0) {
            throw new JournalException("The checkpoint got shorter while it was read, at offset " + offset);
        }
        offset += read;
        unread -= read;
        return true;
    }
}
