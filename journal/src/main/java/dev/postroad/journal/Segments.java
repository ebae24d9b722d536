package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The segments of one journal: the table of those that hold batches, the one that comes next, and the spares.
 *
 * <p>A segment's life: it is made (or a spare is taken), gets a new unique id in its header, is forced and named
 * {@code segment-N} while it is still empty, is filled, is retired when nothing in it is needed, and becomes a spare
 * again or is deleted. The next one stands ready before the active one is full, so that rolling changes no name.
 *
 * <p>The table belongs to the writer; others read it through a volatile array. Files are made and retired under
 * {@link #files}, by whichever thread has time for it.
 */
final class Segments {
    static final long STEP = 4 << 20;

    final long segmentBytes;
    final Storage storage;
    private final JournalSettings settings;
    private final LongSupplier ids;
    private final long journalHigh;
    private final long journalLow;
    private final int shift;
    private final Object files = new Object();

    /** Indexed by number minus {@link Table#first}; null where a segment is gone. */
    private volatile Table table = new Table(0, new Segment[0]);

    private int term;
    private volatile long timeMillis;

    // under "files"
    private final ArrayDeque<String> spares = new ArrayDeque<>();
    private final ArrayDeque<Segment> retired = new ArrayDeque<>();
    private volatile @Nullable Segment next;
    private volatile long nextNumber;
    private volatile boolean retiredWaiting;
    private volatile boolean spareReady;
    private volatile boolean keepSpares = true;

    private record Table(long first, @Nullable Segment[] segments) {
        @Nullable
        Segment get(long number) {
            long index = number - first;
            return index >= 0 && index < segments.length ? segments[(int) index] : null;
        }
    }

    Segments(
            Storage storage,
            JournalSettings settings,
            LongSupplier ids,
            long segmentBytes,
            long journalHigh,
            long journalLow) {
        this.storage = storage;
        this.settings = settings;
        this.ids = ids;
        this.segmentBytes = segmentBytes;
        this.journalHigh = journalHigh;
        this.journalLow = journalLow;
        this.shift = Long.numberOfTrailingZeros(segmentBytes);
    }

    long journalHigh() {
        return journalHigh;
    }

    long journalLow() {
        return journalLow;
    }

    void term(int value) {
        term = value;
    }

    long numberOf(long position) {
        return position >> shift;
    }

    long base(long number) {
        return number << shift;
    }

    long offsetOf(long position) {
        return position & (segmentBytes - 1);
    }

    @Nullable
    Segment get(long number) {
        return table.get(number);
    }

    @Nullable
    Segment at(long position) {
        return table.get(position >> shift);
    }

    /** All that hold batches, in order. */
    List<Segment> all() {
        List<Segment> all = new ArrayList<>();
        for (Segment segment : table.segments) {
            if (segment != null) {
                all.add(segment);
            }
        }
        return all;
    }

    void add(Segment segment) {
        Table old = table;
        int oldLength = old.segments.length;
        long first = oldLength == 0 ? segment.number : Math.min(old.first, segment.number);
        long end = oldLength == 0 ? segment.number + 1 : Math.max(old.first + oldLength, segment.number + 1);
        @Nullable Segment[] segments = new Segment[Math.toIntExact(end - first)];
        System.arraycopy(old.segments, 0, segments, (int) (oldLength == 0 ? 0 : old.first - first), oldLength);
        segments[(int) (segment.number - first)] = segment;
        table = new Table(first, segments);
    }

    private void remove(Segment segment) {
        Table old = table;
        int from = 0;
        @Nullable Segment[] segments = old.segments.clone();
        segments[(int) (segment.number - old.first)] = null;
        while (from < segments.length && segments[from] == null) {
            from++;
        }
        @Nullable Segment[] rest = new Segment[segments.length - from];
        System.arraycopy(segments, from, rest, 0, rest.length);
        table = new Table(old.first + from, rest);
    }

    /** Tells which segment comes next once the tail is known. */
    void nextIs(long number) {
        nextNumber = number;
    }

    /** A file that can be used for a segment again. */
    void addSpare(String name) {
        synchronized (files) {
            spares.add(name);
            spareReady = true;
        }
    }

    /** Takes a segment out of the journal; its file is dealt with by {@link #prepare}. */
    void retire(Segment segment) {
        remove(segment);
        synchronized (files) {
            retired.add(segment);
            retiredWaiting = true;
        }
    }

    /** Makes a segment whose contents count for nothing a spare; returns its name. */
    String toSpare(Segment segment) throws IOException {
        remove(segment);
        segment.file.close();
        String spare = Format.spareName(segment.number);
        storage.rename(segment.name(), spare);
        return spare;
    }

    /** Whether used-up segments become spares; if not, those that are there are deleted by {@link #prepare}. */
    void keepSpares(boolean keep) {
        keepSpares = keep;
    }

    boolean prepareNeeded() {
        return next == null || retiredWaiting || (!keepSpares && spareReady);
    }

    boolean nextReady() {
        return next != null || spareReady || retiredWaiting;
    }

    /** The next segment, made now if need be, empty and durable under its name. */
    Segment takeNext() throws JournalException {
        synchronized (files) {
            Segment taken = next;
            if (taken == null) {
                if (spares.isEmpty()) {
                    retireFiles();
                }
                taken = make(segmentBytes);
            }
            next = null;
            nextNumber = taken.number + 1;
            add(taken);
            return taken;
        }
    }

    /** The first segment of an empty directory: usable soon, its space is taken step by step. */
    Segment makeFirst() throws JournalException {
        synchronized (files) {
            Segment first = make(Math.min(segmentBytes, STEP));
            nextNumber = first.number + 1;
            add(first);
            return first;
        }
    }

    /** Deals with retired segments and makes the next one ready. Any thread. */
    void prepare() throws JournalException {
        synchronized (files) {
            retireFiles();
            if (next == null) {
                next = make(segmentBytes);
            }
            if (!keepSpares) {
                deleteSpares();
            }
        }
    }

    private void deleteSpares() throws JournalException {
        for (String spare = spares.peek(); spare != null; spare = spares.peek()) {
            try {
                storage.delete(spare);
            } catch (IOException e) {
                throw new JournalException(
                        "Spare segment " + spare + " in " + storage.location() + " cannot be deleted: "
                                + e.getMessage(),
                        e);
            }
            spares.remove();
        }
        spareReady = false;
    }

    /** The time that goes into the headers of segments made from now on. */
    void time(long nowMillis) {
        timeMillis = nowMillis;
    }

    /** Takes more of the space of a segment that was begun small. */
    void extend(Segment segment, long upTo) throws JournalException {
        long size = Math.min(segmentBytes, Math.max(upTo, segment.allocated + STEP));
        try {
            checkSpace(size - segment.allocated);
            segment.file.allocate(size);
            segment.allocated = size;
        } catch (JournalException e) {
            throw e;
        } catch (IOException e) {
            throw full("segment " + segment.name() + " cannot be extended to " + size + " bytes", e);
        }
    }

    private void retireFiles() throws JournalException {
        Segment segment = retired.peek();
        if (segment == null) {
            return;
        }
        String doing = "";
        try {
            while (segment != null) {
                doing = segment.name();
                segment.file.close();
                if (keepSpares && spares.size() < settings.spareSegments()) {
                    String spare = Format.spareName(segment.number);
                    storage.rename(segment.name(), spare);
                    spares.add(spare);
                } else {
                    storage.delete(segment.name());
                }
                retired.remove();
                segment = retired.peek();
            }
            retiredWaiting = false;
            spareReady = !spares.isEmpty();
        } catch (IOException e) {
            throw new JournalException(
                    "Segment file " + doing + " in " + storage.location() + " cannot be put to new use: "
                            + e.getMessage(),
                    e);
        }
    }

    /** A new empty segment with the next number. Failing costs nothing but the spare that was used. */
    private Segment make(long bytes) throws JournalException {
        long number = nextNumber;
        String name = Format.segmentName(number);
        String spare = spares.poll();
        spareReady = !spares.isEmpty();
        StorageFile file = null;
        String made = spare;
        try {
            if (spare != null) {
                // Before a spare gets a new header its old name must be gone for good.
                storage.syncDirectory();
                file = storage.open(spare);
                // A sync that failed in an earlier life may have left its length where it can be read and not on the
                // disk.
                file.write(ByteBuffer.allocate(8), bytes - 8);
            } else {
                checkSpace(bytes);
                made = Format.spareName(number);
                if (storage.exists(made)) {
                    storage.delete(made);
                }
                file = storage.create(made);
            }
            allocate(file, bytes);
            SegmentHeader header = new SegmentHeader(
                    Format.VERSION,
                    number,
                    segmentBytes,
                    ids.getAsLong(),
                    ids.getAsLong(),
                    term,
                    number - 1,
                    timeMillis,
                    journalHigh,
                    journalLow);
            file.write(header.encode(), 0);
            file.force();
            storage.rename(made, name);
            made = name;
            storage.syncDirectory();
            return new Segment(number, segmentBytes, header.idHigh(), header.idLow(), file, Math.max(bytes, 0));
        } catch (IOException e) {
            discard(file, made);
            if (e instanceof JournalException known) {
                throw known;
            }
            throw full("segment " + name + " of " + bytes + " bytes cannot be made", e);
        }
    }

    /** Step by step, so that a sync of the writer meanwhile does not wait behind all of it. */
    private static void allocate(StorageFile file, long bytes) throws IOException {
        for (long step = Math.min(STEP, bytes); step < bytes; step += STEP) {
            if (file.size() < step) {
                file.allocate(step);
                file.force();
            }
        }
        file.allocate(bytes);
    }

    private void discard(@Nullable StorageFile file, @Nullable String name) {
        try {
            if (file != null) {
                file.close();
            }
            if (name != null && storage.exists(name)) {
                storage.delete(name);
            }
        } catch (IOException alreadyFailing) {
            // What is left is an empty segment or a spare: the next opening finds it and uses it again.
            return;
        }
    }

    private void checkSpace(long bytes) throws JournalException {
        long usable;
        try {
            usable = storage.usableBytes();
        } catch (IOException e) {
            throw full("the free space cannot be found out", e);
        }
        if (usable - bytes < settings.lowWaterBytes()) {
            throw new JournalFullException(
                    "No space for another segment in " + storage.location() + ": " + usable + " bytes are usable, "
                            + bytes + " are needed and " + settings.lowWaterBytes()
                            + " must stay free (low-water mark). Free some space; appending then goes on by itself.",
                    null);
        }
    }

    private JournalFullException full(String what, IOException cause) {
        return new JournalFullException(
                "No room to append in " + storage.location() + ": " + what + ": " + cause.getMessage()
                        + ". Free some space or repair the disk; appending then goes on by itself.",
                cause);
    }

    boolean spaceFor(long bytes) {
        try {
            return storage.usableBytes() - bytes >= settings.lowWaterBytes();
        } catch (IOException e) {
            return false;
        }
    }

    boolean spaceForStep() {
        return spaceFor(STEP);
    }

    void close() throws IOException {
        IOException failure = null;
        synchronized (files) {
            List<Segment> open = all();
            open.addAll(retired);
            Segment prepared = next;
            if (prepared != null) {
                open.add(prepared);
            }
            next = null;
            for (Segment segment : open) {
                try {
                    segment.file.close();
                } catch (IOException e) {
                    if (failure == null) {
                        failure = e;
                    } else {
                        failure.addSuppressed(e);
                    }
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
