package dev.postroad.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import dev.postroad.testkit.ChildProcess;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real file system: locks, interrupts, kills. */
class FileStorageTest {
    private static final JournalSettings SMALL =
            JournalSettings.defaults().withSegmentBytes(64 << 10).withLowWaterBytes(0);

    @TempDir
    Path directory;

    private static final class Counting implements RecoveryHandler {
        long records;
        long last = -1;

        @Override
        public void checkpoint(Snapshot snapshot) {}

        @Override
        public void batch(BatchView batch) {
            while (batch.next()) {
                records++;
                last = batch.payload().getLong();
            }
        }
    }

    private static Journal open(Storage storage, RecoveryHandler handler) throws IOException {
        return Journal.open(storage, SMALL, 1, new Random()::nextLong, handler);
    }

    private static void append(Journal journal, long value) throws JournalException {
        journal.begin(value);
        journal.record((byte) 1, 8).putLong(value);
        journal.endRecord();
        journal.end();
    }

    /** Opens the directory given, appends one number after the other, and says after each sync up to where. */
    static final class Appender {
        public static void main(String[] args) throws IOException {
            FileStorage storage = FileStorage.open(Path.of(args[0]));
            Counting counting = new Counting();
            Journal journal = open(storage, counting);
            for (long i = counting.last + 1; i < Long.parseLong(args[1]); i++) {
                append(journal, i);
                if (i % 7 == 0) {
                    journal.commit(true);
                    System.out.println("synced " + i);
                }
            }
            journal.commit(true);
            System.out.println("holding");
            System.in.read();
        }
    }

    @Test
    void a_second_opening_in_this_process_is_refused_by_directory_and_pid() throws IOException {
        try (FileStorage first = FileStorage.open(directory)) {
            assertThatThrownBy(() -> FileStorage.open(directory.resolve("../" + directory.getFileName())))
                    .isInstanceOf(JournalException.class)
                    .hasMessageContaining(directory.toRealPath().toString())
                    .hasMessageContaining("pid " + ProcessHandle.current().pid());
            assertThat(first.holder()).isEqualTo(ProcessHandle.current().pid());
        }
        try (FileStorage again = FileStorage.open(directory)) {
            assertThat(again.list()).containsExactly("lock");
        }
    }

    @Test
    void a_second_process_is_refused_by_the_pid_of_the_first_and_let_in_after_its_death() throws IOException {
        try (ChildProcess child =
                ChildProcess.java(Appender.class, directory.toString(), "1").start()) {
            child.awaitLine("holding");
            assertThatThrownBy(() -> FileStorage.open(directory))
                    .isInstanceOf(JournalException.class)
                    .hasMessageContaining("another process (pid " + child.pid() + ")")
                    .hasMessageContaining(directory.toString());
            try (FileStorage looking = FileStorage.openReadOnly(directory)) {
                assertThat(looking.holder()).isEqualTo(child.pid());
                assertThat(JournalInspector.inspect(looking).batches()).isEqualTo(1);
            }
            child.kill();
            child.awaitExit();
        }
        try (FileStorage storage = FileStorage.open(directory)) {
            Counting counting = new Counting();
            open(storage, counting).close();
            assertThat(counting.records).isEqualTo(1);
        }
    }

    @Test
    void what_a_killed_process_had_synced_is_there() throws IOException {
        long synced = -1;
        for (int round = 0; round < 3; round++) {
            try (ChildProcess child = ChildProcess.java(Appender.class, directory.toString(), "1000000000")
                    .start()) {
                long wanted = synced + 1000;
                String line = child.awaitLine(
                        "synced past " + wanted,
                        said -> said.startsWith("synced ") && Long.parseLong(said.substring(7)) > wanted,
                        Duration.ofSeconds(30));
                synced = Long.parseLong(line.substring(7));
                child.kill();
                child.awaitExit();
            }
            try (FileStorage storage = FileStorage.open(directory)) {
                Counting counting = new Counting();
                open(storage, counting).close();
                assertThat(counting.last).isGreaterThanOrEqualTo(synced);
                assertThat(counting.records).isEqualTo(counting.last + 1);
            }
        }
    }

