package dev.postroad.engine;

import dev.postroad.engine.routing.KeyHash;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One stream: for each partition, where its messages lie, by offset. An offset is the message's number in the partition's
 * {@link PagedIndex}; it is never given twice, whatever goes.
 *
 * <pre>
 *   partition   trimmed … trimmed │ kept  compacted away  kept … kept │
 *                              earliest                              next
 * </pre>
 *
 * All of it is durable and a function of the records applied to it: it is changed by the {@code apply…} methods only, live
 * and at recovery alike. {@code check…} and {@code decide…} read. Only when to look again for what is to be trimmed is
 * volatile, and worked out from the rest.
 *
 * <p>Times are those of acceptance. Within a partition they never decrease, even where the clock went back.
 */
final class StreamState {
    /** Tombstones that one call of {@link #decideTrims} tells at most. */
    private static final int MOST_TOMBSTONES = 1000;

    /** How much later than it could something is trimmed, at most, so that many go at once. */
    private static final long MOST_DELAY_MILLIS = 60_000;

    /** Told what should go. */
    interface TrimSink {
        /** Messages before this offset should go, by {@link #applyTrim}. At most once for each partition. */
        void trim(int partition, long newEarliest);

        /** The tombstone should go, by {@link #applyTombstoneRemoved}; it is not among those trimmed. */
        void tombstone(int partition, long offset);
    }

    private final int firstChannelId;
    private final StreamDefinition declared;

    /** What was declared with what policies add to it. */
    private StreamDefinition definition;

    private final Space space;
    private final Partition[] partitions;
    private final Producers producers;
    private final @Nullable DedupWindow dedup;

    /** Messages ever applied: the sum of what is next in the partitions. */
    private long applied;

    // volatile
    private long delayMillis;
    private long nextDue = Long.MAX_VALUE;
    private boolean nextDueKnown = true;
    final QueueState.Counts counts = new QueueState.Counts();

    StreamState(int firstChannelId, StreamDefinition definition, PagedIndex.PageReader reader, Space space) {
        this.firstChannelId = firstChannelId;
        this.declared = definition;
        this.definition = definition;
        this.space = space;
        partitions = new Partition[definition.partitions()];
        for (int i = 0; i < partitions.length; i++) {
            partitions[i] = new Partition(definition, reader);
            partitions[i].index.onPageReleased(space::release);
        }
        producers = new Producers(definition.name());
        dedup = definition.dedupMillis() > 0
                ? new DedupWindow(definition.dedupMillis(), definition.dedupLimit())
                : null;
        delayMillis = delay(definition);
    }

    private static long delay(StreamDefinition definition) {
        long shortest = Long.MAX_VALUE;
        if (definition.retentionMillis() > 0) {
            shortest = definition.retentionMillis();
        }
        if (definition.compacted()) {
            shortest = Math.min(shortest, definition.tombstoneMillis());
        }
        return Math.min(shortest / 128, MOST_DELAY_MILLIS);
    }

    /** Id of partition 0; partition p has the id that is p higher. */
    int firstChannelId() {
        return firstChannelId;
    }

    /** The stream as it is: what was declared with what policies add to it. */
    StreamDefinition definition() {
        return definition;
    }

    StreamDefinition declared() {
        return declared;
    }

    /** Policies make this of the stream from now on. */
    void applyPolicies(StreamDefinition effective) {
        if (effective.equals(definition)) {
            return;
        }
        definition = effective;
        delayMillis = delay(effective);
        for (Partition partition : partitions) {
            refresh(partition);
        }
        nextDueKnown = false;
    }

    @Nullable
    DedupWindow dedup() {
        return dedup;
    }

    // ── What is there ────────────────────────────────────────────────────────────────────────────────────────────────

    int partitions() {
        return partitions.length;
    }

    PagedIndex index(int partition) {
        return partitions[partition].index;
    }

    long messages() {
        long sum = 0;
        for (Partition partition : partitions) {
            sum += partition.index.live();
        }
        return sum;
    }

