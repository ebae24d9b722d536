package dev.postroad.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bringing to disk, in the background, what was written without a sync. */
class WriteBackTest {
    private static final int PAYLOAD = 1 << 20;
    private static final int SEGMENT = 16 << 20;

    private static Journal open(Storage storage) throws IOException {
        return Journal.open(
                storage,
                JournalSettings.defaults().withLowWaterBytes(0).withSegmentBytes(SEGMENT),
                500,
                new Random(1)::nextLong,
                new RecoveryHandler() {
                    @Override
                    public void checkpoint(Snapshot from) {}

                    @Override
                    public void batch(BatchView batch) {}
                });
    }

    private static void writeMegabyte(Journal journal) throws JournalException {
        journal.begin(1, (int) Journal.batchBytes(1, PAYLOAD));
        journal.record((byte) 1, PAYLOAD).put(new byte[PAYLOAD]);
        journal.endRecord();
        journal.end();
        journal.commit(false);
    }

    @Test
    void itIsNeededFromEightMebibytesOnAndMakesNothingDurable(@TempDir Path directory) throws IOException {
        try (Storage storage = FileStorage.open(directory);
                Journal journal = open(storage)) {
            // The first segment takes its space step by step, each with a sync.
            while (journal.appendPosition() < SEGMENT) {
                writeMegabyte(journal);
            }
            journal.commit(true);
            long durable = journal.durablePosition();
            for (int i = 0; i < 7; i++) {
                writeMegabyte(journal);
            }
            assertThat(journal.writeBackNeeded()).isFalse();
            writeMegabyte(journal);
            assertThat(journal.writeBackNeeded()).isTrue();

            journal.writeBack();

            assertThat(journal.writeBackNeeded()).isFalse();
            assertThat(journal.durablePosition()).isEqualTo(durable);
            journal.commit(true);
            assertThat(journal.durablePosition()).isEqualTo(journal.writtenPosition());
        }
    }

    @Test
    void afterADiskThatFailedInTheBackgroundNothingMoreIsAccepted() throws IOException {
        Journal journal = open(new BadDisk());
        writeMegabyte(journal);

        assertThatThrownBy(journal::writeBack)
                .isInstanceOf(JournalFailedException.class)
                .hasMessageContaining("bad block");

        assertThat(journal.failed()).isTrue();
        assertThatThrownBy(() -> journal.commit(true)).isInstanceOf(JournalFailedException.class);
    }

    /** Memory whose files fail to be written back. */
    private static final class BadDisk extends ForwardingStorage {
        BadDisk() {
            super(new MemoryStorage(128 << 20));
        }

        @Override
        StorageFile file(StorageFile file) {
            return new File(file) {
                @Override
                public void writeBack() throws IOException {
                    throw new IOException("bad block");
                }
            };
        }
    }
}