    @Test
    void a_read_only_opening_writes_nothing() throws IOException {
        try (FileStorage storage = FileStorage.open(directory)) {
            Journal journal = open(storage, new Counting());
            append(journal, 1);
            journal.close();
        }
        try (FileStorage looking = FileStorage.openReadOnly(directory)) {
            assertThat(looking.holder()).isEqualTo(-1);
            assertThat(JournalInspector.inspect(looking).healthy()).isTrue();
            assertThatThrownBy(() -> looking.create("x")).hasMessageContaining("for reading only");
            assertThatThrownBy(() -> looking.delete("lock")).hasMessageContaining("for reading only");
            try (StorageFile file = looking.open("segment-0000000000000000.journal")) {
                assertThatThrownBy(() -> file.write(ByteBuffer.allocate(1), 0))
                        .hasMessageContaining("for reading only");
            }
        }
        assertThatThrownBy(() -> FileStorage.openReadOnly(directory.resolve("nowhere")))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("nowhere");
    }

    @Test
    void a_path_that_is_a_file_is_refused_by_name() throws IOException {
        Path file = Files.createFile(directory.resolve("a-file"));
        assertThatThrownBy(() -> FileStorage.open(file))
                .isInstanceOf(JournalException.class)
                .hasMessageContaining("a-file");
    }

