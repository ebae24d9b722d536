package dev.postroad.testkit;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * Waits for what another thread or process does, and goes on as soon as it is done: a test that awaits is as fast as
 * the machine allows, and only a failing one takes until its deadline.
 *
 * <p>Where a callback, a future or a line of output can be waited for, wait for that; this is for state one can only
 * look at. Nothing that runs on a {@link VirtualClock} needs it.
 */
public final class Await {
    /** How long the methods without a deadline wait: long enough for a machine that is busy with something else. */
    public static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final long SHORTEST_PAUSE_NANOS = 50_000;
    private static final long LONGEST_PAUSE_NANOS = 10_000_000;

    private Await() {}

    /** As {@link #until(String, Duration, Callable)} with {@link #PATIENCE}. */
    public static void until(String what, Callable<Boolean> condition) {
        until(what, PATIENCE, condition);
    }

    /**
     * Returns once {@code condition} is true.
     *
     * @param what what is awaited, in words for the one who reads the failure: "the queue is empty"
     * @throws AssertionError if it is not true by the deadline, if looking throws, or if the thread is interrupted
     */
    public static void until(String what, Duration deadline, Callable<Boolean> condition) {
        value(what, deadline, condition, Boolean::booleanValue);
    }

    /** As {@link #value(String, Duration, Callable, Predicate)} with {@link #PATIENCE}. */
    public static <T> T value(String what, Callable<T> look, Predicate<? super T> enough) {
        return value(what, PATIENCE, look, enough);
    }

    /**
     * Looks again and again until the value is as wished, and returns it.
     *
     * @param what what is awaited, in words for the one who reads the failure: "depth of orders is 3"
     * @param deadline measured in real time from now; there is always at least one look
     * @throws AssertionError if no value was as wished by the deadline (the message tells the last one), if looking
     *     throws, or if the thread is interrupted
     */
    public static <T> T value(String what, Duration deadline, Callable<T> look, Predicate<? super T> enough) {
        long start = System.nanoTime();
        long pause = SHORTEST_PAUSE_NANOS;
        while (true) {
            boolean late = System.nanoTime() - start > deadline.toNanos();
            T value = lookOnce(what, look);
            if (enough.test(value)) {
                return value;
            }
            if (late) {
                throw new AssertionError(
                        "waited " + deadline.toMillis() + " ms for: " + what + "; last seen: " + value);
            }
            LockSupport.parkNanos(Await.class, pause);
            if (Thread.currentThread().isInterrupted()) {
                throw new AssertionError("interrupted while waiting for: " + what + "; last seen: " + value);
            }
            pause = Math.min(pause * 2, LONGEST_PAUSE_NANOS);
        }
    }

    private static <T> T lookOnce(String what, Callable<T> look) {
        try {
            return look.call();
        } catch (Exception e) {
            throw new AssertionError("could not look whether: " + what + "; " + e, e);
        }
    }
}
