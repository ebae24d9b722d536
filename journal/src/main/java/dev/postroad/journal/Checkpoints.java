package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The checkpoint files of one journal. Two generations are kept, and what either of them needs: should the newest turn
 * out to be unreadable, the one before and the batches behind it give the same state.
 *
 * <pre>
 *    0  u64  magic "POSTCHKP"
 *    8  u32  format version
 *   12  u32  n, the number of segments listed
 *   16  u64  generation
 *   24  u64  position
 *   32  u64  time of the last batch before, ms since 1970
 *   40  u128 id of the journal
 *   56  u64  segment bytes
 *   64  u64  bytes of the snapshot
 *   72  u32  term
 *   76  u32  CRC32C of the segment list
 *   80  u32  CRC32C of the snapshot
 *   84  u32  CRC32C of bytes 0 to 84
 *   88  n times: u64 number, u128 unique id, u64 used bytes, u64 live bytes
 *    …  snapshot
 * </pre>
 */
final class Checkpoints {
    static final int HEADER = 88;
    static final int ENTRY = 40;

    private final Storage storage;
    private final long segmentBytes;
    private final long journalHigh;
    private final long journalLow;
    private @Nullable Generation newest;
    private @Nullable Generation previous;
    private long lastGeneration;

    /** What the kept checkpoint files need of the journal. */
    record Generation(long generation, long position, long[] live) {
        boolean lists(long number) {
            for (long one : live) {
                if (one == number) {
                    return true;
                }
            }
            return false;
        }
    }

    /** One segment as a checkpoint lists it. */
    record Entry(long number, long idHigh, long idLow, long used, long live) {}

    /** What stands in a checkpoint file before the snapshot. */
    record Contents(
            int version,
            long generation,
            long position,
            long timeMillis,
            long journalHigh,
            long journalLow,
            long segmentBytes,
            long snapshotBytes,
            int term,
            int snapshotCrc,
            List<Entry> entries) {

        long snapshotOffset() {
            return HEADER + (long) ENTRY * entries.size();
        }

        Generation generationOf() {
            return new Generation(
                    generation,
                    position,
                    entries.stream()
                            .filter(entry -> entry.live > 0)
                            .mapToLong(Entry::number)
                            .toArray());
        }
    }

    Checkpoints(Storage storage, long segmentBytes, long journalHigh, long journalLow) {
        this.storage = storage;
        this.segmentBytes = segmentBytes;
        this.journalHigh = journalHigh;
        this.journalLow = journalLow;
    }

    /** Sets what the directory holds; generation numbers start behind {@code highest}. */
    void found(@Nullable Generation newestFound, @Nullable Generation previousFound, long highest) {
        newest = newestFound;
        previous = previousFound;
        lastGeneration = highest;
    }

    long newestPosition() {
        Generation known = newest;
        return known == null ? 0 : known.position;
    }

    /** Whether one of the two kept checkpoints, or recovery from it, needs that segment. */
    boolean needs(long number, Segments segments) {
        Generation last = newest;
        Generation before = previous;
        return last == null
                || before == null
                || number >= segments.numberOf(before.position)
                || last.lists(number)
                || before.lists(number);
    }

    CheckpointWriter begin(Journal journal, long position, int term, long timeMillis, List<Segment> segments) {
        Contents contents = new Contents(
                Format.VERSION,
                ++lastGeneration,
                position,
                timeMillis,
                journalHigh,
                journalLow,
                segmentBytes,
                0,
                term,
                0,
                segments.stream()
                        .map(segment ->
                                new Entry(segment.number, segment.idHigh, segment.idLow, segment.used, segment.live))
                        .toList());
        Generation obsolete = previous;
        return new CheckpointWriter(journal, storage, contents, obsolete == null ? -1 : obsolete.generation);
    }

    void written(CheckpointWriter checkpoint) {
        Generation done = checkpoint.done();
        Generation known = newest;
        if (known != null && done.generation <= known.generation) {
            throw new IllegalStateException("Checkpoint " + done.generation + " is not newer than " + known.generation);
        }
        previous = known;
        newest = done;
    }

