package dev.postroad.testkit;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * Time that stands still until a test moves it.
 *
 * <p>It has the two clocks of a real machine: wall time ({@link #instant()}, {@link #millis()}), which an administrator
 * may set in either direction ({@link #jump}), and monotonic time ({@link #nanoTime()}), which only goes forward.
 * {@link #advance} moves both and runs what was scheduled on the way, in order of time and, at the same time, in order
 * of scheduling. Tasks run on the thread that advances, see the clock at exactly their own time, and may schedule more.
 *
 * <p>Any thread may read the clock; moving it and scheduling are for one thread at a time.
 */
public final class VirtualClock extends Clock {
    private final PriorityQueue<Task> tasks =
            new PriorityQueue<>(Comparator.comparingLong(Task::atNanos).thenComparingLong(Task::sequence));
    private final ZoneId zone;
    private long sequence;
    private volatile Reading now;

    /** A clock that starts at 2026-01-01T00:00:00Z, in UTC, with a monotonic reading of zero. */
    public VirtualClock() {
        this(Instant.parse("2026-01-01T00:00:00Z"));
    }

    /** A clock in UTC whose wall time starts at {@code start} and whose monotonic reading starts at zero. */
    public VirtualClock(Instant start) {
        this.zone = ZoneOffset.UTC;
        this.now = new Reading(0, start);
    }

    /** Monotonic time since the clock was made, in nanoseconds. */
    public long nanoTime() {
        return now.nanos;
    }

    @Override
    public Instant instant() {
        return now.wall;
    }

    @Override
    public ZoneId getZone() {
        return zone;
    }

    /** The same wall time in another zone; it follows this clock, but only this clock can be moved. */
    @Override
    public Clock withZone(ZoneId other) {
        return new Clock() {
            @Override
            public Instant instant() {
                return VirtualClock.this.instant();
            }

            @Override
            public ZoneId getZone() {
                return other;
            }

            @Override
            public Clock withZone(ZoneId another) {
                return VirtualClock.this.withZone(another);
            }
        };
    }

    /**
     * Moves both clocks forward and runs every task that falls due, the one due at the very end included.
     *
     * @throws IllegalArgumentException if {@code step} is negative
     */
    public void advance(Duration step) {
        if (step.isNegative()) {
            throw new IllegalArgumentException("time only moves forward, not by " + step + "; use jump for wall time");
        }
        long end = Math.addExact(now.nanos, step.toNanos());
        for (Task next = tasks.peek(); next != null && next.atNanos <= end; next = tasks.peek()) {
            tasks.remove();
            moveTo(Math.max(next.atNanos, now.nanos));
            next.action.run();
        }
        moveTo(Math.max(end, now.nanos));
    }

    /**
     * Moves forward to the next scheduled task and runs it and all others due at the same time.
     *
     * @return false if nothing was scheduled; the clock then has not moved
     */
    public boolean advanceToNext() {
        Task next = tasks.peek();
        if (next == null) {
            return false;
        }
        advance(Duration.ofNanos(Math.max(0, next.atNanos - now.nanos)));
        return true;
    }

    /** Sets wall time forward or back, as an administrator or a time server would; monotonic time does not notice. */
    public void jump(Duration by) {
        now = new Reading(now.nanos, now.wall.plus(by));
    }

    /**
     * Runs {@code action} when the monotonic clock has moved by {@code delay}; a delay of zero waits for the next
     * {@link #advance}, even one of zero.
     *
     * @throws IllegalArgumentException if {@code delay} is negative
     */
    public void schedule(Duration delay, Runnable action) {
        if (delay.isNegative()) {
            throw new IllegalArgumentException("a delay cannot be negative: " + delay);
        }
        tasks.add(new Task(Math.addExact(now.nanos, delay.toNanos()), sequence++, action));
    }

    /** How many tasks wait for their time. */
    public int scheduled() {
        return tasks.size();
    }

    @Override
    public String toString() {
        Reading reading = now;
        return reading.wall + " (+" + Duration.ofNanos(reading.nanos) + ")";
    }

    private void moveTo(long nanos) {
        now = new Reading(nanos, now.wall.plusNanos(nanos - now.nanos));
    }

    /** Both clocks in one object, so that a reader never sees one moved and the other not. */
    private record Reading(long nanos, Instant wall) {}

    private record Task(long atNanos, long sequence, Runnable action) {}
}
