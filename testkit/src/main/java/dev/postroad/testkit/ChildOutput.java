package dev.postroad.testkit;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What a child process has written: the lines of its stdout that were not yet asked for, and the last lines of all it
 * wrote. Bounded: when nobody asks, the oldest lines are forgotten.
 */
final class ChildOutput {
    private static final int UNREAD_LINES = 100_000;
    private static final int TAIL_LINES = 60;
    private static final int STREAMS = 2;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<String> unread = new ArrayDeque<>();
    private final ArrayDeque<String> tail = new ArrayDeque<>();
    private int streamsEnded;

    void add(String line, boolean stdout) {
        lock.lock();
        try {
            if (stdout) {
                push(unread, line, UNREAD_LINES);
            }
            push(tail, stdout ? line : "! " + line, TAIL_LINES);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void streamEnded() {
        lock.lock();
        try {
            streamsEnded++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** The next line of stdout, or null if both streams ended or {@code deadlineNanos} passed before there was one. */
    @Nullable
    String next(long deadlineNanos) throws InterruptedException {
        lock.lock();
        try {
            while (unread.isEmpty() && streamsEnded < STREAMS) {
                long left = deadlineNanos - System.nanoTime();
                if (left <= 0) {
                    return null;
                }
                changed.awaitNanos(left);
            }
            return unread.poll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until both streams have ended; a grandchild that holds them open may outlive the deadline. */
    void awaitEnd(long deadlineNanos) throws InterruptedException {
        lock.lock();
        try {
            while (streamsEnded < STREAMS && deadlineNanos - System.nanoTime() > 0) {
                changed.awaitNanos(deadlineNanos - System.nanoTime());
            }
        } finally {
            lock.unlock();
        }
    }

    boolean ended() {
        lock.lock();
        try {
            return streamsEnded == STREAMS;
        } finally {
            lock.unlock();
        }
    }

    List<String> tail() {
        lock.lock();
        try {
            return List.copyOf(tail);
        } finally {
            lock.unlock();
        }
    }

    private static void push(ArrayDeque<String> lines, String line, int limit) {
        if (lines.size() == limit) {
            lines.remove();
        }
        lines.add(line);
    }
}