    static ByteBuffer encode(Contents contents) {
        int size = Math.toIntExact(contents.snapshotOffset());
        ByteBuffer bytes = ByteBuffer.allocateDirect(size);
        int at = HEADER;
        for (Entry entry : contents.entries) {
            bytes.putLong(at, entry.number)
                    .putLong(at + 8, entry.idHigh)
                    .putLong(at + 16, entry.idLow)
                    .putLong(at + 24, entry.used)
                    .putLong(at + 32, entry.live);
            at += ENTRY;
        }
        CRC32C crc = new CRC32C();
        bytes.putLong(0, Format.CHECKPOINT_MAGIC)
                .putInt(8, contents.version)
                .putInt(12, contents.entries.size())
                .putLong(16, contents.generation)
                .putLong(24, contents.position)
                .putLong(32, contents.timeMillis)
                .putLong(40, contents.journalHigh)
                .putLong(48, contents.journalLow)
                .putLong(56, contents.segmentBytes)
                .putLong(64, contents.snapshotBytes)
                .putInt(72, contents.term)
                .putInt(76, Format.crc(crc, bytes.duplicate(), HEADER, size))
                .putInt(80, contents.snapshotCrc);
        bytes.putInt(84, Format.crc(crc, bytes.duplicate(), 0, 84));
        return bytes.limit(size).position(0);
    }

    /** Reads all but the snapshot; null if it is damaged. A newer version has an empty list of segments. */
    static @Nullable Contents decode(StorageFile file) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEADER);
        if (!fill(file, head, 0)
                || head.getLong(0) != Format.CHECKPOINT_MAGIC
                || head.getInt(84) != Format.crc(new CRC32C(), head.duplicate(), 0, 84)) {
            return null;
        }
        int version = head.getInt(8);
        int count = version == Format.VERSION ? head.getInt(12) : 0;
        long size = (long) ENTRY * count;
        if (count < 0 || size > file.size()) {
            return null;
        }
        ByteBuffer list = ByteBuffer.allocate((int) size);
        if (!fill(file, list, HEADER)
                || (version == Format.VERSION
                        && head.getInt(76) != Format.crc(new CRC32C(), list.duplicate(), 0, list.capacity()))) {
            return null;
        }
        Entry[] entries = new Entry[count];
        for (int i = 0; i < count; i++) {
            int at = i * ENTRY;
            entries[i] = new Entry(
                    list.getLong(at),
                    list.getLong(at + 8),
                    list.getLong(at + 16),
                    list.getLong(at + 24),
                    list.getLong(at + 32));
        }
        Contents contents = new Contents(
                version,
                head.getLong(16),
                head.getLong(24),
                head.getLong(32),
                head.getLong(40),
                head.getLong(48),
                head.getLong(56),
                head.getLong(64),
                head.getInt(72),
                head.getInt(80),
                List.of(entries));
        return version != Format.VERSION || sane(contents) ? contents : null;
    }

    /** Whether its numbers can be those of a journal: a checksum only says that they are what was written. */
    private static boolean sane(Contents contents) {
        return contents.generation >= 0
                && contents.position >= 0
                && contents.snapshotBytes >= 0
                && SegmentHeader.saneSegmentBytes(contents.segmentBytes)
                && contents.entries.stream().allMatch(entry -> entry.number >= 0 && entry.used >= 0 && entry.live >= 0);
    }

    /** Whether the snapshot behind the header is what was written. */
    static boolean snapshotGood(StorageFile file, Contents contents) throws IOException {
        CRC32C crc = new CRC32C();
        long offset = contents.snapshotOffset();
        long rest = contents.snapshotBytes;
        if (rest < 0 || rest != file.size() - offset) {
            return false;
        }
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(256 << 10, rest));
        while (rest > 0) {
            buffer.position(0).limit((int) Math.min(buffer.capacity(), rest));
            int read = file.read(buffer, offset);
            if (read <= 0) {
                return false;
            }
            crc.update(buffer.flip());
            offset += read;
            rest -= read;
        }
        return (int) crc.getValue() == contents.snapshotCrc;
    }

    private static boolean fill(StorageFile file, ByteBuffer buffer, long offset) throws IOException {
        while (buffer.hasRemaining()) {
            if (file.read(buffer, offset + buffer.position()) <= 0) {
                return false;
            }
        }
        return true;
    }
}
