package dev.postroad.proof.process;

import java.time.Duration;

/** Counts turns of one thing: as many as fit into its time, if each takes as long as the longest so far. */
final class Turns {
    /** The rest is for what comes after the turns. */
    private static final double SHARE = 0.85;

    private final long begin = System.nanoTime();
    private final Duration time;
    private final int most;
    private int done;
    private long turn;
    private long longest;

    /** @param most turns that are wanted; one there is always */
    Turns(Duration time, int most) {
        this.time = time;
        this.most = most;
    }

    /** True if there is time for another one, which begins now; the one before has ended. */
    boolean another() {
        long now = System.nanoTime();
        longest = done == 0 ? 0 : Math.max(longest, now - turn);
        turn = now;
        return done == 0 || (done < most && now - begin + longest < time.toNanos() * SHARE);
    }

    /** The turn that was begun is done, all but what its caller does before it asks for another. */
    void count() {
        done++;
    }

    int done() {
        return done;
    }

    /** What part of the time is over, to 1. */
    double fraction() {
        return Math.min(1, (System.nanoTime() - begin) / (double) time.toNanos());
    }
}
