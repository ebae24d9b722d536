package dev.postroad.transports.http;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads one stream of the server's, on a virtual thread of its own, and begins anew when it breaks, waiting longer from time
 * to time. Ends when it is closed, or when beginning anew can't help.
 */
abstract class Source {
    static final System.Logger LOG = System.getLogger("dev.postroad.transports.http");

    private static final long FIRST_PAUSE_MILLIS = 50;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;
    private static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(15);

    private final String channel;
    private final HttpReceiver receiver;
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile @Nullable Lines lines;

    Source(String channel, HttpReceiver receiver) {
        this.channel = channel;
        this.receiver = receiver;
    }

    String channel() {
        return channel;
    }

    HttpReceiver receiver() {
        return receiver;
    }

    boolean closed() {
        return closing.getCount() == 0;
    }

    /** Asks the server for the stream. @throws MessagingException if there is none to be had */
    abstract Lines connect();

    /** Takes one line, which is not empty. @return false if the stream ends with it */
    abstract boolean take(byte[] line) throws IOException, InterruptedException;

    /** The stream broke, or ended. */
    abstract void broken();

    /** Ends at the server's what the last {@link #connect} began there. Also by two threads at once, and again. */
    abstract void end();

    /** Connects for the first time. @throws MessagingException if that fails */
    void open() {
        Lines first = connect();
        lines = first;
        Thread.ofVirtual().name("postroad-http-source-" + channel).start(() -> run(first));
    }

    private void run(Lines first) {
        Lines stream = first;
        int failures = 0;
        while (!closed()) {
            long begun = System.nanoTime();
            if (stream != null) {
                read(stream);
                if (System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(5)) {
                    failures = 0;
                }
            }
            if (closed() || !pause(failures++)) {
                return;
            }
            stream = again();
        }
    }

    private void read(Lines stream) {
        try (stream) {
            for (byte[] line = stream.next(); line != null; line = stream.next()) {
                if (line.length > 0 && !take(line)) {
                    break;
                }
            }
        } catch (IOException e) {
            if (!closed()) {
                LOG.log(Level.DEBUG, "the stream of channel {0} broke: {1}", channel, e.getMessage());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "the stream of channel " + channel + " could not be read", e);
        } finally {
            lines = null;
            broken();
        }
    }

    private boolean pause(int failures) {
        long longest = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(failures, 16));
        long pause = longest / 2 + ThreadLocalRandom.current().nextLong(longest / 2 + 1);
        try {
            return !closing.await(pause, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    /** The next stream; null if there is none yet. Ends the source if there never will be. */
    private @Nullable Lines again() {
        try {
            Lines next = connect();
            lines = next;
            if (closed()) {
                // Whoever closed it may not have seen this one.
                end();
                next.close();
            }
            return next;
        } catch (MessagingException e) {
            if (lasting(e.reason())) {
                closing.countDown();
                receiver.failed(e);
            } else {
                LOG.log(Level.DEBUG, "channel {0} can''t be received from yet: {1}", channel, e.getMessage());
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "the stream of channel {0} could not be closed: {1}", channel, e.getMessage());
        }
        return null;
    }

    private static boolean lasting(Reason reason) {
        return switch (reason) {
            case UNREACHABLE, TIMEOUT, FULL, IN_USE -> false;
            default -> true;
        };
    }

    /** Breaks a stream on which the server has said nothing for long, not even that nothing has come. */
    void checkAlive() {
        Lines reading = lines;
        if (reading != null && System.nanoTime() - reading.readNanos() > SILENT_NANOS && !takingBlocked()) {
            LOG.log(Level.WARNING, "the server says nothing on the stream of channel {0}; connecting anew", channel);
            closeStream();
        }
    }

    /** True while it does not read because what was read waits to be received. */
    boolean takingBlocked() {
        return false;
    }

    void close() {
        // First of all: a stream that ends from here on is not to begin anew.
        closing.countDown();
        end();
        closeStream();
    }

    private void closeStream() {
        Lines stream = lines;
        if (stream != null) {
            try {
                stream.close();
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "the stream of channel {0} could not be closed: {1}", channel, e.getMessage());
            }
        }
    }
}
