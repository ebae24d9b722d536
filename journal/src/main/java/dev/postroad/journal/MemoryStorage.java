package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A directory in memory, for a broker that need not survive its process. Takes memory as bytes that are not zero arrive,
 * in pieces of 64 KiB; file sizes, zeros included, count against the capacity. What is closed and opened again is still
 * there as long as the storage itself is.
 */
public final class MemoryStorage implements Storage {
    private static final int PIECE = 64 << 10;

    private final long capacityBytes;
    private final TreeMap<String, MemoryFile> files = new TreeMap<>();
    private long used;
    private boolean closed;

    /**
     * An empty directory.
     *
     * @param capacityBytes the most that all files together may have; more is refused like a full disk
     */
    public MemoryStorage(long capacityBytes) {
        if (capacityBytes <= 0) {
            throw new IllegalArgumentException("capacityBytes is " + capacityBytes + ", must be positive");
        }
        this.capacityBytes = capacityBytes;
    }

    @Override
    public synchronized StorageFile create(String name) throws IOException {
        checkOpen();
        if (files.containsKey(name)) {
            throw new IOException("the file " + name + " exists already");
        }
        MemoryFile file = new MemoryFile();
        files.put(name, file);
        return file;
    }

    @Override
    public synchronized StorageFile open(String name) throws IOException {
        checkOpen();
        return file(name);
    }

    @Override
    public synchronized List<String> list() throws IOException {
        checkOpen();
        return new ArrayList<>(files.keySet());
    }

    @Override
    public synchronized boolean exists(String name) {
        return files.containsKey(name);
    }

    @Override
    public synchronized void rename(String from, String to) throws IOException {
        checkOpen();
        MemoryFile file = file(from);
        files.remove(from);
        MemoryFile replaced = files.put(to, file);
        if (replaced != null) {
            used -= replaced.size();
        }
    }

    @Override
    public synchronized void delete(String name) throws IOException {
        checkOpen();
        used -= file(name).size();
        files.remove(name);
    }

    @Override
    public void syncDirectory() {
        // names in memory are as durable as they get
    }

    @Override
    public synchronized long usableBytes() {
        return capacityBytes - used;
    }

    @Override
    public String location() {
        return "memory";
    }

    /** Marks the directory as closed and lets go of its memory. */
    @Override
    public synchronized void close() {
        closed = true;
        files.clear();
    }

    private MemoryFile file(String name) throws IOException {
        MemoryFile file = files.get(name);
        if (file == null) {
            throw new IOException("there is no file " + name);
        }
        return file;
    }

    private void checkOpen() throws IOException {
        if (closed) {
            throw new IOException("the storage in memory has been closed");
        }
    }

    private synchronized void take(long bytes) throws IOException {
        if (bytes > capacityBytes - used) {
            throw new IOException("no space left in memory: " + bytes + " bytes are needed, " + (capacityBytes - used)
                    + " of " + capacityBytes + " are free");
        }
        used += bytes;
    }

    private final class MemoryFile implements StorageFile {
        private byte[] @Nullable [] pieces = new byte[4][];
        private long size;

        @Override
        public synchronized int read(ByteBuffer dst, long position) {
            if (position >= size) {
                return -1;
            }
            int wanted = (int) Math.min(dst.remaining(), size - position);
            int done = 0;
            while (done < wanted) {
                long at = position + done;
                int from = (int) (at % PIECE);
                int count = Math.min(wanted - done, PIECE - from);
                byte[] piece = piece(at);
                if (piece != null) {
                    dst.put(piece, from, count);
                } else {
                    for (int i = 0; i < count; i++) {
                        dst.put((byte) 0);
                    }
                }
                done += count;
            }
            return done;
        }

        @Override
        public synchronized void write(ByteBuffer src, long position) throws IOException {
            grow(position + src.remaining());
            long at = position;
            while (src.hasRemaining()) {
                int from = (int) (at % PIECE);
                int count = Math.min(src.remaining(), PIECE - from);
                byte[] piece = piece(at);
                if (piece == null) {
                    piece = new byte[PIECE];
                    int index = (int) (at / PIECE);
                    if (index >= pieces.length) {
                        pieces = Arrays.copyOf(pieces, Math.max(index + 1, pieces.length * 2));
                    }
                    pieces[index] = piece;
                }
                src.get(piece, from, count);
                at += count;
            }
        }

        private byte @Nullable [] piece(long at) {
            long index = at / PIECE;
            return index < pieces.length ? pieces[(int) index] : null;
        }

        private void grow(long toSize) throws IOException {
            if (toSize > size) {
                take(toSize - size);
                size = toSize;
            }
        }

        @Override
        public void force() {
            // memory is all there is
        }

        @Override
        public synchronized long size() {
            return size;
        }

        @Override
        public synchronized void truncate(long toSize) throws IOException {
            if (toSize >= size) {
                return;
            }
            take(toSize - size);
            size = toSize;
            int whole = (int) ((toSize + PIECE - 1) / PIECE);
            for (int i = whole; i < pieces.length; i++) {
                pieces[i] = null;
            }
            byte[] last = toSize % PIECE == 0 ? null : piece(toSize);
            if (last != null) {
                Arrays.fill(last, (int) (toSize % PIECE), PIECE, (byte) 0);
            }
        }

        @Override
        public synchronized void allocate(long toSize) throws IOException {
            grow(toSize);
        }

        @Override
        public void close() {
            // the contents stay
        }
    }
}
