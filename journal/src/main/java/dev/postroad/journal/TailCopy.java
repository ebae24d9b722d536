package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Makes sure that the batches at the tail, which nothing proves to be on the disk, really get there.
 *
 * <p>Reading them proves little: after a sync has failed, the system may show bytes for as long as it runs that the disk
 * never got, and another sync says "fine" without writing them. Only writing them again helps. But they may just as well
 * be on the disk, and confirmed, and a crash while writing over them could tear what was whole. So they are first copied
 * to a file of their own, {@code tail.redo}, which is synced, and only then written in their place; an opening that finds
 * the copy writes it there again. Doing so twice, or much later, changes nothing: these bytes stay what they are for as
 * long as the segment lives.
 *
 * <pre>
 *    0  u64  magic "POSTTAIL"
 *    8  u32  format version
 *   12  u32  CRC32C of the bytes copied
 *   16  u64  segment number
 *   24  u128 the segment's unique id
 *   40  u64  offset in the segment
 *   48  u64  number of bytes
 *   56  u32  0
 *   60  u32  CRC32C of bytes 0 to 60
 *   64  the bytes
 * </pre>
 */
final class TailCopy {
    static final String NAME = "tail.redo";
    static final String TEMPORARY = NAME + Format.TEMPORARY_SUFFIX;
    private static final long MAGIC = 0x504F5354_5441494CL;
    private static final int HEADER = 64;
    private static final int BLOCK = 256 << 10;

    private final Storage storage;
    private ByteBuffer block = ByteBuffer.allocateDirect(0);

    TailCopy(Storage storage) {
        this.storage = storage;
    }

    /** Puts back what an earlier opening had copied, if its segment is still that segment. */
    void restore(Collection<Segment> segments) throws IOException {
        try (StorageFile copy = storage.open(NAME)) {
            ByteBuffer header = ByteBuffer.allocate(HEADER);
            Segment segment = find(copy, header, segments);
            if (segment != null) {
                transfer(copy, HEADER, segment.file, header.getLong(40), header.getLong(48));
                segment.file.force();
            }
        }
    }

    private @Nullable Segment find(StorageFile copy, ByteBuffer header, Collection<Segment> segments)
            throws IOException {
        while (header.hasRemaining()) {
            if (copy.read(header, header.position()) <= 0) {
                return null;
            }
        }
        if (header.getLong(0) != MAGIC
                || header.getInt(8) != Format.VERSION
                || header.getInt(60) != Format.crc(new CRC32C(), header.duplicate(), 0, 60)
                || header.getLong(48) != copy.size() - HEADER
                || header.getInt(12) != crc(copy, HEADER, header.getLong(48))) {
            return null;
        }
        for (Segment segment : segments) {
            if (segment.number == header.getLong(16)
                    && segment.idHigh == header.getLong(24)
                    && segment.idLow == header.getLong(32)) {
                return segment;
            }
        }
        return null;
    }

    /** Writes a range of a segment again, safely. */
    void rewrite(Segment segment, long from, long to) throws IOException {
        long bytes = to - from;
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        header.putLong(0, MAGIC)
                .putInt(8, Format.VERSION)
                .putInt(12, crc(segment.file, from, bytes))
                .putLong(16, segment.number)
                .putLong(24, segment.idHigh)
                .putLong(32, segment.idLow)
                .putLong(40, from)
                .putLong(48, bytes);
        header.putInt(60, Format.crc(new CRC32C(), header.duplicate(), 0, 60));
        if (storage.exists(TEMPORARY)) {
            storage.delete(TEMPORARY);
        }
        try (StorageFile copy = storage.create(TEMPORARY)) {
            copy.write(header, 0);
            transfer(segment.file, from, copy, HEADER, bytes);
            copy.force();
            storage.rename(TEMPORARY, NAME);
            storage.syncDirectory();
            transfer(copy, HEADER, segment.file, from, bytes);
        }
        segment.file.force();
        storage.delete(NAME);
    }

    private int crc(StorageFile file, long from, long bytes) throws IOException {
        CRC32C crc = new CRC32C();
        for (long at = 0; at < bytes; ) {
            int read = read(file, from + at, bytes - at);
            crc.update(block);
            at += read;
        }
        return (int) crc.getValue();
    }

    private void transfer(StorageFile from, long fromOffset, StorageFile to, long toOffset, long bytes)
            throws IOException {
        for (long at = 0; at < bytes; ) {
            int read = read(from, fromOffset + at, bytes - at);
            to.write(block, toOffset + at);
            at += read;
        }
    }

    private int read(StorageFile file, long offset, long wanted) throws IOException {
        int most = (int) Math.min(BLOCK, wanted);
        if (block.capacity() < most) {
            block = ByteBuffer.allocateDirect(most);
        }
        block.position(0).limit(most);
        int read = file.read(block, offset);
        if (read <= 0) {
            throw new IOException("the file ends at offset " + offset + " where " + wanted + " more bytes should be");
        }
        block.flip();
        return read;
    }
}
