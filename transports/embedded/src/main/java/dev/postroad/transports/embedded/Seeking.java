package dev.postroad.transports.embedded;

import dev.postroad.engine.Command;
import dev.postroad.engine.runtime.Broker;
import java.time.Instant;

/** Finds places in the partitions of streams. */
final class Seeking {
    private static final int MESSAGES = 1_000;
    private static final int BYTES = 1 << 20;

    private Seeking() {}

    /** The offset that the next message will get. */
    static long end(Broker broker, String stream, int partition) {
        return accepted(broker, stream, partition, Long.MAX_VALUE);
    }

    /**
     * The offset of the first message stamped at this time or later, or the end. The engine knows when it accepted each message;
     * from there on the time stamps are looked at, so that a message stamped later than it was accepted may be missed.
     */
    static long first(Broker broker, String stream, int partition, Instant timestamp) {
        long millis = Times.millis(timestamp);
        long offset = accepted(broker, stream, partition, millis);
        while (true) {
            long from = offset;
            Command.Fetched fetched = Failures.<Command.Fetched>await(
                    broker, reply -> new Command.Fetch(stream, partition, from, MESSAGES, BYTES, 0, reply));
            for (Command.StreamRecord record : fetched.records()) {
                if (record.message().timestampMillis() >= millis) {
                    return record.offset();
                }
            }
            if (fetched.records().isEmpty()) {
                return fetched.next();
            }
            offset = fetched.nextFetch();
        }
    }

    private static long accepted(Broker broker, String stream, int partition, long millis) {
        return Failures.<Long>await(broker, reply -> new Command.OffsetAt(stream, partition, millis, reply));
    }
}
