package dev.postroad.simulation.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.journal.JournalException;
import dev.postroad.journal.JournalFailedException;
import dev.postroad.journal.JournalFullException;
import dev.postroad.journal.Storage;
import dev.postroad.testkit.Generator;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Calls on the disk that fail: each in turn, once and for ever. */
class FaultTest {

    @ParameterizedTest
    @EnumSource(Fault.class)
    void whichever_call_fails_nothing_that_was_synced_is_lost(Fault kind) throws IOException {
        Generator gen = Generator.announced("counting error loop, " + kind);
        for (boolean forever : new boolean[] {false, true}) {
            for (int n = 1; ; n++) {
                if (!failing(gen.fork(), kind, forever, n)) {
                    assertThat(n).as("calls the workload makes").isGreaterThan(30);
                    break;
                }
            }
        }
    }

    /** Runs a workload whose n-th call fails; returns whether it got that far. */
    private static boolean failing(Generator gen, Fault kind, boolean forever, int n) throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        LedgerModel model = new LedgerModel();
        disk.failCall(n, kind, forever);
        String what = kind + (forever ? " from call " : " in call ") + n;
        work(disk, model, gen);
        boolean met = disk.faultMet();
        disk.heal();
        disk.killProcess();
        SimulatedDisk after = gen.flip() ? disk : disk.crash(Crash.random(gen.nextLong()));
        try (Storage storage = after.open()) {
            Ledger recovered = Ledger.open(storage, gen.nextLong());
            model.check(recovered);
            recovered.verify();
            recovered.append(List.of(Ledger.Step.put(1)));
            recovered.journal().commit(true);
            recovered.journal().close();
        } catch (IOException | AssertionError e) {
            throw new AssertionError(what + ": " + e.getMessage(), e);
        }
        return met;
    }

    /** Goes on after what fails as an engine does: until the journal says that it has failed. */
    private static void work(SimulatedDisk disk, LedgerModel model, Generator gen) {
        for (int opening = 0; opening < 2; opening++) {
            disk.killProcess();
            Ledger ledger;
            try {
                ledger = Ledger.open(disk.open(), gen.nextLong());
                model.check(ledger);
                model.restarted(ledger);
            } catch (IOException e) {
                continue;
            }
            for (int i = 0; i < 14 && !ledger.journal().failed(); i++) {
                try {
                    step(ledger, model, gen, i);
                } catch (JournalFailedException e) {
                    assertThat(ledger.journal().failed()).isTrue();
                    assertThat(e).hasMessageContaining("Restart after checking the disk");
                } catch (JournalException refused) {
                    assertThat(ledger.journal().failed()).isFalse();
                }
            }
            if (ledger.journal().failed()) {
                Ledger failed = ledger;
                long durable = failed.journal().durablePosition();
                assertThatThrownBy(() -> failed.journal().begin(1)).isInstanceOf(JournalFailedException.class);
                assertThatThrownBy(() -> failed.journal().commit(true)).isInstanceOf(JournalFailedException.class);
                assertThat(failed.journal().durablePosition()).isEqualTo(durable);
            }
        }
    }

    private static void step(Ledger ledger, LedgerModel model, Generator gen, int i) throws JournalException {
        for (int k = 0; k < 2; k++) {
            List<Ledger.Step> steps = model.steps(gen, ledger);
            model.appending(steps);
            boolean appended = false;
            try {
                model.appended(ledger.append(steps));
                appended = true;
            } finally {
                if (!appended) {
                    model.notAppended();
                }
            }
        }
        ledger.journal().commit(i % 3 != 0);
        if (i % 3 != 0) {
            model.synced();
        }
        if (i % 5 == 4) {
            ledger.journal().commit(true);
            model.synced();
            ledger.checkpoint();
        }
        if (i % 4 == 2) {
            ledger.journal().prepareSpare();
        }
    }

    @Test
    void a_full_disk_refuses_appends_with_the_reason_and_takes_them_again_when_there_is_space() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        disk.capacity(3 * 64 << 10);
        try (Storage storage = disk.open()) {
            Ledger ledger = Ledger.open(storage, 1);
            JournalException full = null;
            long id = 0;
            while (full == null) {
                boolean room = ledger.journal().hasRoomFor(20_000);
                try {
                    ledger.append(List.of(Ledger.Step.put(++id)));
                    ledger.journal().commit(true);
                } catch (JournalFullException e) {
                    full = e;
                    assertThat(room).isFalse();
                }
                assertThat(id).isLessThan(1000);
            }
            assertThat(full)
                    .hasMessageContaining("No space for another segment")
                    .hasMessageContaining("low-water");
            assertThat(ledger.journal().failed()).isFalse();
            long before = ledger.batches;
            ledger.verify();
            disk.capacity(10 * 64 << 10);
            assertThat(ledger.journal().hasRoomFor(20_000)).isTrue();
            ledger.append(List.of(Ledger.Step.put(++id)));
            ledger.journal().commit(true);
            ledger.verify();
            disk.killProcess();
            Ledger again = Ledger.open(disk.crash(Crash.losingAll()).open(), 2);
            assertThat(again.batches).isEqualTo(before + 1);
            again.verify();
        }
    }

    @Test
    void after_a_failed_sync_nothing_is_accepted_and_the_durable_position_stays() throws IOException {
        SimulatedDisk disk = new SimulatedDisk();
        Ledger ledger = Ledger.open(disk.open(), 1);
        ledger.append(List.of(Ledger.Step.put(1)));
        ledger.journal().commit(true);
        long durable = ledger.journal().durablePosition();
        ledger.append(List.of(Ledger.Step.put(2)));
        disk.listen(operation -> {
            if (operation.kind() == Operation.Kind.FORCE) {
                disk.failCall(0, Fault.FAILED_SYNC, false);
            }
        });
        assertThatThrownBy(() -> ledger.journal().commit(true))
                .isInstanceOf(JournalFailedException.class)
                .hasMessageContaining("Syncing segment-0000000000000000.journal")
                .hasMessageContaining("Restart after checking the disk");
        disk.listen(operation -> {});
        assertThat(ledger.journal().durablePosition()).isEqualTo(durable);
        assertThat(ledger.journal().failure()).isNotNull();
        assertThatThrownBy(() -> ledger.append(List.of(Ledger.Step.put(3)))).isInstanceOf(JournalFailedException.class);
        ledger.journal().close();
        disk.killProcess();
        Ledger again = Ledger.open(disk.crash(Crash.losingAll()).open(), 2);
        assertThat(again.batches).isEqualTo(1);
    }
}
