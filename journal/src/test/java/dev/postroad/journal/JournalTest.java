package dev.postroad.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The journal through its public face, in memory. */
class JournalTest {
    private static final JournalSettings SMALL = JournalSettings.defaults()
            .withSegmentBytes(64 << 10)
            .withBufferBytes(64 << 10)
            .withLowWaterBytes(0);

    private final MemoryStorage storage = new MemoryStorage(64 << 20);

    /** Remembers what recovery shows. */
    private static final class Shown implements RecoveryHandler {
        final List<String> records = new ArrayList<>();
        final List<Long> positions = new ArrayList<>();
        final List<Long> times = new ArrayList<>();
        long snapshotPosition = -1;
        String snapshot = "";

        @Override
        public void checkpoint(Snapshot from) throws IOException {
            snapshotPosition = from.position();
            snapshot = new String(from.readAllBytes(), StandardCharsets.UTF_8);
        }

        @Override
        public void batch(BatchView batch) {
            times.add(batch.timeMillis());
            while (batch.next()) {
                records.add(batch.type() + ":" + StandardCharsets.UTF_8.decode(batch.payload()));
                positions.add(batch.recordPosition());
            }
        }
    }

    private Journal open(Shown shown) throws IOException {
        return open(SMALL, shown);
    }

    private Journal open(JournalSettings settings, Shown shown) throws IOException {
        return Journal.open(storage, settings, 500, new Random(1)::nextLong, shown);
    }

