package dev.postroad.simulation.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.journal.DamageException;
import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalInspector;
import dev.postroad.journal.JournalReport;
import dev.postroad.journal.JournalSettings.OnDamage;
import dev.postroad.journal.Storage;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Inspecting a directory, and saving what can be saved of a damaged one. */
class InspectorTest {
    private static final String FIRST = "segment-0000000000000000.journal";

    private static Ledger filled(SimulatedDisk disk, int batches, boolean checkpoint) throws IOException {
        Ledger ledger = Ledger.open(disk.open(), 3);
        for (long id = 1; id <= batches; id++) {
            ledger.append(List.of(Ledger.Step.put(id)));
            ledger.journal().commit(true);
            if (checkpoint && id % 20 == 0) {
                ledger.checkpoint();
            }
        }
        ledger.journal().close();
        disk.killProcess();
        return ledger;
    }

    @Test
    void a_healthy_directory_is_described_and_not_changed() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Ledger ledger = filled(disk, 60, true);
        SimulatedDisk before = disk.copy();
        try (Storage storage = disk.open()) {
            JournalReport report = JournalInspector.inspect(storage);
            assertThat(report.healthy()).isTrue();
            assertThat(report.damage()).isEmpty();
            assertThat(report.batches()).isEqualTo(60);
            assertThat(report.recordsByType()).containsExactly(Map.entry((byte) 1, 60L));
            assertThat(report.segments()).hasSizeGreaterThan(1);
            assertThat(report.checkpoints()).hasSize(2);
            assertThat(report.closedCleanly()).isTrue();
            assertThat(report.tornBytes()).isZero();
            assertThat(report.segmentBytes()).isEqualTo(64 << 10);
        }
        assertThat(disk.files()).isEqualTo(before.files());
        for (String file : before.files()) {
            assertThat(disk.bytes(file)).isEqualTo(before.bytes(file));
        }
        assertThat(ledger.batches).isEqualTo(60);
    }

    @Test
    void a_salvaged_copy_opens_without_complaint_and_has_every_readable_record_at_its_position() {
        Property.forAll("salvage", 200, gen -> {
            SimulatedDisk disk = new SimulatedDisk();
            boolean checkpoint = gen.flip();
            Ledger ledger = filled(disk, 60, checkpoint);
            SimulatedDisk damaged = disk.copy();
            int faults = gen.between(1, 4);
            for (int i = 0; i < faults; i++) {
                damage(damaged, gen);
            }
            TreeMap<Long, Long> served = new TreeMap<>();
            boolean refused = false;
            try (Storage storage = damaged.copy().open()) {
                Ledger.open(storage, 9);
            } catch (DamageException e) {
                refused = true;
            }
            try (Storage storage = damaged.copy().open()) {
                served.putAll(Ledger.open(storage, Ledger.SETTINGS.withOnDamage(OnDamage.SERVE_REST), 9).live);
            }
            SimulatedDisk saved = new SimulatedDisk();
            JournalReport report;
            try (Storage from = damaged.open();
                    Storage to = saved.open()) {
                report = JournalInspector.salvage(from, to);
            }
            if (refused) {
                assertThat(report.healthy()).isFalse();
            }
            try (Storage storage = saved.open()) {
                Ledger opened = Ledger.open(storage, 9);
                assertThat(opened.damage).isEmpty();
                assertThat(opened.live).isEqualTo(served);
                opened.append(List.of(Ledger.Step.put(77)));
                opened.journal().commit(true);
                for (var entry : opened.live.entrySet()) {
                    Long original = ledger.live.get(entry.getKey());
                    assertThat(original == null || original.equals(entry.getValue()))
                            .isTrue();
                }
            }
            try (Storage storage = saved.open()) {
                assertThat(JournalInspector.inspect(storage).healthy()).isTrue();
            }
        });
    }

    private static void damage(SimulatedDisk disk, Generator gen) {
        List<String> segments = disk.files().stream()
                .filter(file -> file.startsWith("segment-"))
                .toList();
        String file = gen.choose(segments);
        switch (gen.between(0, 5)) {
            case 0 -> {
                if (segments.size() > 2 && !file.equals(segments.getLast())) {
                    disk.remove(file);
                }
            }
            case 1 -> {
                byte[] bytes = disk.bytes(file);
                int from = gen.between(0, 15) * 4096;
                Arrays.fill(bytes, from, from + 4096, (byte) 0);
                disk.put(file, bytes);
            }
            default -> disk.flip(file, gen.uniform(4096, disk.bytes(file).length - 1), gen.between(0, 7));
        }
    }

    @Test
    void salvaging_into_a_directory_that_is_not_empty_is_refused() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        filled(disk, 3, false);
        SimulatedDisk other = disk.copy();
        try (Storage from = disk.open();
                Storage to = other.open()) {
            assertThatThrownBy(() -> JournalInspector.salvage(from, to))
                    .isInstanceOf(JournalException.class)
                    .hasMessageContaining("is not empty")
                    .hasMessageContaining("durable.mark");
        }
    }

    @Test
    void a_torn_tail_is_told_apart_from_damage() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Ledger ledger = Ledger.open(disk.open(), 3);
        ledger.append(List.of(Ledger.Step.put(1)));
        ledger.journal().commit(true);
        long durable = ledger.journal().durablePosition();
        ledger.append(List.of(Ledger.Step.put(4)));
        ledger.append(List.of(Ledger.Step.put(5)));
        ledger.journal().commit(false);
        disk.killProcess();
        disk.flip(FIRST, durable + 50, 1);
        try (Storage storage = disk.open()) {
            JournalReport report = JournalInspector.inspect(storage);
            assertThat(report.healthy()).isTrue();
            assertThat(report.closedCleanly()).isFalse();
            assertThat(report.tornBytes()).isPositive();
            assertThat(report.batches()).isEqualTo(2);
        }
    }
}
