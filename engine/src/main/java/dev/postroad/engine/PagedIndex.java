package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * An index over the journal: numbered entries, each telling where a message lies, how large it is, a time (expiry in queues,
 * acceptance in streams) and a hash of its key. Entries are appended, and marked gone in any order; numbers are never used
 * again.
 *
 * <p>A backlog costs disk, not heap: entries lie in pages of {@value #PAGE_ENTRIES}, and of a long index only the pages at
 * its ends keep their entries in memory. The others were written to the journal as one record each and are read back when
 * somebody gets there; of them remain, in memory, a descriptor and a bit per entry that says whether it is gone.
 *
 * <pre>
 *   page   [0]        [1]  …  [k]         [k+1] … [n-2]       [n-1]      [n]
 *          being read, in memory          on disk: bits only  in memory: being appended
 * </pre>
 *
 * Positions ascend with the numbers, so that an entry is found by its position in two binary searches.
 */
final class PagedIndex {
    static final int PAGE_ENTRIES = 1024;

    /** No entry. */
    static final long NONE = -1;

    private static final int RESIDENT_PAGES = 32;
    private static final int LOADED_PAGES = 4;
    private static final int MASK = PAGE_ENTRIES - 1;
    private static final int SHIFT = 10;

    /** Reads a page record back. */
    @FunctionalInterface
    interface PageReader {
        ByteBuffer read(long recordPosition, int sizeBytes);
    }

    private final boolean keepsTimes;
    private final boolean keepsHashes;
    private final PageReader reader;

    /** pages[0] is page number firstPage; a page all of whose entries are gone is null. */
    private @Nullable Page[] pages = new Page[4];

    private long firstPage;
    private long next;
    private long live;
    private long liveBytes;
    private int residentPages;
    private long writeCursor;
    private final ArrayDeque<Page> loaded = new ArrayDeque<>();

    PagedIndex(boolean keepsTimes, boolean keepsHashes, PageReader reader) {
        this.keepsTimes = keepsTimes;
        this.keepsHashes = keepsHashes;
        this.reader = reader;
    }

    /** Number of the entry that will be appended next. */
    long next() {
        return next;
    }

    /** Entries that are not gone. */
    long live() {
        return live;
    }

    /** Sizes of the entries that are not gone. */
    long liveBytes() {
        return liveBytes;
    }

    /** Lets the numbers begin elsewhere; only while nothing was appended. */
    void startAt(long number) {
        if (live > 0) {
            throw new IllegalStateException("the index has entries");
        }
        next = number;
        firstPage = number >>> SHIFT;
        pages = new Page[4];
        writeCursor = firstPage;
    }

    long append(long position, int sizeBytes, long time, long hash) {
        long number = next;
        Page page = page(number >>> SHIFT);
        if (page == null) {
            page = addPage(number >>> SHIFT, (int) number & MASK);
            page.firstPosition = position;
        }
        page.append((int) number & MASK, position, sizeBytes, time, hash);
        next++;
        live++;
        liveBytes += sizeBytes;
        return number;
    }

    /** False for entries that were appended and are not gone. */
    boolean gone(long number) {
        Page page = page(number >>> SHIFT);
        return number >= next || page == null || page.gone((int) number & MASK);
    }

    /** Marks an entry gone. Returns its size, or -1 if it was gone before. */
    int remove(long number) {
        if (gone(number)) {
            return -1;
        }
        Page page = resident(number);
        int slot = (int) number & MASK;
        int size = page.sizes[slot];
        page.bits[slot >>> 6] |= 1L << slot;
        page.live--;
        live--;
        liveBytes -= size;
        if (page.live == 0 && (page.number + 1) << SHIFT <= next) {
            drop(page);
        }
        return size;
    }

    /** Marks an entry gone whose size is known, without reading its page. Returns false if it was gone before. */
    boolean remove(long number, int sizeBytes) {
        Page page = page(number >>> SHIFT);
        if (page == null || gone(number)) {
            return false;
        }
        int slot = (int) number & MASK;
        page.bits[slot >>> 6] |= 1L << slot;
        page.live--;
        page.bytes -= sizeBytes;
        live--;
        liveBytes -= sizeBytes;
        if (page.live == 0 && (page.number + 1) << SHIFT <= next) {
            drop(page);
        }
        return true;
    }

    long position(long number) {
        return resident(number).positions[(int) number & MASK];
    }

    int size(long number) {
        return resident(number).sizes[(int) number & MASK];
    }

    /** The entry's time; 0 where the index keeps none. */
    long time(long number) {
        long[] times = resident(number).times;
        return times == null ? 0 : times[(int) number & MASK];
    }

    /** The hash of the entry's key; 0 where the index keeps none. */
    long hash(long number) {
        long[] hashes = resident(number).hashes;
        return hashes == null ? 0 : hashes[(int) number & MASK];
    }

    /** The first entry at or behind this number that is not gone, or {@link #NONE}. */
    long nextLive(long from) {
        long number = Math.max(from, firstPage << SHIFT);
        while (number < next) {
            Page page = page(number >>> SHIFT);
            if (page == null) {
                number = ((number >>> SHIFT) + 1) << SHIFT;
                continue;
            }
            int slot = page.nextLive((int) number & MASK);
            if (slot < 0) {
                number = (page.number + 1) << SHIFT;
                continue;
            }
            long found = (page.number << SHIFT) + slot;
            return found < next ? found : NONE;
        }
        return NONE;
    }

    /** The first entry that is not gone, or {@link #next} if all are. */
    long first() {
        long found = nextLive(0);
        return found == NONE ? next : found;
    }

    /** The last entry that is not gone, or {@link #NONE}. */
    long last() {
        for (int i = lastIndex(); i >= 0; i--) {
            Page page = pages[i];
            int slot = page == null || page.live == 0 ? -1 : page.lastLive();
            if (page != null && slot >= 0) {
                return (page.number << SHIFT) + slot;
            }
        }
        return NONE;
    }

    /** The entry of the message at this position, gone or not; {@link #NONE} if there never was one or its page is gone. */
    long find(long position) {
        int low = 0;
        int high = lastIndex();
        Page candidate = null;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int probe = middle;
            while (probe <= high && pages[probe] == null) {
                probe++;
            }
            Page page = probe > high ? null : pages[probe];
            if (page == null || page.firstPosition > position) {
                high = middle - 1;
            } else {
                candidate = page;
                low = probe + 1;
            }
        }
        if (candidate == null) {
            return NONE;
        }
        Page page = load(candidate);
        int slot = Arrays.binarySearch(page.positions, page.start, page.count, position);
        return slot < 0 ? NONE : (page.number << SHIFT) + slot;
    }

    /**
     * The first entry not gone whose time is this or later, or {@link #next} if there is none. Only where times never
     * decrease with the numbers and none is 0.
     */
    long firstAtOrAfterTime(long time) {
        int low = 0;
        int high = lastIndex();
        Page candidate = null;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int probe = middle;
            while (probe <= high && pages[probe] == null) {
                probe++;
            }
            Page page = probe > high ? null : pages[probe];
            if (page == null || page.minTime >= time) {
                high = middle - 1;
            } else {
                candidate = page;
                low = probe + 1;
            }
        }
        long from = firstPage << SHIFT;
        if (candidate != null) {
            Page page = load(candidate);
            long[] times = page.times;
            int first = page.start;
            int last = page.count;
            while (times != null && first < last) {
                int middle = (first + last) >>> 1;
                if (times[middle] < time) {
                    first = middle + 1;
                } else {
                    last = middle;
                }
            }
            from = (page.number << SHIFT) + first;
        }
        long found = nextLive(from);
        return found == NONE ? next : found;
    }

    /** The first entry such that it and all behind it that are not gone have at most so many bytes; {@link #next} if none. */
    long firstWithin(long bytes) {
        long excess = liveBytes - bytes;
        long from = firstPage << SHIFT;
        for (int i = 0; i < pages.length && excess > 0; i++) {
            Page page = pages[i];
            if (page == null) {
                continue;
            }
            long whole = page.liveBytes();
            if (whole <= excess) {
                excess -= whole;
                from = (page.number + 1) << SHIFT;
                continue;
            }
            load(page);
            for (int slot = page.nextLive(page.start); slot >= 0 && excess > 0; slot = page.nextLive(slot + 1)) {
                excess -= page.sizes[slot];
                from = (page.number << SHIFT) + slot + 1;
            }
        }
        long found = nextLive(from);
        return found == NONE ? next : found;
    }

    private int lastIndex() {
        return (int) Math.min(pages.length - 1L, ((next + MASK) >>> SHIFT) - firstPage - 1);
    }

    /** The smallest time in any page that has entries with a time; {@link Long#MAX_VALUE} if there are none. */
    long minTime() {
        long min = Long.MAX_VALUE;
        for (Page page : pages) {
            if (page != null) {
                min = Math.min(min, page.minTime);
            }
        }
        return min;
    }

    /** Calls back for every entry, oldest first, that is not gone and whose time has come; a time of 0 never comes. */
    void forEachDue(long now, java.util.function.LongConsumer visitor) {
        for (int i = 0; i < pages.length; i++) {
            Page page = pages[i];
            if (page == null || page.minTime > now) {
                continue;
            }
            long[] times = load(page).times;
            if (times == null) {
                continue;
            }
            for (int slot = page.nextLive(page.start); slot >= 0; slot = page.nextLive(slot + 1)) {
                if (times[slot] != 0 && times[slot] <= now) {
                    visitor.accept((page.number << SHIFT) + slot);
                }
            }
        }
        refreshMinTimes(now);
    }

    private void refreshMinTimes(long now) {
        for (Page page : pages) {
            if (page != null && page.minTime <= now) {
                page.refreshMinTime(load(page).times);
            }
        }
    }

    // ── Pages on disk ────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * A page that should go to disk, or {@link #NONE}: a full one, once more than {@value #RESIDENT_PAGES} are in memory,
     * other than the newest and those at the reading end.
     *
     * @param tight memory is scarce, as it may be with many short indexes: any full one
     */
    long pageToWrite(boolean tight) {
        if (tight) {
            return anyPageToWrite();
        }
        if (residentPages <= RESIDENT_PAGES) {
            return NONE;
        }
        long last = (next >>> SHIFT) - 1;
        for (long number = Math.max(writeCursor, firstPage + LOADED_PAGES); number < last; number++) {
            if (toWrite(page(number))) {
                return number;
            }
            writeCursor = number;
        }
        return NONE;
    }

    private long anyPageToWrite() {
        Page newest = page(next >>> SHIFT);
        int full = residentPages - (newest == null ? 0 : 1);
        for (int i = 0; full > 0 && i < pages.length; i++) {
            Page page = pages[i];
            if (page != newest && toWrite(page)) {
                return firstPage + i;
            }
        }
        return NONE;
    }

    private static boolean toWrite(@Nullable Page page) {
        return page != null && page.positions.length > 0 && page.diskPosition == NONE;
    }

    /** Most bytes that {@link #writePage} puts. */
    int maxPageBytes() {
        return 32 + PAGE_ENTRIES * (10 + 5 + (keepsTimes ? 10 : 0) + (keepsHashes ? 8 : 0));
    }

    /** Writes the entries of a page, to be read back by the reader. */
    void writePage(long pageNumber, ByteBuffer out) {
        Page page = page(pageNumber);
        if (page == null) {
            throw new IllegalStateException("page " + pageNumber + " is gone");
        }
        writeEntries(load(page), out);
    }

    /** The page's entries are in this record from now on, and need no memory. */
    void wrotePage(long pageNumber, long recordPosition, int sizeBytes) {
        Page page = page(pageNumber);
        if (page == null) {
            return;
        }
        boolean first = page.diskPosition == NONE;
        page.diskPosition = recordPosition;
        page.diskSize = sizeBytes;
        if (first && page.positions.length > 0) {
            page.forget();
            residentPages--;
        }
    }

    /** Where the page's record lies, or {@link #NONE} if it has none or is gone. */
    long pageRecord(long pageNumber) {
        Page page = page(pageNumber);
        return page == null ? NONE : page.diskPosition;
    }

    /** Size of the page's record; 0 if it has none or is gone. */
    int pageRecordSize(long pageNumber) {
        Page page = page(pageNumber);
        return page == null ? 0 : page.diskSize;
    }

    /** True if the page's record is damaged. */
    boolean lost(long pageNumber) {
        Page page = page(pageNumber);
        return page != null && load(page).lost;
    }

    /** False if all entries of the page are gone, or it never was. */
    boolean hasPage(long pageNumber) {
        return page(pageNumber) != null;
    }

    /** Told of each page record that is needed no more. */
    interface PageReleased {
        void released(long recordPosition, int sizeBytes);
    }

    private @Nullable PageReleased released;

    void onPageReleased(PageReleased listener) {
        released = listener;
    }

    /** Tells the listener of every page record; for when the whole index goes. */
    void releaseAll() {
        for (Page page : pages) {
            if (page != null && page.diskPosition != NONE && released != null) {
                released.released(page.diskPosition, page.diskSize);
            }
        }
    }

    /** Every page record and its size. */
    void forEachPageRecord(PageReleased visitor) {
        for (Page page : pages) {
            if (page != null && page.diskPosition != NONE) {
                visitor.released(page.diskPosition, page.diskSize);
            }
        }
    }

    /** Estimate of the heap it takes. */
    long heapBytes() {
        long entry = 12L + (keepsTimes ? 8 : 0) + (keepsHashes ? 8 : 0);
        long bytes = 8L * pages.length;
        for (Page page : pages) {
            if (page != null) {
                bytes += 250 + entry * page.positions.length;
            }
        }
        return bytes;
    }

    // ── Snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────

    void write(Snapshot out) {
        ByteBuffer head = out.room(40);
        Bytes.putVarint(head, next);
        Bytes.putVarint(head, firstPage);
        int count = 0;
        for (Page page : pages) {
            count += page == null ? 0 : 1;
        }
        Bytes.putVarint(head, count);
        for (Page page : pages) {
            if (page != null) {
                out.write(to -> writePageState(page, to));
            }
        }
    }

    private void writePageState(Page page, ByteBuffer out) {
        Bytes.putVarint(out, page.number);
        Bytes.putVarint(out, page.start);
        Bytes.putVarint(out, page.live);
        Bytes.putVarint(out, page.liveBytes());
        out.putLong(page.firstPosition);
        out.putLong(page.minTime);
        for (long word : page.bits) {
            out.putLong(word);
        }
        out.putLong(page.diskPosition);
        if (page.diskPosition == NONE) {
            writeEntries(page, out);
        } else {
            Bytes.putVarint(out, page.diskSize);
        }
    }

    void read(ByteBuffer in) {
        next = Bytes.getVarint(in);
        firstPage = Bytes.getVarint(in);
        int count = (int) Bytes.getVarint(in);
        pages = new Page[4];
        residentPages = 0;
        live = 0;
        liveBytes = 0;
        writeCursor = firstPage;
        for (int i = 0; i < count; i++) {
            readPageState(in);
        }
    }

    private void readPageState(ByteBuffer in) {
        long number = Bytes.getVarint(in);
        if (number < firstPage || number > next >>> SHIFT || number - firstPage > Integer.MAX_VALUE - 8) {
            throw new IllegalStateException("page " + number + " of an index that begins with page " + firstPage
                    + " and goes on with entry " + next);
        }
        Page page = new Page(number, (int) Bytes.getVarint(in));
        page.live = (int) Bytes.getVarint(in);
        page.bytes = Bytes.getVarint(in);
        page.firstPosition = in.getLong();
        page.minTime = in.getLong();
        for (int i = 0; i < page.bits.length; i++) {
            page.bits[i] = in.getLong();
        }
        page.diskPosition = in.getLong();
        place(page);
        if (page.diskPosition == NONE) {
            long minTime = page.minTime;
            readEntries(page, in);
            page.minTime = minTime;
            residentPages++;
        } else {
            page.diskSize = (int) Bytes.getVarint(in);
            page.count = PAGE_ENTRIES;
        }
        live += page.live;
        liveBytes += page.liveBytes();
    }

    private void writeEntries(Page page, ByteBuffer out) {
        Bytes.putVarint(out, page.start);
        Bytes.putVarint(out, page.count);
        long[] times = page.times;
        long[] hashes = page.hashes;
        out.put((byte) ((times != null ? 1 : 0) | (hashes != null ? 2 : 0)));
        long position = 0;
        long time = 0;
        for (int slot = page.start; slot < page.count; slot++) {
            Bytes.putSigned(out, page.positions[slot] - position);
            position = page.positions[slot];
            Bytes.putVarint(out, page.sizes[slot]);
            if (times != null) {
                Bytes.putSigned(out, times[slot] - time);
                time = times[slot];
            }
            if (hashes != null) {
                out.putLong(hashes[slot]);
            }
        }
    }

    private void readEntries(Page page, ByteBuffer in) {
        int start = (int) Bytes.getVarint(in);
        int count = (int) Bytes.getVarint(in);
        int flags = in.get();
        page.start = start;
        page.count = count;
        int capacity = Math.max(16, Integer.highestOneBit(Math.max(1, count - 1)) << 1);
        page.positions = new long[capacity];
        page.sizes = new int[capacity];
        long[] times = (flags & 1) != 0 ? new long[capacity] : null;
        long[] hashes = (flags & 2) != 0 ? new long[capacity] : null;
        page.times = times;
        page.hashes = hashes;
        long position = 0;
        long time = 0;
        for (int slot = start; slot < count; slot++) {
            position += Bytes.getSigned(in);
            page.positions[slot] = position;
            page.sizes[slot] = (int) Bytes.getVarint(in);
            if (times != null) {
                time += Bytes.getSigned(in);
                times[slot] = time;
            }
            if (hashes != null) {
                hashes[slot] = in.getLong();
            }
        }
    }

    // ── Pages in memory ──────────────────────────────────────────────────────────────────────────────────────────────

    private @Nullable Page page(long pageNumber) {
        long i = pageNumber - firstPage;
        return i < 0 || i >= pages.length ? null : pages[(int) i];
    }

    private Page addPage(long pageNumber, int start) {
        Page page = new Page(pageNumber, start);
        page.positions = new long[16];
        page.sizes = new int[16];
        page.grow(start);
        if (keepsTimes) {
            page.times = new long[page.positions.length];
        }
        if (keepsHashes) {
            page.hashes = new long[page.positions.length];
        }
        page.count = start;
        place(page);
        residentPages++;
        return page;
    }

    private void place(Page page) {
        int shift = 0;
        while (shift < pages.length && pages[shift] == null) {
            shift++;
        }
        if (shift == pages.length) {
            firstPage = page.number;
            Arrays.fill(pages, null);
        } else if (shift > pages.length / 2) {
            System.arraycopy(pages, shift, pages, 0, pages.length - shift);
            Arrays.fill(pages, pages.length - shift, pages.length, null);
            firstPage += shift;
        }
        int i = (int) (page.number - firstPage);
        if (i >= pages.length) {
            pages = Arrays.copyOf(pages, Math.max(i + 1, 2 * pages.length));
        }
        pages[i] = page;
    }

    private Page resident(long number) {
        Page page = page(number >>> SHIFT);
        if (page == null) {
            throw new IllegalStateException("entry " + number + " is gone");
        }
        return load(page);
    }

    private Page load(Page page) {
        if (page.positions.length == 0) {
            long minTime = page.minTime;
            try {
                readEntries(page, reader.read(page.diskPosition, page.diskSize));
            } catch (EngineException e) {
                if (e.reason() != EngineException.Reason.DAMAGED) {
                    throw e;
                }
                page.lose();
                minTime = Long.MAX_VALUE;
            }
            page.minTime = minTime;
            loaded.addLast(page);
            if (loaded.size() > LOADED_PAGES) {
                loaded.removeFirst().forget();
            }
        }
        return page;
    }

    private void drop(Page page) {
        pages[(int) (page.number - firstPage)] = null;
        if (page.diskPosition == NONE) {
            residentPages--;
        } else {
            loaded.remove(page);
            if (released != null) {
                released.released(page.diskPosition, page.diskSize);
            }
        }
    }

    private static final class Page {
        private static final long[] NO_LONGS = new long[0];
        private static final int[] NO_INTS = new int[0];

        final long number;
        int start;
        int count;
        int live;
        long bytes = -1;
        long firstPosition;
        long minTime = Long.MAX_VALUE;
        final long[] bits = new long[PAGE_ENTRIES / 64];
        long[] positions = NO_LONGS;
        int[] sizes = NO_INTS;
        long @Nullable [] times;
        long @Nullable [] hashes;
        long diskPosition = NONE;
        boolean lost;
        int diskSize;

        Page(long number, int start) {
            this.number = number;
            this.start = start;
        }

        void append(int slot, long position, int sizeBytes, long time, long hash) {
            grow(slot);
            positions[slot] = position;
            sizes[slot] = sizeBytes;
            if (times != null) {
                times[slot] = time;
                if (time != 0 && time < minTime) {
                    minTime = time;
                }
            }
            if (hashes != null) {
                hashes[slot] = hash;
            }
            count = slot + 1;
            live++;
        }

        void grow(int slot) {
            if (slot >= positions.length) {
                int capacity = positions.length;
                while (slot >= capacity) {
                    capacity *= 4;
                }
                capacity = Math.min(capacity, PAGE_ENTRIES);
                positions = Arrays.copyOf(positions, capacity);
                sizes = Arrays.copyOf(sizes, capacity);
                times = times == null ? null : Arrays.copyOf(times, capacity);
                hashes = hashes == null ? null : Arrays.copyOf(hashes, capacity);
            }
        }

        /** The record is damaged: the entries are there, but where their messages lie is not known any more. */
        void lose() {
            positions = new long[PAGE_ENTRIES];
            Arrays.fill(positions, NONE);
            lost = true;
            sizes = new int[PAGE_ENTRIES];
            times = null;
            hashes = null;
            count = PAGE_ENTRIES;
        }

        boolean gone(int slot) {
            return slot < start || (bits[slot >>> 6] & 1L << slot) != 0;
        }

        int nextLive(int from) {
            int slot = Math.max(from, start);
            if (slot >= count) {
                return -1;
            }
            int word = slot >>> 6;
            long open = ~bits[word] & (-1L << slot);
            while (open == 0) {
                if (++word >= bits.length) {
                    return -1;
                }
                open = ~bits[word];
            }
            int found = (word << 6) + Long.numberOfTrailingZeros(open);
            return found < count ? found : -1;
        }

        int lastLive() {
            for (int slot = count - 1; slot >= start; slot--) {
                if (!gone(slot)) {
                    return slot;
                }
            }
            return -1;
        }

        void refreshMinTime(long @Nullable [] all) {
            long min = Long.MAX_VALUE;
            if (all != null) {
                for (int slot = nextLive(start); slot >= 0; slot = nextLive(slot + 1)) {
                    min = all[slot] == 0 ? min : Math.min(min, all[slot]);
                }
            }
            minTime = min;
        }

        /** Bytes of live entries; of a page on disk as it was counted when it was last in memory or in a snapshot. */
        long liveBytes() {
            if (positions.length == 0) {
                return bytes;
            }
            long sum = 0;
            for (int slot = nextLive(start); slot >= 0; slot = nextLive(slot + 1)) {
                sum += sizes[slot];
            }
            return sum;
        }

        void forget() {
            bytes = liveBytes();
            positions = NO_LONGS;
            sizes = NO_INTS;
            times = null;
            hashes = null;
        }
    }
}
