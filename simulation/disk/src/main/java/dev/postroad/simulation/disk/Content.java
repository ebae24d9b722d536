package dev.postroad.simulation.disk;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The bytes of a file, in pages that copies share until one of them writes. */
final class Content {
    private static final int PAGE = 1024;
    private static final byte[] ZEROS = new byte[PAGE];

    private byte[] @Nullable [] pages;
    private boolean[] own;
    private long size;

    Content() {
        pages = new byte[0][];
        own = new boolean[0];
    }

    private Content(byte[] @Nullable [] pages, long size) {
        this.pages = pages.clone();
        this.own = new boolean[pages.length];
        this.size = size;
    }

    Content copy() {
        Arrays.fill(own, false);
        return new Content(pages, size);
    }

    long size() {
        return size;
    }

    /** Sets the length; what comes in reads as zeros. */
    void resize(long newSize) {
        if (newSize < size) {
            fill(newSize, size, (byte) 0);
        }
        size = newSize;
    }

    int read(ByteBuffer dst, long position, int count) {
        int done = 0;
        while (done < count) {
            long at = position + done;
            int from = (int) (at % PAGE);
            int part = Math.min(count - done, PAGE - from);
            int index = (int) (at / PAGE);
            byte[] page = index < pages.length ? pages[index] : null;
            dst.put(page == null ? ZEROS : page, from, part);
            done += part;
        }
        return done;
    }

    void write(byte[] bytes, int offset, int count, long position) {
        int done = 0;
        while (done < count) {
            long at = position + done;
            int from = (int) (at % PAGE);
            int part = Math.min(count - done, PAGE - from);
            int index = (int) (at / PAGE);
            int source = offset + done;
            // A page that is not there reads as zeros: preallocated files are mostly such.
            if (isThere(index) || !Arrays.equals(bytes, source, source + part, ZEROS, 0, part)) {
                System.arraycopy(bytes, source, page(index), from, part);
            }
            done += part;
        }
        size = Math.max(size, position + count);
    }

    void fill(long from, long to, byte value) {
        long at = from;
        while (at < to) {
            int index = (int) (at / PAGE);
            int start = (int) (at % PAGE);
            int end = (int) Math.min(PAGE, start + to - at);
            if (value != 0 || isThere(index)) {
                Arrays.fill(page(index), start, end, value);
            }
            at += end - start;
        }
        if (value != 0) {
            size = Math.max(size, to);
        }
    }

    /** Whether both are as long as {@code to} at least and have the same bytes up to there; pages they share are not looked at. */
    boolean same(Content other, long from, long to) {
        if (size < to || other.size < to) {
            return false;
        }
        for (long at = from; at < to; ) {
            int index = (int) (at / PAGE);
            int start = (int) (at % PAGE);
            int end = (int) Math.min(PAGE, start + to - at);
            byte[] mine = isThere(index) ? pages[index] : ZEROS;
            byte[] others = other.isThere(index) ? other.pages[index] : ZEROS;
            if (mine != others && !Arrays.equals(mine, start, end, others, start, end)) {
                return false;
            }
            at += end - start;
        }
        return true;
    }

    byte get(long position) {
        int index = (int) (position / PAGE);
        byte[] page = index < pages.length ? pages[index] : null;
        return page == null ? 0 : page[(int) (position % PAGE)];
    }

    private boolean isThere(int index) {
        return index < pages.length && pages[index] != null;
    }

    private byte[] page(int index) {
        if (index >= pages.length) {
            int length = Math.max(index + 1, pages.length * 2);
            pages = Arrays.copyOf(pages, length);
            own = Arrays.copyOf(own, length);
        }
        byte[] page = pages[index];
        if (page == null || !own[index]) {
            page = page == null ? new byte[PAGE] : page.clone();
            pages[index] = page;
            own[index] = true;
        }
        return page;
    }
}
