package dev.postroad.simulation.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.journal.DamageReport;
import dev.postroad.journal.Storage;
import dev.postroad.testkit.Generator;
import dev.postroad.testkit.Property;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The journal on a disk that loses, tears and garbles whatever was not synced, at every point of short workloads. */
class CrashTest {

    /** A state after a crash, with what the model says about it. */
    private record Image(SimulatedDisk disk, Crash crash, String at) {}

    @Test
    void what_was_synced_survives_every_crash_and_the_rest_whole_or_not_at_all_in_order() {
        Property.forAll("synced batches survive crashes", 60, gen -> {
            LedgerModel model = new LedgerModel();
            SimulatedDisk disk = new SimulatedDisk();
            if (gen.flip()) {
                disk.shortReads(gen.nextLong());
            }
            Generator choices = gen.fork();
            disk.listen(operation -> {
                if (operation.kind().changes()) {
                    for (Crash crash : some(disk, choices, 3)) {
                        recoverAndCheck(new Image(disk.crash(crash), crash, operation.toString()), model, choices);
                    }
                }
            });
            run(disk, model, gen, 25);
        });
    }

    @Test
    void a_short_workload_explored_completely_loses_nothing() {
        Property.forAll("every subset of pending changes", 12, gen -> {
            LedgerModel model = new LedgerModel();
            SimulatedDisk disk = new SimulatedDisk();
            Generator choices = gen.fork();
            disk.listen(operation -> {
                if (operation.kind().changes()) {
                    for (Crash crash : disk.crashes(60, choices.nextLong())) {
                        recoverAndCheck(new Image(disk.crash(crash), crash, operation.toString()), model, choices);
                    }
                }
            });
            run(disk, model, gen, 6);
        });
    }

    @Test
    void segments_are_used_again_only_when_neither_checkpoint_needs_them() {
        Property.forAll("reclaim", 40, gen -> {
            LedgerModel model = new LedgerModel();
            SimulatedDisk disk = new SimulatedDisk();
            Generator choices = gen.fork();
            disk.listen(operation -> {
                boolean name = operation.kind() != Operation.Kind.WRITE && operation.kind() != Operation.Kind.FORCE;
                if (operation.kind().changes() && choices.chance(1, name ? 2 : 10)) {
                    Crash crash = some(disk, choices, 1).getFirst();
                    SimulatedDisk after = disk.crash(crash);
                    if (choices.flip()) {
                        rotNewestCheckpoint(after, choices);
                    }
                    recoverAndCheck(new Image(after, crash, operation.toString()), model, choices);
                }
            });
            Ledger ledger = Ledger.open(disk.open(), gen.nextLong());
            long first = 0;
            int keep = gen.between(1, 8);
            for (int i = 0; i < 150; i++) {
                List<Ledger.Step> steps = model.rollingSteps(gen, ledger, keep);
                model.appending(steps);
                model.appended(ledger.append(steps));
                ledger.journal().commit(true);
                model.synced();
                if (gen.chance(1, 10)) {
                    ledger.checkpoint();
                }
                if (gen.chance(1, 10)) {
                    ledger.journal().prepareSpare();
                }
                first = ledger.journal().segments().getFirst().number();
            }
            ledger.verify();
            assertThat(first).as("first segment in use at the end").isPositive();
        });
    }

    private static void rotNewestCheckpoint(SimulatedDisk disk, Generator choices) {
        List<String> checkpoints = disk.files().stream()
                .filter(file -> file.startsWith("checkpoint-") && !file.endsWith(".tmp"))
                .toList();
        if (!checkpoints.isEmpty()) {
            String newest = checkpoints.getLast();
            disk.flip(newest, choices.uniform(0, disk.bytes(newest).length - 1), 3);
        }
    }

    @Test
    void what_a_recovery_has_shown_stays_even_if_power_fails_right_after() {
        Property.forAll("recovered state is durable", 150, gen -> {
            LedgerModel model = new LedgerModel();
            SimulatedDisk disk = new SimulatedDisk();
            run(disk, model, gen, gen.between(1, 40));
            // unsynced work behind it
            Storage storage = disk.open();
            Ledger ledger = Ledger.open(storage, gen.nextLong());
            append(ledger, model, gen);
            append(ledger, model, gen);
            ledger.journal().commit(false);
            SimulatedDisk after = disk.crash(Crash.random(gen.nextLong()));
            long shown;
            try (Storage again = after.open()) {
                Ledger recovered = Ledger.open(again, gen.nextLong());
                model.check(recovered);
                shown = recovered.batches;
            }
            try (Storage again = after.crash(Crash.losingAll()).open()) {
                assertThat(Ledger.open(again, gen.nextLong()).batches).isEqualTo(shown);
            }
        });
    }

