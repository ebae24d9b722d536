package dev.postroad.transports.emulation;

import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A log of small records that a broker keeps and that every connection reads from its beginning: what connections to one broker
 * know together. All of them see the same records in the same order. Safe for use by many threads.
 */
public interface Log extends AutoCloseable {

    /** Appends a record; completes when the broker has confirmed it. */
    CompletableFuture<Void> append(byte[] entry);

    /**
     * Returns when the reader has been given everything that was appended, by anybody, before this call.
     *
     * @throws dev.postroad.api.MessagingException {@code TIMEOUT} or {@code UNREACHABLE}
     */
    void catchUp();

    @Override
    void close();

    /** Opens logs. */
    @FunctionalInterface
    interface Opener {
        /**
         * @param name of the log
         * @param reader is given each record, in order, on one thread at a time
         */
        Log open(String name, Consumer<byte[]> reader);
    }
}
