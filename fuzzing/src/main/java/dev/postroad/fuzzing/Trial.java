package dev.postroad.fuzzing;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;

/**
 * Gives inputs to a decoder and holds it to what every decoder must keep: it throws nothing but its refusal, takes 10 ms at
 * most, and allocates no more on the heap than four times its input and what its target is allowed, 64 KiB as a rule. For one thread; each has its own.
 *
 * <p>A machine has other things to do, and a compiler, too: what was too slow or took too much is tried again, and the least
 * counts, of time that of the processor.
 */
final class Trial {
    private static final int TRIES = 12;
    private static final int FRAMES_SHOWN = 3;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final boolean HAS_PROCESSOR_TIME = THREADS.isCurrentThreadCpuTimeSupported();

    private @Nullable Throwable thrown;
    private long nanos;
    private long bytes;
    private long slowestNanos;
    private long mostBytes;
    private boolean refused;

    /** Decodes the input; null if all was as it must be. */
    @Nullable
    Finding run(Target target, byte[] input) {
        once(target, input);
        Throwable fault = thrown;
        refused = fault != null;
        if (fault != null && !target.refusal().test(fault)) {
            return new Finding(target, describe(fault), kind(fault), input.clone());
        }
        long allowed = target.allowedBytes(input.length);
        if (nanos > Target.MOST_NANOS || bytes > allowed) {
            again(target, input);
        }
        slowestNanos = Math.max(slowestNanos, nanos);
        mostBytes = Math.max(mostBytes, bytes - target.bytesPerByte() * (long) input.length);
        if (nanos > Target.MOST_NANOS) {
            return new Finding(
                    target,
                    "took " + nanos / 1_000 + " us; at most " + Target.MOST_NANOS / 1_000 + " are allowed",
                    "slow",
                    input.clone());
        }
        if (bytes > allowed) {
            return new Finding(
                    target,
                    "allocated " + bytes + " bytes for " + input.length + "; at most " + allowed + " are allowed",
                    "allocation",
                    input.clone());
        }
        return null;
    }

    /** Whether the input last run was refused. */
    boolean refused() {
        return refused;
    }

    /** Where in the code the input last run was refused; 0 if it was not. */
    int place() {
        Throwable last = thrown;
        if (last == null) {
            return 0;
        }
        int hash = last.getClass().getName().hashCode();
        StackTraceElement[] frames = last.getStackTrace();
        for (int i = 0; i < Math.min(FRAMES_SHOWN, frames.length); i++) {
            hash = 31 * hash + frames[i].hashCode();
        }
        return hash;
    }

    /** The longest that an input took so far. */
    long slowestNanos() {
        return slowestNanos;
    }

    /** The most heap that an input took so far beyond what it may for its length. */
    long mostBytes() {
        return mostBytes;
    }

    private void once(Target target, byte[] input) {
        thrown = null;
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long begun = System.nanoTime();
        try {
            target.decoder().decode(input);
        } catch (Throwable e) {
            thrown = e;
        }
        nanos = System.nanoTime() - begun;
        bytes = THREADS.getCurrentThreadAllocatedBytes() - allocated;
    }

    private void again(Target target, byte[] input) {
        long leastNanos = nanos;
        long leastBytes = bytes;
        long allowed = target.allowedBytes(input.length);
        for (int i = 0; i < TRIES && (leastNanos > Target.MOST_NANOS || leastBytes > allowed); i++) {
            long begun = HAS_PROCESSOR_TIME ? THREADS.getCurrentThreadCpuTime() : 0;
            once(target, input);
            long used = HAS_PROCESSOR_TIME ? THREADS.getCurrentThreadCpuTime() - begun : nanos;
            leastNanos = Math.min(leastNanos, Math.min(nanos, used));
            leastBytes = Math.min(leastBytes, bytes);
        }
        nanos = leastNanos;
        bytes = leastBytes;
    }

    private static String describe(Throwable fault) {
        StringBuilder text = new StringBuilder(String.valueOf(fault));
        if (text.length() > 300) {
            text.setLength(300);
        }
        StackTraceElement[] frames = fault.getStackTrace();
        for (int i = 0; i < Math.min(FRAMES_SHOWN, frames.length); i++) {
            text.append(i == 0 ? " at " : " < ").append(frames[i]);
        }
        return text.toString();
    }

    private static String kind(Throwable fault) {
        StackTraceElement[] frames = fault.getStackTrace();
        return fault.getClass().getName() + (frames.length == 0 ? "" : " at " + frames[0]);
    }
}
