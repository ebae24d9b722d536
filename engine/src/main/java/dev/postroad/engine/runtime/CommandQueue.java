package dev.postroad.engine.runtime;

import dev.postroad.engine.Command;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Commands on their way to the broker's thread: many offer, one polls, no locks. A ring after Dmitry Vyukov's bounded queue,
 * whose slots carry the sequence at which they may next be written or read; when it is full, offer says so.
 */
final class CommandQueue {
    private static final VarHandle SEQUENCES = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle HEAD;

    static {
        try {
            HEAD = MethodHandles.lookup().findVarHandle(CommandQueue.class, "head", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final @Nullable Command[] slots;
    private final long[] sequences;
    private final int mask;
    private final AtomicLong tail = new AtomicLong();
    private volatile long head;

    CommandQueue(int capacity) {
        slots = new Command[capacity];
        sequences = new long[capacity];
        mask = capacity - 1;
        for (int i = 0; i < capacity; i++) {
            sequences[i] = i;
        }
    }

    /** From any thread. False if the queue is full. */
    boolean offer(Command command) {
        while (true) {
            long at = tail.get();
            int slot = (int) at & mask;
            long sequence = (long) SEQUENCES.getAcquire(sequences, slot);
            if (sequence == at) {
                if (tail.compareAndSet(at, at + 1)) {
                    slots[slot] = command;
                    SEQUENCES.setRelease(sequences, slot, at + 1);
                    return true;
                }
            } else if (sequence < at) {
                return false;
            }
        }
    }

    /** By the one thread that owns the engine at the time. Null if nothing is there. */
    @Nullable
    Command poll() {
        long at = head;
        int slot = (int) at & mask;
        if ((long) SEQUENCES.getAcquire(sequences, slot) != at + 1) {
            return null;
        }
        Command command = slots[slot];
        slots[slot] = null;
        SEQUENCES.setRelease(sequences, slot, at + mask + 1);
        HEAD.setRelease(this, at + 1);
        return command;
    }

    /** From any thread; true while nothing has been offered that was not polled. */
    boolean isEmpty() {
        long at = head;
        return (long) SEQUENCES.getAcquire(sequences, (int) at & mask) != at + 1;
    }
}
