package dev.postroad.api;

import dev.postroad.api.MessagingException.Reason;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Takes deliveries from a receiver and passes them on, on a virtual thread of its own, until told to stop. When the
 * transport fails it says so and tries again, waiting longer from time to time; when that can't help it ends.
 */
final class ReceiveLoop {
    private static final System.Logger LOG = System.getLogger("dev.postroad.api");
    private static final int BATCH = 256;
    private static final Duration WAIT = Duration.ofSeconds(30);
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 30_000;

    private final String channel;
    private final Transport.Receiver receiver;
    private final Consumer<List<Delivery<byte[], byte[]>>> sink;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread thread;
    private volatile boolean active = true;

    ReceiveLoop(String channel, Transport.Receiver receiver, Consumer<List<Delivery<byte[], byte[]>>> sink) {
        this.channel = channel;
        this.receiver = receiver;
        this.sink = sink;
        this.thread = Thread.ofVirtual().name("postroad-receive-" + channel).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** False once it was stopped, or the transport failed for good. */
    boolean active() {
        return active;
    }

    /** Receives no more; returns when the last delivery has been passed on or the time is up. */
    void stop(long deadlineNanos) throws InterruptedException {
        active = false;
        stop.countDown();
        thread.interrupt();
        TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(1, deadlineNanos - System.nanoTime()));
    }

    private void run() {
        int failures = 0;
        while (stop.getCount() > 0) {
            try {
                List<Delivery<byte[], byte[]>> deliveries = receiver.receive(BATCH, WAIT);
                failures = 0;
                sink.accept(deliveries);
            } catch (InterruptedException e) {
                // Only stop() interrupts this thread, and the condition above sees it.
                continue;
            } catch (RuntimeException e) {
                if (stop.getCount() == 0 || !pauseAfter(e, failures++)) {
                    return;
                }
            }
        }
    }

    /** @return false if there is no use in going on */
    private boolean pauseAfter(RuntimeException failure, int failuresBefore) {
        if (failure instanceof MessagingException messaging && lasting(messaging.reason())) {
            active = false;
            LOG.log(Level.WARNING, "receiving from channel " + channel + " ended: " + Text.line(failure.getMessage()));
            return false;
        }
        long longest = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(failuresBefore, 16));
        long pause = longest / 2 + ThreadLocalRandom.current().nextLong(longest / 2 + 1);
        LOG.log(
                Level.WARNING,
                "receiving from channel " + channel + " failed; trying again in " + pause + " ms: "
                        + Text.line(failure.toString()));
        try {
            return !stop.await(pause, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return stop.getCount() > 0;
        }
    }

    private static boolean lasting(Reason reason) {
        return switch (reason) {
            case CLOSED, NOT_FOUND, INVALID, DENIED, IMPOSSIBLE_NEED, STORAGE_FAILED -> true;
            default -> false;
        };
    }
}
