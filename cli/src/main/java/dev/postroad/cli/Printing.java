package dev.postroad.cli;

import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Transport;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Takes deliveries, writes them, and acknowledges them once they are written, which is when nothing more lies ready. When nobody reads the output any more, what was not written stays unacknowledged and is delivered again.
 */
final class Printing {
    private static final int MOST_AT_ONCE = 1_000;
    private static final int MOST_UNDER_WAY = 64;

    private final Transport.Receiver receiver;
    private final OutputStream out;
    private final Writer writer;
    private final ArrayDeque<CompletableFuture<Void>> underWay = new ArrayDeque<>();
    private List<Delivery<byte[], byte[]>> written = new ArrayList<>();
    private long printed;
    private boolean unheard;

    /** Writes one delivery. */
    interface Writer {
        void write(OutputStream out, Delivery<byte[], byte[]> delivery) throws IOException;
    }

    Printing(Transport.Receiver receiver, OutputStream out, Writer writer) {
        this.receiver = receiver;
        this.out = out;
        this.writer = writer;
    }

    /**
     * Takes what has come, waiting for the first, and writes it.
     *
     * @param most so many at most
     * @return false if nothing came in time
     */
    boolean next(long most, Duration patience) throws InterruptedException {
        int max = (int) Math.min(MOST_AT_ONCE, most);
        List<Delivery<byte[], byte[]>> deliveries = receiver.receive(max, Duration.ZERO);
        if (deliveries.isEmpty() && flush()) {
            acknowledge();
            deliveries = receiver.receive(max, patience);
        }
        for (Delivery<byte[], byte[]> delivery : deliveries) {
            if (!write(delivery)) {
                return true;
            }
        }
        if (written.size() >= MOST_AT_ONCE && flush()) {
            acknowledge();
        }
        return !deliveries.isEmpty();
    }

    private boolean write(Delivery<byte[], byte[]> delivery) {
        try {
            writer.write(out, delivery);
            written.add(delivery);
            printed++;
            return true;
        } catch (IOException e) {
            unheard = true;
            return false;
        }
    }

    private boolean flush() {
        try {
            out.flush();
        } catch (IOException e) {
            unheard = true;
        }
        return !unheard;
    }

    private void acknowledge() {
        if (written.isEmpty()) {
            return;
        }
        underWay.add(receiver.acknowledge(written));
        written = new ArrayList<>();
        while (underWay.size() > MOST_UNDER_WAY) {
            await(underWay.remove());
        }
    }

    /** Writes out what is left, and waits until all that was written is acknowledged. */
    void finish() {
        if (flush()) {
            acknowledge();
        }
        while (!underWay.isEmpty()) {
            await(underWay.remove());
        }
    }

    private static void await(CompletableFuture<Void> acknowledged) {
        try {
            acknowledged.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof MessagingException refused) {
                throw refused;
            }
            throw e;
        }
    }

    /** How many were written so far. */
    long printed() {
        return printed;
    }

    /** Whether nobody reads the output any more. */
    boolean unheard() {
        return unheard;
    }
}
