package dev.postroad.simulation.broker;

import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.StreamDefinition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A stream of the model: for each partition, all there ever was, and what has gone of it. */
final class ModelStream {
    /** A message in its place. */
    static final class Entry {
        final EngineMessage body;
        final Copy.@Nullable Letter letter;
        final long offset;
        final long accepted;
        final long place;
        boolean gone;

        /** It may have gone by what was said of its stream before. */
        boolean mayHaveGone;

        Entry(EngineMessage body, Copy.@Nullable Letter letter, long offset, long accepted, long place) {
            this.body = body;
            this.letter = letter;
            this.offset = offset;
            this.accepted = accepted;
            this.place = place;
        }
    }

    /** A partition. */
    static final class Partition {
        final ArrayList<Entry> entries = new ArrayList<>();
        final Map<String, Entry> last = new HashMap<>();
        long lastMillis;

        /** The lowest offset that anybody was told to be kept; it never goes back. */
        long earliest;

        /** Below this offset everything has gone. */
        int from;

        long next() {
            return entries.size();
        }
    }

    /** What an idempotent producer has stored in a partition. */
    static final class Written {
        short epoch;
        int expected;
        final List<long[]> batches = new ArrayList<>();
    }

    final StreamDefinition declared;

    /** What was declared with what policies add to it. */
    StreamDefinition definition;

    final @Nullable Dedup dedup;
    final Partition[] partitions;
    final List<ModelQueue> groups = new ArrayList<>();
    final Map<String, Written> producers = new HashMap<>();
    final Map<Long, Short> epochs = new HashMap<>();
    long accepted;

    ModelStream(StreamDefinition definition, History history) {
        this.declared = definition;
        this.definition = definition;
        dedup = definition.dedupMillis() > 0 ? new Dedup(definition.dedupMillis(), history) : null;
        partitions = new Partition[definition.partitions()];
        for (int i = 0; i < partitions.length; i++) {
            partitions[i] = new Partition();
        }
    }

    String name() {
        return definition.name();
    }

    boolean durable() {
        return definition.durability() == dev.postroad.engine.Durability.DURABLE;
    }

    boolean retains() {
        return definition.retentionMillis() > 0 || definition.retentionBytes() > 0 || definition.compacted();
    }

    int partitionOf(EngineMessage message) {
        byte[] key = message.key();
        return (int) (key == null ? accepted % partitions.length : (murmur2(key) & 0x7fffffff) % partitions.length);
    }

    /** True if the message may have gone by now. */
    boolean mayGo(Partition partition, Entry entry, long latest) {
        if (entry.mayHaveGone) {
            return true;
        }
        if (definition.retentionMillis() > 0 && entry.accepted + definition.retentionMillis() <= latest) {
            return true;
        }
        if (definition.retentionBytes() > 0 && entry.offset < partition.next() - 1) {
            return true;
        }
        return definition.compacted()
                && entry.body.payload() == null
                && entry.accepted + definition.tombstoneMillis() <= latest;
    }

    /** The hash by which clients of Kafka place their keys, as it is published. */
    private static int murmur2(byte[] data) {
        int h = 0x9747b28c ^ data.length;
        int i = 0;
        while (data.length - i >= 4) {
            int k = java.nio.ByteBuffer.wrap(data)
                    .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                    .getInt(i);
            k *= 0x5bd1e995;
            k ^= k >>> 24;
            k *= 0x5bd1e995;
            h = (h * 0x5bd1e995) ^ k;
            i += 4;
        }
        int rest = data.length - i;
        if (rest == 3) {
            h ^= (data[i + 2] & 0xff) << 16;
        }
        if (rest >= 2) {
            h ^= (data[i + 1] & 0xff) << 8;
        }
        if (rest >= 1) {
            h = (h ^ (data[i] & 0xff)) * 0x5bd1e995;
        }
        h = (h ^ (h >>> 13)) * 0x5bd1e995;
        return h ^ (h >>> 15);
    }
}
