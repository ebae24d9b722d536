package dev.postroad.benchmarks;

import java.io.IOException;

/** A contender on somebody else's broker: it sends ahead of the confirms only, and knows no logs. */
interface ClientContender extends Contender {

    @Override
    default Log log(String name, int batch) {
        throw Contender.cannot("log");
    }

    @Override
    default void close() throws IOException {
        // Each sender and receiver has a client of its own.
    }

    /** A sender that waits for nothing. */
    interface Ahead extends Sender {
        @Override
        default void send(byte[] payload) {
            throw Contender.cannot("sender that waits");
        }
    }
}
