package dev.postroad.engine;

import dev.postroad.journal.BatchView;
import dev.postroad.journal.Journal;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalFullException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The records of the journal: the only way in which durable state changes. Each kind has a method that writes it and applies
 * it, and at recovery {@link #replay} decodes it and applies it by the same code.
 *
 * <pre>
 *   type             payload (varints where nothing is said; "numbers" = count, then signed differences)
 *    1 MESSAGE       u8 shape: 1 to a stream · 2 of an idempotent producer · 4 a dead letter of a key-ordered queue
 *                    · 8 one that was put back
 *                    count of queues, id each · [id of the partition, offset] · [producer i64, epoch u16, sequence i32]
 *                    · [id of the origin i32, hash of the key i64, 0 where it is not dead by this letter, place in its line i64,
 *                    -1 for the end] · [place i64]
 *                    · message, see MessageCodec
 *    2 DELIVERED     queue · numbers
 *    3 REMOVED       queue · cause u8 · numbers
 *    4 RELEASED      queue · not before i64 · counts u8 · numbers
 *    5 DECLARED      id · owner stream of a shared group (nullable string) · tag u8 · definition
 *    6 DELETED       id of the queue, or of the stream's first partition: with the bindings that lead to it
 *    7 TOPIC         definition
 *    8 TOPIC_DELETED name: with its bindings and those that lead to it
 *    9 BOUND         binding
 *   10 UNBOUND       binding
 *   11 PAGE          id of the queue or partition · lane · page number · entries, see PagedIndex
 *   12 MOVED         position i64 of the message · its MESSAGE record's payload, as it was
 *   13 OFFSETS       group · count · stream, partition, offset, metadata (nullable string) each
 *   14 GROUP_DELETED group
 *   15 TRIMMED       id of the partition · first offset kept
 *   16 TOMBSTONE     id of the partition · offset
 *   17 PRODUCER      producer id i64
 *   18 RESTARTED     (nothing): whatever was in flight is not any more
 *   19 REFERRED      queue · count · positions of messages (signed differences), size, key each: what a shared group begins
 *                    with; none at the end
 *   20 POLICY        policy
 *   21 POLICY_DELETED  operator u8 · name
 * </pre>
 */
final class Records {
    /** Most bytes that a definition or binding takes, checked before it is written. */
    static final int MOST_DEFINITION_BYTES = 64 * 1024;

    static final byte MESSAGE = 1;
    static final byte DELIVERED = 2;
    static final byte REMOVED = 3;
    static final byte RELEASED = 4;
    static final byte DECLARED = 5;
    static final byte DELETED = 6;
    static final byte TOPIC = 7;
    static final byte TOPIC_DELETED = 8;
    static final byte BOUND = 9;
    static final byte UNBOUND = 10;
    static final byte PAGE = 11;
    static final byte MOVED = 12;
    static final byte OFFSETS = 13;
    static final byte GROUP_DELETED = 14;
    static final byte TRIMMED = 15;
    static final byte TOMBSTONE = 16;
    static final byte PRODUCER = 17;
    static final byte RESTARTED = 18;
    static final byte REFERRED = 19;
    static final byte POLICY = 20;
    static final byte POLICY_DELETED = 21;

    private static final int TO_STREAM = 1;
    private static final int OF_PRODUCER = 2;
    private static final int OF_ORIGIN = 4;
    private static final int PUT_BACK = 8;

    /** Why a message went. */
    enum Cause {
        ACKNOWLEDGED,
        DEAD_LETTERED,
        EXPIRED,
        DROPPED,
        PURGED,
        MOVED,
        CANCELLED
    }

    private final Journal journal;
    private final State state;
    private long now;
    private boolean open;

    Records(Journal journal, State state) {
        this.journal = journal;
        this.state = state;
    }

    // ── Batches ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Begins a batch that may take so many bytes of payload in so many records.
     *
     * @throws EngineException {@code FULL} if there is no space on the disk, {@code TOO_LARGE} over the journal's largest batch
     */
    void begin(long nowMillis, int records, long payloadBytes) {
        long bytes = Journal.batchBytes(records, payloadBytes);
        if (bytes > journal.maxBatchBytes()) {
            throw new EngineException(
                    EngineException.Reason.TOO_LARGE,
                    "this would take " + bytes + " bytes in the journal at once; at most " + journal.maxBatchBytes()
                            + " can be. Send it in smaller batches");
        }
        now = nowMillis;
        try {
            journal.begin(nowMillis, (int) bytes);
            open = true;
        } catch (JournalFullException e) {
            throw new EngineException(EngineException.Reason.FULL, String.valueOf(e.getMessage()), e);
        } catch (JournalException e) {
            throw new UncheckedIOException(e);
        }
    }

    void end() {
        journal.end();
        open = false;
    }

    /** True between begin and end: an error now leaves state and journal apart. */
    boolean open() {
        return open;
    }

    private ByteBuffer record(byte type, long maxBytes) {
        try {
            return journal.record(type, Math.toIntExact(maxBytes));
        } catch (JournalException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ── Messages ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Where a message goes, within the engine. Reused.
     */
    static final class Target {
        QueueState[] queues = new QueueState[4];
        int queueCount;

        @Nullable
        StreamState stream;

        int partition;
        Command.@Nullable Producer producer;
        int sequence;
        QueueState.@Nullable Origin origin;

        /** Of a dead letter that is put back, its place in the line of its key; -1 otherwise. */
        long place;

        Target clear() {
            queueCount = 0;
            stream = null;
            partition = -1;
            producer = null;
            sequence = 0;
            origin = null;
            place = -1;
            return this;
        }

        Target add(QueueState queue) {
            for (int i = 0; i < queueCount; i++) {
                if (queues[i] == queue) {
                    return this;
                }
            }
            if (queueCount == queues.length) {
                queues = java.util.Arrays.copyOf(queues, 2 * queueCount);
            }
            queues[queueCount++] = queue;
            return this;
        }

        boolean empty() {
            return queueCount == 0 && stream == null;
        }
    }

    /** Most payload bytes of a MESSAGE record. */
    static long messageBytes(EngineMessage message, int queues) {
        return 76 + 5L * queues + MessageCodec.maxBytes(message);
    }

    /** Returns the offset, if the message went to a stream, or -1. */
    long message(EngineMessage message, Target target) {
        StreamState stream = target.stream;
        Command.Producer producer = target.producer;
        QueueState.Origin origin = target.origin;
        ByteBuffer out = record(MESSAGE, messageBytes(message, target.queueCount));
        int start = out.position();
        out.put((byte) ((stream != null ? TO_STREAM : 0)
                | (producer != null ? OF_PRODUCER : 0)
                | (origin != null ? OF_ORIGIN : 0)
                | (target.place >= 0 ? PUT_BACK : 0)));
        Bytes.putVarint(out, target.queueCount);
        for (int i = 0; i < target.queueCount; i++) {
            Bytes.putVarint(out, target.queues[i].id);
        }
        long offset = -1;
        if (stream != null) {
            offset = stream.nextOffset(target.partition);
            Bytes.putVarint(out, stream.firstChannelId() + target.partition);
            Bytes.putVarint(out, offset);
        }
        if (producer != null) {
            out.putLong(producer.id()).putShort(producer.epoch()).putInt(target.sequence);
        }
        if (origin != null) {
            out.putInt(origin.channelId()).putLong(origin.keyHash()).putLong(origin.place());
        }
        if (target.place >= 0) {
            out.putLong(target.place);
        }
        MessageCodec.encode(message, out);
        int size = out.position() - start;
        long position = journal.endRecord();
        state.store.remember(
                position, new Stored(message, stream == null ? -1 : target.partition, offset, false), size);
        applyMessage(now, position, size, message, target);
        return offset;
    }

    private void applyMessage(long time, long position, int size, EngineMessage message, Target target) {
        state.store.wrote(position);
        StreamState stream = target.stream;
        if (stream != null) {
            stream.applyMessage(target.partition, time, position, size, message.key(), message.payload() == null);
            if (stream.dedup() != null && message.id() != null) {
                stream.dedup().add(message.id(), time);
            }
            Command.Producer producer = target.producer;
            if (producer != null) {
                stream.applyProducer(
                        producer.id(),
                        producer.epoch(),
                        target.sequence,
                        target.partition,
                        stream.nextOffset(target.partition) - 1,
                        time);
            }
        }
        QueueState.Origin origin = target.origin;
        boolean kills = origin != null && origin.killsKey();
        for (int i = 0; i < target.queueCount; i++) {
            target.queues[i].applyMessage(
                    time,
                    position,
                    size,
                    message.priority(),
                    message.ttlMillis(),
                    message.deliverAtMillis(),
                    message.id(),
                    message.key(),
                    kills ? origin : null,
                    target.place);
        }
        QueueState from = origin == null ? null : state.queue(origin.channelId());
        if (origin != null && from != null) {
            if (kills) {
                from.applyDeadKey(origin.keyHash(), target.queueCount);
            }
            DedupWindow dedup = from.dedup();
            if (origin.place() < 0 && dedup != null && message.id() != null) {
                // It came to that queue and went on here at once.
                dedup.add(message.id(), time);
            }
        }
    }

    private void replayMessage(long time, long position, ByteBuffer in) {
        int size = in.remaining();
        Target target = new Target().clear();
        int shape = in.get();
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            QueueState queue = state.queue((int) Bytes.getVarint(in));
            if (queue != null) {
                target.add(queue);
            }
        }
        if ((shape & TO_STREAM) != 0) {
            int id = (int) Bytes.getVarint(in);
            long offset = Bytes.getVarint(in);
            StreamState stream = state.streamOf(id);
            if (stream != null) {
                target.stream = stream;
                target.partition = id - stream.firstChannelId();
                if (stream.nextOffset(target.partition) != offset) {
                    throw new IllegalStateException("the journal says offset " + offset + " where "
                            + stream.nextOffset(target.partition) + " is next, at position " + position);
                }
            }
        }
        if ((shape & OF_PRODUCER) != 0) {
            long producerId = in.getLong();
            short epoch = in.getShort();
            target.sequence = in.getInt();
            target.producer = new Command.Producer(producerId, epoch, target.sequence, target.partition);
        }
        if ((shape & OF_ORIGIN) != 0) {
            target.origin = new QueueState.Origin(in.getInt(), in.getLong(), in.getLong());
        }
        if ((shape & PUT_BACK) != 0) {
            target.place = in.getLong();
        }
        if (!target.empty()) {
            applyMessage(time, position, size, MessageCodec.decode(in), target);
        }
    }

    /**
     * Decodes a MESSAGE or MOVED record.
     *
     * @throws EngineException {@code DAMAGED} if that is not what the bytes are
     */
    static Stored decodeStored(ByteBuffer in, byte type) {
        int bytes = in.remaining();
        try {
            return decodeMessage(in, type);
        } catch (RuntimeException e) {
            throw new EngineException(
                    EngineException.Reason.DAMAGED,
                    "a record of " + bytes + " bytes and type " + type + " is intact, but no message: " + e,
                    e);
        }
    }

    private static Stored decodeMessage(ByteBuffer in, byte type) {
        if (type == MOVED) {
            in.getLong();
        } else if (type != MESSAGE) {
            throw new IllegalStateException("a record of type " + type + " where a message was expected");
        }
        int shape = in.get();
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            Bytes.getVarint(in);
        }
        int partition = -1;
        long offset = -1;
        if ((shape & TO_STREAM) != 0) {
            partition = (int) Bytes.getVarint(in);
            offset = Bytes.getVarint(in);
        }
        if ((shape & OF_PRODUCER) != 0) {
            in.position(in.position() + 14);
        }
        skipOrigin(shape, in);
        return new Stored(MessageCodec.decode(in), partition, offset, true);
    }

    private static void skipOrigin(int shape, ByteBuffer in) {
        in.position(in.position() + ((shape & OF_ORIGIN) != 0 ? 20 : 0) + ((shape & PUT_BACK) != 0 ? 8 : 0));
    }

    /**
     * Where a message was sent, as its record says.
     *
     * @param partitionId id of the stream's partition; -1 for none
     */
    record Destinations(int[] queues, int partitionId, int priority) {}

    /** Reads the beginning of a MESSAGE record's payload. */
    static Destinations destinations(ByteBuffer in) {
        int shape = in.get();
        int[] queues = new int[(int) Bytes.getVarint(in)];
        for (int i = 0; i < queues.length; i++) {
            queues[i] = (int) Bytes.getVarint(in);
        }
        int partitionId = -1;
        if ((shape & TO_STREAM) != 0) {
            partitionId = (int) Bytes.getVarint(in);
            Bytes.getVarint(in);
        }
        in.position(in.position() + ((shape & OF_PRODUCER) != 0 ? 14 : 0));
        skipOrigin(shape, in);
        in.get();
        return new Destinations(queues, partitionId, in.get() & 0xFF);
    }

    // ── Deliveries and their settlement ──────────────────────────────────────────────────────────────────────────────

    static long numbersBytes(int count) {
        return 30 + 10L * count;
    }

    void delivered(QueueState queue, long[] numbers, int count) {
        ByteBuffer out = record(DELIVERED, numbersBytes(count));
        Bytes.putVarint(out, queue.id);
        putNumbers(out, numbers, count);
        journal.endRecord();
        applyDelivered(queue, numbers, count);
    }

    private static void applyDelivered(QueueState queue, long[] numbers, int count) {
        for (int i = 0; i < count; i++) {
            queue.applyDelivered(numbers[i]);
        }
    }

    void removed(QueueState queue, Cause cause, long[] numbers, int count) {
        ByteBuffer out = record(REMOVED, numbersBytes(count));
        Bytes.putVarint(out, queue.id);
        out.put((byte) cause.ordinal());
        putNumbers(out, numbers, count);
        journal.endRecord();
        applyRemoved(queue, cause, numbers, count);
    }

    private void applyRemoved(QueueState queue, Cause cause, long[] numbers, int count) {
        for (int i = 0; i < count; i++) {
            QueueState.Origin origin = queue.applyRemoved(numbers[i]);
            if (origin != null) {
                QueueState from = state.queue(origin.channelId());
                if (from != null) {
                    from.applyDeadKey(origin.keyHash(), -1);
                }
            }
        }
        QueueState.Counts counts = queue.counts;
        switch (cause) {
            case ACKNOWLEDGED -> counts.acknowledged += count;
            case DEAD_LETTERED -> counts.deadLettered += count;
            case EXPIRED -> counts.expired += count;
            case DROPPED, CANCELLED, PURGED -> counts.dropped += count;
            case MOVED -> {
                // counted where it went
            }
        }
    }

    void released(QueueState queue, long notBefore, boolean counts, long[] numbers, int count) {
        ByteBuffer out = record(RELEASED, numbersBytes(count));
        Bytes.putVarint(out, queue.id);
        out.putLong(notBefore).put((byte) (counts ? 1 : 0));
        putNumbers(out, numbers, count);
        journal.endRecord();
        applyReleased(now, queue, notBefore, counts, numbers, count);
    }

    private static void applyReleased(
            long time, QueueState queue, long notBefore, boolean counts, long[] numbers, int count) {
        for (int i = 0; i < count; i++) {
            queue.applyReleased(time, numbers[i], notBefore, counts);
        }
    }

    private static void putNumbers(ByteBuffer out, long[] numbers, int count) {
        Bytes.putVarint(out, count);
        long before = 0;
        for (int i = 0; i < count; i++) {
            Bytes.putSigned(out, numbers[i] - before);
            before = numbers[i];
        }
    }

    private static long[] getNumbers(ByteBuffer in) {
        long count = Bytes.getVarint(in);
        if (count < 0 || count > in.remaining()) {
            throw new IllegalStateException(count + " numbers in " + in.remaining() + " bytes");
        }
        long[] numbers = new long[(int) count];
        long before = 0;
        for (int i = 0; i < numbers.length; i++) {
            before += Bytes.getSigned(in);
            numbers[i] = before;
        }
        return numbers;
    }

    // ── Declarations ─────────────────────────────────────────────────────────────────────────────────────────────────

    /** Encodes a definition or binding apart, to know that it is within bounds before anything is written. */
    static ByteBuffer encoded(java.util.function.Consumer<ByteBuffer> encode, String what) {
        int most = MOST_DEFINITION_BYTES - 1024;
        // Nearly all are small: the most that there may be is not worth taking each time.
        for (int size = 1024; ; size = Math.min(most, 8 * size)) {
            ByteBuffer bytes = ByteBuffer.allocate(size);
            try {
                encode.accept(bytes);
                return bytes.flip();
            } catch (java.nio.BufferOverflowException e) {
                if (size == most) {
                    throw new EngineException(
                            EngineException.Reason.TOO_LARGE,
                            what + " takes more than " + most + " bytes; shorten its arguments",
                            e);
                }
            }
        }
    }

    /** Most payload bytes of the record of a definition or binding. */
    static int definitionBytes(java.util.function.Consumer<ByteBuffer> encode) {
        return encoded(encode, "a declaration").remaining() + 300;
    }

    int declared(Definition definition, @Nullable String stream) {
        int id = state.nextChannelId;
        ByteBuffer out = record(DECLARED, definitionBytes(definition::encode));
        Bytes.putVarint(out, id);
        Bytes.putNullable(out, stream);
        out.put(definition.tag());
        definition.encode(out);
        journal.endRecord();
        applyDeclared(id, definition, stream);
        return id;
    }

    private void applyDeclared(int id, Definition definition, @Nullable String stream) {
        switch (definition) {
            case QueueDefinition queue -> state.add(state.newQueue(id, queue, stream));
            case StreamDefinition streamDefinition -> state.add(id, state.newStream(id, streamDefinition));
            case TopicDefinition topic -> state.router.applyDeclared(topic);
        }
    }

    void topicDeclared(TopicDefinition definition) {
        ByteBuffer out = record(TOPIC, definitionBytes(definition::encode));
        definition.encode(out);
        journal.endRecord();
        state.router.applyDeclared(definition);
    }

    void deleted(int id) {
        Bytes.putVarint(record(DELETED, 10), id);
        journal.endRecord();
        applyDeleted(id);
    }

    private void applyDeleted(int id) {
        QueueState queue = state.queue(id);
        if (queue != null) {
            // Keys that are dead elsewhere because of letters here come alive again.
            for (long n = queue.nextNumber(-1); n != PagedIndex.NONE; n = queue.nextNumber(n)) {
                QueueState.Origin origin = queue.origin(n);
                QueueState from = origin == null ? null : state.queue(origin.channelId());
                if (origin != null && from != null) {
                    from.applyDeadKey(origin.keyHash(), -1);
                }
            }
            queue.applyDeleted();
            state.remove(queue);
            if (queue.stream == null) {
                state.router.applyChannelDeleted(queue.definition().name());
            }
            return;
        }
        StreamState stream = state.streamOf(id);
        if (stream != null) {
            for (QueueState group :
                    List.copyOf(state.sharedGroups(stream.definition().name()))) {
                group.applyDeleted();
                state.remove(group);
            }
            stream.applyDeleted();
            state.groups.applyStreamDeleted(stream.definition().name());
            state.remove(stream);
            state.router.applyChannelDeleted(stream.definition().name());
        }
    }

    void topicDeleted(String name) {
        Bytes.putString(record(TOPIC_DELETED, Bytes.maxBytes(name)), name);
        journal.endRecord();
        state.router.applyDeleted(name);
    }

    void bound(Binding binding) {
        binding.encode(record(BOUND, definitionBytes(binding::encode)));
        journal.endRecord();
        state.router.applyBound(binding);
    }

    void unbound(Binding binding) {
        binding.encode(record(UNBOUND, definitionBytes(binding::encode)));
        journal.endRecord();
        state.router.applyUnbound(binding);
    }

    /** Returns the queues that are not what they were. */
    List<QueueState> policySet(Policy policy) {
        policy.encode(record(POLICY, definitionBytes(policy::encode)));
        journal.endRecord();
        return state.applyPolicies(state.policies().with(policy));
    }

    /** Returns the queues that are not what they were. */
    List<QueueState> policyDeleted(boolean operator, String name) {
        ByteBuffer out = record(POLICY_DELETED, 1 + Bytes.maxBytes(name));
        out.put((byte) (operator ? 1 : 0));
        Bytes.putString(out, name);
        journal.endRecord();
        return state.applyPolicies(state.policies().without(operator, name));
    }

    // ── Streams and groups ───────────────────────────────────────────────────────────────────────────────────────────

    static long offsetsBytes(String group, List<Command.Position> positions) {
        long bytes = 20L + Bytes.maxBytes(group);
        for (Command.Position position : positions) {
            bytes += 25L + Bytes.maxBytes(position.stream()) + Bytes.maxBytes(position.metadata());
        }
        return bytes;
    }

    void offsets(String group, List<Command.Position> positions) {
        ByteBuffer out = record(OFFSETS, offsetsBytes(group, positions));
        Bytes.putString(out, group);
        Bytes.putVarint(out, positions.size());
        for (Command.Position position : positions) {
            Bytes.putString(out, position.stream());
            Bytes.putVarint(out, position.partition());
            Bytes.putVarint(out, position.offset());
            Bytes.putNullable(out, position.metadata());
        }
        journal.endRecord();
        for (Command.Position position : positions) {
            state.groups.applyCommit(
                    group, position.stream(), position.partition(), position.offset(), position.metadata());
        }
    }

    void groupDeleted(String group) {
        Bytes.putString(record(GROUP_DELETED, Bytes.maxBytes(group)), group);
        journal.endRecord();
        state.groups.applyDelete(group);
    }

    void trimmed(StreamState stream, int partition, long newEarliest) {
        ByteBuffer out = record(TRIMMED, 20);
        Bytes.putVarint(out, stream.firstChannelId() + partition);
        Bytes.putVarint(out, newEarliest);
        journal.endRecord();
        stream.applyTrim(partition, newEarliest);
    }

    void tombstone(StreamState stream, int partition, long offset) {
        ByteBuffer out = record(TOMBSTONE, 20);
        Bytes.putVarint(out, stream.firstChannelId() + partition);
        Bytes.putVarint(out, offset);
        journal.endRecord();
        stream.applyTombstoneRemoved(partition, offset);
    }

    long producer() {
        long id = state.nextProducerId;
        record(PRODUCER, 8).putLong(id);
        journal.endRecord();
        state.nextProducerId = id + 1;
        return id;
    }

    static long referredBytes(int count) {
        return 30 + 30L * count;
    }

    /** A shared group begins with messages that its stream keeps already; with none when that was all. */
    void referred(QueueState queue, long[] positions, int[] sizes, byte[][] keys, int count) {
        ByteBuffer out = record(REFERRED, referredBytes(count) + keyBytes(keys, count));
        Bytes.putVarint(out, queue.id);
        Bytes.putVarint(out, count);
        long before = 0;
        for (int i = 0; i < count; i++) {
            Bytes.putSigned(out, positions[i] - before);
            before = positions[i];
            Bytes.putVarint(out, sizes[i]);
            Bytes.putBytes(out, keys[i]);
        }
        journal.endRecord();
        if (count == 0) {
            queue.applyComplete();
        }
        for (int i = 0; i < count; i++) {
            queue.applyMessage(
                    now, positions[i], sizes[i], 0, 0, 0, null, keys[i].length == 0 ? null : keys[i], null, -1);
        }
    }

    static long keyBytes(byte[][] keys, int count) {
        long bytes = 0;
        for (int i = 0; i < count; i++) {
            bytes += keys[i].length;
        }
        return bytes;
    }

    private void replayReferred(long time, ByteBuffer in) {
        QueueState queue = state.queue((int) Bytes.getVarint(in));
        long position = 0;
        long count = Bytes.getVarint(in);
        if (count == 0 && queue != null) {
            queue.applyComplete();
        }
        for (; count > 0; count--) {
            position += Bytes.getSigned(in);
            int size = (int) Bytes.getVarint(in);
            byte[] key = Bytes.getBytes(in);
            if (queue != null) {
                queue.applyMessage(time, position, size, 0, 0, 0, null, key.length == 0 ? null : key, null, -1);
            }
        }
    }

    // ── The index and its space ──────────────────────────────────────────────────────────────────────────────────────

    void page(int channelId, int lane, PagedIndex index, long pageNumber) {
        ByteBuffer out = record(PAGE, 30 + index.maxPageBytes());
        int start = out.position();
        Bytes.putVarint(out, channelId);
        Bytes.putVarint(out, lane);
        Bytes.putVarint(out, pageNumber);
        index.writePage(pageNumber, out);
        int size = out.position() - start;
        applyPage(index, pageNumber, journal.endRecord(), size);
    }

    private void applyPage(PagedIndex index, long pageNumber, long position, int size) {
        long before = index.pageRecord(pageNumber);
        if (before != PagedIndex.NONE) {
            journal.release(before, index.pageRecordSize(pageNumber));
        }
        journal.retain(position, size);
        index.wrotePage(pageNumber, position, size);
    }

    /** Goes to where the entries of a PAGE record begin. */
    static void skipPageHead(ByteBuffer page) {
        Bytes.getVarint(page);
        Bytes.getVarint(page);
        Bytes.getVarint(page);
    }

    private void replayPage(long position, ByteBuffer in) {
        int size = in.remaining();
        int id = (int) Bytes.getVarint(in);
        int lane = (int) Bytes.getVarint(in);
        long pageNumber = Bytes.getVarint(in);
        PagedIndex index = index(id, lane);
        if (index != null && index.hasPage(pageNumber)) {
            applyPage(index, pageNumber, position, size);
        }
    }

    /** The index of a queue's lane or of a partition; null if it is gone. */
    @Nullable
    PagedIndex index(int channelId, int lane) {
        QueueState queue = state.queue(channelId);
        if (queue != null) {
            return queue.lane(lane);
        }
        StreamState stream = state.streamOf(channelId);
        return stream == null ? null : stream.index(channelId - stream.firstChannelId());
    }

    /** A message's bytes move: its record is appended again under its old name. */
    void moved(long position, ByteBuffer payload) {
        int size = payload.remaining();
        ByteBuffer out = record(MOVED, 8L + size);
        out.putLong(position).put(payload);
        state.store.applyMoved(position, journal.endRecord(), size);
    }

    // ── Recovery ─────────────────────────────────────────────────────────────────────────────────────────────────────

    void restarted() {
        record(RESTARTED, 0);
        journal.endRecord();
        applyRestarted();
    }

    /** Whatever was in flight is not any more. */
    void applyRestarted() {
        for (QueueState queue : state.queues()) {
            queue.forgetHolders();
        }
    }

    /** Applies what was written before. */
    void replay(BatchView batch) throws JournalException {
        while (batch.next()) {
            replay(batch.timeMillis(), batch.recordPosition(), batch.type(), batch.payload());
        }
    }

    /**
     * Applies one record.
     *
     * @throws JournalException if its bytes make no sense: they are what was written, as the checksum says, but not by this
     *     version
     */
    void replay(long time, long position, byte type, ByteBuffer in) throws JournalException {
        now = time;
        int bytes = in.remaining();
        try {
            apply(time, position, type, in);
        } catch (RuntimeException e) {
            throw new JournalException(
                    "The record at position " + position + " (type " + type + ", " + bytes
                            + " bytes) is intact, but makes no" + " sense: " + e
                            + ". Was it written by another version? Open the directory with that one",
                    e);
        }
    }

    private void apply(long time, long position, byte type, ByteBuffer in) {
        switch (type) {
            case MESSAGE -> replayMessage(time, position, in);
            case DELIVERED -> {
                QueueState queue = state.queue((int) Bytes.getVarint(in));
                long[] numbers = getNumbers(in);
                if (queue != null) {
                    applyDelivered(queue, numbers, numbers.length);
                }
            }
            case REMOVED -> {
                QueueState queue = state.queue((int) Bytes.getVarint(in));
                Cause cause = Cause.values()[in.get()];
                long[] numbers = getNumbers(in);
                if (queue != null) {
                    applyRemoved(queue, cause, numbers, numbers.length);
                }
            }
            case RELEASED -> {
                QueueState queue = state.queue((int) Bytes.getVarint(in));
                long notBefore = in.getLong();
                boolean counts = in.get() != 0;
                long[] numbers = getNumbers(in);
                if (queue != null) {
                    applyReleased(time, queue, notBefore, counts, numbers, numbers.length);
                }
            }
            case DECLARED -> {
                int id = (int) Bytes.getVarint(in);
                String stream = Bytes.getNullable(in);
                applyDeclared(id, Definition.decode(in), stream);
            }
            case DELETED -> applyDeleted((int) Bytes.getVarint(in));
            case TOPIC -> state.router.applyDeclared(TopicDefinition.decode(in));
            case TOPIC_DELETED -> state.router.applyDeleted(Bytes.getString(in));
            case BOUND -> state.router.applyBound(Binding.decode(in));
            case UNBOUND -> state.router.applyUnbound(Binding.decode(in));
            case PAGE -> replayPage(position, in);
            case MOVED -> {
                long name = in.getLong();
                state.store.applyMoved(name, position, in.remaining());
            }
            case OFFSETS -> {
                String group = Bytes.getString(in);
                for (long count = Bytes.getVarint(in); count > 0; count--) {
                    String stream = Bytes.getString(in);
                    int partition = (int) Bytes.getVarint(in);
                    long offset = Bytes.getVarint(in);
                    state.groups.applyCommit(group, stream, partition, offset, Bytes.getNullable(in));
                }
            }
            case GROUP_DELETED -> state.groups.applyDelete(Bytes.getString(in));
            case TRIMMED -> {
                int id = (int) Bytes.getVarint(in);
                StreamState stream = state.streamOf(id);
                long newEarliest = Bytes.getVarint(in);
                if (stream != null) {
                    stream.applyTrim(id - stream.firstChannelId(), newEarliest);
                }
            }
            case TOMBSTONE -> {
                int id = (int) Bytes.getVarint(in);
                StreamState stream = state.streamOf(id);
                long offset = Bytes.getVarint(in);
                if (stream != null) {
                    stream.applyTombstoneRemoved(id - stream.firstChannelId(), offset);
                }
            }
            case PRODUCER -> state.nextProducerId = in.getLong() + 1;
            case RESTARTED -> applyRestarted();
            case REFERRED -> replayReferred(time, in);
            case POLICY -> state.applyPolicies(state.policies().with(Policy.decode(in)));
            case POLICY_DELETED -> state.applyPolicies(state.policies().without(in.get() != 0, Bytes.getString(in)));
            default ->
                throw new IllegalStateException(
                        "a record of type " + type + " at position " + position + ": written by a newer version?");
        }
    }
}
