package dev.postroad.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A note beside the segments of how far everything is durable, for what no batch can say: that the last ones of all were.
 * Damage there could not be told from the end that a crash tears off. It is written when the journal comes to rest and not
 * synced before it is closed, so that it costs the writer next to nothing; one that is old, or torn, or gone, proves less and
 * nothing wrong.
 *
 * <p>Two slots of 512 bytes are written in turn:
 *
 * <pre>
 *    0  u64  magic "POSTMARK"
 *    8  u32  format version
 *   12  u32  0
 *   16  u128 id of the journal
 *   32  u64  position: everything before it has been synced
 *   40  u64  number of the note, counted from 1
 *   48  12 bytes, 0
 *   60  u32  CRC32C of bytes 0 to 60
 * </pre>
 */
final class DurableMark implements Closeable {
    static final String NAME = "durable.mark";
    private static final long MAGIC = 0x504F53544D41524BL;
    private static final int SLOT = 512;
    private static final int BYTES = 64;

    private final StorageFile file;
    private final long journalHigh;
    private final long journalLow;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES);
    private long position;
    private long number;

    /** A note that is good. */
    record Note(long journalHigh, long journalLow, long position, long number) {}

    private DurableMark(StorageFile file, long journalHigh, long journalLow) {
        this.file = file;
        this.journalHigh = journalHigh;
        this.journalLow = journalLow;
    }

    /** The last good note in a file; null if there is none. */
    static @Nullable Note read(StorageFile file) throws IOException {
        Note last = null;
        ByteBuffer bytes = ByteBuffer.allocate(BYTES);
        for (int slot = 0; slot < 2; slot++) {
            bytes.clear();
            while (bytes.hasRemaining() && file.read(bytes, (long) slot * SLOT + bytes.position()) > 0) {
                continue;
            }
            boolean good = !bytes.hasRemaining()
                    && bytes.getLong(0) == MAGIC
                    && bytes.getInt(8) == Format.VERSION
                    && bytes.getInt(60) == Format.crc(new CRC32C(), bytes.duplicate(), 0, 60);
            if (good && (last == null || bytes.getLong(40) > last.number)) {
                last = new Note(bytes.getLong(16), bytes.getLong(24), bytes.getLong(32), bytes.getLong(40));
            }
        }
        return last;
    }

    /** Opens the file, made if need be; null where that can't be done, on a full disk say: there are no notes then. */
    static @Nullable DurableMark open(Storage storage, long journalHigh, long journalLow) {
        StorageFile file = null;
        try {
            file = storage.exists(NAME) ? storage.open(NAME) : storage.create(NAME);
            file.allocate(2L * SLOT);
            DurableMark mark = new DurableMark(file, journalHigh, journalLow);
            Note last = read(file);
            mark.number = last == null ? 0 : last.number;
            return mark;
        } catch (IOException withoutIt) {
            closeQuietly(file);
            return null;
        }
    }

    private static void closeQuietly(@Nullable StorageFile file) {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException alreadyWithoutIt) {
            return;
        }
    }

    /** Notes that everything before the position has been synced. */
    void note(long upTo) throws IOException {
        if (upTo <= position) {
            return;
        }
        number++;
        buffer.clear();
        buffer.putLong(0, MAGIC)
                .putInt(8, Format.VERSION)
                .putLong(16, journalHigh)
                .putLong(24, journalLow)
                .putLong(32, upTo)
                .putLong(40, number);
        buffer.putInt(60, Format.crc(new CRC32C(), buffer.duplicate(), 0, 60));
        file.write(buffer, number % 2 * SLOT);
        position = upTo;
    }

    void force() throws IOException {
        file.force();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