    /** The offset that the next message will get. */
    long nextOffset(int partition) {
        return partitions[partition].index.next();
    }

    /** The oldest offset kept; {@link #nextOffset} if none is. */
    long earliest(int partition) {
        return partitions[partition].index.first();
    }

    /** The first offset at or behind this one whose message is kept, or {@link PagedIndex#NONE}. */
    long nextLive(int partition, long offset) {
        return partitions[partition].index.nextLive(offset);
    }

    /** Position of the record of a message that is kept. */
    long position(int partition, long offset) {
        return partitions[partition].index.position(offset);
    }

    /** Size of the record of a message that is kept. */
    int size(int partition, long offset) {
        return partitions[partition].index.size(offset);
    }

    /** When a message that is kept was accepted. */
    long time(int partition, long offset) {
        return partitions[partition].index.time(offset);
    }

    /** The first offset kept that was accepted at this time or later; {@link #nextOffset} if there is none. */
    long offsetAt(int partition, long millis) {
        return partitions[partition].index.firstAtOrAfterTime(millis);
    }

    /** Offset of the message with this record if it is kept in the partition, else {@link PagedIndex#NONE}. */
    long find(long recordPosition, int partition) {
        PagedIndex index = partitions[partition].index;
        long offset = index.find(recordPosition);
        return offset == PagedIndex.NONE || index.gone(offset) ? PagedIndex.NONE : offset;
    }

    /** How many offsets a reader who reads this one next has before it, at least 0. */
    long lag(int partition, long offset) {
        return Math.max(0, nextOffset(partition) - Math.max(offset, earliest(partition)));
    }

    // ── Before a message comes ───────────────────────────────────────────────────────────────────────────────────────

