package dev.postroad.simulation.broker;

import dev.postroad.engine.EngineSettings;
import dev.postroad.journal.JournalSettings;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Seeded runs of the whole engine beside a model of what it should do.
 *
 * <pre>
 *   seed ─▶ steps ─▶ commands ─▶ engine ─ journal ─ simulated disk ─▶ crash ─▶ engine …
 *                        └─────▶ model ◀─ replies, deliveries, everything it shows
 * </pre>
 *
 * A run is a function of its scenario, its seed and the number of its steps: the same ones do the same again.
 */
public final class Simulation {
    private Simulation() {}

    /**
     * What came of a run.
     *
     * @param steps carried out, the failing one included
     * @param commands submitted
     * @param deliveries seen
     * @param crashes of the process, with or without the machine
     * @param recoveries that were compared with the model
     * @param crashesInRecovery of them broken off by another crash
     * @param checks of everything there is
     * @param violation what was found; null if nothing was
     * @param story what happened, where it was asked for
     */
    public record Result(
            Scenario scenario,
            long seed,
            int steps,
            long commands,
            long deliveries,
            long crashes,
            long recoveries,
            long crashesInRecovery,
            long checks,
            @Nullable String violation,
            List<String> story) {

        /** Commands and deliveries, without those of the checker that looks at everything. */
        public long operations() {
            return commands + deliveries;
        }
    }

    /** Runs so many steps, or fewer if a promise is found broken. */
    public static Result run(Scenario scenario, long seed, int steps) {
        return run(scenario, seed, steps, new BitSet(), false);
    }

    /**
     * The same with some steps left out.
     *
     * @param without numbers of the steps to leave out, from 0
     * @param telling true for a story of what happens
     */
    static Result run(Scenario scenario, long seed, int steps, BitSet without, boolean telling) {
        World.Counts counts = new World.Counts();
        List<String> story = new ArrayList<>();
        String violation = null;
        int step = 0;
        World held = null;
        try {
            Dice first = new Dice(seed, -1);
            World world = new World(settings(scenario, first), first.next(), counts, story, telling);
            held = world;
            Workload workload = new Workload(world, scenario, first);
            for (; step < steps; step++) {
                if (!without.get(step)) {
                    if (telling) {
                        world.tell("step " + step + ", time " + world.clock);
                    }
                    workload.step(new Dice(seed, step));
                }
            }
        } catch (Model.Unforeseen e) {
            story.add("here the model ends, for what comes next has an order that nobody promises");
        } catch (Violation e) {
            violation = String.valueOf(e.getMessage());
        } catch (RuntimeException | StackOverflowError | AssertionError e) {
            StackTraceElement[] trace = e.getStackTrace();
            StringBuilder where = new StringBuilder();
            for (int i = 0; i < Math.min(8, trace.length); i++) {
                where.append("\n        at ").append(trace[i]);
            }
            violation = "thrown: " + e + where;
        }
        if (telling && held != null) {
            held.model.tell(story);
        }
        return new Result(
                scenario,
                seed,
                Math.min(step + 1, steps),
                counts.commands,
                counts.deliveries,
                counts.crashes,
                counts.recoveries,
                counts.crashesInRecovery,
                counts.checks,
                violation,
                story);
    }

    private static EngineSettings settings(Scenario scenario, Dice dice) {
        long segment = scenario.everything() || scenario == Scenario.TRANSACTION || scenario == Scenario.KEYED
                ? dice.choose(256L << 10, 1L << 20)
                : dice.choose(64L << 10, 64L << 10, 128L << 10, 1L << 20);
        return EngineSettings.DEFAULTS
                .withJournal(JournalSettings.defaults()
                        .withSegmentBytes(segment)
                        .withBufferBytes(64 << 10)
                        .withSpareSegments(dice.below(3))
                        .withCompactBelow(dice.choose(0.25, 0.75, 1.0))
                        .withLowWaterBytes(0))
                .withCacheBytes(dice.choose(0L, 4_000L, 1L << 20))
                .withIndexBytes(64L << 20)
                .withCheckpoints(dice.choose(16L << 10, 256L << 10, 1L << 30), dice.choose(1_000L, 30_000L));
    }
}
