package dev.postroad.proof.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * A folder of an experiment's own. At its end it is gone with all that is in it, file systems that are mounted there and processes
 * that work there included; so it is when this JVM is asked to end, and what one leaves that is killed, the next one to be made
 * clears away: who is at work in a folder holds a lock on a file of it.
 */
public final class Workplace implements AutoCloseable {
    private static final String PREFIX = "postroad-proof-";
    private static final String IN_USE = "in-use";
    private static final Set<Workplace> OPEN = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> OPEN.forEach(Workplace::leave)));
    }

    private final Path folder;
    private final FileChannel inUse;

    private Workplace(Path folder, FileChannel inUse) {
        this.folder = folder;
        this.inUse = inUse;
    }

    /** Makes one, in the folder for temporary files. */
    public static Workplace make(String name) throws IOException {
        return make(Path.of(System.getProperty("java.io.tmpdir")), name);
    }

    static synchronized Workplace make(Path parent, String name) throws IOException {
        clearAway(parent);
        Path folder = Files.createTempDirectory(parent, PREFIX + name + "-");
        // Locked before it has its name: nobody finds it without its lock.
        Path fresh = folder.resolve(IN_USE + ".new");
        FileChannel inUse = FileChannel.open(fresh, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        FileLock lock = inUse.lock();
        Files.move(fresh, folder.resolve(IN_USE), StandardCopyOption.ATOMIC_MOVE);
        if (!lock.isValid()) {
            throw new IOException(folder + " can't be locked");
        }
        Workplace place = new Workplace(folder, inUse);
        OPEN.add(place);
        return place;
    }

    /** Where it is. */
    public Path folder() {
        return folder;
    }

    /** A file in it. */
    public Path at(String name) {
        return folder.resolve(name);
    }

    @Override
    public void close() {
        try {
            inUse.close();
            delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            OPEN.remove(this);
        }
    }

    private void leave() {
        try {
            remove(folder);
        } catch (IOException e) {
            // The next one tries again.
        }
    }

    // ── What others have left ────────────────────────────────────────────────────────────────────────────────────────

    /** Removes the workplaces in this folder whose owners are gone. */
    private static void clearAway(Path parent) throws IOException {
        try (Stream<Path> all = Files.list(parent)) {
            for (Path each : all.filter(path -> path.getFileName().toString().startsWith(PREFIX))
                    .toList()) {
                if (isLeft(each)) {
                    remove(each);
                }
            }
        }
    }

    private static boolean isLeft(Path folder) {
        // A process that opens and closes a file loses all its locks on it: those of this JVM must not be looked at.
        if (OPEN.stream().anyMatch(place -> place.folder.equals(folder))) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(folder.resolve(IN_USE), StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false; // one of this JVM's
        } catch (IOException e) {
            return false; // about to be locked, or somebody else's
        }
    }

    /** Ends the processes that work in a folder, unmounts what is mounted there, and deletes it. */
    private static void remove(Path folder) throws IOException {
        endProcesses(folder);
        List<String> mounts = mountedIn(folder);
        // What is mounted last may lie within what was mounted before.
        Collections.reverse(mounts);
        for (String mount : mounts) {
            Machine.Ran ran = Machine.run("umount", mount);
            if (ran.exit() != 0) {
                Machine.must("umount", "-l", mount);
            }
        }
        delete(folder);
    }

    private static void endProcesses(Path folder) {
        List<ProcessHandle> ended = ProcessHandle.allProcesses()
                .filter(process -> process.pid() != ProcessHandle.current().pid())
                .filter(process -> process.info().commandLine().orElse("").contains(folder + "/"))
                .filter(ProcessHandle::destroyForcibly)
                .toList();
        ended.forEach(process -> process.onExit().join());
    }

    /** The file systems mounted in a folder, in the order in which they were. */
    static List<String> mountedIn(Path folder) throws IOException {
        List<String> mounts = new ArrayList<>();
        Path table = Path.of("/proc/self/mounts");
        if (Files.exists(table)) {
            for (String line : Files.readAllLines(table)) {
                String mount = line.split(" ")[1].replace("\\040", " ");
                if (mount.startsWith(folder + "/")) {
                    mounts.add(mount);
                }
            }
        }
        return mounts;
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        } catch (NoSuchFileException | UncheckedIOException e) {
            if (Files.exists(folder)) {
                throw e;
            }
        }
    }
}
