package dev.postroad.engine;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** A growing buffer that state is written to for a checkpoint. */
final class Snapshot {
    private ByteBuffer buffer = ByteBuffer.allocate(8 * 1024);

    /** The buffer, with room for at least so many bytes more. Put to it at once: the next call may replace it. */
    ByteBuffer room(int bytes) {
        if (buffer.remaining() < bytes) {
            grow(bytes);
        }
        return buffer;
    }

    /** Writes what is far smaller, as a rule, than it could be: into the room there is, and again where that was too little. */
    void write(Consumer<ByteBuffer> what) {
        int from = buffer.position();
        while (true) {
            try {
                what.accept(buffer);
                return;
            } catch (BufferOverflowException tooLittle) {
                buffer.position(from);
                grow(buffer.capacity());
            }
        }
    }

    private void grow(int bytes) {
        int wanted = Math.addExact(buffer.position(), bytes);
        ByteBuffer larger = ByteBuffer.allocate(Math.max(wanted, Math.multiplyExact(buffer.capacity(), 2)));
        buffer.flip();
        larger.put(buffer);
        buffer = larger;
    }

    /** What was written, ready to be read. */
    ByteBuffer finish() {
        buffer.flip();
        return buffer;
    }
}
