package dev.postroad.transports.embedded;

import dev.postroad.api.Delivery;
import java.util.List;

/** Where the deliveries of one channel come from. */
abstract sealed class Source permits QueueSource, StreamSource {
    /** Came and was not received yet; with the receiver's lock. */
    int waiting;

    /** Asks for more, where more comes only when asked for. By receiving threads, without the receiver's lock. */
    abstract void request();

    /** Nothing more comes when this returns; what came can still be settled. Without the receiver's lock. */
    abstract void stop();

    /**
     * Ends it: what was received and not settled goes back. After {@link #stop}, without the receiver's lock.
     *
     * @param untouched came and was never received: it goes back as if it had never come
     */
    abstract void close(List<Arrival> untouched);

    /** What the engine handed over, on its way to whoever receives. */
    interface Arrival {
        Source source();

        /** By the receiving thread, which has more time for it than the engine's. */
        Delivery<byte[], byte[]> toDelivery();
    }
}
