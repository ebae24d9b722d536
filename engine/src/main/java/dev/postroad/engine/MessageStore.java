package dev.postroad.engine;

import dev.postroad.journal.CorruptRecordException;
import dev.postroad.journal.Journal;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.RecordReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Messages by the position of their record. A message is stored once, however many indexes refer to it, and its position
 * stays its name when compaction moves its bytes elsewhere.
 *
 * <p>The newest messages are also kept in memory, up to a bound in bytes, because most are consumed soon after they came.
 */
final class MessageStore implements Space, PagedIndex.PageReader {
    /** How many indexes refer to a record; only of those that more than one does. Durable. */
    private final LongMap<Integer> shared = new LongMap<>();

    /** Where the bytes of a record are that compaction has moved. Durable. */
    private final LongMap<Long> moved = new LongMap<>();

    private final MessageCache cache;
    private long unreferenced = -1;

    private @Nullable Journal journal;
    private @Nullable RecordReader reader;

    MessageStore(long cacheLimitBytes) {
        this.cache = new MessageCache(cacheLimitBytes);
    }

    void attach(Journal newJournal) {
        journal = newJournal;
        reader = newJournal.writerReader();
    }

    private Journal journal() {
        Journal attached = journal;
        if (attached == null) {
            throw new IllegalStateException("no journal is attached");
        }
        return attached;
    }

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    Stored read(long position) {
        Stored known = cache.get(position);
        return known != null ? known : Records.decodeStored(bytes(position), readType());
    }

    /** The message at this position; null if its bytes are damaged. */
    @Nullable
    Stored readIfSound(long position) {
        if (position < 0) {
            return null;
        }
        try {
            return read(position);
        } catch (EngineException e) {
            if (e.reason() == EngineException.Reason.DAMAGED) {
                return null;
            }
            throw e;
        }
    }

    @Override
    public ByteBuffer read(long recordPosition, int sizeBytes) {
        ByteBuffer page = bytes(recordPosition);
        Records.skipPageHead(page);
        return page;
    }

    /** A copy of the payload of the message's MESSAGE record, wherever its bytes are now; null if they are damaged or gone. */
    @Nullable
    ByteBuffer payloadIfSound(long position) {
        try {
            ByteBuffer from = bytes(position);
            if (readType() == Records.MOVED) {
                from.getLong();
            }
            byte[] copy = new byte[from.remaining()];
            from.get(copy);
            return ByteBuffer.wrap(copy);
        } catch (EngineException e) {
            if (e.reason() == EngineException.Reason.DAMAGED) {
                return null;
            }
            throw e;
        }
    }

    private ByteBuffer bytes(long position) {
        RecordReader from = reader;
        if (from == null) {
            throw new IllegalStateException("no journal is attached");
        }
        try {
            return from.read(location(position));
        } catch (CorruptRecordException e) {
            throw new EngineException(EngineException.Reason.DAMAGED, String.valueOf(e.getMessage()), e);
        } catch (JournalException e) {
            throw new UncheckedIOException(e);
        }
    }

    private byte readType() {
        RecordReader from = reader;
        return from == null ? 0 : from.type();
    }

    /** Keeps a message that has just come, for those who will want it soon. */
    void remember(long position, Stored stored, int sizeBytes) {
        cache.add(position, stored, sizeBytes);
    }

    // ── Space ────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** A record has just been written: the next reference to it is its first. */
    void wrote(long position) {
        unreferenced = position;
    }

    @Override
    public void retain(long recordPosition, int sizeBytes) {
        if (recordPosition == unreferenced) {
            unreferenced = -1;
            journal().retain(recordPosition, sizeBytes);
        } else {
            Integer before = shared.get(recordPosition);
            shared.put(recordPosition, before == null ? 2 : before + 1);
        }
    }

    @Override
    public void release(long recordPosition, int sizeBytes) {
        if (recordPosition < 0) {
            // The index page that knew where it lies is damaged: its space is not given back.
            return;
        }
        Integer count = shared.isEmpty() ? null : shared.get(recordPosition);
        if (count == null) {
            long at = location(recordPosition);
            if (!moved.isEmpty()) {
                moved.remove(recordPosition);
            }
            cache.remove(recordPosition);
            journal().release(at, sizeBytes);
        } else if (count == 2) {
            shared.remove(recordPosition);
        } else {
            shared.put(recordPosition, count - 1);
        }
    }

    /** How many indexes refer to a record that at least one refers to. */
    int references(long recordPosition) {
        Integer count = shared.get(recordPosition);
        return count == null ? 1 : count;
    }

    /** Records that more than one index refers to. */
    int sharedEntries() {
        return shared.size();
    }

    /** Records whose bytes compaction has moved. */
    int movedEntries() {
        return moved.size();
    }

    /** Where the bytes of the record are now. */
    long location(long recordPosition) {
        Long elsewhere = moved.isEmpty() ? null : moved.get(recordPosition);
        return elsewhere == null ? recordPosition : elsewhere;
    }

    /** The bytes of a message are elsewhere from now on. */
    void applyMoved(long recordPosition, long newLocation, int sizeBytes) {
        journal().release(location(recordPosition), sizeBytes);
        journal().retain(newLocation, sizeBytes);
        moved.put(recordPosition, newLocation);
    }

    long heapBytes() {
        return cache.bytes() + 28L * shared.size() + shared.heapBytes() + 36L * moved.size() + moved.heapBytes();
    }

    /** Of these, what indexes of moved and shared messages take: without the messages kept for speed. */
    long indexBytes() {
        return heapBytes() - cache.bytes();
    }

    void write(Snapshot snapshot) {
        ByteBuffer out = snapshot.room(20 + 13 * shared.size() + 16 * moved.size());
        Bytes.putVarint(out, shared.size());
        for (long position : shared.sortedKeys()) {
            Integer count = shared.get(position);
            out.putLong(position);
            Bytes.putVarint(out, count == null ? 0 : count);
        }
        Bytes.putVarint(out, moved.size());
        for (long position : moved.sortedKeys()) {
            out.putLong(position).putLong(location(position));
        }
    }

    void read(ByteBuffer in) {
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            shared.put(in.getLong(), (int) Bytes.getVarint(in));
        }
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            moved.put(in.getLong(), in.getLong());
        }
    }
}
