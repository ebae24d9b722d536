package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.Fetched;
import dev.postroad.engine.Command.Start;
import dev.postroad.engine.Command.StreamRecord;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.runtime.Broker;
import java.util.ArrayList;
import java.util.List;

/** Finds places in streams. */
final class Seeking {
    private static final int MESSAGES = 1_000;
    private static final int BYTES = 1024 * 1024;

    private Seeking() {}

    /** The offset that the next message of a partition will get. */
    static long end(Broker broker, String stream, int partition) {
        return accepted(broker, stream, partition, Long.MAX_VALUE);
    }

    /**
     * The offset of the first message stamped at this time or later, or the end. The engine knows when it accepted each message;
     * from there on the time stamps are looked at, so that a message stamped later than it was accepted may be missed.
     */
    static long first(Broker broker, String stream, int partition, long millis) {
        long offset = accepted(broker, stream, partition, millis);
        while (true) {
            long from = offset;
            Fetched fetched = broker.await(
                    (Reply<Fetched> reply) -> new Command.Fetch(stream, partition, from, MESSAGES, BYTES, 0, reply));
            for (StreamRecord record : fetched.records()) {
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
        return broker.await((Reply<Long> reply) -> new Command.OffsetAt(stream, partition, millis, reply));
    }

    /** A start as the engine takes it: a time is that of the messages' own stamps. */
    static Start start(Broker broker, ChannelDeclaration channel, Start start) {
        if (!(start instanceof Start.Timestamp time)) {
            return start;
        }
        List<Long> offsets = new ArrayList<>();
        for (int partition = 0; partition < channel.partitions(); partition++) {
            offsets.add(first(broker, channel.name(), partition, time.millis()));
        }
        return new Start.Offsets(offsets);
    }
}
