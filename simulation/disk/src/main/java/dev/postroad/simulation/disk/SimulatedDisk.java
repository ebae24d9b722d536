package dev.postroad.simulation.disk;

import dev.postroad.journal.JournalException;
import dev.postroad.journal.Storage;
import dev.postroad.journal.StorageFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A directory in memory that forgets what was not synced when it crashes. {@link #open} gives the code under test its
 * {@link Storage}; the rest is for the test: counting and failing calls, listening to them, crashing.
 *
 * <p>Bytes are durable after a sync of their file, names after a sync of the directory, each independently of the other.
 * A file whose name is lost is lost. For several threads at once.
 */
public final class SimulatedDisk {
    private final List<Pending> pending = new ArrayList<>();
    private final Map<String, Inode> durableNames = new TreeMap<>();
    private final Map<String, Inode> names = new TreeMap<>();
    private long capacityBytes = Long.MAX_VALUE;
    private long used;
    private long calls;
    private long failFrom = Long.MAX_VALUE;
    private long failTo;
    private Fault fault = Fault.IO_ERROR;
    private boolean faultMet;
    private @Nullable Random shortReads;
    private @Nullable Consumer<Operation> listener;
    private int inodes;
    private @Nullable View view;

    // ---- for the code under test

    /**
     * Opens the directory for a process.
     *
     * @throws JournalException if a process has it open
     */
    public synchronized Storage open() throws JournalException {
        if (view != null) {
            throw new JournalException("The simulated disk is in use by another process");
        }
        View opened = new View();
        view = opened;
        return opened;
    }

    // ---- for the test

    /** Kills the process that has the directory open: its files fail from now on, nothing written is lost. */
    public synchronized void killProcess() {
        view = null;
    }

    /** How many calls there have been. */
    public synchronized long calls() {
        return calls;
    }

    /**
     * Makes a call fail.
     *
     * @param n which one, 1 being the next
     * @param kind how
     * @param forever whether all calls behind it fail the same way
     */
    public synchronized void failCall(long n, Fault kind, boolean forever) {
        failFrom = calls + n;
        failTo = forever ? Long.MAX_VALUE : calls + n;
        fault = kind;
        faultMet = false;
    }

    /** Lets all calls succeed again. */
    public synchronized void heal() {
        failFrom = Long.MAX_VALUE;
        failTo = 0;
    }

    /** Whether the call that was to fail has been made. */
    public synchronized boolean faultMet() {
        return faultMet;
    }

    /** The bytes all files together may have; more is refused as "no space". Unlimited at first. */
    public synchronized void capacity(long bytes) {
        capacityBytes = bytes;
    }

    /** The bytes that all files together have now. */
    public synchronized long usedBytes() {
        return used;
    }

    /** Lets reads return fewer bytes than asked for, as the seed has it. */
    public synchronized void shortReads(long seed) {
        shortReads = new Random(seed);
    }

    /** Is told of every call before it is made, on the calling thread, under the disk's lock. */
    public synchronized void listen(Consumer<Operation> to) {
        listener = to;
    }

    /** Nobody is told of calls any more. */
    public synchronized void listenNoMore() {
        listener = null;
    }

    /** How many changes a crash could undo now. */
    public synchronized int pendingChanges() {
        return pending.size();
    }

    /** Descriptions of the changes that a crash could undo now, in their order. */
    public synchronized List<String> pendingChangesText() {
        return pending.stream().map(Object::toString).toList();
    }

    /** The disk as it is after a power cut; this one is not changed, and can be crashed again otherwise. */
    public synchronized SimulatedDisk crash(Crash how) {
        Restart restart = new Restart();
        durableNames.forEach(restart::durable);
        durableNames.values().forEach(restart::durable);
        names.values().forEach(restart::durable);
        for (Pending change : pending) {
            switch (change) {
                case Pending.Write write -> restart.durable(write.inode());
                case Pending.Resize resize -> restart.durable(resize.inode());
                case Pending.Link link -> restart.durable(link.inode());
                case Pending.Unlink unlink -> {}
            }
        }
        for (int i = 0; i < pending.size(); i++) {
            how.apply(i, pending.get(i), restart);
        }
        SimulatedDisk after = new SimulatedDisk();
        after.capacityBytes = capacityBytes;
        restart.files().forEach((name, content) -> {
            Inode inode = after.inode(content.copy(), content);
            after.durableNames.put(name, inode);
            after.names.put(name, inode);
            after.used += content.size();
        });
        return after;
    }

    /**
     * Ways to crash now, up to {@code limit} in all: all lost and all kept; every subset of the changes, or every prefix if
     * there are many; of the last changes each one lost alone, as zeros, as garbage, without its bytes or without its
     * length, and torn at each 512 bytes and within its first bytes; and random ones that mix all of this.
     */
    public synchronized List<Crash> crashes(int limit, long seed) {
        List<Crash> crashes = new ArrayList<>();
        int count = pending.size();
        crashes.add(Crash.losingAll());
        if (count == 0) {
            return crashes;
        }
        crashes.add(Crash.keepingAll());
        if (count < 20 && 1 << count <= limit / 2) {
            for (long bits = 1; bits < (1L << count) - 1; bits++) {
                crashes.add(Crash.keeping(bits));
            }
        } else {
            int step = Math.max(1, count * 4 / Math.max(1, limit));
            for (int i = 1; i < count; i += step) {
                crashes.add(Crash.keepingFirst(i));
            }
        }
        for (int i = count - 1; i >= 0 && crashes.size() < limit / 2; i--) {
            crashes.add(Crash.losingOnly(i));
            if (pending.get(i) instanceof Pending.Write write) {
                crashes.add(Crash.zeroing(i));
                crashes.add(Crash.garbling(i, seed));
                boolean longer = write.position() + write.bytes().length
                        > write.inode().durable.size();
                if (longer) {
                    crashes.add(Crash.lengthOnly(i));
                    crashes.add(Crash.dataOnly(i));
                }
                crashes.add(Crash.tearing(i, (int) Math.floorMod(seed + i, 1 + Math.min(63L, write.bytes().length))));
            }
        }
        for (int i = count - 1; i >= 0 && crashes.size() < limit * 3 / 4; i--) {
            if (pending.get(i) instanceof Pending.Write write) {
                int sector = (int) (512 - write.position() % 512);
                for (int at = sector; at < write.bytes().length && crashes.size() < limit * 3 / 4; at += 512) {
                    crashes.add(Crash.tearing(i, at));
                }
            }
        }
        for (int i = 0; crashes.size() < limit; i++) {
            crashes.add(Crash.random(seed + i));
        }
        return crashes;
    }

    // ---- corruption, for tests of what finds it

    /** The names of all files. */
    public synchronized List<String> files() {
        return new ArrayList<>(names.keySet());
    }

    /** The bytes of a file. */
    public synchronized byte[] bytes(String name) {
        Content content = file(name).visible;
        byte[] bytes = new byte[(int) content.size()];
        content.read(ByteBuffer.wrap(bytes), 0, bytes.length);
        return bytes;
    }

    /** Whether this disk and a copy of it, or what became of the copy, have the same bytes in a part of a file that both have. */
    public synchronized boolean same(SimulatedDisk copy, String name, long from, long to) {
        synchronized (copy) {
            Inode mine = names.get(name);
            Inode other = copy.names.get(name);
            return mine != null && other != null && mine.visible.same(other.visible, from, to);
        }
    }

    /** Puts a file there, durably, with these bytes; replaces the one that has the name. */
    public synchronized void put(String name, byte[] bytes) {
        remove(name);
        Content content = new Content();
        content.write(bytes, 0, bytes.length, 0);
        Inode inode = inode(content.copy(), content);
        names.put(name, inode);
        durableNames.put(name, inode);
        used += bytes.length;
    }

    /** Changes one bit of a file, durably. */
    public synchronized void flip(String name, long offset, int bit) {
        Inode inode = file(name);
        byte[] changed = {(byte) (inode.visible.get(offset) ^ 1 << bit)};
        inode.visible.write(changed, 0, 1, offset);
        inode.durable.write(changed, 0, 1, offset);
    }

    /** Takes a file away, durably. */
    public synchronized void remove(String name) {
        Inode inode = names.remove(name);
        durableNames.remove(name);
        if (inode != null) {
            used -= inode.visible.size();
        }
    }

    /** Another disk with the same bytes, all of them durable. */
    public synchronized SimulatedDisk copy() {
        SimulatedDisk copy = new SimulatedDisk();
        copy.capacityBytes = capacityBytes;
        names.forEach((name, inode) -> {
            Inode twin = copy.inode(inode.visible.copy(), inode.visible.copy());
            copy.names.put(name, twin);
            copy.durableNames.put(name, twin);
            copy.used += inode.visible.size();
        });
        return copy;
    }

    // ---- inside

    private Inode inode(Content durable, Content visible) {
        return new Inode(inodes++, durable, visible);
    }

    private Inode file(String name) {
        Inode inode = names.get(name);
        if (inode == null) {
            throw new IllegalArgumentException("there is no file " + name + " on the simulated disk");
        }
        return inode;
    }

    /** Counts a call and tells of it; returns how it is to fail, or null. */
    private @Nullable Fault call(Operation.Kind kind, String file, long position, long bytes) {
        calls++;
        Consumer<Operation> hears = listener;
        if (hears != null) {
            hears.accept(new Operation(calls, kind, file, position, bytes));
        }
        if (calls >= failFrom && calls <= failTo) {
            faultMet = true;
            return fault;
        }
        return null;
    }

    private static IOException failure(Fault kind, String what) {
        return new IOException(
                switch (kind) {
                    case IO_ERROR, SHORT_WRITE, FAILED_SYNC -> "simulated I/O error: " + what;
                    case DONE_BUT_FAILED -> "simulated I/O error after the work was done: " + what;
                    case FILE_CLOSED -> "simulated: the channel was closed by an interrupt: " + what;
                    case NO_SPACE -> "simulated: no space left on device: " + what;
                });
    }

    private void take(long bytes) throws IOException {
        if (bytes > capacityBytes - used) {
            throw failure(Fault.NO_SPACE, bytes + " bytes needed, " + (capacityBytes - used) + " free");
        }
        used += bytes;
    }

    private void drop(Inode inode) {
        pending.removeIf(change -> (change instanceof Pending.Write write && write.inode() == inode)
                || (change instanceof Pending.Resize resize && resize.inode() == inode));
    }

    private final class View implements Storage {

        /** True if the call is to do its work and fail then. */
        private boolean check(Operation.Kind kind, String file) throws IOException {
            if (view != this) {
                throw new IOException("the process that had the simulated disk open is gone");
            }
            Fault met = call(kind, file, 0, 0);
            if (met != null && met != Fault.DONE_BUT_FAILED) {
                throw failure(met, kind + " " + file);
            }
            return met != null;
        }

        private static void end(boolean fails, Operation.Kind kind, String file) throws IOException {
            if (fails) {
                throw failure(Fault.DONE_BUT_FAILED, kind + " " + file);
            }
        }

        @Override
        public StorageFile create(String name) throws IOException {
            synchronized (SimulatedDisk.this) {
                boolean fails = check(Operation.Kind.CREATE, name);
                if (names.containsKey(name)) {
                    throw new IOException("the file " + name + " exists already");
                }
                Inode inode = inode(new Content(), new Content());
                names.put(name, inode);
                pending.add(new Pending.Link(inode, name, null));
                end(fails, Operation.Kind.CREATE, name);
                return new OpenFile(this, inode, name);
            }
        }

        @Override
        public StorageFile open(String name) throws IOException {
            synchronized (SimulatedDisk.this) {
                end(check(Operation.Kind.OPEN, name), Operation.Kind.OPEN, name);
                return new OpenFile(this, existing(name), name);
            }
        }

        private Inode existing(String name) throws IOException {
            Inode inode = names.get(name);
            if (inode == null) {
                throw new IOException("there is no file " + name);
            }
            return inode;
        }

        @Override
        public List<String> list() throws IOException {
            synchronized (SimulatedDisk.this) {
                end(check(Operation.Kind.LIST, ""), Operation.Kind.LIST, "");
                return new ArrayList<>(names.keySet());
            }
        }

        @Override
        public boolean exists(String name) throws IOException {
            synchronized (SimulatedDisk.this) {
                end(check(Operation.Kind.EXISTS, name), Operation.Kind.EXISTS, name);
                return names.containsKey(name);
            }
        }

        @Override
        public void rename(String from, String to) throws IOException {
            synchronized (SimulatedDisk.this) {
                boolean fails = check(Operation.Kind.RENAME, from);
                Inode inode = existing(from);
                names.remove(from);
                Inode replaced = names.put(to, inode);
                if (replaced != null) {
                    used -= replaced.visible.size();
                }
                pending.add(new Pending.Link(inode, to, from));
                end(fails, Operation.Kind.RENAME, from);
            }
        }

        @Override
        public void delete(String name) throws IOException {
            synchronized (SimulatedDisk.this) {
                boolean fails = check(Operation.Kind.DELETE, name);
                used -= existing(name).visible.size();
                names.remove(name);
                pending.add(new Pending.Unlink(name));
                end(fails, Operation.Kind.DELETE, name);
            }
        }

        @Override
        public void syncDirectory() throws IOException {
            synchronized (SimulatedDisk.this) {
                boolean fails = check(Operation.Kind.SYNC_DIRECTORY, "");
                pending.removeIf(change -> change instanceof Pending.Link || change instanceof Pending.Unlink);
                durableNames.clear();
                durableNames.putAll(names);
                end(fails, Operation.Kind.SYNC_DIRECTORY, "");
            }
        }

        @Override
        public long usableBytes() throws IOException {
            synchronized (SimulatedDisk.this) {
                end(check(Operation.Kind.USABLE_BYTES, ""), Operation.Kind.USABLE_BYTES, "");
                return capacityBytes - used;
            }
        }

        @Override
        public String location() {
            return "simulated-disk";
        }

        @Override
        public void close() {
            synchronized (SimulatedDisk.this) {
                if (view == this) {
                    view = null;
                }
            }
        }
    }

    private final class OpenFile implements StorageFile {
        private final View owner;
        private final Inode inode;
        private final String name;
        private boolean closed;

        OpenFile(View owner, Inode inode, String name) {
            this.owner = owner;
            this.inode = inode;
            this.name = name;
        }

        private @Nullable Fault check(Operation.Kind kind, long position, long bytes) throws IOException {
            if (view != owner) {
                throw new IOException("the process that had the simulated disk open is gone");
            }
            if (closed) {
                throw new IOException("the file " + name + " has been closed");
            }
            Fault met = call(kind, name, position, bytes);
            if (met == Fault.FILE_CLOSED) {
                closed = true;
            }
            return met;
        }

        @Override
        public int read(ByteBuffer dst, long position) throws IOException {
            synchronized (SimulatedDisk.this) {
                Fault met = check(Operation.Kind.READ, position, dst.remaining());
                if (met != null) {
                    throw failure(met, "reading " + name);
                }
                long rest = inode.visible.size() - position;
                if (rest <= 0) {
                    return -1;
                }
                int count = (int) Math.min(rest, dst.remaining());
                Random random = shortReads;
                if (random != null && count > 1) {
                    count = 1 + random.nextInt(count);
                }
                return inode.visible.read(dst, position, count);
            }
        }

        @Override
        public void write(ByteBuffer src, long position) throws IOException {
            synchronized (SimulatedDisk.this) {
                Fault met = check(Operation.Kind.WRITE, position, src.remaining());
                byte[] bytes = new byte[src.remaining()];
                src.get(bytes);
                if (met == Fault.SHORT_WRITE && bytes.length > 1) {
                    bytes = Arrays.copyOf(bytes, bytes.length / 2);
                } else if (met != null && met != Fault.DONE_BUT_FAILED) {
                    throw failure(met, "writing " + name);
                }
                take(Math.max(0, position + bytes.length - inode.visible.size()));
                inode.visible.write(bytes, 0, bytes.length, position);
                pending.add(new Pending.Write(inode, position, bytes));
                if (met != null) {
                    throw failure(met, "writing " + name + ", only " + bytes.length + " bytes were written");
                }
            }
        }

        @Override
        public void force() throws IOException {
            synchronized (SimulatedDisk.this) {
                Fault met = check(Operation.Kind.FORCE, 0, 0);
                if (met != null && met != Fault.DONE_BUT_FAILED) {
                    drop(inode);
                    throw failure(met, "syncing " + name);
                }
                syncPending(inode);
                if (met != null) {
                    throw failure(met, "syncing " + name);
                }
            }
        }

        @Override
        public long size() throws IOException {
            synchronized (SimulatedDisk.this) {
                Fault met = check(Operation.Kind.SIZE, 0, 0);
                if (met != null) {
                    throw failure(met, "size of " + name);
                }
                return inode.visible.size();
            }
        }

        @Override
        public void truncate(long size) throws IOException {
            resize(Operation.Kind.TRUNCATE, size, inode.visible.size() > size);
        }

        @Override
        public void allocate(long size) throws IOException {
            resize(Operation.Kind.ALLOCATE, size, inode.visible.size() < size);
        }

        private void resize(Operation.Kind kind, long size, boolean needed) throws IOException {
            synchronized (SimulatedDisk.this) {
                Fault met = check(kind, 0, size);
                if (met != null && met != Fault.DONE_BUT_FAILED) {
                    throw failure(met, kind + " of " + name);
                }
                if (needed) {
                    take(size - inode.visible.size());
                    inode.visible.resize(size);
                    pending.add(new Pending.Resize(inode, size));
                }
                if (met != null) {
                    throw failure(met, kind + " of " + name);
                }
            }
        }

        @Override
        public void close() {
            synchronized (SimulatedDisk.this) {
                closed = true;
            }
        }
    }

    /**
     * A sync makes pending changes durable, and only those: what an earlier failed sync has dropped stays readable and
     * is not on the disk.
     */
    private void syncPending(Inode inode) {
        Content durable = inode.durable;
        for (Pending change : pending) {
            if (change instanceof Pending.Write write && write.inode() == inode) {
                durable.write(write.bytes(), 0, write.bytes().length, write.position());
            } else if (change instanceof Pending.Resize resize && resize.inode() == inode) {
                durable.resize(resize.size());
            }
        }
        drop(inode);
    }
}
