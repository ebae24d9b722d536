package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A directory of the file system. Opening it takes an exclusive lock on the file {@code lock} in it, which holds the id of
 * the process: one process at a time, and in it one opening at a time.
 *
 * <p>An interrupt closes a {@link FileChannel} under the hands of everybody who uses it. Here the interrupt is kept for
 * later, the channel opened again, and the call completed.
 */
public final class FileStorage implements Storage {
    private static final boolean WINDOWS =
            System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("windows");

    /** Directories that this process holds. The system's lock is per process, and lost when any channel on it closes. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    /** Channels on lock files that somebody else in this process holds: closing one would free the other's lock. */
    private static final Queue<FileChannel> NEVER_CLOSED = new ConcurrentLinkedQueue<>();

    private static final int MAX_HANDLES = 256;

    private final Path directory;
    private final boolean writable;
    private final @Nullable FileChannel lock;
    private final Set<ChannelFile> open = ConcurrentHashMap.newKeySet();
    private final Queue<Handle> handles = new ConcurrentLinkedQueue<>();
    private final AtomicInteger handleCount = new AtomicInteger();
    private volatile @Nullable FileStore fileStore;
    private volatile boolean closed;

    /** A channel that was opened; those opened longest ago rest first. */
    private record Handle(ChannelFile file, boolean writing) {}

    private FileStorage(Path directory, boolean writable, @Nullable FileChannel lock) {
        this.directory = directory;
        this.writable = writable;
        this.lock = lock;
    }

    /**
     * Opens a directory to write, making it if it is not there.
     *
     * @throws JournalException if it is in use, naming the process that has it, or cannot be used
     */
    public static FileStorage open(Path directory) throws JournalException {
        Path real;
        try {
            Files.createDirectories(directory);
            real = directory.toRealPath();
        } catch (IOException e) {
            throw new JournalException(
                    "The data directory " + directory.toAbsolutePath() + " cannot be made or read: " + reason(e), e);
        }
        if (!HELD.add(real)) {
            throw inUse(real, ProcessHandle.current().pid());
        }
        boolean done = false;
        try {
            FileStorage storage = new FileStorage(real, true, lock(real));
            done = true;
            return storage;
        } catch (IOException e) {
            if (e instanceof JournalException known) {
                throw known;
            }
            throw new JournalException("The data directory " + real + " cannot be locked: " + reason(e), e);
        } finally {
            if (!done) {
                HELD.remove(real);
            }
        }
    }

    /**
     * Opens a directory to look at it: nothing can be written, no lock is taken.
     *
     * @throws JournalException if there is no such directory
     */
    public static FileStorage openReadOnly(Path directory) throws JournalException {
        try {
            return new FileStorage(directory.toRealPath(), false, null);
        } catch (IOException e) {
            throw new JournalException(
                    "The data directory " + directory.toAbsolutePath() + " cannot be read: " + reason(e), e);
        }
    }

