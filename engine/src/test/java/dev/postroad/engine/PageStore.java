package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A journal for indexes under test: gives positions, keeps pages, and holds everybody to account: nothing is retained
 * twice, released twice or with another size, or read after it was released.
 */
final class PageStore implements PagedIndex.PageReader, Space {
    private final TreeMap<Long, Integer> retained = new TreeMap<>();
    private final TreeMap<Long, byte[]> pages = new TreeMap<>();
    private final TreeMap<Long, byte[]> read = new TreeMap<>();
    private long next = 1_000;

    /** Position of a new record. */
    long record(int sizeBytes) {
        long position = next;
        next += sizeBytes + 8L;
        return position;
    }

    /** Writes a page of the index as the engine does. */
    void writePage(PagedIndex index, long pageNumber) {
        ByteBuffer out = ByteBuffer.allocate(index.maxPageBytes());
        index.writePage(pageNumber, out);
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        long position = record(bytes.length);
        long before = index.pageRecord(pageNumber);
        if (before != PagedIndex.NONE) {
            release(before, index.pageRecordSize(pageNumber));
        }
        retain(position, bytes.length);
        pages.put(position, bytes);
        index.wrotePage(pageNumber, position, bytes.length);
    }

    void writePages(PagedIndex index) {
        writePages(index, false);
    }

    void writePages(PagedIndex index, boolean tight) {
        for (long page = index.pageToWrite(tight); page != PagedIndex.NONE; page = index.pageToWrite(tight)) {
            writePage(index, page);
        }
    }

    @Override
    public ByteBuffer read(long recordPosition, int sizeBytes) {
        byte[] bytes = pages.get(recordPosition);
        assertThat(bytes).as("page at %d", recordPosition).isNotNull().hasSize(sizeBytes);
        read.put(recordPosition, bytes);
        return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
    }

    @Override
    public void retain(long recordPosition, int sizeBytes) {
        assertThat(retained.put(recordPosition, sizeBytes))
                .as("retained before")
                .isNull();
    }

    @Override
    public void release(long recordPosition, int sizeBytes) {
        assertThat(retained.remove(recordPosition))
                .as("retained at %d", recordPosition)
                .isEqualTo(sizeBytes);
        pages.remove(recordPosition);
    }

    TreeSet<Long> retainedMessages() {
        TreeSet<Long> messages = new TreeSet<>(retained.keySet());
        messages.removeAll(pages.keySet());
        return messages;
    }

    TreeSet<Long> retainedPages() {
        return new TreeSet<>(pages.keySet());
    }

    /** How many pages were ever read back. */
    int pagesRead() {
        return read.size();
    }
}
