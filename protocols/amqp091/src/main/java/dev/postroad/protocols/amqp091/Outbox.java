package dev.postroad.protocols.amqp091;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * What the engine tells a connection, on its way to the event loop: one thread adds (whoever runs the engine; successive ones
 * hand it over), one takes. No locks, an array cell per entry. What bounds it: replies by the commands that the connection has
 * under way, deliveries by its consumers' credit.
 */
final class Outbox {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(Object[].class);
    private static final int FIRST = 16;
    private static final int MOST = 1024;

    private static final class Chunk {
        final @Nullable Object[] cells;

        Chunk(int size) {
            // The last cell holds the next chunk.
            cells = new Object[size + 1];
        }
    }

    private Chunk writing = new Chunk(FIRST);
    private int writeAt;
    private Chunk reading = writing;
    private int readAt;

    /** By the thread that runs the engine. */
    void add(Object entry) {
        int size = writing.cells.length - 1;
        if (writeAt == size) {
            Chunk next = new Chunk(Math.min(MOST, size * 4));
            next.cells[0] = entry;
            CELL.setRelease(writing.cells, size, next);
            writing = next;
            writeAt = 1;
            return;
        }
        CELL.setRelease(writing.cells, writeAt++, entry);
    }

    /** By the event loop. Null if nothing is there. */
    @Nullable
    Object poll() {
        int size = reading.cells.length - 1;
        if (readAt == size) {
            Object next = CELL.getAcquire(reading.cells, size);
            if (next == null) {
                return null;
            }
            reading = (Chunk) next;
            readAt = 0;
        }
        Object entry = CELL.getAcquire(reading.cells, readAt);
        if (entry != null) {
            reading.cells[readAt++] = null;
        }
        return entry;
    }
}
