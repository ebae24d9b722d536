package dev.postroad.api;

import java.time.Instant;

/**
 * The present time, in milliseconds. A message that has just been made has it on its stamp: to ask the clock again takes as long as to
 * encode a message. Safe for use by many threads.
 */
final class PresentTime {
    /** A stamp this far behind the last look at the clock, at most, is believed. */
    private static final long BELIEVED_MILLIS = 100;

    /** What the clock said last. */
    private static volatile long looked;

    private PresentTime() {}

    static long millis() {
        long now = System.currentTimeMillis();
        looked = now;
        return now;
    }

    /**
     * The present time, by the stamp where that is between the last look at the clock and a tenth of a second later, else by the clock: it
     * is never off by more, whatever the stamp says, while the clock is not set.
     */
    static long millis(Instant stamp) {
        long millis = stamp.getEpochSecond() * 1_000 + stamp.getNano() / 1_000_000;
        long since = millis - looked;
        return since >= 0 && since < BELIEVED_MILLIS ? millis : millis();
    }
}
