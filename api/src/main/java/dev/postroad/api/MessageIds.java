package dev.postroad.api;

import java.security.SecureRandom;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Message ids that sort by time: UUIDs of version 7, with 48 bits of milliseconds, 12 bits that count within one, and 62
 * bits that were drawn once for this process. Unique within the process because the first two only ever grow, and among
 * processes by what was drawn. Not secret.
 */
final class MessageIds {
    private static final int COUNTER_BITS = 12;
    private static final long PROCESS = (new SecureRandom().nextLong() >>> 2) | Long.MIN_VALUE;
    private static final AtomicLong LAST = new AtomicLong();

    private MessageIds() {}

    static String next() {
        return next(PresentTime.millis());
    }

    /** @param millis the present time */
    static String next(long millis) {
        long now = millis << COUNTER_BITS;
        long last;
        long next;
        do {
            last = LAST.get();
            // A clock set back, or more than 4,096 ids in a millisecond, borrow from the time to come.
            next = Math.max(last + 1, now);
        } while (!LAST.compareAndSet(last, next));
        long high = (next >>> COUNTER_BITS) << 16 | 0x7000 | (next & 0xFFF);
        return new UUID(high, PROCESS).toString();
    }
}
