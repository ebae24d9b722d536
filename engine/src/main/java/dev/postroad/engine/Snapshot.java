package dev.postroad.engine;

import java.nio.ByteBuffer;

/** A growing buffer that state is written to for a checkpoint. */
final class Snapshot {
    private ByteBuffer buffer = ByteBuffer.allocate(64 * 1024);

    /** The buffer, with room for at least so many bytes more. Put to it at once: the next call may replace it. */
    ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes) {
            int wanted = Math.addExact(buffer.position(), bytes);
            ByteBuffer larger = ByteBuffer.allocate(Math.max(wanted, Math.multiplyExact(buffer.capacity(), 2)));
            buffer.flip();
            larger.put(buffer);
            buffer = larger;
        }
        return buffer;
    }

    /** What was written, ready to be read. */
    ByteBuffer finish() {
        buffer.flip();
        return buffer;
    }
}
