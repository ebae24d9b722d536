package dev.postroad.simulation.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.journal.BatchView;
import dev.postroad.journal.CheckpointWriter;
import dev.postroad.journal.DamageReport;
import dev.postroad.journal.Journal;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalSettings;
import dev.postroad.journal.RecordReader;
import dev.postroad.journal.RecoveryHandler;
import dev.postroad.journal.Snapshot;
import dev.postroad.journal.Storage;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The smallest engine there can be on a journal, for tests: entries are put and dropped again, a batch does several of
 * both, and those not dropped must stay readable by their position. What entry {@code id} holds follows from its id.
 */
final class Ledger implements RecoveryHandler {
    static final byte PUT = 1;
    static final byte DROP = 2;
    static final JournalSettings SETTINGS = JournalSettings.defaults()
            .withSegmentBytes(64 << 10)
            .withBufferBytes(64 << 10)
            .withLowWaterBytes(0)
            .withSpareSegments(1);

    /** One thing a batch does: puts the entry with that id, or drops the one at that position. */
    record Step(byte type, long value) {
        static Step put(long id) {
            return new Step(PUT, id);
        }

        static Step drop(long position) {
            return new Step(DROP, position);
        }
    }

    final List<DamageReport> damage = new ArrayList<>();
    final List<Long> batchPositions = new ArrayList<>();
    /** How many batches are in the state. */
    long batches;
    /** Entries that are there: position to id. */
    final TreeMap<Long, Long> live = new TreeMap<>();

    private @Nullable Journal opened;

    static Ledger open(Storage storage, long seed) throws IOException {
        return open(storage, SETTINGS, seed);
    }

    static Ledger open(Storage storage, JournalSettings settings, long seed) throws IOException {
        Ledger ledger = new Ledger();
        Random ids = new Random(seed);
        ledger.opened = Journal.open(storage, settings, 1000, ids::nextLong, ledger);
        return ledger;
    }

    Journal journal() {
        return Objects.requireNonNull(opened);
    }

    /** How large entry {@code id} is: mostly small, some of several KiB. */
    static int size(long id) {
        long spread = id * 0x9E3779B97F4A7C15L >>> 40;
        return (int) (spread % 3 == 0 ? spread % 14000 : spread % 200);
    }

    /** Appends one batch; returns the positions of its records. One that cannot be appended is abandoned. */
    List<Long> append(List<Step> steps) throws JournalException {
        long bytes = 0;
        for (Step step : steps) {
            bytes += step.type == PUT ? 8 + size(step.value) : 8;
        }
        List<Long> positions = new ArrayList<>();
        boolean ended = false;
        try {
            journal().begin(2000 + batches, (int) Journal.batchBytes(steps.size(), bytes));
            for (Step step : steps) {
                if (step.type == PUT) {
                    int size = size(step.value);
                    ByteBuffer payload = journal().record(PUT, 8 + size);
                    payload.putLong(step.value);
                    fill(payload, step.value, size);
                } else {
                    journal().record(DROP, 8).putLong(step.value);
                }
                positions.add(journal().endRecord());
            }
            journal().end();
            ended = true;
        } finally {
            if (!ended) {
                journal().abandon();
            }
        }
        for (int i = 0; i < steps.size(); i++) {
            apply(steps.get(i), positions.get(i));
        }
        batches++;
        return positions;
    }

    private void apply(Step step, long position) {
        if (step.type == PUT) {
            live.put(position, step.value);
            journal().retain(position, 8 + size(step.value));
        } else {
            Long id = live.remove(step.value);
            if (id != null) {
                journal().release(step.value, 8 + size(id));
            }
        }
    }

    private static void fill(ByteBuffer payload, long id, int size) {
        for (int i = 0; i < size; i++) {
            payload.put((byte) (id * 31 + i * 7L));
        }
    }

    /** Writes a checkpoint of the state now, which must be durable. */
    void checkpoint() throws JournalException {
        try (CheckpointWriter writer = journal().checkpoint()) {
            ByteBuffer snapshot = ByteBuffer.allocate(16 + 16 * live.size());
            snapshot.putLong(batches).putLong(live.size());
            live.forEach((position, id) -> snapshot.putLong(position).putLong(id));
            writer.write(snapshot.flip());
            writer.finish();
            journal().checkpointWritten(writer);
        }
    }

    /** Reads every entry and compares it with what was put. */
    void verify() throws JournalException {
        RecordReader reader = journal().writerReader();
        for (Map.Entry<Long, Long> entry : live.entrySet()) {
            long id = entry.getValue();
            ByteBuffer payload = reader.read(entry.getKey());
            ByteBuffer expected = ByteBuffer.allocate(8 + size(id)).putLong(id);
            fill(expected, id, size(id));
            assertThat(payload).as("entry %s at %s", id, entry.getKey()).isEqualTo(expected.flip());
        }
    }

    @Override
    public void recovering(Journal opening) {
        opened = opening;
    }

    @Override
    public void checkpoint(Snapshot snapshot) throws IOException {
        DataInputStream in = new DataInputStream(snapshot);
        batches = in.readLong();
        long count = in.readLong();
        for (long i = 0; i < count; i++) {
            live.put(in.readLong(), in.readLong());
        }
        assertThat(snapshot.remaining()).isZero();
    }

    @Override
    public void batch(BatchView batch) {
        batchPositions.add(batch.position());
        while (batch.next()) {
            apply(new Step(batch.type(), batch.payload().getLong()), batch.recordPosition());
        }
        batches++;
    }

    @Override
    public void damaged(DamageReport report) {
        damage.add(report);
    }
}
