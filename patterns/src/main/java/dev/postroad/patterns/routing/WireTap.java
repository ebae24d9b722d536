package dev.postroad.patterns.routing;

import dev.postroad.api.Format;
import dev.postroad.api.Handler;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.Postroad;
import java.lang.System.Logger.Level;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/**
 * Sends a copy of each message that a handler receives to another channel, and never harms the handler by it: copies are made
 * on a thread of their own, behind a bounded queue. Where the tap can't keep up, or can't be reached, copies are dropped and
 * counted. Safe for use by many threads.
 *
 * <p>A copy has the message's own id and properties, the channel it was tapped from in the header {@value #CHANNEL_HEADER},
 * and the attempt in {@value #ATTEMPT_HEADER}.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public final class WireTap<K, V> implements AutoCloseable {
    /** Header of a copy with the channel where it was tapped. */
    public static final String CHANNEL_HEADER = "postroad-tap-channel";

    /** Header of a copy with the number of the delivery. */
    public static final String ATTEMPT_HEADER = "postroad-tap-attempt";

    private static final System.Logger LOG = System.getLogger(WireTap.class.getName());
    private static final long CLOSE_SECONDS = 10;

    private record Tapped<K, V>(Message<K, V> message, String from, int attempt) {}

    private final MessageProducer<K, V> producer;
    private final String channel;
    private final Predicate<Message<K, V>> rule;
    private final BlockingQueue<Tapped<K, V>> queue;
    private final int capacity;
    private final Semaphore room;
    private final Thread thread;
    private final AtomicLong tapped = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private volatile boolean closing;

    /**
     * @param postroad where copies go; it may be another connection than that of the handler, and must outlive the tap
     * @param channel a declared channel, better not the one that is tapped
     * @param settings which messages are copied, and how many copies may wait
     */
    public WireTap(Postroad postroad, Format<K, V> format, String channel, TapSettings<K, V> settings) {
        this.producer = postroad.producer(format);
        this.channel = channel;
        this.rule = settings.rule();
        this.capacity = settings.maxWaiting();
        this.queue = new ArrayBlockingQueue<>(capacity);
        this.room = new Semaphore(capacity);
        this.thread = Thread.ofVirtual().name("postroad-tap-" + channel).start(this::run);
    }

    /** A handler whose messages are tapped before it is called, whatever becomes of them. */
    public Handler<K, V> around(Handler<K, V> handler) {
        return delivery -> {
            tap(new Tapped<>(delivery.message(), delivery.channel(), delivery.attempt()));
            handler.handle(delivery);
        };
    }

    private void tap(Tapped<K, V> copy) {
        if (closing || !room.tryAcquire()) {
            drop(null);
        } else {
            queue.add(copy);
        }
    }

    private void run() {
        try {
            while (true) {
                Tapped<K, V> next = queue.take();
                try {
                    send(next);
                } catch (Throwable e) {
                    // A rule or a serde that fails, in whatever way, is the tap's own trouble.
                    room.release();
                    drop(e);
                }
            }
        } catch (InterruptedException e) {
            // Closed: what is left was not wanted any more.
            return;
        }
    }

    private void send(Tapped<K, V> next) {
        if (!rule.test(next.message)) {
            room.release();
            return;
        }
        Message<K, V> copy = next.message
                .withHeader(CHANNEL_HEADER, next.from)
                .withHeader(ATTEMPT_HEADER, Integer.toString(next.attempt));
        producer.sendAsync(channel, copy).whenComplete((receipt, failure) -> {
            room.release();
            if (failure == null) {
                tapped.incrementAndGet();
            } else {
                drop(failure);
            }
        });
    }

    /** Told once for each power of two, so that a tap that is out of order does not fill the log. */
    private void drop(@org.jspecify.annotations.Nullable Throwable why) {
        long count = dropped.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.log(
                    Level.WARNING,
                    count + " copies for the tap " + channel + " were dropped: "
                            + (why == null ? capacity + " copies wait already" : why.toString()));
        }
    }

    /** Copies that the tap's channel took. */
    public long tapped() {
        return tapped.get();
    }

    /** Copies that were dropped: refused, failed, or too many at once. */
    public long dropped() {
        return dropped.get();
    }

    /** Takes no more copies, waits a few seconds for those that wait, and ends. Idempotent. */
    @Override
    public void close() {
        if (closing) {
            return;
        }
        closing = true;
        try {
            room.tryAcquire(capacity, CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        thread.interrupt();
    }
}
