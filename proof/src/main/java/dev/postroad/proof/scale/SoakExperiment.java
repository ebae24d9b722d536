package dev.postroad.proof.scale;

import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Sends and consumes without a pause for as long as it is given; the heap that is left after each round must not grow. */
public final class SoakExperiment implements Experiment {
    private static final int HEAP_MEGABYTES = 256;
    private static final int ROUNDS = 60;
    private static final long LEAST_ROUND_MILLIS = 1_000;
    private static final double MOST_GROWTH_MEBIBYTES = 8;

    /** An experiment that has not been run. */
    public SoakExperiment() {}

    @Override
    public String name() {
        return "scale-soak";
    }

    @Override
    public String question() {
        return "Does the heap stay flat under a load that goes on and on?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws IOException {
        long begun = System.nanoTime();
        long nanos = budget.time().toNanos();
        long round = Math.max(LEAST_ROUND_MILLIS, budget.time().toMillis() / ROUNDS);
        List<Point> heaps = new ArrayList<>();
        List<Point> rates = new ArrayList<>();
        double messages = 0;
        try (Folder folder = Folder.make();
                Worker worker = new Worker(folder.path(), HEAP_MEGABYTES)) {
            // The cache of the newest messages fills, once.
            worker.order(progress, 0, "load live 100 " + Math.max(3 * round, 3_000));
            do {
                double done = Math.min(1, (System.nanoTime() - begun) / (double) nanos);
                double rate = worker.order(progress, done, "load live 100 " + round);
                double heap = worker.order(progress, done, "heap") / (1 << 20);
                messages += rate * round / 1000;
                double minutes = (System.nanoTime() - begun) / 60e9;
                heaps.add(new Point(minutes, heap));
                rates.add(new Point(minutes, rate / 1000));
            } while (System.nanoTime() - begun < nanos);
        }
        int third = Math.max(1, heaps.size() / 3);
        double early = median(heaps.subList(0, third));
        double late = median(heaps.subList(heaps.size() - third, heaps.size()));
        return new Outcome(
                List.of(
                        new Figure("messages", messages, "", null),
                        new Figure("minutes", (System.nanoTime() - begun) / 60e9, "min", null),
                        new Figure("heap in the first third", early, "MiB", null),
                        new Figure("heap in the last third", late, "MiB", null),
                        new Figure("growth", Math.max(0, late - early), "MiB", Goal.atMost(MOST_GROWTH_MEBIBYTES))),
                List.of(),
                List.of(),
                List.of(
                        new Plot("Heap after a collection", "min", "MiB", List.of(new Line("heap", heaps))),
                        new Plot("Speed", "min", "thousand a second", List.of(new Line("messages", rates)))));
    }

    private static double median(List<Point> points) {
        return points.stream().mapToDouble(Point::y).sorted().toArray()[points.size() / 2];
    }
}
