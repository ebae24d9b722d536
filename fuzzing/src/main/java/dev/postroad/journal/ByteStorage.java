package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** A directory of given files that can only be read; each read gives as many bytes at most as it was told. */
final class ByteStorage implements Storage {
    private final TreeMap<String, byte[]> files = new TreeMap<>();
    private final int atOnce;

    ByteStorage(int atOnce) {
        this.atOnce = atOnce;
    }

    ByteStorage with(String name, byte[] bytes) {
        files.put(name, bytes);
        return this;
    }

    /** A file of these bytes, read so many at a time at most. */
    static StorageFile file(byte[] bytes, int atOnce) {
        return new ByteFile(bytes, atOnce);
    }

    @Override
    public StorageFile open(String name) throws IOException {
        byte[] bytes = files.get(name);
        if (bytes == null) {
            throw new IOException("there is no file " + name);
        }
        return new ByteFile(bytes, atOnce);
    }

    @Override
    public List<String> list() {
        return new ArrayList<>(files.keySet());
    }

    @Override
    public boolean exists(String name) {
        return files.containsKey(name);
    }

    @Override
    public StorageFile create(String name) throws IOException {
        throw readOnly();
    }

    @Override
    public void rename(String from, String to) throws IOException {
        throw readOnly();
    }

    @Override
    public void delete(String name) throws IOException {
        throw readOnly();
    }

    @Override
    public void syncDirectory() throws IOException {
        throw readOnly();
    }

    @Override
    public long usableBytes() {
        return 0;
    }

    @Override
    public String location() {
        return "bytes";
    }

    @Override
    public void close() {
        files.clear();
    }

    private static IOException readOnly() {
        return new IOException("this storage can only be read");
    }

    private record ByteFile(byte[] bytes, int atOnce) implements StorageFile {
        @Override
        public int read(ByteBuffer dst, long position) {
            if (!dst.hasRemaining()) {
                return 0;
            }
            if (position < 0 || position >= bytes.length) {
                return -1;
            }
            int from = (int) position;
            int count = Math.min(Math.min(dst.remaining(), bytes.length - from), atOnce);
            dst.put(bytes, from, count);
            return count;
        }

        @Override
        public void write(ByteBuffer src, long position) throws IOException {
            throw readOnly();
        }

        @Override
        public void force() throws IOException {
            throw readOnly();
        }

        @Override
        public long size() {
            return bytes.length;
        }

        @Override
        public void truncate(long size) throws IOException {
            throw readOnly();
        }

        @Override
        public void allocate(long size) throws IOException {
            throw readOnly();
        }

        @Override
        public void close() {}
    }
}
