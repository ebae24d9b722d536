package dev.postroad.simulation.disk;

import static org.assertj.core.api.Assertions.assertThat;

import dev.postroad.testkit.Generator;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** What a {@link Ledger} was told, and which of it had been synced: what may come back after a crash. */
final class LedgerModel {

    private record Done(List<Ledger.Step> steps, List<Long> positions) {}

    private final List<Done> done = new ArrayList<>();
    private int synced;
    private long nextId = 1;

    /** One to three steps that make sense now. */
    List<Ledger.Step> steps(Generator gen, Ledger ledger) {
        List<Ledger.Step> steps = new ArrayList<>();
        List<Long> positions = new ArrayList<>(ledger.live.keySet());
        int count = gen.between(1, 3);
        for (int i = 0; i < count; i++) {
            if (!positions.isEmpty() && gen.chance(1, 2)) {
                steps.add(Ledger.Step.drop(positions.remove(gen.between(0, positions.size() - 1))));
            } else {
                steps.add(Ledger.Step.put(nextId++));
            }
        }
        return steps;
    }

    /** One put, and drops of the oldest entries beyond so many. */
    List<Ledger.Step> rollingSteps(Generator gen, Ledger ledger, int keep) {
        List<Ledger.Step> steps = new ArrayList<>();
        steps.add(Ledger.Step.put(nextId++));
        List<Long> positions = new ArrayList<>(ledger.live.keySet());
        for (int i = 0; i < positions.size() - keep; i++) {
            // a straggler stays now and then
            if (!gen.chance(1, 20)) {
                steps.add(Ledger.Step.drop(positions.get(i)));
            }
        }
        return steps;
    }

    void appending(List<Ledger.Step> steps) {
        done.add(new Done(steps, new ArrayList<>()));
    }

    void appended(List<Long> positions) {
        done.getLast().positions.addAll(positions);
    }

    void notAppended() {
        done.removeLast();
    }

    void synced() {
        synced = done.size();
    }

    /** Everything that ended before the last roll has been synced with it. */
    int count() {
        return done.size();
    }

    int syncedCount() {
        return synced;
    }

    /** After a restart: what came back is what counts from now on. */
    void restarted(Ledger ledger) {
        while (done.size() > ledger.batches) {
            done.removeLast();
        }
        synced = done.size();
    }

    /** What came back must be all that was synced, and of the rest whole batches from the first on without a gap. */
    void check(Ledger recovered) {
        assertThat(recovered.damage).isEmpty();
        checkState(recovered);
    }

    /** The same, for a directory that had been damaged in a way that must cost nothing. */
    void checkState(Ledger recovered) {
        assertThat(recovered.batches).as("batches that came back").isBetween((long) synced, (long) done.size());
        TreeMap<Long, Long> expected = new TreeMap<>();
        for (Done batch : done.subList(0, (int) recovered.batches)) {
            for (int i = 0; i < batch.steps.size(); i++) {
                Ledger.Step step = batch.steps.get(i);
                if (step.type() == Ledger.PUT) {
                    expected.put(batch.positions.get(i), step.value());
                } else {
                    expected.remove(step.value());
                }
            }
        }
        assertThat(recovered.live).isEqualTo(expected);
    }
}