    /**
     * Refuses what this stream cannot keep.
     *
     * @throws EngineException {@code INVALID} for a message without a key on a compacted stream
     */
    void check(EngineMessage message) {
        if (definition.compacted() && message.key() == null) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "stream '" + definition.name()
                            + "' is compacted, it keeps the last message of each key: the message has no key; give it one");
        }
    }

    /** The partition of a message's key; of one without a key, the next in turn. */
    int partitionFor(EngineMessage message) {
        byte[] key = message.key();
        return key != null
                ? KeyHash.partition(key, partitions.length)
                : (int) Long.remainderUnsigned(applied, partitions.length);
    }

    /** Refuses a partition that is not there. @throws EngineException {@code INVALID} */
    void checkPartition(int partition) {
        if (partition < 0 || partition >= partitions.length) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "stream '" + definition.name() + "' has no partition " + partition + "; its partitions are 0 to "
                            + (partitions.length - 1));
        }
    }

    /**
     * Returns the first offset of a batch of an idempotent producer that was stored before, to be confirmed and not stored
     * again; -1 if it is to be stored.
     *
     * @param count messages of the batch, all for this partition
     * @throws EngineException {@code FENCED}, {@code OUT_OF_SEQUENCE}, or {@code FULL} if too many producers are at work
     */
    long check(Command.Producer producer, int partition, int count, long now) {
        return producers.check(producer, partition, count, now);
    }

    // ── Apply ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** A message came. Returns its offset. */
    long applyMessage(
            int partitionNumber,
            long batchMillis,
            long recordPosition,
            int sizeBytes,
            byte @Nullable [] key,
            boolean tombstone) {
        Partition partition = partitions[partitionNumber];
        KeyTable keys = partition.keys;
        long hash = keys == null || key == null ? 0 : Hash.of(key);
        long time = partition.accept(batchMillis);
        long offset = partition.index.append(recordPosition, sizeBytes, time, hash);
        space.retain(recordPosition, sizeBytes);
        applied++;
        counts.accepted++;
        if (definition.retentionMillis() > 0) {
            due(partition, plus(time, definition.retentionMillis()));
        }
        if (keys != null && key != null) {
            applyKey(
                    partition, keys, hash, Hash.of(key, Hash.OTHER_SEED), offset, tombstone, recordPosition, sizeBytes);
            if (tombstone) {
                partition.tombstones.add(offset, time);
                due(partition, plus(time, definition.tombstoneMillis()));
            }
        }
        if (overflows(partition)) {
            due(partition, 0);
        }
        return offset;
    }

    private void applyKey(
            Partition partition,
            KeyTable keys,
            long hash,
            long otherHash,
            long offset,
            boolean tombstone,
            long position,
            int sizeBytes) {
        int slot = keys.find(hash, otherHash);
        if (slot < 0) {
            keys.add(hash, otherHash, offset, tombstone, position, sizeBytes);
            return;
        }
        long former = keys.offset(slot);
        long formerPosition = keys.position(slot);
        int formerSize = keys.messageSize(slot);
        boolean formerTombstone = keys.tombstone(slot);
        keys.replace(slot, offset, tombstone, position, sizeBytes);
        partition.index.remove(former, formerSize);
        space.release(formerPosition, formerSize);
        counts.dropped++;
        if (formerTombstone) {
            partition.tombstones.removed(partition.index);
        }
    }

    /** A message of an idempotent producer came: the one with this offset, which was applied before. */
    void applyProducer(long producerId, short epoch, int sequence, int partition, long offset, long batchMillis) {
        producers.apply(producerId, epoch, sequence, partition, offset, batchMillis);
    }

    /** Messages before this offset go. */
    void applyTrim(int partitionNumber, long newEarliest) {
        Partition partition = partitions[partitionNumber];
        PagedIndex index = partition.index;
        for (long n = index.nextLive(0); n != PagedIndex.NONE && n < newEarliest; n = index.nextLive(n + 1)) {
            remove(partition, n);
            counts.expired++;
        }
        refresh(partition);
    }

    /** A tombstone goes; one that is gone already is passed over. */
    void applyTombstoneRemoved(int partitionNumber, long offset) {
        Partition partition = partitions[partitionNumber];
        if (!partition.index.gone(offset)) {
            remove(partition, offset);
            counts.expired++;
        }
        refresh(partition);
    }

    /** Everything the stream refers to is let go. */
    void applyDeleted() {
        for (Partition partition : partitions) {
            PagedIndex index = partition.index;
            for (long n = index.nextLive(0); n != PagedIndex.NONE; n = index.nextLive(n + 1)) {
                space.release(index.position(n), index.size(n));
            }
            index.releaseAll();
        }
    }

    private void remove(Partition partition, long offset) {
        PagedIndex index = partition.index;
        long position = index.position(offset);
        long hash = index.hash(offset);
        int size = index.remove(offset);
        space.release(position, size);
        KeyTable keys = partition.keys;
        int slot = keys == null || hash == 0 ? -1 : keys.findOffset(hash, offset);
        if (keys != null && slot >= 0) {
            boolean tombstone = keys.tombstone(slot);
            keys.remove(slot);
            if (tombstone) {
                partition.tombstones.removed(index);
            }
        }
    }

    // ── What should go ───────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Tells what retention and the age of tombstones say should go now. Of a partition that is too large, the newest message
     * stays, however large it is.
     */
    void decideTrims(long now, TrimSink sink) {
        int tombstones = MOST_TOMBSTONES;
        for (int i = 0; i < partitions.length; i++) {
            Partition partition = partitions[i];
            if (partition.due > now) {
                continue;
            }
            PagedIndex index = partition.index;
            long first = index.first();
            long cut = Math.max(cutByTime(index, now), cutByBytes(index));
            if (cut > first) {
                sink.trim(i, cut);
            }
            int told = partition.tombstones.tell(i, cut, now, definition.tombstoneMillis(), index, sink, tombstones);
            tombstones -= told;
            if (cut <= first && told == 0) {
                refresh(partition);
            }
        }
    }

    private long cutByTime(PagedIndex index, long now) {
        long retention = definition.retentionMillis();
        return retention == 0 ? 0 : index.firstAtOrAfterTime(now - retention + 1);
    }

    private long cutByBytes(PagedIndex index) {
        long bound = definition.retentionBytes();
        if (bound == 0 || index.liveBytes() <= bound) {
            return 0;
        }
        long cut = index.firstWithin(bound);
        return cut < index.next() ? cut : index.last();
    }

    /**
     * When {@link #decideTrims} should be asked next; {@link Long#MAX_VALUE} for not before something comes. It is later than
     * the first message could go, by less than a hundredth of how long it is kept and at most a minute, so that many go at
     * once; a partition may be over its bytes by as little.
     */
    long nextTrimMillis() {
        if (!nextDueKnown) {
            nextDue = Long.MAX_VALUE;
            for (Partition partition : partitions) {
                nextDue = Math.min(nextDue, partition.due);
            }
            nextDueKnown = true;
        }
        return nextDue == 0 ? 0 : plus(nextDue, delayMillis);
    }

    private boolean trims() {
        return definition.retentionMillis() > 0 || definition.retentionBytes() > 0;
    }

    private boolean overflows(Partition partition) {
        long bound = definition.retentionBytes();
        return bound > 0 && partition.index.liveBytes() - bound > bound / 128 && partition.index.live() > 1;
    }

    private void refresh(Partition partition) {
        long due = Long.MAX_VALUE;
        PagedIndex index = partition.index;
        if (overflows(partition)) {
            due = 0;
        } else if (definition.retentionMillis() > 0 && index.live() > 0) {
            due = plus(index.time(index.first()), definition.retentionMillis());
        }
        if (!partition.tombstones.isEmpty()) {
            due = Math.min(due, plus(partition.tombstones.oldestMillis(), definition.tombstoneMillis()));
        }
        if (partition.due == nextDue && due > nextDue) {
            nextDueKnown = false;
        }
        partition.due = Long.MAX_VALUE;
        due(partition, due);
    }

    /** Something of the partition may have to go then. */
    private void due(Partition partition, long millis) {
        if (millis < partition.due) {
            partition.due = millis;
            nextDue = Math.min(nextDue, millis);
        }
    }

    private static long plus(long time, long more) {
        long sum = time + more;
        return sum < time ? Long.MAX_VALUE : sum;
    }

    // ── One partition ────────────────────────────────────────────────────────────────────────────────────────────────

    private static final class Partition {
        final PagedIndex index;
        final @Nullable KeyTable keys;
        final Tombstones tombstones = new Tombstones();
        private long lastMillis;

        /** Volatile: nothing of it needs to go before; too early rather than too late. */
        long due = Long.MAX_VALUE;

        Partition(StreamDefinition definition, PagedIndex.PageReader reader) {
            index = new PagedIndex(true, definition.compacted(), reader);
            keys = definition.compacted() ? new KeyTable() : null;
        }

        /** The time of a message that comes now: at least 1, because 0 means none to the index. */
        long accept(long batchMillis) {
            lastMillis = Math.max(1, Math.max(lastMillis, batchMillis));
            return lastMillis;
        }

        long heapBytes() {
            return 150 + index.heapBytes() + tombstones.heapBytes() + (keys == null ? 0 : keys.heapBytes());
        }

        void write(Snapshot snapshot) {
            index.write(snapshot);
            snapshot.room(8).putLong(lastMillis);
            if (keys != null) {
                keys.write(snapshot);
                tombstones.write(snapshot, index);
            }
        }

        void read(ByteBuffer in) {
            index.read(in);
            lastMillis = in.getLong();
            if (keys != null) {
                keys.read(in);
                tombstones.read(in);
            }
        }
    }

    /** Tombstones of a partition in order of their offsets and times. Some may be gone, never the first. */
    private static final class Tombstones {
        private long[] offsets = new long[0];
        private long[] times = new long[0];
        private int head;
        private int tail;
        private int live;

        boolean isEmpty() {
            return live == 0;
        }

        long oldestMillis() {
            return times[head];
        }

        void add(long offset, long time) {
            if (tail == offsets.length) {
                int room = Math.max(16, 2 * (tail - head));
                long[] largerOffsets = new long[room];
                long[] largerTimes = new long[room];
                System.arraycopy(offsets, head, largerOffsets, 0, tail - head);
                System.arraycopy(times, head, largerTimes, 0, tail - head);
                offsets = largerOffsets;
                times = largerTimes;
                tail -= head;
                head = 0;
            }
            offsets[tail] = offset;
            times[tail++] = time;
            live++;
        }

        /** One that is gone from the index was a tombstone. */
        void removed(PagedIndex index) {
            live--;
            while (head < tail && index.gone(offsets[head])) {
                head++;
            }
            if (tail - head > 2 * live + 64) {
                close(index);
            }
        }

        private void close(PagedIndex index) {
            int kept = 0;
            for (int i = head; i < tail; i++) {
                if (!index.gone(offsets[i])) {
                    offsets[kept] = offsets[i];
                    times[kept++] = times[i];
                }
            }
            head = 0;
            tail = kept;
            if (offsets.length > 4 * kept + 64) {
                offsets = Arrays.copyOf(offsets, 2 * kept + 16);
                times = Arrays.copyOf(times, 2 * kept + 16);
            }
        }

        int tell(int partition, long from, long now, long keptMillis, PagedIndex index, TrimSink sink, int most) {
            int told = 0;
            for (int i = head; i < tail && told < most && times[i] <= now - keptMillis; i++) {
                if (offsets[i] >= from && !index.gone(offsets[i])) {
                    sink.tombstone(partition, offsets[i]);
                    told++;
                }
            }
            return told;
        }

        long heapBytes() {
            return 16L * offsets.length;
        }

        void write(Snapshot snapshot, PagedIndex index) {
            close(index);
            ByteBuffer out = snapshot.room(10 + 20 * live);
            Bytes.putVarint(out, live);
            for (int i = head; i < tail; i++) {
                Bytes.putVarint(out, offsets[i]);
                Bytes.putVarint(out, times[i]);
            }
        }

        void read(ByteBuffer in) {
            for (long left = Bytes.getVarint(in); left > 0; left--) {
                add(Bytes.getVarint(in), Bytes.getVarint(in));
            }
        }
    }

    // ── Status and snapshots ─────────────────────────────────────────────────────────────────────────────────────────

    EngineStatus.Stream status() {
        List<EngineStatus.Partition> all = new ArrayList<>(partitions.length);
        for (int i = 0; i < partitions.length; i++) {
            PagedIndex index = partitions[i].index;
            all.add(new EngineStatus.Partition(i, index.first(), index.next(), index.live(), index.liveBytes()));
        }
        return new EngineStatus.Stream(declared, all, counts.status());
    }

    /** Estimate of the heap it takes. */
    long heapBytes() {
        long sum = 400 + producers.heapBytes() + (dedup == null ? 0 : dedup.heapBytes());
        for (Partition partition : partitions) {
            sum += partition.heapBytes();
        }
        return sum;
    }

    void write(Snapshot snapshot) {
        for (Partition partition : partitions) {
            partition.write(snapshot);
        }
        producers.write(snapshot);
        if (dedup != null) {
            dedup.write(snapshot);
        }
    }

    /** Reads what {@link #write} wrote, to a stream that is new. */
    void read(ByteBuffer in) {
        applied = 0;
        for (Partition partition : partitions) {
            partition.read(in);
            applied += partition.index.next();
            // What is due lies in pages, which may not be readable yet: the first decision looks.
            if (partition.index.live() > 0 && (trims() || !partition.tombstones.isEmpty())) {
                due(partition, 0);
            }
        }
        producers.read(in);
        if (dedup != null) {
            dedup.read(in);
        }
    }
}
