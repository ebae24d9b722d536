package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;

/** One segment that belongs to the journal, with its open file. Counters are the writer's; others may only look. */
final class Segment {
    /** Stands where no segment is known yet. */
    static final Segment NONE = new Segment(-1, 0, 0, 0, new NoFile(), 0);

    final long number;
    final long base;
    final long idHigh;
    final long idLow;
    final long key;
    final StorageFile file;

    /** Bytes of the file that are backed by space on the disk. */
    long allocated;
    /** Bytes up to the end of the last batch. */
    long used;
    /** Bytes retained and not released. */
    long live;

    Segment(long number, long segmentBytes, long idHigh, long idLow, StorageFile file, long allocated) {
        this.number = number;
        this.base = number * segmentBytes;
        this.idHigh = idHigh;
        this.idLow = idLow;
        this.key = Format.key(idHigh, idLow);
        this.file = file;
        this.allocated = allocated;
        this.used = Format.SEGMENT_HEADER;
    }

    /** The position of its first batch. */
    long first() {
        return base + Format.SEGMENT_HEADER;
    }

    String name() {
        return Format.segmentName(number);
    }

    /** A file that is not there: everything fails. */
    private static final class NoFile implements StorageFile {
        private static IOException absent() {
            return new IOException("no segment is open");
        }

        @Override
        public int read(ByteBuffer dst, long position) throws IOException {
            throw absent();
        }

        @Override
        public void write(ByteBuffer src, long position) throws IOException {
            throw absent();
        }

        @Override
        public void force() throws IOException {
            throw absent();
        }

        @Override
        public long size() throws IOException {
            throw absent();
        }

        @Override
        public void truncate(long size) throws IOException {
            throw absent();
        }

        @Override
        public void allocate(long size) throws IOException {
            throw absent();
        }

        @Override
        public void close() {
            // there is nothing to close
        }
    }
}
