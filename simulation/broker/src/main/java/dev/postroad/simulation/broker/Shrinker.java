package dev.postroad.simulation.broker;

import java.util.BitSet;

/** Finds the fewest steps that still break a promise in that way: a shorter beginning, and steps left out of it. */
final class Shrinker {
    private static final int KIND_LENGTH = 30;
    private static final long MOST_NANOS = 20_000_000_000L;

    private Shrinker() {}

    /** How a violation begins, whatever the numbers in it; empty for none. */
    private static String kind(Simulation.Result result) {
        String violation = result.violation();
        String words = violation == null ? "" : violation.replaceAll("[0-9]", "");
        return words.substring(0, Math.min(KIND_LENGTH, words.length()));
    }

    /** The failing run again, as short as could be found, with its story. */
    static Simulation.Result shrink(Simulation.Result failed) {
        long until = System.nanoTime() + MOST_NANOS;
        int steps = failed.steps();
        BitSet without = new BitSet();
        boolean again = true;
        while (again && System.nanoTime() < until) {
            again = false;
            for (int chunk = Math.max(1, steps / 2); chunk > 0 && System.nanoTime() < until; chunk /= 2) {
                for (int from = 0; from < steps && System.nanoTime() < until; from += chunk) {
                    BitSet tried = (BitSet) without.clone();
                    tried.set(from, Math.min(steps, from + chunk));
                    if (tried.equals(without)) {
                        continue;
                    }
                    Simulation.Result result = Simulation.run(failed.scenario(), failed.seed(), steps, tried, false);
                    if (kind(result).equals(kind(failed))) {
                        without = tried;
                        again = true;
                        steps = Math.min(steps, result.steps());
                    }
                }
            }
        }
        Simulation.Result shortest = Simulation.run(failed.scenario(), failed.seed(), steps, without, true);
        return shortest.violation() == null
                ? Simulation.run(failed.scenario(), failed.seed(), failed.steps(), new BitSet(), true)
                : shortest;
    }
}
