package dev.postroad.benchmarks;

import java.io.Closeable;
import java.util.function.LongConsumer;

/** A message store under measurement, open on its directory, in the process of a worker. */
interface Contender extends Closeable {

    /** Makes sure that a durable queue of this name exists. */
    void declareQueue(String queue) throws Exception;

    /** A sender for one thread, to a declared queue. */
    Sender sender(String queue, Sending sending) throws Exception;

    /**
     * Consumes a declared queue until the receiver closes, and acknowledges every message.
     *
     * @param arrivals told, by one thread at a time, the first eight bytes of each message
     */
    Closeable receive(String queue, LongConsumer arrivals) throws Exception;

    /** An append-only log for one appender and one reader, forced to disk now and then at most. */
    Log log(String name, int batch) throws Exception;

    /** How a sender is used. */
    enum Sending {
        BLOCKING,
        ASYNCHRONOUS
    }

    /** Sends, for one thread. */
    interface Sender extends Closeable {
        /** Returns when the message is on disk. The array is the contender's from now on. */
        void send(byte[] payload) throws Exception;

        /** The confirmation is told when the message is on disk; in the order of sending. */
        void send(byte[] payload, Confirmation confirmation) throws Exception;
    }

    /** Told what became of a message. */
    interface Confirmation {
        void confirmed();

        void failed(Throwable cause);
    }

    /** A log: {@code append} by one thread, {@code tail} by another. */
    interface Log extends Closeable {
        /** Appends, or hands over to be appended. The array is the contender's from now on. */
        void append(byte[] payload, Confirmation confirmation) throws Exception;

        /** Appends what was held back to fill a batch. */
        default void flush() throws Exception {}

        /**
         * Reads on.
         *
         * @param arrivals told the first eight bytes of each message
         * @param spinning true to come back at once when nothing is there; otherwise it may wait for a while
         * @return how many messages there were
         */
        int tail(LongConsumer arrivals, boolean spinning) throws Exception;
    }

    /** A refusal of what this contender cannot be asked. */
    static UnsupportedOperationException cannot(String what) {
        return new UnsupportedOperationException("this contender has no " + what);
    }
}
