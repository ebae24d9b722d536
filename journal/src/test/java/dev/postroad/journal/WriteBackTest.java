package dev.postroad.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bringing to disk, in the background, what was written without a sync. */
class WriteBackTest {
    private static final int PAYLOAD = 1 << 20;

    private static Journal open(Storage storage) throws IOException {
        return Journal.open(
                storage,
                JournalSettings.defaults().withLowWaterBytes(0),
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
    private static final class BadDisk implements Storage {
        private final MemoryStorage memory = new MemoryStorage(128 << 20);

        @Override
        public StorageFile create(String name) throws IOException {
            return new BadFile(memory.create(name));
        }

        @Override
        public StorageFile open(String name) throws IOException {
            return new BadFile(memory.open(name));
        }

        @Override
        public List<String> list() throws IOException {
            return memory.list();
        }

        @Override
        public boolean exists(String name) throws IOException {
            return memory.exists(name);
        }

        @Override
        public void rename(String from, String to) throws IOException {
            memory.rename(from, to);
        }

        @Override
        public void delete(String name) throws IOException {
            memory.delete(name);
        }

        @Override
        public void syncDirectory() throws IOException {
            memory.syncDirectory();
        }

        @Override
        public long usableBytes() throws IOException {
            return memory.usableBytes();
        }

        @Override
        public String location() {
            return memory.location();
        }

        @Override
        public void close() throws IOException {
            memory.close();
        }
    }

    private record BadFile(StorageFile file) implements StorageFile {
        @Override
        public int read(ByteBuffer dst, long position) throws IOException {
            return file.read(dst, position);
        }

        @Override
        public void write(ByteBuffer src, long position) throws IOException {
            file.write(src, position);
        }

        @Override
        public void force() throws IOException {
            file.force();
        }

        @Override
        public void writeBack() throws IOException {
            throw new IOException("bad block");
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        public void truncate(long size) throws IOException {
            file.truncate(size);
        }

        @Override
        public void allocate(long size) throws IOException {
            file.allocate(size);
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