    private static long put(Journal journal, int type, String text) throws JournalException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        journal.record((byte) type, bytes.length).put(bytes);
        return journal.endRecord();
    }

    private static long one(Journal journal, long time, String text) throws JournalException {
        journal.begin(time, (int) Journal.batchBytes(1, text.length()));
        long position = put(journal, 1, text);
        journal.end();
        return position;
    }

    private static String text(ByteBuffer payload) {
        return StandardCharsets.UTF_8.decode(payload).toString();
    }

    @Test
    void what_one_commit_wrote_comes_back_in_order_with_time_type_and_position() throws IOException {
        List<Long> positions = new ArrayList<>();
        try (Journal journal = open(new Shown())) {
            journal.begin(10);
            positions.add(put(journal, 1, "one"));
            positions.add(put(journal, 2, ""));
            journal.end();
            journal.begin(9);
            positions.add(put(journal, -3, "three"));
            journal.end();
            assertThat(journal.pending()).isTrue();
            journal.commit(true);
            assertThat(journal.pending()).isFalse();
            assertThat(journal.durablePosition()).isEqualTo(journal.appendPosition());
        }
        Shown shown = new Shown();
        try (Journal journal = open(shown)) {
            assertThat(shown.records).containsExactly("1:one", "2:", "-3:three");
            assertThat(shown.times).containsExactly(10L, 9L);
            assertThat(shown.positions).isEqualTo(positions);
            assertThat(journal.term()).isEqualTo(2);
            assertThat(journal.recovery().closedCleanly()).isTrue();
            assertThat(journal.recovery().records()).isEqualTo(3);
        }
    }

    @Test
    void an_abandoned_batch_leaves_nothing_and_its_positions_are_given_again() throws IOException {
        try (Journal journal = open(new Shown())) {
            one(journal, 1, "kept");
            journal.begin(2);
            long dropped = put(journal, 1, "dropped");
            journal.record((byte) 1, 10).put((byte) 1);
            journal.abandon();
            journal.begin(3);
            journal.end();
            assertThat(one(journal, 4, "instead")).isEqualTo(dropped);
            journal.commit(true);
        }
        Shown shown = new Shown();
        open(shown).close();
        assertThat(shown.records).containsExactly("1:kept", "1:instead");
    }

    @Test
    void an_uncommitted_batch_is_committed_by_close_and_an_open_one_is_not() throws IOException {
        try (Journal journal = open(new Shown())) {
            one(journal, 1, "ended");
            journal.begin(2);
            put(journal, 1, "open");
        }
        Shown shown = new Shown();
        open(shown).close();
        assertThat(shown.records).containsExactly("1:ended");
    }

    @Test
    void records_can_be_read_before_they_are_written_by_the_writer_and_after_by_anyone() throws IOException {
        try (Journal journal = open(new Shown())) {
            RecordReader own = journal.writerReader();
            RecordReader others = journal.reader();
            long position = one(journal, 1, "hello");
            assertThat(text(own.read(position))).isEqualTo("hello");
            assertThat(own.type()).isEqualTo((byte) 1);
            assertThat(own.length()).isEqualTo(5);
            assertThatThrownBy(() -> others.read(position))
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageContaining("nothing has been written there yet");
            journal.commit(false);
            assertThat(text(others.read(position))).isEqualTo("hello");
            assertThat(text(own.read(position))).isEqualTo("hello");
            assertThat(journal.pending()).isTrue();
            journal.commit(true);
            assertThat(journal.pending()).isFalse();
        }
    }

    @Test
    void a_position_where_no_record_begins_is_refused_with_file_and_offset() throws IOException {
        try (Journal journal = open(new Shown())) {
            long position = one(journal, 1, "a text that is long enough to point into");
            journal.commit(true);
            RecordReader reader = journal.reader();
            for (long wrong : new long[] {0, 8, position - 8, position + 1, position + 8, position + (1 << 20)}) {
                assertThatThrownBy(() -> reader.read(wrong))
                        .as("position %s", wrong)
                        .isInstanceOf(CorruptRecordException.class)
                        .hasMessageContaining("position " + wrong)
                        .hasMessageContaining("segment-")
                        .hasMessageContaining("postroad doctor");
            }
            assertThat(text(reader.read(position))).startsWith("a text");
        }
    }

    @Test
    void batches_that_do_not_fit_the_rest_of_a_segment_go_to_the_next() throws IOException {
        List<Long> positions = new ArrayList<>();
        try (Journal journal = open(new Shown())) {
            for (int i = 0; i < 300; i++) {
                positions.add(one(journal, i, "x".repeat(i * 7 % 3000) + i));
                if (i % 9 == 0) {
                    journal.commit(i % 2 == 0);
                }
                if (i % 50 == 0) {
                    assertThat(journal.spareNeeded()).isEqualTo(journal.spareNeeded());
                    journal.prepareSpare();
                    assertThat(journal.spareNeeded()).isFalse();
                }
            }
            assertThat(journal.segments()).hasSizeGreaterThan(5);
            RecordReader reader = journal.writerReader();
            for (int i = 0; i < 300; i++) {
                assertThat(text(reader.read(positions.get(i)))).endsWith("" + i);
            }
        }
        Shown shown = new Shown();
        open(shown).close();
        assertThat(shown.positions).isEqualTo(positions);
        assertThat(shown.times).hasSize(300).isSorted();
    }

    @Test
    void a_batch_larger_than_the_limit_is_refused_with_both_numbers() throws IOException {
        try (Journal journal = open(new Shown())) {
            int max = journal.maxBatchBytes();
            assertThatThrownBy(() -> journal.begin(1, max + 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("" + (max + 1))
                    .hasMessageContaining("" + max);
            journal.begin(1);
            assertThatThrownBy(() -> journal.record((byte) 1, max))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("limit of " + max);
            journal.abandon();
            journal.begin(1);
            put(journal, 1, "small");
            assertThatThrownBy(() -> journal.record((byte) 1, journal.standardBatchBytes()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("begun for " + journal.standardBatchBytes());
            journal.abandon();
            // the largest there can be
            String text = "y".repeat(max - (int) Journal.batchBytes(1, 0));
            long position = one(journal, 1, text);
            journal.commit(true);
            assertThat(text(journal.reader().read(position))).isEqualTo(text);
        }
    }

    @Test
    void a_first_record_may_be_large_without_saying_so_before() throws IOException {
        try (Journal journal = open(new Shown())) {
            List<Long> positions = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                journal.begin(i);
                positions.add(put(journal, 1, "z".repeat(40_000) + i));
                put(journal, 2, "reference");
                journal.end();
            }
            journal.commit(true);
            RecordReader reader = journal.reader();
            for (int i = 0; i < 6; i++) {
                assertThat(text(reader.read(positions.get(i)))).endsWith("z" + i);
            }
        }
    }

    @Test
    void a_batch_larger_than_the_group_buffer_passes_and_the_buffer_goes_back_to_its_size() throws IOException {
        JournalSettings settings = SMALL.withSegmentBytes(1 << 20);
        List<Long> positions = new ArrayList<>();
        try (Journal journal = open(settings, new Shown())) {
            for (int i = 0; i < 5; i++) {
                positions.add(one(journal, i, "before" + i));
                journal.begin(i, 500_000);
                for (int k = 0; k < 10; k++) {
                    positions.add(put(journal, 1, ("" + k).repeat(45_000)));
                }
                journal.end();
                positions.add(one(journal, i, "behind" + i));
                journal.commit(i % 2 == 0);
                assertThat(journal.group().buffer().capacity()).isEqualTo(64 << 10);
            }
        }
        Shown shown = new Shown();
        try (Journal journal = open(settings, shown)) {
            assertThat(shown.positions).isEqualTo(positions);
            assertThat(shown.records.get(1)).isEqualTo("1:" + "0".repeat(45_000));
            assertThat(text(journal.reader().read(positions.get(10)))).isEqualTo("9".repeat(45_000));
        }
    }

    @Test
    void recovery_starts_at_the_checkpoint_and_shows_its_snapshot() throws IOException {
        String snapshot = "the state ".repeat(20_000);
        try (Journal journal = open(new Shown())) {
            one(journal, 1, "before");
            journal.commit(true);
            CheckpointWriter checkpoint = journal.checkpoint();
            byte[] bytes = snapshot.getBytes(StandardCharsets.UTF_8);
            checkpoint.write(ByteBuffer.wrap(bytes, 0, 70_001));
            checkpoint.write(ByteBuffer.wrap(bytes, 70_001, bytes.length - 70_001));
            one(journal, 2, "behind");
            checkpoint.finish();
            journal.checkpointWritten(checkpoint);
            assertThat(journal.checkpointPosition()).isEqualTo(checkpoint.position());
        }
        Shown shown = new Shown();
        try (Journal journal = open(shown)) {
            assertThat(shown.records).containsExactly("1:behind");
            assertThat(shown.snapshot).isEqualTo(snapshot);
            assertThat(shown.snapshotPosition).isEqualTo(journal.checkpointPosition());
        }
    }

    @Test
    void a_checkpoint_of_what_is_not_durable_yet_is_refused() throws IOException {
        try (Journal journal = open(new Shown())) {
            one(journal, 1, "not synced");
            try (CheckpointWriter checkpoint = journal.checkpoint()) {
                assertThatThrownBy(checkpoint::finish)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("is not durable yet");
                assertThatThrownBy(() -> journal.checkpointWritten(checkpoint))
                        .isInstanceOf(IllegalStateException.class);
                journal.commit(true);
                checkpoint.finish();
                journal.checkpointWritten(checkpoint);
            }
            assertThat(storage.list()).noneMatch(name -> name.endsWith(".tmp"));
        }
    }

    @Test
    void a_segment_without_anything_live_is_used_again_after_two_checkpoints() throws IOException {
        try (Journal journal = open(SMALL.withSpareSegments(1), new Shown())) {
            List<Long> positions = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                long position = one(journal, i, "m".repeat(1000) + i);
                journal.retain(position, 1000);
                positions.add(position);
            }
            journal.commit(true);
            int before = journal.segments().size();
            long inFirst = positions.stream().filter(at -> at < 64 << 10).count();
            assertThat(journal.segments().getFirst().liveBytes()).isEqualTo(inFirst * 1000);
            for (int i = 0; i < 150; i++) {
                journal.release(positions.get(i), 1000);
            }
            checkpoint(journal);
            assertThat(journal.segments()).hasSize(before);
            checkpoint(journal);
            assertThat(journal.segments().getFirst().number()).isEqualTo(2);
            assertThat(journal.spareNeeded()).isTrue();
            journal.prepareSpare();
            assertThat(storage.list()).noneMatch(name -> name.equals("segment-0000000000000000.journal"));
            RecordReader reader = journal.reader();
            for (int i = 150; i < 200; i++) {
                assertThat(text(reader.read(positions.get(i)))).endsWith("" + i);
            }
            assertThatThrownBy(() -> reader.read(positions.getFirst()))
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageContaining("its segment is gone");
            assertThatThrownBy(() -> journal.release(positions.getLast(), 1_000_000))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("more than were retained");
        }
    }

    private static void checkpoint(Journal journal) throws JournalException {
        CheckpointWriter checkpoint = journal.checkpoint();
        checkpoint.finish();
        journal.checkpointWritten(checkpoint);
    }

    @Test
    void a_segment_of_which_little_is_live_is_offered_for_compaction_and_can_be_scanned() throws IOException {
        try (Journal journal = open(new Shown())) {
            List<Long> positions = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                long position = one(journal, i, "m".repeat(1000) + i);
                journal.retain(position, 1000);
                positions.add(position);
            }
            journal.commit(true);
            for (int i = 0; i < 110; i++) {
                if (i % 10 != 0) {
                    journal.release(positions.get(i), 1000);
                }
            }
            assertThat(journal.compactionCandidate()).isEqualTo(-1);
            checkpoint(journal);
            long candidate = journal.compactionCandidate();
            assertThat(candidate).isZero();
            List<Long> seen = new ArrayList<>();
            journal.scan(candidate, (position, time, type, payload) -> {
                seen.add(position);
                assertThat(text(payload)).endsWith("" + time);
            });
            assertThat(seen).isEqualTo(positions.subList(0, seen.size()));
            assertThat(seen).hasSizeGreaterThan(50);
            for (int i = 0; i < seen.size(); i += 10) {
                long copy = one(journal, i, "copy");
                journal.retain(copy, 4);
                journal.release(positions.get(i), 1000);
            }
            journal.commit(true);
            checkpoint(journal);
            checkpoint(journal);
            assertThat(journal.segments().getFirst().number()).isEqualTo(1);
        }
    }

    @Test
    void live_bytes_come_back_with_the_checkpoint() throws IOException {
        long position;
        try (Journal journal = open(new Shown())) {
            position = one(journal, 1, "kept");
            journal.retain(position, 4711);
            journal.commit(true);
            checkpoint(journal);
        }
        try (Journal journal = open(new Shown())) {
            assertThat(journal.segments().getFirst().liveBytes()).isEqualTo(4711);
            assertThat(text(journal.reader().read(position))).isEqualTo("kept");
        }
    }

    @Test
    void opening_and_closing_without_work_costs_one_mark() throws IOException {
        try (Journal journal = open(new Shown())) {
            one(journal, 1, "one");
        }
        long first = 0;
        for (int i = 0; i < 50; i++) {
            try (Journal journal = open(new Shown())) {
                assertThat(journal.term()).isEqualTo(i + 2);
                long tail = journal.recovery().tailPosition();
                first = i == 0 ? tail : first;
                assertThat(tail).isEqualTo(first + i * (long) Format.BATCH_HEADER);
            }
        }
    }

    @Test
    void calls_out_of_order_are_refused() throws IOException {
        Journal journal = open(new Shown());
        assertThatThrownBy(() -> journal.record((byte) 1, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(journal::end).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(journal::endRecord).isInstanceOf(IllegalStateException.class);
        journal.begin(1);
        assertThatThrownBy(() -> journal.begin(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> journal.commit(true)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(journal::checkpoint).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> journal.record((byte) 0, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> journal.record((byte) 1, -1)).isInstanceOf(IllegalArgumentException.class);
        journal.record((byte) 1, 1);
        assertThatThrownBy(() -> journal.record((byte) 1, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(journal::end).isInstanceOf(IllegalStateException.class);
        journal.abandon();
        journal.close();
        journal.close();
        assertThatThrownBy(() -> journal.begin(1)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void settings_out_of_bounds_are_refused_by_name_with_the_bound() {
        assertThatThrownBy(() -> SMALL.withSegmentBytes(100_000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("segmentBytes is 100000")
                .hasMessageContaining("power of two");
        assertThatThrownBy(() -> SMALL.withCompactBelow(2)).hasMessageContaining("compactBelow");
        assertThatThrownBy(() -> SMALL.withBufferBytes(1)).hasMessageContaining("bufferBytes");
    }

    @Test
    void the_segment_size_of_a_used_directory_stays_whatever_the_settings_say() throws IOException {
        try (Journal journal = open(new Shown())) {
            one(journal, 1, "one");
        }
        Shown shown = new Shown();
        try (Journal journal = open(SMALL.withSegmentBytes(1 << 20), shown)) {
            assertThat(shown.records).containsExactly("1:one");
            assertThat(journal.maxBatchBytes()).isLessThan(64 << 10);
        }
    }

    @Test
    void reading_in_order_costs_one_read_of_the_file_per_window() throws IOException {
        JournalSettings settings = SMALL.withSegmentBytes(4 << 20);
        CountingStorage counting = new CountingStorage(storage);
        try (Journal journal = Journal.open(counting, settings, 1, new Random(1)::nextLong, new Shown())) {
            List<Long> positions = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                positions.add(one(journal, i, "r".repeat(1000) + i));
            }
            journal.commit(true);
            RecordReader reader = journal.reader();
            counting.reads = 0;
            for (int i = 0; i < 2000; i++) {
                assertThat(text(reader.read(positions.get(i)))).endsWith("r" + i);
            }
            assertThat(counting.reads).isLessThanOrEqualTo(2_100_000 / RecordReader.WINDOW_BYTES + 5);
        }
    }

    @Test
    void batches_are_written_only_where_the_disk_has_room_for_them() throws IOException {
        JournalSettings settings = SMALL.withSegmentBytes(16 << 20);
        try (Journal journal =
                Journal.open(new RoomWatchingStorage(storage), settings, 1, new Random(1)::nextLong, new Shown())) {
            String text = "r".repeat(10_000);
            while (journal.appendPosition() < 20 << 20) {
                one(journal, 1, text);
            }
            journal.commit(true);
        }
    }

    /** Counts reads. */
    private static final class CountingStorage extends ForwardingStorage {
        int reads;

        CountingStorage(Storage inner) {
            super(inner);
        }

        @Override
        StorageFile file(StorageFile file) {
            return new File(file) {
                @Override
                public int read(ByteBuffer dst, long position) throws IOException {
                    reads++;
                    return super.read(dst, position);
                }
            };
        }
    }

    /** Lets nothing be written behind what the last sync of a file has brought to the disk, once there was one. */
    private static final class RoomWatchingStorage extends ForwardingStorage {
        RoomWatchingStorage(Storage inner) {
            super(inner);
        }

        @Override
        StorageFile file(StorageFile file) {
            return new File(file) {
                private long room = Long.MAX_VALUE;

                @Override
                public void write(ByteBuffer src, long position) throws IOException {
                    assertThat(position + src.remaining()).isLessThanOrEqualTo(room);
                    super.write(src, position);
                }

                @Override
                public void force() throws IOException {
                    super.force();
                    room = size();
                }
            };
        }
    }
}
