package dev.postroad.simulation.faults;

import dev.postroad.journal.BatchView;
import dev.postroad.journal.CheckpointWriter;
import dev.postroad.journal.DamageReport;
import dev.postroad.journal.Journal;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalSettings;
import dev.postroad.journal.RecoveryHandler;
import dev.postroad.journal.Snapshot;
import dev.postroad.journal.Storage;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The least that can be kept in a journal: entries are put, and dropped by their position. So it can be said of each byte of the
 * disk which entry it belongs to.
 */
final class Ledger implements RecoveryHandler {
    static final JournalSettings SETTINGS = JournalSettings.defaults()
            .withSegmentBytes(64 << 10)
            .withBufferBytes(8 << 10)
            .withLowWaterBytes(0)
            .withSpareSegments(1);

    private static final byte PUT = 1;
    private static final byte DROP = 2;

    final List<DamageReport> damage = new ArrayList<>();
    /** What is there: position to the entry's payload, as {@link Payload#word} tells it. */
    final TreeMap<Long, String> live = new TreeMap<>();

    private final Map<Long, Integer> sizes = new HashMap<>();
    private final Words words;
    private @Nullable Journal opened;

    /** Tells the word of an entry. */
    @FunctionalInterface
    interface Words {
        String of(long position, byte[] payload);
    }

    private Ledger(Words words) {
        this.words = words;
    }

    static Ledger open(Storage storage, JournalSettings settings, long seed) throws IOException {
        return open(storage, settings, seed, (position, payload) -> Payload.word(payload));
    }

    static Ledger open(Storage storage, JournalSettings settings, long seed, Words words) throws IOException {
        Ledger ledger = new Ledger(words);
        ledger.opened = Journal.open(storage, settings, 1000, new Random(seed)::nextLong, ledger);
        return ledger;
    }

    Journal journal() {
        Journal journal = opened;
        if (journal == null) {
            throw new IllegalStateException("the journal is not open");
        }
        return journal;
    }

    /** Appends a batch; returns the positions of the entries put. */
    List<Long> append(List<byte[]> puts, List<Long> drops) throws JournalException {
        long bytes = 8L * drops.size();
        for (byte[] put : puts) {
            bytes += put.length;
        }
        journal().begin(2000, (int) Journal.batchBytes(puts.size() + drops.size(), bytes));
        List<Long> positions = new ArrayList<>();
        for (byte[] put : puts) {
            journal().record(PUT, put.length).put(put);
            long position = journal().endRecord();
            positions.add(position);
            put(position, put);
        }
        for (long drop : drops) {
            journal().record(DROP, 8).putLong(drop);
            journal().endRecord();
            drop(drop);
        }
        journal().end();
        return positions;
    }

    private void put(long position, byte[] payload) {
        live.put(position, words.of(position, payload));
        sizes.put(position, payload.length);
        journal().retain(position, payload.length);
    }

    private void drop(long position) {
        Integer size = sizes.remove(position);
        if (size != null) {
            live.remove(position);
            journal().release(position, size);
        }
    }

    void checkpoint() throws JournalException {
        try (CheckpointWriter writer = journal().checkpoint()) {
            ByteBuffer snapshot = ByteBuffer.allocate(8 + live.size() * 80);
            snapshot.putInt(live.size());
            live.forEach((position, word) -> {
                byte[] text = word.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
                snapshot.putLong(position)
                        .putInt(sizes.getOrDefault(position, 0))
                        .put((byte) text.length)
                        .put(text);
            });
            writer.write(snapshot.flip());
            writer.finish();
            journal().checkpointWritten(writer);
        }
    }

    @Override
    public void recovering(Journal opening) {
        opened = opening;
    }

    @Override
    public void checkpoint(Snapshot snapshot) throws IOException {
        DataInputStream in = new DataInputStream(snapshot);
        for (int left = in.readInt(); left > 0; left--) {
            long position = in.readLong();
            sizes.put(position, in.readInt());
            byte[] text = new byte[in.readByte()];
            in.readFully(text);
            live.put(position, new String(text, java.nio.charset.StandardCharsets.US_ASCII));
        }
    }

    @Override
    public void batch(BatchView batch) {
        while (batch.next()) {
            ByteBuffer payload = batch.payload();
            if (batch.type() == PUT) {
                byte[] bytes = new byte[payload.remaining()];
                payload.get(bytes);
                put(batch.recordPosition(), bytes);
            } else {
                drop(payload.getLong());
            }
        }
    }

    @Override
    public void damaged(DamageReport report) {
        damage.add(report);
    }
}
