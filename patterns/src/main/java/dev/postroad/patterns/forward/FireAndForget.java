package dev.postroad.patterns.forward;

import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import java.lang.System.Logger.Level;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Sends what may be lost, and neither throws nor waits for confirms: what can't be sent is dropped and counted. For metrics,
 * hints, presence. Safe for use by many threads.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public final class FireAndForget<K, V> {
    /** Sends under way at most where nothing else is said. */
    public static final int MAX_UNDER_WAY = 1_000;

    private static final System.Logger LOG = System.getLogger(FireAndForget.class.getName());

    private final MessageProducer<K, V> producer;
    private final Semaphore room;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();

    /** As the other constructor, with {@value #MAX_UNDER_WAY}. */
    public FireAndForget(MessageProducer<K, V> producer) {
        this(producer, MAX_UNDER_WAY);
    }

    /**
     * @param producer by which it is sent; whoever made it closes it
     * @param maxUnderWay sends that are neither confirmed nor refused at most, 1 to 10,000; past it messages are dropped
     */
    public FireAndForget(MessageProducer<K, V> producer, int maxUnderWay) {
        if (maxUnderWay < 1 || maxUnderWay > 10_000) {
            throw new IllegalArgumentException("maxUnderWay is " + maxUnderWay + "; it must be 1 to 10,000");
        }
        this.producer = producer;
        this.room = new Semaphore(maxUnderWay);
    }

    /** Sends, or drops. Never throws. @return false if it was dropped at once; true says nothing yet */
    public boolean send(String channel, Message<K, V> message) {
        if (!room.tryAcquire()) {
            drop(channel, null);
            return false;
        }
        try {
            producer.sendAsync(channel, message).whenComplete((receipt, failure) -> {
                room.release();
                if (failure == null) {
                    sent.incrementAndGet();
                } else {
                    drop(channel, failure);
                }
            });
            return true;
        } catch (RuntimeException e) {
            room.release();
            drop(channel, e);
            return false;
        }
    }

    /** Told once for each power of two. */
    private void drop(String channel, @Nullable Throwable why) {
        long count = dropped.incrementAndGet();
        if (Long.bitCount(count) == 1) {
            LOG.log(
                    Level.WARNING,
                    count + " messages were dropped, the last one for channel " + channel + ": "
                            + (why == null ? "too many are under way" : why.getMessage()));
        }
    }

    /** Messages that were confirmed. */
    public long sent() {
        return sent.get();
    }

    /** Messages that were dropped. */
    public long dropped() {
        return dropped.get();
    }
}
