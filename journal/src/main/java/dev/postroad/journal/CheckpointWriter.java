package dev.postroad.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Writes the snapshot of one checkpoint, on any one thread. The file counts only after {@link #finish()}; the checkpoint
 * before is kept. Failing here costs nothing that is stored: the journal goes on, and another checkpoint can be tried.
 *
 * <pre>
 *   writer thread:   CheckpointWriter checkpoint = journal.checkpoint();   and takes its snapshot
 *   any thread:      checkpoint.write(…) … once the position is durable: checkpoint.finish()
 *   writer thread:   journal.checkpointWritten(checkpoint)
 * </pre>
 */
public final class CheckpointWriter implements Closeable {
    private final Journal journal;
    private final Storage storage;
    private final Checkpoints.Contents contents;
    private final long obsolete;
    private final String name;
    private final String temporary;
    private final CRC32C crc = new CRC32C();
    private @Nullable StorageFile file;
    private long bytes;
    private boolean finished;
    private boolean closed;

    CheckpointWriter(Journal journal, Storage storage, Checkpoints.Contents contents, long obsolete) {
        this.journal = journal;
        this.storage = storage;
        this.contents = contents;
        this.obsolete = obsolete;
        this.name = Format.checkpointName(contents.generation());
        this.temporary = name + Format.TEMPORARY_SUFFIX;
    }

    /** The position the snapshot belongs to: recovery goes on from there. */
    public long position() {
        return contents.position();
    }

    /** Appends bytes to the snapshot. */
    public void write(ByteBuffer snapshot) throws JournalException {
        int count = snapshot.remaining();
        crc.update(snapshot.duplicate());
        try {
            open().write(snapshot, contents.snapshotOffset() + bytes);
        } catch (IOException e) {
            throw failed(e);
        }
        bytes += count;
    }

    /**
     * Makes the checkpoint durable and gives it its name; removes the one before the last.
     *
     * @throws IllegalStateException if the position is not durable yet
     */
    public void finish() throws JournalException {
        if (position() > journal.durablePosition()) {
            throw new IllegalStateException("The checkpoint's position " + position() + " is not durable yet, only "
                    + journal.durablePosition() + " is: finish it after the next synced commit");
        }
        Checkpoints.Contents whole = new Checkpoints.Contents(
                contents.version(),
                contents.generation(),
                contents.position(),
                contents.timeMillis(),
                contents.journalHigh(),
                contents.journalLow(),
                contents.segmentBytes(),
                bytes,
                contents.term(),
                (int) crc.getValue(),
                contents.entries());
        try {
            StorageFile target = open();
            target.write(Checkpoints.encode(whole), 0);
            target.force();
            target.close();
            storage.rename(temporary, name);
            storage.syncDirectory();
        } catch (IOException e) {
            throw failed(e);
        }
        finished = true;
        closed = true;
        try {
            String old = Format.checkpointName(obsolete);
            if (obsolete >= 0 && storage.exists(old)) {
                storage.delete(old);
            }
        } catch (IOException leftOver) {
            // It is one generation too many; the next opening removes it.
            return;
        }
    }

    /** Drops the checkpoint if it is not finished. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            StorageFile open = file;
            if (open != null) {
                open.close();
                storage.delete(temporary);
            }
        } catch (IOException leftOver) {
            // A temporary file counts for nothing; the next opening removes it.
            return;
        }
    }

    Checkpoints.Generation done() {
        if (!finished) {
            throw new IllegalStateException("The checkpoint at position " + position() + " is not finished");
        }
        return contents.generationOf();
    }

    private StorageFile open() throws IOException {
        if (closed) {
            throw new IOException("this checkpoint is closed");
        }
        StorageFile open = file;
        if (open == null) {
            if (storage.exists(temporary)) {
                storage.delete(temporary);
            }
            open = storage.create(temporary);
            file = open;
        }
        return open;
    }

    private JournalException failed(IOException e) {
        return new JournalException(
                "Checkpoint " + name + " in " + storage.location() + " cannot be written: " + e.getMessage()
                        + ". The checkpoint before stays valid.",
                e);
    }
}
