package dev.postroad.simulation.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.journal.BatchView;
import dev.postroad.journal.Journal;
import dev.postroad.journal.RecoveryHandler;
import dev.postroad.journal.Snapshot;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A batch that a recovery has dropped never comes back. Three things see to that, each of them enough alone: the cut tail
 * is zeroed, terms never fall, and a header knows the digest of its records.
 */
class DroppedBatchTest {
    private static final String FILE = "segment-0000000000000000.journal";
    private static final int MARK = 48;

    private final List<Integer> shown = new ArrayList<>();

    private Journal open(SimulatedDisk disk) throws IOException {
        shown.clear();
        return Journal.open(disk.open(), Ledger.SETTINGS, 1, new Random(1)::nextLong, new RecoveryHandler() {
            @Override
            public void checkpoint(Snapshot snapshot) {}

            @Override
            public void batch(BatchView batch) {
                while (batch.next()) {
                    shown.add(batch.payload().getInt());
                }
            }
        });
    }

    /** Appends a batch of that many bytes, headers included; returns the offset at which it begins. */
    private static int append(Journal journal, int value, int bytes) throws IOException {
        int begin = (int) journal.appendPosition();
        journal.begin(1, bytes);
        journal.record((byte) 1, bytes - MARK - 9).putInt(value).put(new byte[bytes - MARK - 9 - 4]);
        journal.endRecord();
        journal.end();
        assertThat(journal.appendPosition()).isEqualTo(begin + (long) bytes);
        return begin;
    }

    private static void splice(SimulatedDisk to, byte[] from, int offset, int bytes) {
        byte[] target = to.bytes(FILE);
        System.arraycopy(from, offset, target, offset, bytes);
        to.put(FILE, target);
    }

    @Test
    void what_is_behind_the_tail_is_zeros_before_anything_is_appended() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Journal journal = open(disk);
        append(journal, 1, 200);
        journal.commit(true);
        int torn = append(journal, 2, 4000);
        append(journal, 3, 800);
        journal.commit(false);
        disk.killProcess();
        disk.flip(FILE, torn + 100, 1);
        Journal again = open(disk);
        assertThat(shown).containsExactly(1);
        assertThat(again.recovery().tailCut()).isTrue();
        assertThat(again.recovery().droppedBytes()).isEqualTo(4800);
        byte[] bytes = disk.bytes(FILE);
        for (int i = torn + MARK; i < bytes.length; i++) {
            assertThat(bytes[i]).as("offset %s", i).isZero();
        }
    }

    @Test
    void a_batch_of_an_earlier_term_is_not_taken_behind_one_of_a_later() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Journal journal = open(disk);
        append(journal, 1, 200);
        journal.commit(true);
        SimulatedDisk before = disk.crash(Crash.losingAll());
        append(journal, 2, 200 + MARK);
        int old = append(journal, 3, 304);
        journal.commit(false);
        byte[] dropped = disk.bytes(FILE);

        Journal later = open(before);
        int begin = append(later, 4, 200);
        assertThat(begin + 200).isEqualTo(old);
        later.commit(true);
        before.killProcess();
        splice(before, dropped, old, 304);
        open(before);
        assertThat(shown).containsExactly(1, 4);
    }

    @Test
    void a_header_does_not_accept_the_records_of_another_batch_in_the_same_place() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Journal journal = open(disk);
        append(journal, 1, 200);
        journal.commit(true);
        SimulatedDisk before = disk.copy();
        int place = append(journal, 2, 304);
        journal.commit(false);
        byte[] other = disk.bytes(FILE);
        // the same journal goes on otherwise: same segment, same position, same size
        SimulatedDisk twin = new SimulatedDisk();
        Journal same = open(twin);
        append(same, 1, 200);
        same.commit(true);
        assertThat(twin.bytes(FILE)).isEqualTo(before.bytes(FILE));
        assertThat(append(same, 3, 304)).isEqualTo(place);
        same.commit(false);
        twin.killProcess();
        splice(twin, other, place + MARK, 304 - MARK);
        open(twin);
        assertThat(shown).containsExactly(1);
    }
}
