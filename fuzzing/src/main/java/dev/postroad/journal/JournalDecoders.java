package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

/**
 * The decoders of the journal's files, each as a function of bytes. It is in their package so that they need not be public
 * for the sake of fuzzing. A checksum stops random bytes at the door, so each input is read twice: as it is, and with its
 * checksums set right.
 *
 * <p>Each throws an {@link IOException} at most; anything else is a fault, and an {@link AssertionError} says what does not
 * hold. For any thread; a thread at a time.
 */
public final class JournalDecoders {
    private static final long SEGMENT_BYTES = 64 << 10;
    private static final long ID = 0x1234_5678_9abc_def0L;
    private static final int WHOLE = Integer.MAX_VALUE;

    /** The header of the first segment of a directory. */
    private static final byte[] FIRST_HEADER = headerArea(0, 1, 1);

    private static final ThreadLocal<SegmentScan[]> SCANS = ThreadLocal.withInitial(
            () -> new SegmentScan[] {new SegmentScan(SEGMENT_BYTES), new SegmentScan(SEGMENT_BYTES)});
    private static final ThreadLocal<ByteBuffer> BATCHES = ThreadLocal.withInitial(() -> ByteBuffer.allocate(1 << 16));

    private JournalDecoders() {}

    // ── Segment header
    // ───────────────────────────────────────────────────────────────────────────────────────────────

    /** The first bytes of a segment file. */
    public static void segmentHeader(byte[] input) throws IOException {
        SegmentHeader.Found found = SegmentHeader.read(ByteStorage.file(input, WHOLE));
        same("a header", found, SegmentHeader.read(ByteStorage.file(input, 7)));
        byte[] sealed = Arrays.copyOf(input, Math.max(input.length, SegmentHeader.BYTES));
        ByteBuffer bytes = ByteBuffer.wrap(sealed).putLong(0, Format.SEGMENT_MAGIC);
        bytes.putInt(100, Format.crc(new CRC32C(), bytes.duplicate(), 0, 100));
        SegmentHeader header =
                SegmentHeader.read(ByteStorage.file(sealed, WHOLE)).first();
        if (header != null) {
            byte[] again = new byte[Format.SEGMENT_HEADER];
            header.encode().get(again);
            SegmentHeader.Found both = SegmentHeader.read(ByteStorage.file(again, WHOLE));
            same("a header", header, both.first());
            same("its copy", header, both.second());
        }
    }

    /** A valid header, without its copy. */
    public static byte[] exampleHeader(long number, long term, long time) {
        return Arrays.copyOf(headerArea(number, term, time), SegmentHeader.BYTES);
    }

    private static byte[] headerArea(long number, long term, long time) {
        byte[] bytes = new byte[Format.SEGMENT_HEADER];
        new SegmentHeader(Format.VERSION, number, SEGMENT_BYTES, ID, ID, term, number - 1, time, ID, ID)
                .encode()
                .get(bytes);
        return bytes;
    }

    // ── Batch
    // ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** One batch with its records; as it is, and with all checksums set right. */
    public static void batch(byte[] input) {
        readBatch(input);
        byte[] sealed = Arrays.copyOf(input, Math.max(input.length & ~7, Format.BATCH_HEADER));
        sealBatch(sealed);
        readBatch(sealed);
    }

    private static void readBatch(byte[] input) {
        // Production reads a header only where its bytes are, and the records only where the whole batch is.
        if (input.length < Format.BATCH_HEADER) {
            return;
        }
        ByteBuffer bytes = batchBuffer(input);
        BatchView view = new BatchView();
        long key = Format.key(ID, ID);
        if (!view.header(bytes, 0, key, Format.SEGMENT_HEADER, SEGMENT_BYTES) || view.length() > input.length) {
            return;
        }
        if (view.wholeAndGood(key)) {
            int payloads = walk(view);
            check(payloads <= view.length(), () -> "records of " + payloads + " bytes in a batch of " + view.length());
        }
        int length = view.length();
        RecordSearch search = new RecordSearch(view, key, length);
        search.run();
        check(search.count() * 16L <= length, () -> search.count() + " records found in " + length + " bytes");
        view.only(search.offsets(), search.count());
        walk(view);
    }

    private static ByteBuffer batchBuffer(byte[] input) {
        ByteBuffer bytes = BATCHES.get();
        if (bytes.capacity() < input.length) {
            bytes = ByteBuffer.allocate(input.length);
            BATCHES.set(bytes);
        }
        // What lies behind the input must not matter: it is what was there before.
        return bytes.clear().put(0, input);
    }

