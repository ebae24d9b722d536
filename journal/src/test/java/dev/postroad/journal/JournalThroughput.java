package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.Stream;

/**
 * How much of the disk's speed the journal passes on: groups of records through {@link Journal#commit}, next to the same
 * number of bytes written and synced by a bare loop on a preallocated file. Both take turns, so that what else goes on
 * hits both. Run it by hand: {@code JournalThroughput [directory [seconds per round]]}.
 */
final class JournalThroughput {
    private static final int ROUNDS = 5;
    private static final long SEGMENT = 64L << 20;

    private JournalThroughput() {}

    public static void main(String[] args) throws IOException {
        Path directory = args.length > 0 ? Path.of(args[0]) : Files.createTempDirectory("journal-throughput");
        double seconds = args.length > 1 ? Double.parseDouble(args[1]) : 0.5;
        System.out.printf(
                "%-24s %12s %12s %10s %10s %7s%n",
                "payload x group", "journal/s", "bare/s", "journal", "bare", "ratio");
        int[][] cases = {{100, 1}, {1024, 1}, {100, 16}, {1024, 64}, {100, 1024}, {1024, 1024}};
        for (int[] each : cases) {
            compare(directory, each[0], each[1], seconds);
        }
        if (args.length == 0) {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static void compare(Path directory, int payload, int group, double seconds) throws IOException {
        double[] ours = new double[ROUNDS];
        double[] bare = new double[ROUNDS];
        double[] ratios = new double[ROUNDS];
        try (Appending journal = new Appending(directory.resolve("journal-" + payload + "-" + group), payload, group);
                Bare loop = new Bare(directory.resolve("bare-" + payload + "-" + group), journal.bytesPerGroup())) {
            journal.run(seconds / 2);
            loop.run(seconds / 2);
            for (int i = 0; i < ROUNDS; i++) {
                ours[i] = journal.run(seconds);
                bare[i] = loop.run(seconds);
                ratios[i] = ours[i] / bare[i];
            }
            double syncs = median(ours);
            double limit = median(bare);
            double bytes = journal.bytesPerGroup();
            System.out.printf(
                    "%5d B x %-5d          %7.0f sync %7.0f sync %5.1f MB/s %5.1f MB/s %6.3f%n",
                    payload, group, syncs, limit, syncs * bytes / 1e6, limit * bytes / 1e6, median(ratios));
        }
    }

    private static double median(double[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }

    /** The journal: one batch per record, one synced commit per group, used-up segments taken again. */
    private static final class Appending implements AutoCloseable {
        private final FileStorage storage;
        private final Journal journal;
        private final byte[] payload;
        private final int group;
        private long groups;

        Appending(Path directory, int payload, int group) throws IOException {
            this.storage = FileStorage.open(directory);
            this.journal = Journal.open(
                    storage,
                    JournalSettings.defaults().withSegmentBytes(SEGMENT),
                    1,
                    new Random(1)::nextLong,
                    new RecoveryHandler() {
                        @Override
                        public void checkpoint(Snapshot snapshot) {}

                        @Override
                        public void batch(BatchView batch) {}
                    });
            this.payload = new byte[payload];
            new Random(2).nextBytes(this.payload);
            this.group = group;
        }

        int bytesPerGroup() {
            return group * (Format.BATCH_HEADER + (int) Format.recordBytes(payload.length));
        }

        double run(double seconds) throws IOException {
            long start = System.nanoTime();
            long end = start + (long) (seconds * 1e9);
            long done = 0;
            long now = start;
            while (now < end) {
                for (int i = 0; i < group; i++) {
                    journal.begin(groups);
                    journal.record((byte) 1, payload.length).put(payload);
                    journal.endRecord();
                    journal.end();
                }
                journal.commit(true);
                groups++;
                done++;
                if (journal.spareNeeded()) {
                    long pause = System.nanoTime();
                    reuse();
                    end += System.nanoTime() - pause;
                    start += System.nanoTime() - pause;
                }
                now = System.nanoTime();
            }
            return done / ((now - start) / 1e9);
        }

        /** What an engine's other thread does: not the writer's time, so not counted. */
        private void reuse() throws IOException {
            CheckpointWriter checkpoint = journal.checkpoint();
            checkpoint.finish();
            journal.checkpointWritten(checkpoint);
            journal.prepareSpare();
        }

        @Override
        public void close() throws IOException {
            journal.close();
            storage.close();
        }
    }

    /** The limit: the same bytes at once, on a file that is all there already. */
    private static final class Bare implements AutoCloseable {
        private final FileChannel channel;
        private final ByteBuffer bytes;
        private long at;

        Bare(Path file, int bytesPerGroup) throws IOException {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            ByteBuffer zeros = ByteBuffer.allocateDirect(1 << 20);
            for (long position = 0; position < SEGMENT; position += zeros.capacity()) {
                channel.write(zeros.clear(), position);
            }
            channel.force(true);
            bytes = ByteBuffer.allocateDirect(bytesPerGroup);
            byte[] random = new byte[bytesPerGroup];
            new Random(3).nextBytes(random);
            bytes.put(random);
        }

        double run(double seconds) throws IOException {
            long start = System.nanoTime();
            long end = start + (long) (seconds * 1e9);
            long done = 0;
            long now = start;
            while (now < end) {
                if (at + bytes.capacity() > SEGMENT) {
                    at = 0;
                }
                channel.write(bytes.clear(), at);
                channel.force(false);
                at += bytes.capacity();
                done++;
                now = System.nanoTime();
            }
            return done / ((now - start) / 1e9);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
