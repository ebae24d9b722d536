package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Contender.Log;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Appends to a log by one thread while another reads what has come: as fast as it goes, bounded by a window between the two, or
 * at a steady pace to see how long a message takes.
 */
final class LogLoad {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Log log;
    private final Payloads payloads;
    private final boolean spinning;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final Histogram arrivals = QueueLoad.histogram();
    private volatile boolean measuring;
    private volatile boolean stopping;
    private volatile boolean drained;

    /** @param spinning true if the reader never waits */
    LogLoad(Log log, int bytes, boolean spinning) {
        this.log = log;
        this.payloads = new Payloads(bytes);
        this.spinning = spinning;
    }

    /**
     * @param window messages appended and not yet read at most
     * @param perSecond messages a second; 0 for as many as go
     */
    Measurement run(int window, int perSecond, long warmMillis, long millis) throws Exception {
        Window outstanding = new Window(window, window);
        Thread reader = Thread.ofPlatform().name("reader").start(() -> read(outstanding));
        Thread appender = Thread.ofPlatform().name("appender").start(() -> {
            if (perSecond == 0) {
                append(outstanding);
            } else {
                appendPaced(outstanding, perSecond);
            }
        });
        Stopwatch.waitMillis(warmMillis);
        long before = outstanding.consumed();
        measuring = true;
        Stopwatch watch = new Stopwatch();
        Stopwatch.waitMillis(millis);
        measuring = false;
        Measurement result = watch.measure(outstanding.consumed() - before);
        stopping = true;
        appender.join();
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (outstanding.consumed() < outstanding.sent() && failure.get() == null) {
            if (System.nanoTime() > deadline) {
                throw new TimeoutException("waited a minute for the reader to catch up");
            }
            Stopwatch.waitMillis(1);
        }
        drained = true;
        reader.join();
        Throwable cause = failure.get();
        if (cause != null) {
            throw new IllegalStateException("appending or reading failed: " + cause, cause);
        }
        return result.with(Measurement.END_TO_END, arrivals);
    }

    private void append(Window outstanding) {
        try {
            Contender.Confirmation confirmation = confirmation(outstanding);
            while (!stopping && outstanding.enter(() -> stopping)) {
                log.append(payloads.next(System.nanoTime()), confirmation);
            }
            log.flush();
        } catch (Exception e) {
            fail(e);
        }
    }

    /** Time counts from when a message was due: who is late by his own doing may not hide it. */
    private void appendPaced(Window outstanding, int perSecond) {
        long gap = TimeUnit.SECONDS.toNanos(1) / perSecond;
        long due = System.nanoTime() + gap;
        try {
            Contender.Confirmation confirmation = confirmation(outstanding);
            while (!stopping && outstanding.enter(() -> stopping)) {
                while (System.nanoTime() < due) {
                    Thread.onSpinWait();
                }
                log.append(payloads.next(due), confirmation);
                log.flush();
                due += gap;
            }
        } catch (Exception e) {
            fail(e);
        }
    }

    private Contender.Confirmation confirmation(Window outstanding) {
        return new Contender.Confirmation() {
            @Override
            public void confirmed() {
                outstanding.confirm();
            }

            @Override
            public void failed(Throwable cause) {
                fail(cause);
                outstanding.confirm();
            }
        };
    }

    private void read(Window outstanding) {
        try {
            while (!drained && failure.get() == null) {
                int count = log.tail(
                        sentAt -> {
                            if (measuring) {
                                QueueLoad.record(arrivals, System.nanoTime() - sentAt);
                            }
                            outstanding.consume();
                        },
                        spinning);
                if (count == 0) {
                    Thread.onSpinWait();
                }
            }
        } catch (Exception e) {
            fail(e);
        }
    }

    private void fail(Throwable cause) {
        failure.compareAndSet(null, cause);
        stopping = true;
    }
}
