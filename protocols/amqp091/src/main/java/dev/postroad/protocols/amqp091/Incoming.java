package dev.postroad.protocols.amqp091;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Room for the deliveries on their way to a connection: promised to be taken, and not written yet because the peer does not read
 * or its turn has not come. Each connection may hold a little, and more as long as all together hold no more than their share
 * of the heap; what is beyond stays on the disk.
 */
final class Incoming {
    /** What any may hold, however much the others do; one message, if it is larger. */
    static final long LEAST_BYTES = 128 << 10;

    static final long MOST_BYTES = 4 << 20;
    /** The share is asked for so much at once, so that what is of no account costs nothing. */
    private static final long STEP_BYTES = 256 << 10;

    /** What all connections together hold, beside what each may hold anyway. For any thread. */
    static final class Share {
        private final AtomicLong taken = new AtomicLong();
        private final long mostBytes;

        Share(long mostBytes) {
            this.mostBytes = mostBytes;
        }

        private boolean take(long bytes) {
            if (taken.addAndGet(bytes) <= mostBytes) {
                return true;
            }
            taken.addAndGet(-bytes);
            return false;
        }

        long takenBytes() {
            return taken.get();
        }
    }

    private final Share share;
    private final AtomicLong held = new AtomicLong();
    /** Taken from the share. */
    private final AtomicLong granted = new AtomicLong();
    /** A message was refused: somebody waits to be told that there is room. */
    private volatile boolean starved;

    private volatile boolean gone;

    Incoming(Share share) {
        this.share = share;
    }

    /** By the thread that runs the engine: room for a delivery of so many bytes. False if there is none now. */
    boolean reserve(int bytes) {
        if (reserved(bytes)) {
            return true;
        }
        starved = true;
        // What was written meanwhile has not seen that somebody starves.
        return reserved(bytes);
    }

    private boolean reserved(int bytes) {
        long then = held.addAndGet(bytes);
        if (then == bytes || then <= LEAST_BYTES || then <= roomFor(then)) {
            return true;
        }
        held.addAndGet(-bytes);
        return false;
    }

    private long roomFor(long bytes) {
        long room = LEAST_BYTES + granted.get();
        while (!gone && room < bytes && room + STEP_BYTES <= MOST_BYTES && share.take(STEP_BYTES)) {
            room = LEAST_BYTES + granted.addAndGet(STEP_BYTES);
        }
        if (gone) {
            giveBack();
        }
        return room;
    }

    /** By any thread: the delivery is written, or will not be. */
    void unreserve(int bytes) {
        held.addAndGet(-bytes);
    }

    /** By the event loop, when it has taken in what there was: true, once, if somebody was refused and there is room again. */
    boolean fedAgain() {
        long now = held.get();
        if (now == 0 && granted.get() > 0) {
            giveBack();
        }
        if (starved && now <= (LEAST_BYTES + granted.get()) / 2) {
            starved = false;
            return true;
        }
        return false;
    }

    /** By the event loop: the connection is closed. */
    void gone() {
        gone = true;
        giveBack();
    }

    private void giveBack() {
        share.taken.addAndGet(-granted.getAndSet(0));
    }
}
