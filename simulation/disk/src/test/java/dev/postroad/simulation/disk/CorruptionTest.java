package dev.postroad.simulation.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.journal.CorruptRecordException;
import dev.postroad.journal.DamageException;
import dev.postroad.journal.DamageReport;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalSettings.OnDamage;
import dev.postroad.journal.RecordReader;
import dev.postroad.journal.Storage;
import dev.postroad.testkit.Property;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** A disk that changes what was stored: nothing may get lost without a word, nothing may be invented. */
class CorruptionTest {
    private static final int SEGMENT = 64 << 10;

    /** A small journal and what is in it: two segments, two checkpoints, closed in good order. */
    private record Sample(SimulatedDisk disk, Ledger ledger, List<Long> batchPositions, long end) {}

    private static Sample sample(boolean checkpoints, boolean closed) throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Ledger ledger = Ledger.open(disk.open(), 7);
        List<Long> batches = new ArrayList<>();
        long id = 0;
        boolean rolled = false;
        for (int i = 0; i < 400 && !(rolled && i % 10 == 9); i++) {
            long before = ledger.journal().appendPosition();
            List<Ledger.Step> steps = new ArrayList<>(List.of(Ledger.Step.put(++id)));
            if (i % 4 == 1) {
                steps.add(Ledger.Step.put(++id));
                steps.add(Ledger.Step.drop(ledger.live.firstKey()));
            }
            List<Long> positions = ledger.append(steps);
            batches.add(positions.getFirst() - 48);
            rolled |= before / SEGMENT != positions.getFirst() / SEGMENT;
            ledger.journal().commit(i % 3 == 0);
            if (checkpoints && (i == 8 || i == 14)) {
                ledger.journal().commit(true);
                ledger.checkpoint();
            }
        }
        ledger.journal().commit(true);
        ledger.journal().prepareSpare();
        long end = ledger.journal().appendPosition();
        if (closed) {
            ledger.journal().close();
        }
        disk.killProcess();
        return new Sample(disk, ledger, batches, end);
    }

    /**
     * Opens a damaged copy. It must be refused, or show all that was there; only if the end could not be told from an
     * unsynced one may batches behind the last proof be missing.
     */
    private static void refusedOrWhole(Sample sample, SimulatedDisk damaged, long provenBatches, String what) {
        try {
            SimulatedDisk opening = damaged.copy();
            try (Storage storage = opening.open()) {
                Ledger opened = Ledger.open(storage, 8);
                assertThat(opened.batches).isBetween(provenBatches, sample.ledger.batches);
                if (opened.batches == sample.ledger.batches) {
                    assertThat(opened.live).isEqualTo(sample.ledger.live);
                }
            } catch (DamageException e) {
                assertThat(e.reports()).isNotEmpty();
                assertThat(e).hasMessageContaining("postroad doctor");
                assertThat(opening.files()).isEqualTo(damaged.files());
                for (String file : damaged.files()) {
                    assertThat(opening.bytes(file)).as(file).isEqualTo(damaged.bytes(file));
                }
            }
            SimulatedDisk served = damaged.copy();
            try (Storage storage = served.open()) {
                Ledger opened = Ledger.open(storage, Ledger.SETTINGS.withOnDamage(OnDamage.SERVE_REST), 9);
                // nothing invented: whatever is there was there, or its drop was lost
                opened.live.forEach((position, id) -> assertThat(id).isPositive());
                RecordReader reader = opened.journal().reader();
                for (Map.Entry<Long, Long> entry : sample.ledger.live.entrySet()) {
                    try {
                        assertThat(reader.read(entry.getKey()).getLong()).isEqualTo(entry.getValue());
                    } catch (CorruptRecordException corrupt) {
                        assertThat(opened.batches < sample.ledger.batches
                                        || !opened.damage.isEmpty()
                                        || touchedBeforeCheckpoint(damaged, sample, entry.getKey()))
                                .isTrue();
                    }
                }
                opened.append(List.of(Ledger.Step.put(5)));
                opened.journal().commit(true);
            }
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError(what + ": " + e.getMessage(), e);
        }
    }

    /** Opening does not read behind the checkpoint; damage there shows when the record is read. */
    private static boolean touchedBeforeCheckpoint(SimulatedDisk damaged, Sample sample, long position) {
        String name = String.format("segment-%016x.journal", position / SEGMENT);
        return !damaged.files().contains(name) || !Arrays.equals(damaged.bytes(name), sample.disk.bytes(name));
    }

    @Test
    void every_flipped_bit_of_a_segment_header_is_survived_or_refused() throws IOException {
        Sample sample = sample(false, true);
        for (int bit = 0; bit < 104 * 8; bit++) {
            SimulatedDisk damaged = sample.disk.copy();
            damaged.flip("segment-0000000000000000.journal", bit / 8, bit % 8);
            int which = bit;
            try (Storage storage = damaged.open()) {
                Ledger opened = Ledger.open(storage, 8);
                assertThat(opened.live).as("bit %s", which).isEqualTo(sample.ledger.live);
                assertThat(opened.damage).hasSize(1);
                assertThat(opened.damage.getFirst().kind()).isEqualTo(DamageReport.Kind.SEGMENT_HEADER);
                assertThat(opened.damage.getFirst().lost()).isFalse();
            }
            // and healed
            try (Storage storage = damaged.open()) {
                assertThat(Ledger.open(storage, 8).damage).isEmpty();
            }
        }
    }

    @Test
    void every_flipped_bit_of_a_batch_header_is_refused() throws IOException {
        Sample sample = sample(false, true);
        for (long batch :
                List.of(sample.batchPositions.get(0), sample.batchPositions.get(7), sample.batchPositions.getLast())) {
            for (int bit = 0; bit < 48 * 8; bit++) {
                SimulatedDisk damaged = sample.disk.copy();
                damaged.flip(name(batch), batch % SEGMENT + bit / 8, bit % 8);
                String what = "batch at " + batch + ", bit " + bit;
                Storage storage = damaged.open();
                assertThatThrownBy(() -> Ledger.open(storage, 8)).as(what).isInstanceOf(DamageException.class);
                damaged.killProcess();
                try (Storage again = damaged.open()) {
                    Ledger served = Ledger.open(again, Ledger.SETTINGS.withOnDamage(OnDamage.SERVE_REST), 9);
                    // the records are all there still, and are found
                    assertThat(served.live).as(what).isEqualTo(sample.ledger.live);
                    assertThat(served.damage).hasSize(1);
                    assertThat(again.list()).anyMatch(file -> file.startsWith("damaged-"));
                }
            }
        }
    }

    @Test
    void a_rotten_record_costs_that_record_and_no_other() throws IOException {
        Sample sample = sample(false, true);
        List<Long> positions = new ArrayList<>(sample.ledger.live.keySet());
        for (int i = 0; i < positions.size(); i++) {
            long position = positions.get(i);
            SimulatedDisk damaged = sample.disk.copy();
            damaged.flip(name(position), position % SEGMENT + i % 16, i % 8);
            Storage storage = damaged.open();
            assertThatThrownBy(() -> Ledger.open(storage, 8))
                    .isInstanceOf(DamageException.class)
                    .hasMessageContaining("(positions " + position + " to ")
                    .hasMessageContaining("1 of the ");
            damaged.killProcess();
            try (Storage again = damaged.open()) {
                Ledger served = Ledger.open(again, Ledger.SETTINGS.withOnDamage(OnDamage.SERVE_REST), 9);
                Map<Long, Long> expected = new TreeMap<>(sample.ledger.live);
                expected.remove(position);
                assertThat(served.live).isEqualTo(expected);
                served.verify();
                assertThatThrownBy(() -> served.journal().reader().read(position))
                        .isInstanceOf(CorruptRecordException.class)
                        .hasMessageContaining(name(position))
                        .hasMessageContaining("position " + position);
            }
        }
    }

    @Test
    void any_flipped_bit_anywhere_is_refused_or_harmless() {
        Property.forAll("bit flips", 400, gen -> {
            boolean closed = gen.flip();
            Sample sample = sample(gen.flip(), closed);
            SimulatedDisk damaged = sample.disk.copy();
            String file = gen.choose(damaged.files());
            int length = damaged.bytes(file).length;
            long offset = length == 0 ? 0 : gen.uniform(0, length - 1);
            if (length > 0) {
                damaged.flip(file, offset, gen.between(0, 7));
            }
            refusedOrWhole(
                    sample, damaged, closed ? sample.ledger.batches : sample.ledger.batches - 3, file + " @" + offset);
        });
    }

    @Test
    void zeroed_swapped_copied_and_stale_blocks_are_refused_or_harmless() {
        Property.forAll("block faults", 300, gen -> {
            boolean checkpoints = gen.flip();
            Sample sample = sample(checkpoints, true);
            SimulatedDisk damaged = sample.disk.copy();
            List<String> segments = damaged.files().stream()
                    .filter(file -> file.startsWith("segment-"))
                    .toList();
            String file = gen.choose(segments);
            byte[] bytes = damaged.bytes(file);
            int from = gen.between(0, 15) * 4096;
            int to = gen.between(0, 15) * 4096;
            String what = switch (gen.between(0, 4)) {
                case 0 -> {
                    Arrays.fill(bytes, to, to + 4096, (byte) 0);
                    yield "zeroed";
                }
                case 1 -> {
                    System.arraycopy(bytes, from, bytes, to, 4096);
                    yield "copied";
                }
                case 2 -> {
                    byte[] keep = Arrays.copyOfRange(bytes, to, to + 4096);
                    System.arraycopy(bytes, from, bytes, to, 4096);
                    System.arraycopy(keep, 0, bytes, from, 4096);
                    yield "swapped";
                }
                case 3 -> {
                    byte[] other = damaged.bytes(gen.choose(segments));
                    System.arraycopy(other, from, bytes, to, 4096);
                    yield "from another segment";
                }
                default -> {
                    Arrays.fill(bytes, to, bytes.length, (byte) 0);
                    yield "old copy with an empty end";
                }
            };
            damaged.put(file, bytes);
            refusedOrWhole(sample, damaged, proven(sample, checkpoints), what + " " + file + " " + from + " " + to);
        });
    }

    /** A stale copy of the last segment is as good as one that was never written further, but for the checkpoint. */
    private static long proven(Sample sample, boolean checkpoints) {
        return sample.batchPositions.stream()
                .filter(position -> position / SEGMENT < sample.end / SEGMENT || checkpoints && position < 0)
                .count();
    }

    @Test
    void a_missing_segment_is_refused_and_named() throws IOException {
        Sample sample = sample(false, true);
        for (String name : sample.disk.files()) {
            if (name.startsWith("segment-") && !name.startsWith("segment-0000000000000002")) {
                SimulatedDisk damaged = sample.disk.copy();
                damaged.remove(name);
                Storage storage = damaged.open();
                assertThatThrownBy(() -> Ledger.open(storage, 8))
                        .isInstanceOf(DamageException.class)
                        .hasMessageContaining(name)
                        .hasMessageContaining("missing");
            }
        }
    }

    @Test
    void an_unreadable_checkpoint_is_reported_and_the_one_before_is_used() throws IOException {
        Sample sample = sample(true, true);
        List<String> checkpoints = sample.disk.files().stream()
                .filter(file -> file.startsWith("checkpoint-"))
                .toList();
        assertThat(checkpoints).hasSize(2);
        for (int offset = 0; offset < sample.disk.bytes(checkpoints.getLast()).length; offset++) {
            SimulatedDisk damaged = sample.disk.copy();
            damaged.flip(checkpoints.getLast(), offset, offset % 8);
            try (Storage storage = damaged.open()) {
                Ledger opened = Ledger.open(storage, 8);
                assertThat(opened.live).as("offset %s", offset).isEqualTo(sample.ledger.live);
                assertThat(opened.damage).hasSize(1);
                assertThat(opened.damage.getFirst().file()).isEqualTo(checkpoints.getLast());
                assertThat(storage.list()).contains("damaged-" + checkpoints.getLast());
            }
        }
    }

    @Test
    void a_torn_tail_is_cut_at_every_byte_to_the_last_whole_batch() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Ledger ledger = Ledger.open(disk.open(), 7);
        ledger.append(List.of(Ledger.Step.put(1)));
        ledger.journal().commit(true);
        long start = ledger.journal().appendPosition();
        List<Long> ends = new ArrayList<>();
        for (long id : new long[] {4, 5, 7}) {
            ledger.append(List.of(Ledger.Step.put(id), Ledger.Step.put(id + 100)));
            ends.add(ledger.journal().appendPosition());
        }
        ledger.journal().commit(false);
        disk.killProcess();
        byte[] whole = disk.bytes("segment-0000000000000000.journal");
        int from = (int) start;
        int to = (int) (long) ends.getLast();
        int step = Math.max(1, (to - from) / 2000);
        for (int cut = from; cut <= to; cut += cut < from + 100 || cut > to - 100 ? 1 : step) {
            byte[] bytes = whole.clone();
            Arrays.fill(bytes, cut, to, (byte) (cut % 2 == 0 ? 0 : 0xA5));
            int at = cut;
            // the last bytes of a batch may be zeros anyway
            long expected = 1
                    + ends.stream()
                            .map(Long::intValue)
                            .filter(end -> Arrays.equals(bytes, 0, end, whole, 0, end))
                            .count();
            SimulatedDisk torn = disk.copy();
            torn.put("segment-0000000000000000.journal", bytes);
            try (Storage storage = torn.open()) {
                Ledger opened = Ledger.open(storage, 8);
                assertThat(opened.batches).as("cut at %s", at).isEqualTo(expected);
                opened.verify();
                opened.append(List.of(Ledger.Step.put(9)));
                opened.journal().commit(true);
            }
            try (Storage storage = torn.open()) {
                assertThat(Ledger.open(storage, 8).batches).isEqualTo(expected + 1);
            }
        }
    }

    /** A segment has its full length before it gets its name: no crash makes it shorter. */
    @Test
    void a_segment_file_that_is_shorter_than_it_was_made_is_refused() throws IOException {
        Sample sample = sample(false, true);
        String name = "segment-0000000000000000.journal";
        for (int cut : new int[] {4096, 5000, 30_000, SEGMENT - 1}) {
            SimulatedDisk shorter = sample.disk.copy();
            shorter.put(name, Arrays.copyOf(sample.disk.bytes(name), cut));
            Storage storage = shorter.open();
            assertThatThrownBy(() -> Ledger.open(storage, 8))
                    .isInstanceOf(DamageException.class)
                    .hasMessageContaining(name)
                    .hasMessageContaining("shorter than it was made");
        }
    }

    @Test
    void a_directory_of_a_newer_format_is_refused_with_both_versions_and_left_as_it_was() throws IOException {
        Sample sample = sample(true, true);
        for (String name : sample.disk.files()) {
            boolean segment = name.startsWith("segment-");
            if (!segment && !name.startsWith("checkpoint-")) {
                continue;
            }
            byte[] bytes = sample.disk.bytes(name);
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            int crcAt = segment ? 100 : 84;
            buffer.putInt(8, 2);
            CRC32C crc = new CRC32C();
            crc.update(bytes, 0, crcAt);
            buffer.putInt(crcAt, (int) crc.getValue());
            SimulatedDisk newer = sample.disk.copy();
            newer.put(name, bytes);
            SimulatedDisk before = newer.copy();
            Storage storage = newer.open();
            assertThatThrownBy(() -> Ledger.open(storage, Ledger.SETTINGS.withOnDamage(OnDamage.SERVE_REST), 8))
                    .isInstanceOf(JournalException.class)
                    .hasMessageContaining("version 2")
                    .hasMessageContaining("version 1")
                    .hasMessageContaining("Nothing was changed");
            assertThat(newer.files()).isEqualTo(before.files());
            for (String file : before.files()) {
                assertThat(newer.bytes(file)).isEqualTo(before.bytes(file));
            }
        }
    }

    @Test
    void foreign_files_are_named_and_left_alone() throws IOException {
        Sample sample = sample(true, true);
        sample.disk.put("notes.txt", new byte[] {1, 2, 3});
        try (Storage storage = sample.disk.open()) {
            Ledger opened = Ledger.open(storage, 8);
            assertThat(opened.journal().recovery().foreignFiles()).containsExactly("notes.txt");
            assertThat(opened.live).isEqualTo(sample.ledger.live);
        }
        assertThat(sample.disk.bytes("notes.txt")).containsExactly(1, 2, 3);
    }

    @Test
    void a_segment_of_another_journal_is_not_taken_for_ones_own() throws IOException {
        Sample sample = sample(false, true);
        SimulatedDisk other = new SimulatedDisk();
        Ledger foreign = Ledger.open(other.open(), 4711);
        foreign.append(List.of(Ledger.Step.put(1)));
        foreign.journal().close();
        SimulatedDisk damaged = sample.disk.copy();
        damaged.put("segment-0000000000000001.journal", other.bytes("segment-0000000000000000.journal"));
        Storage storage = damaged.open();
        assertThatThrownBy(() -> Ledger.open(storage, 8))
                .isInstanceOf(DamageException.class)
                .hasMessageContaining("segment-0000000000000001.journal");
    }

    @Test
    void one_file_of_another_journal_does_not_outvote_the_others() throws IOException {
        Sample sample = sample(true, true);
        SimulatedDisk other = new SimulatedDisk();
        Ledger foreign = Ledger.open(other.open(), 4711);
        foreign.append(List.of(Ledger.Step.put(1)));
        foreign.journal().commit(true);
        for (int i = 0; i < 9; i++) {
            foreign.checkpoint();
        }
        foreign.journal().close();
        String checkpoint = other.files().stream()
                .filter(file -> file.startsWith("checkpoint-"))
                .reduce((first, last) -> last)
                .orElseThrow();
        SimulatedDisk damaged = sample.disk.copy();
        damaged.put(checkpoint, other.bytes(checkpoint));
        try (Storage storage = damaged.open()) {
            Ledger opened = Ledger.open(storage, 8);
            assertThat(opened.live).isEqualTo(sample.ledger.live);
            assertThat(opened.damage).hasSize(1);
            assertThat(opened.damage.getFirst().file()).isEqualTo(checkpoint);
        }
    }

    @Test
    void records_are_found_whose_batch_header_is_gone_with_others_of_the_batch() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Ledger ledger = Ledger.open(disk.open(), 7);
        List<Long> positions = ledger.append(List.of(Ledger.Step.put(1), Ledger.Step.put(2), Ledger.Step.put(4)));
        ledger.journal().commit(true);
        ledger.append(List.of(Ledger.Step.put(5)));
        ledger.journal().close();
        disk.killProcess();
        disk.flip(name(positions.getFirst()), positions.getFirst() - 40, 0);
        disk.flip(name(positions.getFirst()), positions.get(1) + 12, 0);
        try (Storage storage = disk.open()) {
            Ledger served = Ledger.open(storage, Ledger.SETTINGS.withOnDamage(OnDamage.SERVE_REST), 9);
            assertThat(served.live.values()).containsExactly(1L, 4L, 5L);
            assertThat(served.damage).anyMatch(DamageReport::lost);
        }
    }

    @Test
    void damage_in_the_last_group_of_all_is_refused_if_the_journal_was_at_rest_before_the_kill() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Ledger ledger = Ledger.open(disk.open(), 7);
        ledger.append(List.of(Ledger.Step.put(1)));
        ledger.journal().commit(true);
        List<Long> last = ledger.append(List.of(Ledger.Step.put(2)));
        ledger.journal().commit(true);
        SimulatedDisk before = disk.copy();
        ledger.journal().noteDurable();
        disk.killProcess();
        for (SimulatedDisk each : List.of(before, disk)) {
            each.flip(name(last.getFirst()), last.getFirst() + 10, 0);
        }
        try (Storage storage = before.open()) {
            assertThat(Ledger.open(storage, 8).batches)
                    .as("nothing says that it was durable")
                    .isEqualTo(1);
        }
        Storage storage = disk.open();
        assertThatThrownBy(() -> Ledger.open(storage, 8))
                .isInstanceOf(DamageException.class)
                .hasMessageContaining("1 of the 1 records");
    }

    private static String name(long position) {
        return String.format("segment-%016x.journal", position / SEGMENT);
    }
}
