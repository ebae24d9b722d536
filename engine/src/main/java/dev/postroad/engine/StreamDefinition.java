package dev.postroad.engine;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A stream as declared: partitions of messages that are kept and read by offset.
 *
 * @param name 1 to 255 bytes of UTF-8
 * @param durability what a confirm means
 * @param partitions 1 to 10,000; a key's partition is its hash modulo this
 * @param retentionMillis how long messages are kept, by the time of their acceptance; 0 for ever
 * @param retentionBytes bytes kept in each partition; 0 for no bound
 * @param compacted true if, of each key, the last message only is kept
 * @param tombstoneMillis how long a tombstone is kept on a compacted stream
 * @param dedupMillis how long message ids are remembered; 0 for not at all
 * @param dedupLimit ids that are remembered before publishes with a new one are refused; what is published at once is taken
 *     whole as long as one more has room
 * @param attributes what a protocol or the declaration adds, kept as it is and compared when declared again; null for none
 */
public record StreamDefinition(
        String name,
        Durability durability,
        int partitions,
        long retentionMillis,
        long retentionBytes,
        boolean compacted,
        long tombstoneMillis,
        long dedupMillis,
        int dedupLimit,
        @Nullable String attributes)
        implements Definition {

    /** Tombstones are kept for a day where nothing else was said. */
    public static final long DEFAULT_TOMBSTONE_MILLIS = 24L * 60 * 60 * 1000;

    /** @throws EngineException {@code INVALID} naming the setting that is out of bounds or contradicts another */
    public StreamDefinition {
        Definition.checkName("stream", name);
        String what = "stream '" + name + "': ";
        Definition.check(partitions >= 1 && partitions <= 10_000, what, "partitions", partitions, "1 to 10,000");
        Definition.check(retentionMillis >= 0, what, "retentionMillis", retentionMillis, "0 (for ever) or more");
        Definition.check(retentionBytes >= 0, what, "retentionBytes", retentionBytes, "0 (no bound) or more");
        Definition.check(tombstoneMillis >= 0, what, "tombstoneMillis", tombstoneMillis, "0 or more");
        Definition.check(dedupMillis >= 0, what, "dedupMillis", dedupMillis, "0 (none) or more");
        Definition.check(dedupLimit >= 1, what, "dedupLimit", dedupLimit, "1 or more");
    }

    /** A durable stream that keeps everything. */
    public static StreamDefinition named(String name, int partitions) {
        return new StreamDefinition(
                name,
                Durability.DURABLE,
                partitions,
                0,
                0,
                false,
                DEFAULT_TOMBSTONE_MILLIS,
                0,
                QueueDefinition.DEFAULT_DEDUP_LIMIT,
                null);
    }

    /** This definition with another durability. */
    public StreamDefinition withDurability(Durability newDurability) {
        return new StreamDefinition(
                name,
                newDurability,
                partitions,
                retentionMillis,
                retentionBytes,
                compacted,
                tombstoneMillis,
                dedupMillis,
                dedupLimit,
                attributes);
    }

    /** This definition with another partitions. */
    public StreamDefinition withPartitions(int newPartitions) {
        return new StreamDefinition(
                name,
                durability,
                newPartitions,
                retentionMillis,
                retentionBytes,
                compacted,
                tombstoneMillis,
                dedupMillis,
                dedupLimit,
                attributes);
    }

    /** This definition with another retentionMillis. */
    public StreamDefinition withRetentionMillis(long newRetentionMillis) {
        return new StreamDefinition(
                name,
                durability,
                partitions,
                newRetentionMillis,
                retentionBytes,
                compacted,
                tombstoneMillis,
                dedupMillis,
                dedupLimit,
                attributes);
    }

    /** This definition with another retentionBytes. */
    public StreamDefinition withRetentionBytes(long newRetentionBytes) {
        return new StreamDefinition(
                name,
                durability,
                partitions,
                retentionMillis,
                newRetentionBytes,
                compacted,
                tombstoneMillis,
                dedupMillis,
                dedupLimit,
                attributes);
    }

    /** This definition with another compacted. */
    public StreamDefinition withCompacted(boolean newCompacted) {
        return new StreamDefinition(
                name,
                durability,
                partitions,
                retentionMillis,
                retentionBytes,
                newCompacted,
                tombstoneMillis,
                dedupMillis,
                dedupLimit,
                attributes);
    }

    /** This definition with another tombstoneMillis. */
    public StreamDefinition withTombstoneMillis(long newTombstoneMillis) {
        return new StreamDefinition(
                name,
                durability,
                partitions,
                retentionMillis,
                retentionBytes,
                compacted,
                newTombstoneMillis,
                dedupMillis,
                dedupLimit,
                attributes);
    }

    /** This definition with another dedupMillis. */
    public StreamDefinition withDedupMillis(long newDedupMillis) {
        return new StreamDefinition(
                name,
                durability,
                partitions,
                retentionMillis,
                retentionBytes,
                compacted,
                tombstoneMillis,
                newDedupMillis,
                dedupLimit,
                attributes);
    }

    /** This definition with another dedupLimit. */
    public StreamDefinition withDedupLimit(int newDedupLimit) {
        return new StreamDefinition(
                name,
                durability,
                partitions,
                retentionMillis,
                retentionBytes,
                compacted,
                tombstoneMillis,
                dedupMillis,
                newDedupLimit,
                attributes);
    }

    /** This definition with another attributes. */
    public StreamDefinition withAttributes(@Nullable String newAttributes) {
        return new StreamDefinition(
                name,
                durability,
                partitions,
                retentionMillis,
                retentionBytes,
                compacted,
                tombstoneMillis,
                dedupMillis,
                dedupLimit,
                newAttributes);
    }

    @Override
    public byte tag() {
        return Definition.STREAM;
    }

    @Override
    public void encode(ByteBuffer out) {
        Bytes.putString(out, name);
        out.put((byte) durability.ordinal());
        Bytes.putVarint(out, partitions);
        Bytes.putVarint(out, retentionMillis);
        Bytes.putVarint(out, retentionBytes);
        out.put((byte) (compacted ? 1 : 0));
        Bytes.putVarint(out, tombstoneMillis);
        Bytes.putVarint(out, dedupMillis);
        Bytes.putVarint(out, dedupLimit);
        Bytes.putNullable(out, attributes);
    }

    static StreamDefinition decode(ByteBuffer in) {
        return new StreamDefinition(
                Bytes.getString(in),
                Durability.values()[in.get()],
                (int) Bytes.getVarint(in),
                Bytes.getVarint(in),
                Bytes.getVarint(in),
                in.get() != 0,
                Bytes.getVarint(in),
                Bytes.getVarint(in),
                (int) Bytes.getVarint(in),
                Bytes.getNullable(in));
    }
}