    @Test
    void a_failed_sync_is_never_taken_for_a_good_one_by_the_next_process() {
        Property.forAll("failed sync, then restart without a crash", 200, gen -> {
            LedgerModel model = new LedgerModel();
            SimulatedDisk disk = new SimulatedDisk();
            run(disk, model, gen, gen.between(1, 10));
            Storage storage = disk.open();
            Ledger ledger = Ledger.open(storage, gen.nextLong());
            append(ledger, model, gen);
            boolean failed = false;
            disk.listen(operation -> {
                if (operation.kind() == Operation.Kind.FORCE) {
                    disk.failCall(0, Fault.FAILED_SYNC, false);
                }
            });
            try {
                ledger.journal().commit(true);
            } catch (IOException e) {
                failed = true;
            }
            assertThat(failed).isTrue();
            assertThat(ledger.journal().failed()).isTrue();
            disk.listen(operation -> {});
            disk.heal();
            disk.killProcess();
            // the next process still sees bytes that the disk never got
            long shown;
            try (Storage again = disk.open()) {
                Ledger recovered = Ledger.open(again, gen.nextLong());
                model.check(recovered);
                shown = recovered.batches;
            }
            try (Storage again = disk.crash(Crash.losingAll()).open()) {
                assertThat(Ledger.open(again, gen.nextLong()).batches).isEqualTo(shown);
            }
        });
    }

    private static List<Crash> some(SimulatedDisk disk, Generator choices, int count) {
        List<Crash> crashes = new ArrayList<>();
        if (disk.pendingChanges() == 0) {
            crashes.add(Crash.losingAll());
            return crashes;
        }
        for (int i = 0; i < count; i++) {
            crashes.add(
                    choices.chance(1, 5)
                            ? choices.choose(Crash.losingAll(), Crash.keepingAll())
                            : Crash.random(choices.nextLong()));
        }
        return crashes;
    }

    /** Opens what a crash has left, and crashes that opening in turn. */
    private static void recoverAndCheck(Image image, LedgerModel model, Generator choices) {
        try {
            List<Image> during = new ArrayList<>();
            SimulatedDisk disk = image.disk;
            if (choices.chance(1, 4)) {
                disk.listen(operation -> {
                    if (operation.kind().changes() && choices.chance(1, 3)) {
                        Crash crash = Crash.random(choices.nextLong());
                        during.add(new Image(disk.crash(crash), crash, image.at + " then " + operation));
                    }
                });
            }
            open(disk, model);
            for (Image second : during) {
                open(second.disk, model);
            }
        } catch (Exception | AssertionError e) {
            throw new AssertionError("after " + image.crash + " before " + image.at + ": " + e.getMessage(), e);
        }
    }

    private static void open(SimulatedDisk disk, LedgerModel model) throws IOException {
        try (Storage storage = disk.open()) {
            Ledger recovered = Ledger.open(storage, 99);
            disk.listen(operation -> {});
            assertThat(recovered.damage).noneMatch(DamageReport::lost);
            assertThat(recovered.damage).allMatch(report -> report.kind() == DamageReport.Kind.CHECKPOINT);
            model.checkState(recovered);
            recovered.verify();
            // it can go on from here
            recovered.append(List.of(Ledger.Step.put(1_000_000)));
            recovered.journal().commit(true);
            recovered.verify();
        }
    }

    private static void append(Ledger ledger, LedgerModel model, Generator gen) throws IOException {
        List<Ledger.Step> steps = model.steps(gen, ledger);
        model.appending(steps);
        model.appended(ledger.append(steps));
    }

    /** Random work; ends with the storage closed and everything synced. */
    private static void run(SimulatedDisk disk, LedgerModel model, Generator gen, int length) throws IOException {
        Storage storage = disk.open();
        Ledger ledger = Ledger.open(storage, gen.nextLong());
        for (int i = 0; i < length; i++) {
            switch (gen.between(0, 11)) {
                case 0 -> {
                    ledger.journal().commit(true);
                    model.synced();
                    ledger.checkpoint();
                }
                case 1 -> ledger.journal().commit(false);
                case 2 -> ledger.journal().prepareSpare();
                case 3 -> {
                    if (gen.flip()) {
                        ledger.journal().close();
                        model.synced();
                    }
                    disk.killProcess();
                    storage = disk.open();
                    ledger = Ledger.open(storage, gen.nextLong());
                    model.check(ledger);
                    model.restarted(ledger);
                }
                case 4, 5 -> {
                    ledger.journal().commit(true);
                    model.synced();
                }
                default -> append(ledger, model, gen);
            }
        }
        ledger.journal().commit(true);
        model.synced();
        ledger.verify();
        ledger.journal().close();
        storage.close();
    }
}