    private static FileChannel lock(Path directory) throws IOException {
        Path path = directory.resolve(Format.LOCK_NAME);
        boolean interrupted = Thread.interrupted();
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        boolean locked = false;
        try {
            FileLock taken = channel.tryLock();
            if (taken == null) {
                throw inUse(directory, pid(channel));
            }
            locked = true;
            channel.truncate(0);
            channel.write(
                    ByteBuffer.wrap((ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII)), 0);
            return channel;
        } catch (OverlappingFileLockException e) {
            NEVER_CLOSED.add(channel);
            locked = true;
            throw inUse(directory, ProcessHandle.current().pid());
        } finally {
            if (!locked) {
                channel.close();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static long pid(FileChannel channel) throws IOException {
        ByteBuffer text = ByteBuffer.allocate(32);
        int read = channel.read(text, 0);
        String digits = new String(text.array(), 0, Math.max(read, 0), StandardCharsets.US_ASCII).strip();
        return digits.matches("[0-9]{1,18}") ? Long.parseLong(digits) : -1;
    }

    private static JournalException inUse(Path directory, long pid) {
        return new DirectoryInUseException("The data directory " + directory + " is in use by "
                + (pid == ProcessHandle.current().pid()
                        ? "this process (pid " + pid + "), which has it open already"
                        : pid >= 0 ? "another process (pid " + pid + ")" : "another process")
                + ". One process at a time: stop that one, or choose another directory.");
    }

    /**
     * The process that has the directory open to write.
     *
     * @return its id, 0 if there is one but its id is not known, -1 if nobody has
     */
    public long holder() throws IOException {
        if (HELD.contains(directory)) {
            return ProcessHandle.current().pid();
        }
        Path path = directory.resolve(Format.LOCK_NAME);
        if (!Files.exists(path)) {
            return -1;
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            try (FileLock free = channel.tryLock(0, Long.MAX_VALUE, true)) {
                return free != null ? -1 : Math.max(0, pid(channel));
            } catch (OverlappingFileLockException e) {
                return ProcessHandle.current().pid();
            }
        }
    }

    @Override
    public StorageFile create(String name) throws IOException {
        checkWritable();
        return opened(new ChannelFile(this, path(name), true, true));
    }

    @Override
    public StorageFile open(String name) throws IOException {
        checkOpen();
        return opened(new ChannelFile(this, path(name), false, writable));
    }

    private StorageFile opened(ChannelFile file) throws IOException {
        try {
            file.connect();
        } catch (NoSuchFileException e) {
            throw new IOException("there is no file " + e.getFile(), e);
        } catch (FileAlreadyExistsException e) {
            throw new IOException("the file " + e.getFile() + " exists already", e);
        }
        open.add(file);
        return file;
    }

    @Override
    public List<String> list() throws IOException {
        checkOpen();
        try (Stream<Path> entries = Files.list(directory)) {
            return new ArrayList<>(
                    entries.map(path -> path.getFileName().toString()).sorted().toList());
        }
    }

    @Override
    public boolean exists(String name) throws IOException {
        checkOpen();
        return Files.exists(path(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        checkWritable();
        Path source = path(from);
        Path target = path(to);
        Files.move(source, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        for (ChannelFile file : open) {
            file.renamed(source, target);
        }
    }

    @Override
    public void delete(String name) throws IOException {
        checkWritable();
        Files.delete(path(name));
    }

    @Override
    public void syncDirectory() throws IOException {
        checkWritable();
        if (WINDOWS) {
            return; // directories cannot be opened there; the file system keeps its own order of names
        }
        boolean interrupted = Thread.interrupted();
        try {
            while (true) {
                try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                    channel.force(true);
                    return;
                } catch (ClosedChannelException e) {
                    if (!Thread.interrupted()) {
                        throw e;
                    }
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public long usableBytes() throws IOException {
        checkOpen();
        FileStore known = fileStore;
        if (known == null) {
            // Looks through everything that is mounted: too slow to be done again and again.
            known = Files.getFileStore(directory);
            fileStore = known;
        }
        return known.getUsableSpace();
    }

    @Override
    public String location() {
        return directory.toString();
    }

    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            for (ChannelFile file : open) {
                file.close();
            }
        } finally {
            FileChannel held = lock;
            if (held != null) {
                try {
                    held.close();
                } finally {
                    HELD.remove(directory);
                }
            }
        }
    }

    /** Keeps the number of open channels bounded, however many files there are. */
    void opened(ChannelFile file, boolean writing) throws IOException {
        handles.add(new Handle(file, writing));
        if (handleCount.incrementAndGet() > MAX_HANDLES) {
            Handle longest = handles.poll();
            if (longest != null && longest.file.rest(longest.writing)) {
                handleCount.decrementAndGet();
            } else if (longest != null) {
                handles.add(longest);
            }
        }
    }

    void forget(ChannelFile file) {
        open.remove(file);
    }

    private Path path(String name) {
        if (name.isEmpty() || name.contains("/") || name.contains("\\") || name.equals(".") || name.equals("..")) {
            throw new IllegalArgumentException("Not the name of a file in the directory: '" + name + "'");
        }
        return directory.resolve(name);
    }

    private void checkOpen() throws IOException {
        if (closed) {
            throw new IOException("the data directory " + directory + " has been closed");
        }
    }

    private void checkWritable() throws IOException {
        checkOpen();
        if (!writable) {
            throw new IOException("the data directory " + directory + " is open for reading only");
        }
    }

    private static String reason(IOException e) {
        return e.getClass().getSimpleName() + ": " + e.getMessage();
    }
}
