package dev.postroad.engine;

import dev.postroad.engine.routing.Rule;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Consumers that read a stream as if it were a queue of their own: from a place they name, as their credit allows. They take
 * nothing away, and nothing of them is kept: settling a delivery gives its credit back and no more.
 */
final class StreamConsuming {
    /** Deliveries to one consumer in one turn. */
    private static final int MOST_PER_TURN = 1024;

    private static final int PARTITION_SHIFT = 48;

    private static final class Reader {
        final long id;
        final StreamState stream;
        final Command.ConsumerSettings settings;
        final DeliverySink sink;
        final long[] next;
        final Set<Long> unsettled = new HashSet<>();
        int credit;

        /** Its sink said that it takes nothing for now. */
        boolean paused;

        Reader(long id, StreamState stream, Command.ConsumerSettings settings, DeliverySink sink, long[] next) {
            this.id = id;
            this.stream = stream;
            this.settings = settings;
            this.sink = sink;
            this.next = next;
            this.credit = settings.credit();
        }
    }

    private record Handover(Reader reader, EngineDelivery delivery) {}

    private final Engine engine;
    private final LongMap<Reader> readers = new LongMap<>();
    private final List<Handover> handovers = new ArrayList<>();

    StreamConsuming(Engine engine) {
        this.engine = engine;
    }

    // ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    void subscribe(long id, StreamState stream, Command.Start start, Command.Subscribe subscribe) {
        int count = consumers(stream);
        String name = stream.definition().name();
        if (count >= engine.settings.maxConsumersPerQueue()) {
            throw new EngineException(
                    EngineException.Reason.FULL, "stream '" + name + "' has " + count + " consumers, the most allowed");
        }
        if (subscribe.settings().exclusive()) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "stream '" + name + "' is read by many: a consumer can't have it for itself");
        }
        long[] next = new long[stream.partitions()];
        for (int p = 0; p < next.length; p++) {
            next[p] = first(stream, p, start);
        }
        readers.put(id, new Reader(id, stream, subscribe.settings(), subscribe.sink(), next));
        engine.park(subscribe.reply(), id, false);
    }

    /** The offset in a partition where reading starts. */
    static long first(StreamState stream, int partition, Command.Start start) {
        long end = stream.nextOffset(partition);
        return switch (start) {
            case Command.Start.Earliest e -> stream.earliest(partition);
            case Command.Start.Latest l -> end;
            case Command.Start.Last l -> Math.max(stream.earliest(partition), end - 1);
            case Command.Start.Offset o -> o.offset();
            case Command.Start.Offsets o -> o.offsets().get(partition);
            case Command.Start.Timestamp t -> stream.offsetAt(partition, t.millis());
        };
    }

    boolean has(long consumerId) {
        return !readers.isEmpty() && readers.get(consumerId) != null;
    }

    int consumers(StreamState stream) {
        int count = 0;
        for (long id : readers.sortedKeys()) {
            Reader reader = readers.get(id);
            count += reader != null && reader.stream == stream ? 1 : 0;
        }
        return count;
    }

    private Reader reader(long id) {
        Reader reader = readers.get(id);
        if (reader == null) {
            throw new IllegalStateException("consumer " + id + " reads no stream");
        }
        return reader;
    }

    void credit(Command.Credit command) {
        Reader reader = reader(command.consumerId());
        long sum = (long) reader.credit + command.more();
        reader.paused = false;
        reader.credit = (int) Math.max(0, Math.min(engine.settings.maxUnsettledPerConsumer(), sum));
        engine.park(command.reply(), reader.credit, false);
    }

    /** However they are settled, deliveries of a stream give their credit back; those settled before are counted. */
    int settle(Command.Settle settle) {
        Reader reader = reader(settle.consumerId());
        int unknown = 0;
        boolean extends_ = settle.outcome() instanceof Command.Outcome.Extend;
        for (int i = 0; i < settle.count(); i++) {
            Long number = settle.numbers()[i];
            if (extends_ ? !reader.unsettled.contains(number) : !reader.unsettled.remove(number)) {
                unknown++;
            } else if (!extends_ && reader.settings.restoring()) {
                reader.credit++;
            }
        }
        return unknown;
    }

    /** Ends a consumer. Returns how much it held. */
    int end(long id) {
        Reader reader = reader(id);
        readers.remove(id);
        return reader.unsettled.size();
    }

    /** Ends the consumers of a connection. Returns how many. */
    int closeOwner(Object owner) {
        int count = 0;
        for (long id : readers.isEmpty() ? new long[0] : readers.sortedKeys()) {
            if (owner.equals(reader(id).settings.owner())) {
                readers.remove(id);
                count++;
            }
        }
        return count;
    }

    /** The stream is gone. */
    void cancel(StreamState stream, String reason) {
        for (long id : readers.sortedKeys()) {
            Reader reader = reader(id);
            if (reader.stream == stream) {
                readers.remove(id);
                reader.sink.cancelled(reason);
            }
        }
    }

    // ── Dispatch ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Hands messages to consumers that have credit. Returns true if there may be more to do at once. */
    boolean dispatch() {
        if (readers.isEmpty()) {
            return false;
        }
        boolean more = false;
        for (long id : readers.sortedKeys()) {
            Reader reader = reader(id);
            int left = MOST_PER_TURN;
            for (int p = 0; p < reader.next.length && left > 0; p++) {
                left = dispatch(reader, p, left);
            }
            more |= left == 0;
        }
        return more;
    }

    private int dispatch(Reader reader, int partition, int most) {
        StreamState stream = reader.stream;
        Rule filter = reader.settings.filter();
        int left = most;
        while (left > 0
                && reader.credit > 0
                && !reader.paused
                && reader.next[partition] < stream.nextOffset(partition)) {
            long offset = stream.nextLive(partition, reader.next[partition]);
            if (offset == PagedIndex.NONE) {
                reader.next[partition] = stream.nextOffset(partition);
                break;
            }
            left--;
            reader.next[partition] = offset + 1;
            long position = stream.position(partition, offset);
            Stored stored = engine.state.store.readIfSound(position);
            if (stored != null && (filter == null || filter.matches(engine.fields.of(stored.message())))) {
                if (!reader.sink.takes(stored.message())) {
                    reader.paused = true;
                    reader.next[partition] = offset;
                    break;
                }
                hand(reader, partition, offset, position, stored.message());
            }
        }
        return left;
    }

    private void hand(Reader reader, int partition, long offset, long position, EngineMessage message) {
        StreamDefinition definition = reader.stream.definition();
        long number = ((long) partition << PARTITION_SHIFT) | offset;
        reader.credit--;
        if (!reader.settings.autoAcknowledge()) {
            reader.unsettled.add(number);
        }
        handovers.add(new Handover(
                reader,
                new EngineDelivery(reader.id, definition.name(), null, number, 1, 0, partition, offset, message)));
        if (definition.durability() == Durability.DURABLE && position >= engine.journal.durablePosition()) {
            engine.wantSync();
        }
    }

    /** What was handed over in this turn goes to the consumers. */
    void letOutDeliveries() {
        @Nullable DeliverySink last = null;
        for (Handover handover : handovers) {
            DeliverySink sink = handover.reader().sink;
            if (readers.get(handover.reader().id) == null) {
                continue;
            }
            if (last != null && last != sink) {
                last.flush();
            }
            sink.deliver(handover.delivery());
            last = sink;
        }
        if (last != null) {
            last.flush();
        }
        handovers.clear();
    }

    void dropDeliveries() {
        handovers.clear();
    }
}
