package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A file of a {@link FileStorage}. Reads and writes have channels of their own, so that the interrupt of a reading thread
 * never disturbs a sync.
 *
 * <p>An interrupt in the middle of a sync leaves its outcome unknown, and a second sync might say "fine" after the first
 * failed unseen. So what was written since the last good sync is then written again before the next: as if for the first
 * time.
 */
final class ChannelFile implements StorageFile {
    private static final int ZEROS = 1 << 20;

    private final FileStorage owner;
    private final boolean writable;
    private final Object lock = new Object();
    private volatile Path path;
    private boolean create;
    private volatile @Nullable FileChannel writer;
    private volatile @Nullable FileChannel reader;
    private volatile boolean closed;

    // what was written since the last good sync; the writing thread's
    private long dirtyFrom = Long.MAX_VALUE;
    private volatile long dirtyTo;

    @FunctionalInterface
    private interface Action {
        long on(FileChannel channel) throws IOException;
    }

    ChannelFile(FileStorage owner, Path path, boolean create, boolean writable) {
        this.owner = owner;
        this.path = path;
        this.create = create;
        this.writable = writable;
    }

    void connect() throws IOException {
        channel(writable);
        create = false;
    }

    void renamed(Path from, Path to) {
        if (path.equals(from)) {
            path = to;
        }
    }

    // Reading, writing and syncing are spelled out, without a shared loop taking a lambda, since they must not
    // allocate.

    @Override
    public int read(ByteBuffer dst, long position) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                FileChannel channel = channel(false);
                try {
                    return channel.read(dst, position);
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    replace(false, channel);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void write(ByteBuffer src, long position) throws IOException {
        dirtyFrom = Math.min(dirtyFrom, position);
        dirtyTo = Math.max(dirtyTo, position + src.remaining());
        long base = position - src.position();
        boolean interrupted = Thread.interrupted();
        try {
            while (src.hasRemaining()) {
                FileChannel channel = channel(true);
                try {
                    if (channel.write(src, base + src.position()) <= 0) {
                        throw new IOException("no byte could be written at offset " + (base + src.position()));
                    }
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    replace(true, channel);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void force() throws IOException {
        boolean interrupted = Thread.interrupted();
        boolean unknown = false;
        try {
            while (true) {
                FileChannel channel = channel(true);
                try {
                    if (unknown) {
                        writeAgain(channel);
                    }
                    unknown = true;
                    channel.force(false);
                    dirtyFrom = Long.MAX_VALUE;
                    dirtyTo = 0;
                    return;
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    replace(true, channel);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * On the channel for reading: the system tells a failure once to each open file, and the one who writes must be told.
     */
    @Override
    public void writeBack() throws IOException {
        FileChannel channel;
        try {
            channel = channel(false);
        } catch (IOException e) {
            // Closed meanwhile, or out of handles: then it is left to the sync.
            return;
        }
        try {
            channel.force(false);
        } catch (ClosedChannelException e) {
            return;
        }
    }

    private void writeAgain(FileChannel channel) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocateDirect(256 << 10);
        long at = dirtyFrom;
        while (at < dirtyTo) {
            bytes.position(0).limit((int) Math.min(bytes.capacity(), dirtyTo - at));
            if (read(bytes, at) <= 0) {
                return;
            }
            bytes.flip();
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
        }
    }

    @Override
    public long size() throws IOException {
        return uninterrupted(writable, FileChannel::size);
    }

    @Override
    public void truncate(long size) throws IOException {
        uninterrupted(true, channel -> channel.truncate(size).size());
    }

    @Override
    public void allocate(long size) throws IOException {
        long at = size();
        if (at < size) {
            ByteBuffer zeros = ByteBuffer.allocateDirect((int) Math.min(ZEROS, size - at));
            while (at < size) {
                zeros.position(0).limit((int) Math.min(zeros.capacity(), size - at));
                int count = zeros.remaining();
                write(zeros, at);
                at += count;
            }
        }
    }

    @Override
    public void close() throws IOException {
        FileChannel first;
        FileChannel second;
        synchronized (lock) {
            closed = true;
            first = writer;
            second = reader;
            writer = null;
            reader = null;
        }
        owner.forget(this);
        try {
            if (first != null) {
                first.close();
            }
        } finally {
            if (second != null) {
                second.close();
            }
        }
    }

    /** Does one thing on a channel, again on a new one if an interrupt closed it; the interrupt is kept for later. */
    private long uninterrupted(boolean writing, Action action) throws IOException {
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                FileChannel channel = channel(writing);
                try {
                    return action.on(channel);
                } catch (ClosedChannelException e) {
                    interrupted |= Thread.interrupted();
                    replace(writing, channel);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private FileChannel channel(boolean writing) throws IOException {
        FileChannel known = writing ? writer : reader;
        if (known != null) {
            return known;
        }
        synchronized (lock) {
            if (closed) {
                throw new IOException("the file " + path.getFileName() + " has been closed");
            }
            if (writing && !writable) {
                throw new IOException("the file " + path.getFileName() + " is open for reading only");
            }
            known = writing ? writer : reader;
            if (known == null) {
                known = FileChannel.open(path, options(writing));
                if (writing) {
                    writer = known;
                } else {
                    reader = known;
                }
            }
        }
        owner.opened(this, writing);
        return known;
    }

    /**
     * Closes a channel to save a handle; the next call opens another.
     *
     * @return false if it has to stay open, because a sync is still owed on it
     */
    boolean rest(boolean writing) throws IOException {
        FileChannel resting;
        synchronized (lock) {
            resting = writing ? writer : reader;
            if (resting == null) {
                return true;
            }
            if (writing && dirtyTo > 0) {
                return false;
            }
            if (writing) {
                writer = null;
            } else {
                reader = null;
            }
        }
        resting.close();
        return true;
    }

    private Set<OpenOption> options(boolean writing) {
        if (!writing) {
            return Set.of(StandardOpenOption.READ);
        }
        return create
                ? Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)
                : Set.of(StandardOpenOption.WRITE);
    }

    private void replace(boolean writing, FileChannel broken) {
        synchronized (lock) {
            if (writing && writer == broken) {
                writer = null;
            } else if (!writing && reader == broken) {
                reader = null;
            }
        }
    }
}
