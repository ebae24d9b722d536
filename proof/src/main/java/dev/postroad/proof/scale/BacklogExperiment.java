package dev.postroad.proof.scale;

import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Fills queues, kills the broker, starts it again; then looks at its heap, its speed beside the backlog, and how fast the
 * backlog goes. As large backlogs as fit into the time and onto the disk.
 */
public final class BacklogExperiment implements Experiment {
    private static final int MILLION = 1_000_000;
    private static final int MANY_QUEUES = 10_000;
    private static final int HEAP_MEGABYTES = 512;

    private static final double MOST_RESTART_SECONDS = 2;
    private static final double MOST_HEAP_MEBIBYTES = 64;
    /** Journal bytes of a message beside its payload, about. */
    private static final int OVERHEAD = 60;

    /** A backlog to try. */
    private record Size(String name, long messages, int bytes, int queues, boolean goals, Duration needs) {}

    private static final List<Size> SIZES = List.of(
            new Size("1 million in one queue", MILLION, 100, 1, true, Duration.ofSeconds(15)),
            new Size("1 GB log", MILLION, 1000, 1, true, Duration.ofSeconds(20)),
            new Size("10 million in one queue", 10 * MILLION, 100, 1, true, Duration.ofSeconds(45)),
            new Size("1 million over 10,000 queues", MILLION, 100, MANY_QUEUES, false, Duration.ofSeconds(30)),
            new Size("10 million over 10,000 queues", 10 * MILLION, 100, MANY_QUEUES, false, Duration.ofSeconds(120)),
            new Size("50 million in one queue", 50 * MILLION, 100, 1, false, Duration.ofSeconds(300)),
            new Size("50 million over 10,000 queues", 50 * MILLION, 100, MANY_QUEUES, false, Duration.ofSeconds(480)));

    private final List<Figure> figures = new ArrayList<>();
    private final List<Violation> violations = new ArrayList<>();
    private final List<NotRun> notRun = new ArrayList<>();
    private final List<Point> restarts = new ArrayList<>();
    private final List<Point> heaps = new ArrayList<>();

    /** An experiment that has not been run. */
    public BacklogExperiment() {}

    @Override
    public String name() {
        return "scale-backlog";
    }

    @Override
    public String question() {
        return "What do millions of waiting messages cost: at a restart, in heap, in speed?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws IOException {
        figures.clear();
        violations.clear();
        notRun.clear();
        restarts.clear();
        heaps.clear();
        long begun = System.nanoTime();
        double empty = emptyHeap(progress);
        for (int i = 0; i < SIZES.size(); i++) {
            Size size = SIZES.get(i);
            Duration left = budget.time().minusNanos(System.nanoTime() - begun);
            if (left.compareTo(size.needs()) < 0 && i > 0) {
                notRun.add(new NotRun(
                        "a backlog of " + size.name(),
                        "it takes " + size.needs().toSeconds() + " s or more, and " + Math.max(0, left.toSeconds())
                                + " s are left"));
                continue;
            }
            try (Folder folder = Folder.make()) {
                long bytes = 2 * size.messages() * (size.bytes() + OVERHEAD);
                if (folder.usableBytes() < bytes) {
                    notRun.add(new NotRun(
                            "a backlog of " + size.name(),
                            String.format(Locale.ROOT, "it needs %,d MiB on the disk", bytes >> 20)));
                    continue;
                }
                measure(size, folder, empty, progress, (double) i / SIZES.size());
            } catch (IOException e) {
                // What was measured before it stands.
                violations.add(new Violation(
                        "a backlog of " + size.name() + ": " + e.getMessage(),
                        "./postroad prove --only " + name() + " --minutes 40"));
            }
        }
        Plot restart = new Plot(
                "Restart after kill -9, one queue, 100 bytes",
                "million messages waiting",
                "s",
                List.of(new Line("until the first delivery", List.copyOf(restarts))));
        Plot heap = new Plot(
                "Heap for the backlog after the restart, one queue",
                "million messages waiting",
                "MiB",
                List.of(new Line("heap", List.copyOf(heaps))));
        return new Outcome(
                List.copyOf(figures),
                List.copyOf(violations),
                List.copyOf(notRun),
                restarts.size() < 2 ? List.of() : List.of(restart, heap));
    }

    private static double emptyHeap(Progress progress) throws IOException {
        try (Folder folder = Folder.make();
                Worker worker = new Worker(folder.path(), HEAP_MEGABYTES)) {
            return worker.order(progress, 0, "heap");
        }
    }

    private void measure(Size size, Folder folder, double emptyHeap, Progress progress, double fraction)
            throws IOException {
        try (Worker worker = new Worker(folder.path(), HEAP_MEGABYTES)) {
            double rate = worker.order(
                    progress, fraction, "fill q- " + size.messages() + " " + size.bytes() + " " + size.queues());
            figure(size, "filled", rate, "messages a second");
            worker.kill();
        }
        try (Worker worker = new Worker(folder.path(), HEAP_MEGABYTES)) {
            worker.order(progress, fraction, "first q-0");
            double restart = worker.millis() / 1000;
            double processor = worker.processorSeconds();
            figures.add(new Figure(
                    size.name() + ": restart until the first delivery",
                    restart,
                    "s",
                    size.goals() ? Goal.atMost(MOST_RESTART_SECONDS) : null));
            figure(size, "of that until the broker was open", worker.readyMillis() / 1000, "s");
            figure(size, "processor time of it, the start of the JVM included", processor, "s");
            double heap = Math.max(0, worker.order(progress, fraction, "heap") - emptyHeap) / (1 << 20);
            figures.add(new Figure(
                    size.name() + ": heap for it",
                    heap,
                    "MiB",
                    size.goals() ? Goal.atMost(MOST_HEAP_MEBIBYTES) : null));
            if (size.queues() == 1 && size.bytes() == 100) {
                restarts.add(new Point(size.messages() / 1e6, restart));
                heaps.add(new Point(size.messages() / 1e6, heap));
            }
            worker.order(progress, fraction, "load warm-up 100 1000");
            figure(
                    size,
                    "sent and consumed beside it",
                    worker.order(progress, fraction, "load live 100 2000"),
                    "messages a second");
            // Half of the messages, and of many queues therefore half of the queues, one after the other.
            long each = size.queues() == 1 ? size.messages() / 2 : size.messages() / size.queues();
            figure(
                    size,
                    size.queues() == 1 ? "drained" : "drained, queue after queue",
                    worker.order(
                            progress,
                            fraction,
                            "drain q- " + size.queues() + " " + each + " " + size.messages() / 2 + " 5000"),
                    "messages a second");
        }
    }

    private void figure(Size size, String what, double value, String unit) {
        figures.add(new Figure(size.name() + ": " + what, value, unit, null));
    }
}
