package dev.postroad.proof.scale;

import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Messages come and go as fast as they can, beside some that stay: the space of those that went must be used again. */
public final class ReclaimExperiment implements Experiment {
    private static final int HEAP_MEGABYTES = 256;
    private static final int ROUND_MILLIS = 2_000;
    private static final int MESSAGE_BYTES = 1_000;
    private static final long STAYING = 100_000;
    /** Two checkpoints' distance, spares and what stays, with room to spare. */
    private static final double MOST_DISK_MEBIBYTES = 1_536;

    /** An experiment that has not been run. */
    public ReclaimExperiment() {}

    @Override
    public String name() {
        return "scale-reclaim";
    }

    @Override
    public String question() {
        return "Does the space of consumed messages come back as fast as new ones are written?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws IOException {
        long begun = System.nanoTime();
        long nanos = budget.time().toNanos();
        List<Point> disk = new ArrayList<>();
        List<Point> written = new ArrayList<>();
        double sum = 0;
        double most = 0;
        try (Folder folder = Folder.make();
                Worker worker = new Worker(folder.path(), HEAP_MEGABYTES)) {
            worker.order(progress, 0, "fill stay- " + STAYING + " " + MESSAGE_BYTES + " 1");
            do {
                double done = Math.min(1, (System.nanoTime() - begun) / (double) nanos);
                double rate = worker.order(progress, done, "load live " + MESSAGE_BYTES + " " + ROUND_MILLIS);
                sum += rate * ROUND_MILLIS / 1000 * MESSAGE_BYTES / (1 << 20);
                double now = Worker.diskBytes(folder.path()) / (double) (1 << 20);
                most = Math.max(most, now);
                double seconds = (System.nanoTime() - begun) / 1e9;
                disk.add(new Point(seconds, now));
                written.add(new Point(seconds, sum));
            } while (System.nanoTime() - begun < nanos);
        }
        Plot plot = new Plot(
                "Steady overwriting, 1,000 bytes a message",
                "s",
                "MiB",
                List.of(new Line("written in all", written), new Line("on the disk", disk)));
        return new Outcome(
                List.of(
                        new Figure("payload written", sum, "MiB", null),
                        new Figure("most that was on the disk", most, "MiB", Goal.atMost(MOST_DISK_MEBIBYTES))),
                List.of(),
                List.of(),
                List.of(plot));
    }
}
