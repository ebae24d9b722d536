package dev.postroad.simulation.faults;

import dev.postroad.simulation.disk.Crash;
import dev.postroad.simulation.disk.Fault;
import dev.postroad.simulation.disk.SimulatedDisk;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * Runs a program again and again, failing its first call on the disk, its second, its third, until a run is untouched. After
 * each failure the disk is healed and opened again: as it is, for the process alone may have died, and after power cuts; of one
 * of these the recovery is followed by another power cut.
 */
final class FailureLoop {
    private final BooleanSupplier out;
    private final List<CrashExplorer.Found> found = new ArrayList<>();
    private long failures;
    private long recoveries;
    private long loops;

    /** @param out true when time is up */
    FailureLoop(BooleanSupplier out) {
        this.out = out;
    }

    List<CrashExplorer.Found> found() {
        return found;
    }

    /** Runs in which a call failed. */
    long failures() {
        return failures;
    }

    /** Recoveries judged after them. */
    long recoveries() {
        return recoveries;
    }

    /** Loops that came to a run that was untouched: all calls of the program have failed, one each. */
    long loops() {
        return loops;
    }

    /**
     * Fails call {@code first}, then each {@code step}th behind it.
     *
     * @return whether a run was untouched; false if time was up before
     */
    boolean loop(
            String name, Function<SimulatedDisk, Trial> program, Fault kind, boolean forever, int first, int step) {
        for (int n = first; ; n += step) {
            if (out.getAsBoolean()) {
                return false;
            }
            if (!failing(name, program, kind, forever, n)) {
                loops++;
                return true;
            }
        }
    }

    /** Runs it once; returns whether it got as far as the call that fails. */
    boolean failing(String name, Function<SimulatedDisk, Trial> program, Fault kind, boolean forever, int n) {
        SimulatedDisk disk = new SimulatedDisk();
        Trial trial = program.apply(disk);
        disk.failCall(n, kind, forever);
        String which = name + "/" + kind + "/" + (forever ? "for-ever" : "once") + "/" + n;
        try {
            trial.run();
            if (!disk.faultMet()) {
                return false;
            }
            failures++;
            disk.heal();
            disk.killProcess();
            SimulatedDisk cut = disk.crash(Crash.losingAll());
            SimulatedDisk torn = disk.crash(Crash.random(n));
            List<SimulatedDisk> left = List.of(cut, torn, disk);
            for (int i = 0; i < left.size(); i++) {
                judge(trial, left.get(i), n % left.size() == i);
            }
        } catch (RuntimeException e) {
            found.add(new CrashExplorer.Found(which, trial.trace() + ": " + CrashExplorer.text(e)));
        }
        return true;
    }

    /**
     * What comes back must be right.
     *
     * @param again true to see that it is still there when the power fails right after, too
     */
    private void judge(Trial trial, SimulatedDisk disk, boolean again) {
        recoveries++;
        List<SimulatedDisk> after = new ArrayList<>();
        String first = trial.recover(disk, false, () -> {
            if (again) {
                after.add(disk.crash(Crash.losingAll()));
            }
        });
        for (SimulatedDisk later : after) {
            recoveries++;
            String second = trial.recover(later, false, Observation.Opened.NOTHING);
            if (!second.equals(first)) {
                throw new Broken(
                        "what a recovery had shown was gone after the next crash: first " + first + ", then " + second);
            }
        }
    }
}
