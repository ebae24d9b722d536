package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Contender.Sender;
import dev.postroad.benchmarks.Contender.Sending;
import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Sends to a durable queue: by threads that wait for each confirmation, or by one that runs ahead of them by a window while
 * another one consumes and acknowledges. What is measured is the steady state between two moments; the queue is empty
 * afterwards.
 */
final class QueueLoad {
    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int DIGITS = 3;
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Contender contender;
    private final String queue;
    private final Payloads payloads;
    private final long warmMillis;
    private final long millis;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile boolean measuring;
    private volatile boolean stopping;

    /**
     * @param bytes of each message, 8 or more
     * @param warmMillis of load before what is measured
     * @param millis of load that is measured
     */
    QueueLoad(Contender contender, String queue, int bytes, long warmMillis, long millis) {
        this.contender = contender;
        this.queue = queue;
        this.payloads = new Payloads(bytes);
        this.warmMillis = warmMillis;
        this.millis = millis;
    }

    static Histogram histogram() {
        return new Histogram(LONGEST_NANOS, DIGITS);
    }

    static void record(Histogram histogram, long nanos) {
        histogram.recordValue(Math.clamp(nanos, 0, LONGEST_NANOS));
    }

    // ── Senders that wait for each confirmation
    // ───────────────────────────────────────────────────────────────────────

    Measurement blocking(int senders) throws Exception {
        contender.declareQueue(queue);
        AtomicLong sent = new AtomicLong();
        List<Histogram> latencies = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < senders; i++) {
            Sender sender = contender.sender(queue, Sending.BLOCKING);
            Histogram latency = histogram();
            latencies.add(latency);
            threads.add(Thread.ofPlatform().name("sender-" + i).start(() -> sendAndWait(sender, latency, sent)));
        }
        Stopwatch.waitMillis(warmMillis);
        long before = sent.get();
        measuring = true;
        Stopwatch watch = new Stopwatch();
        Stopwatch.waitMillis(millis);
        measuring = false;
        Measurement result = watch.measure(sent.get() - before);
        stopping = true;
        for (Thread thread : threads) {
            thread.join();
        }
        throwFailure();
        Histogram all = histogram();
        latencies.forEach(all::add);
        drain(sent.get());
        return result.with(Measurement.CONFIRM, all);
    }

    private void sendAndWait(Sender sender, Histogram latency, AtomicLong sent) {
        try (sender) {
            while (!stopping) {
                long begun = System.nanoTime();
                sender.send(payloads.next(begun));
                if (measuring) {
                    record(latency, System.nanoTime() - begun);
                }
                sent.incrementAndGet();
            }
        } catch (Exception e) {
            fail(e);
        }
    }

    private void drain(long messages) throws Exception {
        AtomicLong arrived = new AtomicLong();
        try {
            Closeable receiver = contender.receive(queue, sentAt -> arrived.incrementAndGet());
            try (receiver) {
                await("all messages to be consumed", () -> arrived.get() >= messages);
            }
        } catch (UnsupportedOperationException e) {
            // A limit keeps nothing, so there is nothing to take out.
            return;
        }
    }

    // ── One sender ahead of its confirmations
    // ─────────────────────────────────────────────────────────────────────────

    /**
     * @param size of the window
     * @param consuming false to send only
     */
    Measurement windowed(int size, boolean consuming) throws Exception {
        contender.declareQueue(queue);
        Window window = new Window(size, consuming ? 4L * size + 16_384 : Long.MAX_VALUE);
        Histogram confirms = histogram();
        Histogram arrivals = histogram();
        Closeable receiver = consuming
                ? contender.receive(queue, sentAt -> {
                    if (measuring) {
                        record(arrivals, System.nanoTime() - sentAt);
                    }
                    window.consume();
                })
                : () -> {};
        try (receiver;
                Sender sender = contender.sender(queue, Sending.ASYNCHRONOUS)) {
            Thread thread = Thread.ofPlatform().name("sender").start(() -> sendAhead(sender, window, confirms));
            Stopwatch.waitMillis(warmMillis);
            long before = consuming ? window.consumed() : window.confirmed();
            measuring = true;
            Stopwatch watch = new Stopwatch();
            Stopwatch.waitMillis(millis);
            measuring = false;
            Measurement result = watch.measure((consuming ? window.consumed() : window.confirmed()) - before);
            stopping = true;
            thread.join();
            throwFailure();
            await("all messages to be confirmed", () -> window.confirmed() >= window.sent());
            if (consuming) {
                await("all messages to be consumed", () -> window.consumed() >= window.sent());
            }
            return result.with(Measurement.CONFIRM, confirms).with(Measurement.END_TO_END, arrivals);
        }
    }

    private void sendAhead(Sender sender, Window window, Histogram confirms) {
        try {
            while (!stopping && window.enter(() -> stopping)) {
                long now = System.nanoTime();
                sender.send(payloads.next(now), new Ticket(now, window, confirms));
            }
        } catch (Exception e) {
            fail(e);
        }
    }

    /** Sends so many messages. What is measured begins with the first and ends when all are confirmed. */
    Measurement fill(long messages) throws Exception {
        contender.declareQueue(queue);
        Window window = new Window(4096, Long.MAX_VALUE);
        Histogram ignored = histogram();
        try (Sender sender = contender.sender(queue, Sending.ASYNCHRONOUS)) {
            Stopwatch watch = new Stopwatch();
            for (long i = 0; i < messages && window.enter(() -> failure.get() != null); i++) {
                long now = System.nanoTime();
                sender.send(payloads.next(now), new Ticket(now, window, ignored));
            }
            await("all messages to be confirmed", () -> window.confirmed() >= messages);
            return watch.measure(messages);
        }
    }

    /** One message on its way to its confirmation. */
    private final class Ticket implements Contender.Confirmation {
        private final long sentAt;
        private final Window window;
        private final Histogram latency;

        Ticket(long sentAt, Window window, Histogram latency) {
            this.sentAt = sentAt;
            this.window = window;
            this.latency = latency;
        }

        @Override
        public void confirmed() {
            if (measuring) {
                record(latency, System.nanoTime() - sentAt);
            }
            window.confirm();
        }

        @Override
        public void failed(Throwable cause) {
            fail(cause);
            window.confirm();
        }
    }

    // ── Failures
    // ──────────────────────────────────────────────────────────────────────────────────────────────────────

    private void fail(Throwable cause) {
        failure.compareAndSet(null, cause);
        stopping = true;
    }

    private void throwFailure() throws Exception {
        Throwable cause = failure.get();
        if (cause != null) {
            throw new IllegalStateException("a send failed: " + cause, cause);
        }
    }

    private void await(String what, Window.Stop done) throws Exception {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!done.stopped()) {
            throwFailure();
            if (System.nanoTime() > deadline) {
                throw new TimeoutException("waited a minute for " + what);
            }
            Stopwatch.waitMillis(1);
        }
    }
}
