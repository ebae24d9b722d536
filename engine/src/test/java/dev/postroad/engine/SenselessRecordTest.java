package dev.postroad.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.journal.Journal;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalSettings;
import dev.postroad.journal.MemoryStorage;
import dev.postroad.journal.RecoveryHandler;
import dev.postroad.journal.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** A record whose checksum is right and whose bytes make no sense: opening says so, and where. */
class SenselessRecordTest {
    private static final JournalSettings SETTINGS =
            JournalSettings.defaults().withSegmentBytes(64 << 10).withLowWaterBytes(0);

    private final MemoryStorage storage = new MemoryStorage(64 << 20);

    @Test
    void anUnknownTypeIsRefusedWithItsPosition() throws IOException {
        long position = append(77, new byte[0]);

        assertThatThrownBy(this::open)
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("position " + position)
                .hasMessageContaining("type 77");
    }

    @Test
    void aRecordThatEndsTooEarlyIsRefused() throws IOException {
        append(Records.BOUND, new byte[] {3, 'a'});

        assertThatThrownBy(this::open).isInstanceOf(JournalException.class).hasMessageContaining("makes no sense");
    }

    @Test
    void aLengthPastTheEndTakesNoMemory() throws IOException {
        append(Records.TOPIC_DELETED, new byte[] {-1, -1, -1, -1, 7});

        assertThatThrownBy(this::open).isInstanceOf(JournalException.class).hasMessageContaining("2147483647");
    }

    @Test
    void aMessageThatMakesNoSenseIsDamaged() {
        assertThatThrownBy(() -> Records.decodeStored(ByteBuffer.wrap(new byte[] {0, 0, 2}), Records.MESSAGE))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.reason()).isEqualTo(EngineException.Reason.DAMAGED));
    }

    private long append(int type, byte[] payload) throws IOException {
        try (Journal journal = Journal.open(storage, SETTINGS, 1, () -> 1, new NoRecovery())) {
            journal.begin(1, (int) Journal.batchBytes(1, payload.length));
            journal.record((byte) type, payload.length).put(payload);
            long position = journal.endRecord();
            journal.end();
            journal.commit(true);
            return position;
        }
    }

    private void open() throws IOException {
        Engine.open(
                        storage,
                        EngineSettings.DEFAULTS.withJournal(SETTINGS),
                        PayloadFields.NONE,
                        2,
                        () -> 2,
                        damage -> {})
                .close();
    }

    private static final class NoRecovery implements RecoveryHandler {
        @Override
        public void checkpoint(Snapshot snapshot) {}

        @Override
        public void batch(dev.postroad.journal.BatchView batch) {}
    }
}
