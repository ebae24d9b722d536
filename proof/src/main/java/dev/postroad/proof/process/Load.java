package dev.postroad.proof.process;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A client of one channel of a broker, as traffic needs it: what each broker's own client library makes of it is behind here.
 * Made anew for each start of the broker. Safe for use by many threads.
 *
 * <p>A future that fails with {@link Refused} says that the message is not stored; any other failure that nobody knows.
 */
interface Load extends AutoCloseable {
    /** Makes sure that the channel exists. */
    void declare();

    /** Sends one message; messages of one thread in order. */
    CompletableFuture<Place> send(Sending message);

    /** True if {@link #sendBatch} stores all or nothing. */
    boolean batches();

    /** Sends several that are stored whole or not at all. */
    CompletableFuture<Void> sendBatch(List<Sending> messages);

    /** True if {@link #sendTogether} works. */
    boolean transacts();

    /**
     * Sends messages to several channels, all or none, and returns when they are stored.
     *
     * @param messages each by its channel
     * @throws Refused if none is stored; any other failure says that nobody knows
     */
    void sendTogether(Map<String, Sending> messages);

    /** A consumer of its own, for one thread. */
    Receiver receiver();

    /** Messages that are not settled yet: waiting, delivered or delayed; -1 where the broker does not say. */
    long left();

    @Override
    void close();

    /** Takes messages and settles them. */
    interface Receiver extends AutoCloseable {
        /** Waits for the first; empty when none came in time. */
        List<Taken> receive(int max, Duration wait) throws InterruptedException;

        /** Completes when the acknowledgement is stored. */
        CompletableFuture<Void> acknowledge(List<Taken> taken);

        /** Gives messages back for another attempt. */
        void giveBack(List<Taken> taken);

        /** False where {@link #acknowledge} completes without the broker having said so. */
        boolean settles();

        @Override
        void close();
    }

    /**
     * A message to send.
     *
     * @param id the same when it is sent again
     */
    record Sending(String id, int key, byte[] payload) {}

    /** Where a message lies; -1 each where it has no place. */
    record Place(int partition, long offset) {
        static final Place NONE = new Place(-1, -1);
    }

    /**
     * A message received.
     *
     * @param attempt from 1; 0 where the broker does not say
     * @param handle what the receiver settles it by
     */
    record Taken(int attempt, Place place, byte[] payload, Object handle) {}

    /** The broker said that it does not store the message, and why. */
    final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;

        Refused(String why, Throwable cause) {
            super(why, cause);
        }
    }
}
