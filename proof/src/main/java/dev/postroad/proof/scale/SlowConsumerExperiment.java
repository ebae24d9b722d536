package dev.postroad.proof.scale;

import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A consumer that takes ten messages a second of a full queue, beside one that takes all it can of another. */
public final class SlowConsumerExperiment implements Experiment {
    private static final int HEAP_MEGABYTES = 256;
    private static final int LEAST_MILLIS = 500;
    private static final int ROUNDS = 3;
    private static final int SHARES = 16;
    private static final double LEAST_PERCENT = 80;

    /** An experiment that has not been run. */
    public SlowConsumerExperiment() {}

    @Override
    public String name() {
        return "scale-slow-consumer";
    }

    @Override
    public String question() {
        return "Does a slow consumer slow down anybody but itself?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws IOException {
        long millis = Math.max(LEAST_MILLIS, budget.time().toMillis() / SHARES);
        List<Double> alone = new ArrayList<>();
        List<Double> beside = new ArrayList<>();
        // In turns, each in a broker of its own, so that what else the machine does falls on both.
        for (int round = 0; round < ROUNDS; round++) {
            alone.add(rate(false, millis, progress, 2.0 * round / (2 * ROUNDS)));
            beside.add(rate(true, millis, progress, (2.0 * round + 1) / (2 * ROUNDS)));
        }
        double percent = 100 * median(beside) / median(alone);
        return new Outcome(
                List.of(
                        new Figure("alone", median(alone), "messages a second", null),
                        new Figure("beside the slow one", median(beside), "messages a second", null),
                        new Figure("of the speed alone", percent, "%", Goal.atLeast(LEAST_PERCENT))),
                List.of(),
                List.of(),
                List.of());
    }

    private static double rate(boolean withSlow, long millis, Progress progress, double fraction) throws IOException {
        try (Folder folder = Folder.make();
                Worker worker = new Worker(folder.path(), HEAP_MEGABYTES)) {
            worker.order(progress, fraction, "fill slow- 100000 1000 1");
            if (withSlow) {
                worker.order(progress, fraction, "slow slow-0 100");
            }
            worker.order(progress, fraction, "load fast 100 " + millis);
            return worker.order(progress, fraction, "load fast 100 " + millis);
        }
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }
}
