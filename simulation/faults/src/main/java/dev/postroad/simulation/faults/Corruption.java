package dev.postroad.simulation.faults;

import dev.postroad.testkit.Experiment;
import java.util.ArrayList;
import java.util.List;

/** Every header bit, sampled body bits, blocks, files, and cuts at every byte, one at a time. */
public final class Corruption implements Experiment {
    private static final double GOAL_SECONDS = 90;
    private static final long GOAL = 100_000;
    private static final int AT_ONCE = 5_000;

    @Override
    public String name() {
        return "corruption";
    }

    @Override
    public String question() {
        return "Is every damage found, does it cost the damaged records only, and does the log never get shorter silently?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) {
        long[] count = new long[7];
        Progressing out =
                new Progressing(budget, progress, () -> count[0] + " corruptions, " + count[6] + " violations");
        List<Violation> violations = new ArrayList<>();
        long due = Progressing.due(budget, GOAL, GOAL_SECONDS);
        for (long seed = budget.seed(); count[0] < due && !out.getAsBoolean() && violations.isEmpty(); seed++) {
            CorruptionSweep sweep = new CorruptionSweep(seed, out);
            sweep.sample(AT_ONCE);
            count[0] += sweep.corruptions();
            count[1] += sweep.refused();
            count[2] += sweep.harmless();
            count[3] += sweep.reportedAtReading();
            count[4] += sweep.unprovable();
            count[5] += sweep.headersLost();
            for (CrashExplorer.Found found : sweep.found()) {
                violations.add(new Violation(
                        found.image() + ": " + found.what(), Replay.line("CorruptionSweepTest", found.image())));
            }
            count[6] = violations.size();
        }
        return new Outcome(
                List.of(
                        Figure.count("single corruptions", count[0], Math.min(GOAL, due)),
                        Figure.count("refused, with what is damaged", count[1]),
                        Figure.count("in bytes that mean nothing, or there twice", count[2]),
                        Figure.count("told when the record is read", count[3]),
                        Figure.count("both copies of a segment's header gone, told", count[5]),
                        Figure.count(
                                "in the last groups before a kill, of which nothing is left that proves them",
                                count[4]),
                        new Figure("violations", violations.size(), "", Goal.atMost(0))),
                violations,
                List.of(),
                List.of());
    }

    /** Makes one corruption again, by its name. */
    static List<CrashExplorer.Found> replay(String image) {
        String[] words = image.split(" ");
        CorruptionSweep sweep = new CorruptionSweep(Long.parseLong(words[1]), () -> false);
        sweep.replay(Integer.parseInt(words[3]), Long.parseLong(words[5]));
        return sweep.found();
    }
}
