package dev.postroad.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;

/** Wall and processor time of a measured stretch. */
final class Stopwatch {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final long nanos = System.nanoTime();
    private final long cpu = SYSTEM.getProcessCpuTime();

    /** The figures of so many messages in the time since this was made. */
    Measurement measure(long messages) {
        double wall = System.nanoTime() - nanos;
        double used = SYSTEM.getProcessCpuTime() - cpu;
        return new Measurement()
                .with("messages", (double) messages)
                .with(Measurement.RATE, messages * 1e9 / wall)
                .with(Measurement.CPU, messages == 0 ? 0 : used / 1000 / messages);
    }

    /** Waits for the end of a thread, also where it is interrupted meanwhile. */
    static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits for a latch, also where it is interrupted meanwhile. */
    static void await(CountDownLatch latch) {
        boolean interrupted = false;
        while (latch.getCount() > 0) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    static void waitMillis(long millis) throws InterruptedException {
        if (millis > 0) {
            Thread.sleep(millis);
        }
    }
}
