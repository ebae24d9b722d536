package dev.postroad.transports.embedded;

import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.MessageFields;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.runtime.Broker;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Reads a stream alone, from a start, with nothing remembered. Of each partition one fetch at most is under way, and the next
 * is sent when all it brought was received: that bounds what lies here.
 */
final class StreamSource extends Source {
    /** A fetch that found nothing waits so long for something to come. */
    private static final long WAIT_MILLIS = 10_000;

    private static final int FETCH_BYTES = 4 << 20;
    private static final int FEWEST_BYTES = 64 << 10;

    private final Broker broker;
    private final EmbeddedReceiver receiver;
    private final String stream;
    private final @Nullable Rule filter;
    private final MessageFields fields;
    private final int maxMessages;
    private final int maxBytes;
    private final List<Partition> partitions = new ArrayList<>();
    private volatile boolean closed;

    private record Read(Partition partition, Command.StreamRecord record) implements Arrival {
        @Override
        public Source source() {
            return partition.source();
        }

        @Override
        public Delivery<byte[], byte[]> toDelivery() {
            partition.received();
            return new ReadDelivery(
                    partition.source().stream,
                    record.partition(),
                    record.offset(),
                    Messages.fromEngine(
                            partition.source().stream, record.partition(), record.offset(), -1, record.message()));
        }
    }

    /** Opens at the start that the options give. */
    static StreamSource open(
            Broker broker,
            EmbeddedReceiver receiver,
            ChannelDeclaration channel,
            ConsumerOptions options,
            @Nullable Rule filter) {
        Integer own = options.prefetch();
        int prefetch = own == null ? channel.prefetch() : own;
        StreamSource source = new StreamSource(broker, receiver, channel, filter, prefetch);
        for (int p = 0; p < channel.partitions(); p++) {
            source.openPartition(p, options.start());
        }
        return source;
    }

    private StreamSource(
            Broker broker, EmbeddedReceiver receiver, ChannelDeclaration channel, @Nullable Rule filter, int prefetch) {
        this.broker = broker;
        this.receiver = receiver;
        this.stream = channel.name();
        this.filter = filter;
        this.fields = new MessageFields(broker.payloads());
        this.maxMessages = Math.max(1, prefetch / channel.partitions());
        this.maxBytes = Math.max(FEWEST_BYTES, FETCH_BYTES / channel.partitions());
    }

    private void openPartition(int number, ConsumerOptions.@Nullable Start start) {
        long from = 0;
        long next = 0;
        switch (start) {
            case null -> {}
            case ConsumerOptions.Start.Earliest earliest -> {}
            case ConsumerOptions.Start.Latest latest -> next = Seeking.end(broker, stream, number);
            case ConsumerOptions.Start.Timestamp at -> next = Seeking.first(broker, stream, number, at.timestamp());
            case ConsumerOptions.Start.Offset offset -> {
                from = Math.max(0, offset.offset());
                // An offset that is yet to come is waited for at the end.
                next = Math.min(from, Seeking.end(broker, stream, number));
            }
        }
        partitions.add(new Partition(number, from, next));
    }

    /** The place in one partition. */
    private final class Partition implements Reply<Command.Fetched> {
        private final int number;
        private final long from;
        private final AtomicBoolean asked = new AtomicBoolean();

        /** Where the next fetch begins; handed back and forth by {@link #asked}. */
        private volatile long next;

        /** Of the last fetch, not received yet. */
        private volatile int unreceived;

        Partition(int number, long from, long next) {
            this.number = number;
            this.from = from;
            this.next = next;
        }

        StreamSource source() {
            return StreamSource.this;
        }

        void request() {
            if (unreceived != 0 || !asked.compareAndSet(false, true)) {
                return;
            }
            if (unreceived != 0) {
                // A fetch came in between.
                asked.set(false);
            } else {
                long waitUntil = broker.wallMillis() + WAIT_MILLIS;
                broker.submit(new Command.Fetch(stream, number, next, maxMessages, maxBytes, waitUntil, this));
            }
        }

        /** By one receiving thread at a time, and not before the fetch has come. */
        @SuppressWarnings("NonAtomicVolatileUpdate")
        void received() {
            unreceived = unreceived - 1;
        }

        @Override
        public void done(Command.Fetched fetched) {
            List<Arrival> matching = new ArrayList<>(fetched.records().size());
            for (Command.StreamRecord record : fetched.records()) {
                if (record.offset() >= from && (filter == null || filter.matches(fields.of(record.message())))) {
                    matching.add(new Read(this, record));
                }
            }
            next = fetched.nextFetch();
            unreceived = matching.size();
            asked.set(false);
            if (closed) {
                return;
            }
            if (matching.isEmpty()) {
                receiver.wake();
            } else {
                receiver.arrived(StreamSource.this, matching, Integer.MAX_VALUE);
            }
        }

        @Override
        public void failed(EngineException cause) {
            MessagingException why = Failures.of(cause);
            receiver.ended(StreamSource.this, why);
        }
    }

    @Override
    void request() {
        for (Partition partition : partitions) {
            partition.request();
        }
    }

    @Override
    void stop() {
        closed = true;
    }

    @Override
    void close(List<Arrival> untouched) {
        // Nothing is remembered: there is nothing to give back.
    }
}