    @Test
    void appending_and_committing_allocates_nothing() throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        byte[] payload = new byte[100];
        try (FileStorage storage = FileStorage.open(directory)) {
            Journal journal = Journal.open(
                    storage,
                    JournalSettings.defaults().withLowWaterBytes(0),
                    1,
                    new Random()::nextLong,
                    new Counting());
            RecordReader reader = journal.writerReader();
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 20; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < 100; i++) {
                    journal.begin(i);
                    journal.record((byte) 1, 100).put(payload);
                    long position = journal.endRecord();
                    journal.end();
                    reader.read(position);
                    journal.commit(i % 10 == 0);
                }
                least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
            }
            assertThat(least).as("bytes allocated by 100 batches").isLessThan(200);
            journal.close();
        }
    }

    @Test
    void writing_reading_preparing_and_checkpointing_go_on_at_the_same_time() throws Exception {
        try (FileStorage storage = FileStorage.open(directory)) {
            Journal journal = open(storage, new Counting());
            int count = 3000;
            int kept = 200;
            AtomicLongArray positions = new AtomicLongArray(count);
            AtomicInteger synced = new AtomicInteger();
            AtomicInteger released = new AtomicInteger();
            AtomicReference<@Nullable CheckpointWriter> begun = new AtomicReference<>();
            AtomicReference<@Nullable CheckpointWriter> finished = new AtomicReference<>();
            AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
            AtomicBoolean stop = new AtomicBoolean();
            Thread keeper = new Thread(() -> {
                try {
                    while (!stop.get()) {
                        if (journal.spareNeeded()) {
                            journal.prepareSpare();
                        }
                        CheckpointWriter checkpoint = begun.getAndSet(null);
                        if (checkpoint != null) {
                            checkpoint.write(ByteBuffer.allocate(5000));
                            checkpoint.finish();
                            finished.set(checkpoint);
                        }
                        Thread.onSpinWait();
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            Thread reader = new Thread(() -> {
                try {
                    RecordReader records = journal.reader();
                    Random random = new Random(5);
                    while (!stop.get()) {
                        int end = synced.get();
                        if (end > 0) {
                            int i = Math.max(0, end - 1 - random.nextInt(kept / 2));
                            try {
                                assertThat(records.read(positions.get(i)).getLong())
                                        .isEqualTo(i);
                            } catch (JournalException e) {
                                // only what was given back meanwhile may be gone
                                assertThat(i).isLessThan(released.get());
                            }
                        }
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            keeper.start();
            reader.start();
            boolean checkpointing = false;
            for (int i = 0; i < count && failure.get() == null; i++) {
                journal.begin(i);
                ByteBuffer payload = journal.record((byte) 1, 2000).putLong(i);
                payload.position(payload.position() + i % 1900);
                long position = journal.endRecord();
                journal.end();
                journal.retain(position, 1);
                positions.set(i, position);
                if (i >= kept) {
                    released.set(i - kept + 1);
                    journal.release(positions.get(i - kept), 1);
                }
                if (i % 20 == 19) {
                    journal.commit(true);
                    synced.set(i + 1);
                    CheckpointWriter done = finished.getAndSet(null);
                    if (done != null) {
                        journal.checkpointWritten(done);
                        checkpointing = false;
                    }
                    // the last records stay behind every checkpoint, so that opening again has some to replay
                    if (!checkpointing && i < count - 100) {
                        checkpointing = true;
                        begun.set(journal.checkpoint());
                    }
                }
            }
            stop.set(true);
            keeper.join();
            reader.join();
            assertThat(failure.get()).isNull();
            assertThat(journal.segments().getFirst().number()).isPositive();
            journal.close();
        }
        try (FileStorage storage = FileStorage.open(directory)) {
            Counting counting = new Counting();
            open(storage, counting).close();
            assertThat(counting.last).isEqualTo(2999);
        }
    }

    @Test
    void many_segments_need_a_bounded_number_of_file_handles() throws IOException {
        List<Long> positions = new ArrayList<>();
        try (FileStorage storage = FileStorage.open(directory)) {
            Journal journal = open(storage, new Counting());
            for (int i = 0; i < 400; i++) {
                journal.begin(i, 60_000);
                ByteBuffer payload = journal.record((byte) 1, 50_000).putLong(i);
                payload.position(payload.position() + 49_000);
                positions.add(journal.endRecord());
                journal.end();
                journal.commit(false);
            }
            journal.commit(true);
            assertThat(journal.segments()).hasSizeGreaterThanOrEqualTo(400);
            journal.close();
        }
        try (FileStorage storage = FileStorage.open(directory)) {
            Journal journal = open(storage, new Counting());
            RecordReader reader = journal.reader();
            for (int round = 0; round < 2; round++) {
                for (int i = 0; i < 400; i++) {
                    assertThat(reader.read(positions.get(i)).getLong()).isEqualTo(i);
                }
            }
            assertThat(openHandles()).isLessThan(300);
            journal.close();
        }
    }

    /** Open files of this process below the directory; 0 where the system does not tell. */
    private long openHandles() throws IOException {
        Path handles = Path.of("/proc/self/fd");
        if (!Files.isDirectory(handles)) {
            return 0;
        }
        long count = 0;
        try (Stream<Path> all = Files.list(handles)) {
            for (Path each : all.toList()) {
                if (Files.isSymbolicLink(each) && Files.readSymbolicLink(each).startsWith(directory.toRealPath())) {
                    count++;
                }
            }
        }
        return count;
    }

    @Test
    void interrupts_break_neither_writing_nor_syncing_nor_reading_and_stay_set() throws Exception {
        try (FileStorage storage = FileStorage.open(directory)) {
            Journal journal = open(storage, new Counting());
            AtomicBoolean stop = new AtomicBoolean();
            AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
            CountDownLatch ready = new CountDownLatch(2);
            int rounds = 150;
            Thread writer = new Thread(() -> {
                try {
                    ready.countDown();
                    for (int i = 0; i < rounds; i++) {
                        append(journal, i);
                        journal.commit(true);
                    }
                    while (!Thread.currentThread().isInterrupted()) {
                        Thread.onSpinWait();
                    }
                } catch (Throwable e) {
                    failure.set(e);
                } finally {
                    stop.set(true);
                }
            });
            Thread reader = new Thread(() -> {
                try {
                    RecordReader records = journal.reader();
                    ready.countDown();
                    while (!stop.get()) {
                        if (journal.writtenPosition() > Format.SEGMENT_HEADER + 200) {
                            // the first batch stands behind the one that marks the opening
                            long first = Format.SEGMENT_HEADER + 2L * Format.BATCH_HEADER;
                            assertThat(records.read(first).getLong()).isZero();
                        }
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            writer.start();
            reader.start();
            ready.await();
            while (!stop.get()) {
                writer.interrupt();
                reader.interrupt();
                for (int i = 0; i < 20_000; i++) {
                    Thread.onSpinWait();
                }
            }
            writer.join();
            reader.join();
            assertThat(failure.get()).isNull();
            Thread.currentThread().interrupt();
            append(journal, rounds);
            journal.commit(true);
            assertThat(Thread.interrupted()).isTrue();
            journal.close();
        }
        try (FileStorage storage = FileStorage.open(directory)) {
            Counting counting = new Counting();
            open(storage, counting).close();
            assertThat(counting.records).isEqualTo(151);
        }
    }
}
