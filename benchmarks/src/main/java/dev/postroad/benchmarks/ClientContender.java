package dev.postroad.benchmarks;

/** A contender on somebody else's broker: it sends ahead of the confirms only, and knows no logs. */
interface ClientContender extends Contender {

    @Override
    default Log log(String name, int batch) {
        throw Contender.cannot("log");
    }

    /** A sender that waits for nothing. */
    interface Ahead extends Sender {
        @Override
        default void send(byte[] payload) {
            throw Contender.cannot("sender that waits");
        }
    }
}
