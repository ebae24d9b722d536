package dev.postroad.patterns.eventstore;

import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Hands all events to somebody, from any position on, in their order and as they come, on a virtual thread. Where it stands is
 * for that somebody to remember: {@link Projection} does so in its own transaction.
 */
public final class EventSubscription implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(EventSubscription.class.getName());
    private static final int AT_ONCE = 500;

    private final EventStore store;
    private final Duration poll;
    private final Consumer<StoredEvent> handler;
    private final Thread thread;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition woken = lock.newCondition();
    private volatile boolean closed;
    private volatile long position;

    private EventSubscription(EventStore store, long after, Duration poll, Consumer<StoredEvent> handler) {
        this.store = store;
        this.position = after;
        this.poll = poll;
        this.handler = handler;
        this.thread = Thread.ofVirtual().name("postroad-event-subscription").unstarted(this::run);
    }

    /**
     * Begins.
     *
     * @param after position of the last event that is not wanted; 0 for the beginning
     * @param poll how long it waits before it looks again when there is nothing new, or when the handler failed
     * @param handler called by one thread; an event it throws at comes again
     */
    public static EventSubscription start(EventStore store, long after, Duration poll, Consumer<StoredEvent> handler) {
        EventSubscription subscription = new EventSubscription(store, after, poll, handler);
        subscription.thread.start();
        return subscription;
    }

    /** The position of the last event that was handled. */
    public long position() {
        return position;
    }

    /** Has it look at once. */
    public void wake() {
        lock.lock();
        try {
            woken.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        while (!closed) {
            boolean more = false;
            try {
                List<StoredEvent> events = store.readAll(position, AT_ONCE);
                for (StoredEvent event : events) {
                    if (closed) {
                        return;
                    }
                    handler.accept(event);
                    position = event.position();
                }
                more = events.size() == AT_ONCE;
            } catch (RuntimeException e) {
                if (!closed) {
                    LOG.log(
                            Level.WARNING,
                            "events after position " + position + " could not be handled, and come again",
                            e);
                }
            }
            if (!more && !pause()) {
                return;
            }
        }
    }

    /** False if interrupted. */
    @SuppressWarnings("WaitNotInLoop") // looking once too often does no harm
    private boolean pause() {
        lock.lock();
        try {
            if (!closed) {
                woken.awaitNanos(poll.toNanos());
            }
            return true;
        } catch (InterruptedException e) {
            return false;
        } finally {
            lock.unlock();
        }
    }

    /** Ends, when the event that is being handled is. Idempotent. */
    @Override
    public void close() {
        closed = true;
        wake();
        if (Thread.currentThread() == thread) {
            return;
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
