package dev.postroad.proof.scale;

import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.util.List;

/** A hundred thousand consumers that wait for messages that do not come, beside one that works. */
public final class SubscriptionsExperiment implements Experiment {
    private static final int HEAP_MEGABYTES = 512;
    private static final int QUEUES = 10_000;
    private static final int CONSUMERS = 100_000;
    private static final int LEAST_MILLIS = 500;
    private static final double LEAST_PERCENT = 80;
    private static final double MOST_BYTES = 2_000;

    /** An experiment that has not been run. */
    public SubscriptionsExperiment() {}

    @Override
    public String name() {
        return "scale-subscriptions";
    }

    @Override
    public String question() {
        return "What do 100,000 idle subscriptions cost the one that works?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws IOException {
        long millis = Math.max(LEAST_MILLIS, budget.time().toMillis() / 6);
        try (Folder folder = Folder.make();
                Worker worker = new Worker(folder.path(), HEAP_MEGABYTES)) {
            worker.order(progress, 0, "load live 100 " + millis);
            double alone = worker.order(progress, 0.2, "load live 100 " + millis);
            double before = worker.order(progress, 0.4, "heap");
            long begun = System.nanoTime();
            worker.order(progress, 0.4, "idle idle- " + QUEUES + " " + CONSUMERS);
            double seconds = (System.nanoTime() - begun) / 1e9;
            double heap = worker.order(progress, 0.7, "heap") - before;
            worker.order(progress, 0.75, "load live 100 " + millis);
            double beside = worker.order(progress, 0.8, "load live 100 " + millis);
            return new Outcome(
                    List.of(
                            new Figure("10,000 queues declared, 100,000 consumers subscribed in", seconds, "s", null),
                            new Figure("heap for a subscription", heap / CONSUMERS, "bytes", Goal.atMost(MOST_BYTES)),
                            new Figure("alone", alone, "messages a second", null),
                            new Figure("beside them", beside, "messages a second", null),
                            new Figure("of the speed alone", 100 * beside / alone, "%", Goal.atLeast(LEAST_PERCENT))),
                    List.of(),
                    List.of(),
                    List.of());
        }
    }
}
