package dev.postroad.transports.emulation;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A settler whose client does nothing by itself: some thread must work it. Its own does while nobody else will; whoever waits for
 * it does it instead, which saves waking one thread for each batch and another for each acknowledgement.
 */
public interface Driven extends Settler {
    /**
     * Works the client on the calling thread until something has come, somebody calls {@link #wake}, or the time is over. Without
     * the receiver's lock.
     *
     * @return false if it can't be worked here and now: then the caller is to wait
     * @throws InterruptedException if interrupted; nothing is lost by it
     */
    boolean drive(long nanos) throws InterruptedException;

    /** Something else is to be done by who drives. Under the receiver's lock. */
    void wake();

    /**
     * As {@link Settler#acknowledge(List)}, and works the client for a moment, in which this should be recorded. Without the
     * receiver's lock.
     *
     * @return mostly complete
     */
    CompletableFuture<Void> acknowledgeDriving(List<Held> held);
}