    private static int walk(BatchView view) {
        int payloads = 0;
        while (view.next()) {
            ByteBuffer payload = view.payload();
            payloads += payload.remaining();
            check(view.recordPosition() > view.position(), () -> "a record before its batch");
            check(view.type() != Format.TYPE_VOID, () -> "a void record is shown");
        }
        return payloads;
    }

    private static void sealBatch(byte[] batch) {
        ByteBuffer bytes = ByteBuffer.wrap(batch);
        long key = Format.key(ID, ID);
        CRC32C crc = new CRC32C();
        bytes.putInt(Format.BATCH_LENGTH, batch.length).putLong(Format.BATCH_POSITION, Format.SEGMENT_HEADER);
        int records = 0;
        int digest = 0;
        int at = Format.BATCH_HEADER;
        while (at + Format.RECORD_HEADER <= batch.length) {
            int payload = bytes.getInt(at + Format.RECORD_LENGTH);
            long size = payload < 0 ? -1 : Format.recordBytes(payload);
            if (size < 0 || size > batch.length - at) {
                break;
            }
            int sum = Format.crc(crc, bytes.duplicate(), at + 4, at + (int) size)
                    ^ Format.seed(key, Format.SEGMENT_HEADER + at);
            bytes.putInt(at, sum);
            digest = Format.digest(digest, sum);
            records++;
            at += (int) size;
        }
        // What the input says of their number stays now and then: a header that lies with a right checksum.
        if ((batch[Format.BATCH_RECORDS] & 1) == 0) {
            bytes.putInt(Format.BATCH_RECORDS, records).putInt(Format.BATCH_DIGEST, digest);
        }
        int sum = Format.crc(crc, bytes.duplicate(), 4, Format.BATCH_HEADER) ^ Format.seed(key, Format.SEGMENT_HEADER);
        bytes.putInt(Format.BATCH_CRC, sum);
    }

