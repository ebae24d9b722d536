package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a stream remembers of idempotent producers: of each, its newest epoch and, for each partition it wrote to, the last
 * runs of messages. A run is what came without a gap in sequence and in offsets, so that the last {@value #RUNS} runs hold
 * the last {@value #RUNS} batches at least. Durable: it changes by {@link #apply} only.
 *
 * <p>A producer is forgotten when it was idle for seven days, by the time of batches. At most {@value #MOST} pairs of
 * producer and partition are remembered: at that bound the one that was idle longest goes, if that was an hour; otherwise a
 * new one is refused. Who was forgotten and goes on in the middle of its sequence is refused, never taken for new.
 */
final class Producers {
    static final int RUNS = 5;
    static final int MOST = 1 << 18;
    static final long IDLE_MILLIS = 7L * 24 * 60 * 60 * 1000;
    static final long ACTIVE_MILLIS = 60L * 60 * 1000;

    /** A run does not get longer: its beginning is forgotten. Far below 2^31, after which sequences come again. */
    private static final int LONGEST_RUN = 1 << 24;

    private static final class Known {
        final long id;
        short epoch;
        long lastMillis;
        final LongMap<Runs> partitions = new LongMap<>();

        Known(long id) {
            this.id = id;
        }
    }

    /** The last runs in one partition, oldest first. */
    private static final class Runs {
        int count;
        int[] sequences = new int[1];
        int[] lengths = new int[1];
        long[] offsets = new long[1];

        void add(int sequence, int length, long offset) {
            if (count == RUNS) {
                System.arraycopy(sequences, 1, sequences, 0, RUNS - 1);
                System.arraycopy(lengths, 1, lengths, 0, RUNS - 1);
                System.arraycopy(offsets, 1, offsets, 0, RUNS - 1);
                count--;
            } else if (count == sequences.length) {
                int room = Math.min(RUNS, 2 * count);
                sequences = Arrays.copyOf(sequences, room);
                lengths = Arrays.copyOf(lengths, room);
                offsets = Arrays.copyOf(offsets, room);
            }
            sequences[count] = sequence;
            lengths[count] = length;
            offsets[count++] = offset;
        }

        void append(int sequence, long offset) {
            int last = count - 1;
            if (last < 0 || sequence != expected() || offset != offsets[last] + lengths[last]) {
                add(sequence, 1, offset);
            } else if (lengths[last] < LONGEST_RUN) {
                lengths[last]++;
            } else {
                sequences[last] = after(sequences[last], 1);
                offsets[last]++;
            }
        }

        int expected() {
            return after(sequences[count - 1], lengths[count - 1]);
        }

        /** Offset of the first of these messages, if they are all in one run; else -1. */
        long find(int sequence, int length) {
            for (int i = count - 1; i >= 0; i--) {
                long distance = distance(sequences[i], sequence);
                if (distance + length <= lengths[i]) {
                    return offsets[i] + distance;
                }
            }
            return -1;
        }
    }

    private final String stream;

    /** In order of last use, the one idle longest first. */
    private final Map<Long, Known> all = new LinkedHashMap<>();

    private @Nullable Known newest;
    private int pairs;

    Producers(String stream) {
        this.stream = stream;
    }

    /** Pairs of producer and partition that are remembered. */
    int size() {
        return pairs;
    }

    /**
     * Reads and changes nothing. Returns the first offset of a batch that was stored before, or -1 for one to be stored.
     *
     * @throws EngineException {@code FENCED}, {@code OUT_OF_SEQUENCE}, {@code FULL}, or {@code INVALID} for negative numbers
     */
    long check(Command.Producer producer, int partition, int length, long now) {
        String who = "producer " + producer.id() + " of stream '" + stream + "': ";
        Definition.check(producer.id() >= 0, who, "id", producer.id(), "0 or more");
        Definition.check(producer.epoch() >= 0, who, "epoch", producer.epoch(), "0 or more");
        Definition.check(producer.sequence() >= 0, who, "sequence", producer.sequence(), "0 or more");
        Known known = all.get(producer.id());
        if (known != null && producer.epoch() < known.epoch) {
            throw new EngineException(
                    EngineException.Reason.FENCED,
                    who + "its epoch is " + producer.epoch() + ", but epoch " + known.epoch
                            + " has been seen: another instance took over, this one must stop");
        }
        boolean sameEpoch = known != null && producer.epoch() == known.epoch;
        Runs runs = known != null && sameEpoch ? known.partitions.get(partition) : null;
        if (runs == null) {
            if (producer.sequence() != 0) {
                throw outOfSequence(who, partition, 0, producer.sequence(), "nothing is known of it here");
            }
            if (pairs >= MOST && !mayForget(now)) {
                throw new EngineException(
                        EngineException.Reason.FULL,
                        who + "the stream remembers " + pairs
                                + " producers by partition, the most it can, and all of them"
                                + " wrote within the last hour; use fewer idempotent producers");
            }
            return -1;
        }
        int expected = runs.expected();
        if (producer.sequence() == expected) {
            return -1;
        }
        long offset = runs.find(producer.sequence(), length);
        if (offset < 0) {
            boolean old = distance(producer.sequence(), expected) < 1L << 30;
            throw outOfSequence(
                    who,
                    partition,
                    expected,
                    producer.sequence(),
                    old ? "it is older than, or not the same as, the last batches" : "a batch before it is missing");
        }
        return offset;
    }

    private static EngineException outOfSequence(String who, int partition, int expected, int given, String why) {
        return new EngineException(
                EngineException.Reason.OUT_OF_SEQUENCE,
                who + "sequence " + expected + " is expected next in partition " + partition + ", given was " + given
                        + ": " + why
                        + ". Send what is missing, or begin at 0 with a new producer id or a higher epoch");
    }

    private boolean mayForget(long now) {
        Iterator<Known> oldest = all.values().iterator();
        return oldest.hasNext() && oldest.next().lastMillis + ACTIVE_MILLIS <= now;
    }

    /** A message of a producer was stored. One of an older epoch than seen changes nothing. */
    void apply(long id, short epoch, int sequence, int partition, long offset, long batchMillis) {
        Known known = use(id, batchMillis);
        if (epoch < known.epoch) {
            return;
        }
        if (epoch > known.epoch) {
            pairs -= known.partitions.size();
            known.partitions.clear();
            known.epoch = epoch;
        }
        Runs runs = known.partitions.get(partition);
        if (runs == null) {
            runs = new Runs();
            known.partitions.put(partition, runs);
            pairs++;
        }
        runs.append(sequence, offset);
        forget(known);
    }

    private Known use(long id, long batchMillis) {
        Known last = newest;
        long time = last == null ? batchMillis : Math.max(batchMillis, last.lastMillis);
        Known known = last;
        if (known == null || known.id != id) {
            known = all.remove(id);
            if (known == null) {
                known = new Known(id);
            }
            all.put(id, known);
            newest = known;
        }
        known.lastMillis = time;
        return known;
    }

    private void forget(Known current) {
        Iterator<Known> oldestFirst = all.values().iterator();
        while (oldestFirst.hasNext()) {
            Known oldest = oldestFirst.next();
            if (oldest == current || (oldest.lastMillis + IDLE_MILLIS > current.lastMillis && pairs <= MOST)) {
                return;
            }
            pairs -= oldest.partitions.size();
            oldestFirst.remove();
        }
    }

    /** Sequences count from 0 to 2^31-1 and begin again. */
    static int after(int sequence, int count) {
        return (sequence + count) & Integer.MAX_VALUE;
    }

    private static int distance(int from, int to) {
        return (to - from) & Integer.MAX_VALUE;
    }

    long heapBytes() {
        return 350L * all.size() + 160L * pairs;
    }

    void write(Snapshot snapshot) {
        Bytes.putVarint(snapshot.room(10), all.size());
        for (Known known : all.values()) {
            ByteBuffer out = snapshot.room(40);
            out.putLong(known.id).putShort(known.epoch).putLong(known.lastMillis);
            Bytes.putVarint(out, known.partitions.size());
            for (long partition : known.partitions.sortedKeys()) {
                Runs runs = known.partitions.get(partition);
                if (runs != null) {
                    out = snapshot.room(20 + RUNS * 20);
                    Bytes.putVarint(out, partition);
                    Bytes.putVarint(out, runs.count);
                    for (int i = 0; i < runs.count; i++) {
                        out.putInt(runs.sequences[i]).putInt(runs.lengths[i]);
                        Bytes.putVarint(out, runs.offsets[i]);
                    }
                }
            }
        }
    }

    void read(ByteBuffer in) {
        for (long left = Bytes.getVarint(in); left > 0; left--) {
            Known known = new Known(in.getLong());
            known.epoch = in.getShort();
            known.lastMillis = in.getLong();
            for (long partitions = Bytes.getVarint(in); partitions > 0; partitions--) {
                long partition = Bytes.getVarint(in);
                Runs runs = new Runs();
                for (long count = Bytes.getVarint(in); count > 0; count--) {
                    int sequence = in.getInt();
                    int length = in.getInt();
                    runs.add(sequence, length, Bytes.getVarint(in));
                }
                known.partitions.put(partition, runs);
                pairs++;
            }
            all.put(known.id, known);
            newest = known;
        }
    }
}