    /** A batch of such records, not sealed: {@link #batch} does that. */
    public static byte[] exampleBatch(List<byte[]> payloads) {
        long size = Format.BATCH_HEADER;
        for (byte[] payload : payloads) {
            size += Format.recordBytes(payload.length);
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) size);
        int at = Format.BATCH_HEADER;
        for (byte[] payload : payloads) {
            bytes.putInt(at + Format.RECORD_LENGTH, payload.length).put(at + Format.RECORD_TYPE, (byte) 1);
            bytes.put(at + Format.RECORD_HEADER, payload);
            at += (int) Format.recordBytes(payload.length);
        }
        return bytes.array();
    }

    // ── Segment
    // ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** A run of batches in a segment; read whole and in pieces of a few bytes, which must find the same. */
    public static void segment(byte[] input) throws IOException {
        byte[] file = new byte[Format.SEGMENT_HEADER + input.length];
        System.arraycopy(input, 0, file, Format.SEGMENT_HEADER, input.length);
        sealSegment(file);
        SegmentScan[] scans = SCANS.get();
        long whole = scan(scans[0], ByteStorage.file(file, WHOLE));
        long pieces = scan(scans[1], ByteStorage.file(file, 1 + input.length % 13));
        check(whole == pieces, () -> "read whole and in pieces a segment is not the same");
    }

    private static void sealSegment(byte[] file) {
        long key = Format.key(ID, ID);
        ByteBuffer bytes = ByteBuffer.wrap(file);
        CRC32C crc = new CRC32C();
        int at = Format.SEGMENT_HEADER;
        while (at + Format.BATCH_HEADER <= file.length) {
            int length = bytes.getInt(at + Format.BATCH_LENGTH);
            if (length < Format.BATCH_HEADER || length > file.length - at || (length & 7) != 0) {
                at += 8;
                continue;
            }
            bytes.putLong(at + Format.BATCH_POSITION, at);
            int sum = Format.crc(crc, bytes.duplicate(), at + 4, at + Format.BATCH_HEADER);
            bytes.putInt(at, sum ^ Format.seed(key, at));
            at += length;
        }
    }

    private static long scan(SegmentScan scan, StorageFile file) throws IOException {
        scan.window().forget();
        Segment segment = new Segment(0, SEGMENT_BYTES, ID, ID, file, SEGMENT_BYTES);
        long digest = 0;
        long offset = scan.find(segment, Format.SEGMENT_HEADER, 0);
        while (offset >= 0) {
            boolean good = scan.header(segment, offset) && scan.good(segment, offset);
            digest = Format.mix(31 * digest + 2 * offset + (good ? 1 : 0));
            offset = scan.find(segment, offset + 8, 0);
        }
        return digest;
    }

    // ── Checkpoint and tail copy
    // ─────────────────────────────────────────────────────────────────────────────────────

    /** A checkpoint file, as it is and with its checksums set right. */
    public static void checkpoint(byte[] input) throws IOException {
        readCheckpoint(input);
        byte[] sealed = Arrays.copyOf(input, Math.max(input.length, Checkpoints.HEADER));
        sealCheckpoint(sealed);
        readCheckpoint(sealed);
    }

    private static void readCheckpoint(byte[] input) throws IOException {
        Checkpoints.Contents contents = Checkpoints.decode(ByteStorage.file(input, WHOLE));
        same("a checkpoint", contents, Checkpoints.decode(ByteStorage.file(input, 5)));
        if (contents == null) {
            return;
        }
        boolean good = Checkpoints.snapshotGood(ByteStorage.file(input, WHOLE), contents);
        same("its snapshot", good, Checkpoints.snapshotGood(ByteStorage.file(input, 5), contents));
        if (contents.version() == Format.VERSION) {
            ByteBuffer again = Checkpoints.encode(contents);
            byte[] bytes = new byte[again.remaining()];
            again.get(bytes);
            same("a checkpoint", contents, Checkpoints.decode(ByteStorage.file(bytes, WHOLE)));
        }
    }

    private static void sealCheckpoint(byte[] file) {
        ByteBuffer bytes = ByteBuffer.wrap(file).putLong(0, Format.CHECKPOINT_MAGIC);
        CRC32C crc = new CRC32C();
        long end = Checkpoints.HEADER + (long) Checkpoints.ENTRY * bytes.getInt(12);
        if (end >= Checkpoints.HEADER && end <= file.length) {
            bytes.putInt(76, Format.crc(crc, bytes.duplicate(), Checkpoints.HEADER, (int) end));
            bytes.putLong(64, file.length - end);
            bytes.putInt(80, Format.crc(crc, bytes.duplicate(), (int) end, file.length));
        }
        bytes.putInt(84, Format.crc(crc, bytes.duplicate(), 0, 84));
    }

    /** A valid checkpoint of so many segments and such a snapshot. */
    public static byte[] exampleCheckpoint(int segments, byte[] snapshot) {
        Checkpoints.Entry entry = new Checkpoints.Entry(1, ID, ID, SEGMENT_BYTES, 100);
        ByteBuffer head = Checkpoints.encode(new Checkpoints.Contents(
                Format.VERSION,
                1,
                5000,
                1,
                ID,
                ID,
                SEGMENT_BYTES,
                snapshot.length,
                1,
                0,
                java.util.Collections.nCopies(segments, entry)));
        byte[] file = new byte[head.remaining() + snapshot.length];
        int size = head.remaining();
        head.get(file, 0, size);
        System.arraycopy(snapshot, 0, file, size, snapshot.length);
        sealCheckpoint(file);
        return file;
    }

    // ── Directory
    // ────────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * A whole directory as {@code postroad doctor} reads it: the input gives a segment, and behind its last 200 bytes'
     * beginning a checkpoint and a tail copy.
     */
    public static void directory(byte[] input) throws IOException {
        int cut = Math.max(0, input.length - 200);
        byte[] segment = new byte[Format.SEGMENT_HEADER + cut];
        System.arraycopy(FIRST_HEADER, 0, segment, 0, Format.SEGMENT_HEADER);
        System.arraycopy(input, 0, segment, Format.SEGMENT_HEADER, cut);
        sealSegment(segment);
        byte[] checkpoint = Arrays.copyOfRange(input, cut, input.length);
        if (checkpoint.length >= Checkpoints.HEADER) {
            sealCheckpoint(checkpoint);
        }
        ByteStorage storage = new ByteStorage(WHOLE)
                .with(Format.segmentName(0), segment)
                .with(Format.checkpointName(1), checkpoint)
                .with(TailCopy.NAME, checkpoint);
        JournalInspector.inspect(new Inspection(storage, JournalDecoders::scan));
    }

    /** One that was used before, where it fits: its buffers are outside the heap, and dear. */
    private static SegmentScan scan(long segmentBytes) {
        SegmentScan used = SCANS.get()[0];
        used.window().forget();
        return segmentBytes == SEGMENT_BYTES ? used : new SegmentScan(segmentBytes);
    }

    private static void same(
            String what,
            @org.jspecify.annotations.Nullable Object one,
            @org.jspecify.annotations.Nullable Object other) {
        check(java.util.Objects.equals(one, other), () -> what + " is read as " + one + ", then as " + other);
    }

    private static void check(boolean holds, Supplier<String> what) {
        if (!holds) {
            throw new AssertionError(what.get());
        }
    }
}
