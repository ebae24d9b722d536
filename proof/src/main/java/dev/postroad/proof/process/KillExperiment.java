package dev.postroad.proof.process;

import dev.postroad.testkit.Experiment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/** {@code kill}: SIGKILL at random moments under load, again and again, to a server and to a program with the broker in it. */
public final class KillExperiment implements Experiment {
    private static final int CYCLES = 45;
    private static final long CONFIRMED = 300_000;
    private static final Duration DELIVERY = Duration.ofSeconds(60);
    private static final Duration LONGEST_LOAD = Duration.ofSeconds(4);
    private static final double SHARE_OF_DRAIN = 0.1;

    /** For the book. */
    public KillExperiment() {}

    @Override
    public String name() {
        return "kill";
    }

    @Override
    public String question() {
        return "Does anything confirmed get lost, doubled or out of order when the process is killed at any moment?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        Results results = Results.of(name(), budget.seed());
        Random random = new Random(budget.seed());
        Plotting plotting = new Plotting();
        Tally tally = new Tally(plotting);
        try (Workplace place = Workplace.make(name())) {
            Embedding embedding =
                    new Embedding(place.at("embedded"), place.folder(), random.nextInt(), random.nextLong());
            Served served = new Served(
                    new ServeBroker(), place.at("served"), EmbeddingProgram.lanes(random.nextInt()), random.nextLong());
            long half = budget.time().toNanos() / 2;
            kill(served, half, random, tally, results, new Half(progress, 0));
            kill(embedding, half, random, tally, results, new Half(progress, 0.5));
        }
        results.count("kill -9 cycles", tally.cycles, CYCLES);
        results.count("messages confirmed", tally.confirmed, CONFIRMED);
        results.count("deliveries", tally.delivered);
        results.figure("median restart to first delivery", plotting.median(), "ms");
        results.plot(plotting.plot());
        return results.outcome();
    }

    private record Half(Progress progress, double from) implements Progress {
        @Override
        public void at(double fraction, String text) {
            progress.at(from + Math.min(1, fraction) / 2, text);
        }
    }

    private static final class Tally {
        private final Plotting plotting;
        private long cycles;
        private long confirmed;
        private long delivered;

        Tally(Plotting plotting) {
            this.plotting = plotting;
        }
    }

    private static void kill(
            Subject subject, long nanos, Random random, Tally tally, Results results, Progress progress)
            throws Exception {
        long begin = System.nanoTime();
        long until = (long) (nanos * (1 - SHARE_OF_DRAIN));
        long confirmed = 0;
        try (subject) {
            int cycles = 0;
            while (cycles < 2 || System.nanoTime() - begin < until) {
                long started = System.nanoTime();
                subject.start();
                if (!subject.awaitDelivery(DELIVERY)) {
                    results.violation(subject.name() + ": no delivery within " + DELIVERY.toSeconds()
                            + " s of the start after kill " + cycles);
                }
                if (cycles > 0) {
                    tally.plotting.add(subject.name(), cycles, (System.nanoTime() - started) / 1e6);
                }
                underLoad(subject, random);
                subject.kill();
                cycles++;
                tally.cycles++;
                confirmed = subject.confirmed();
                progress.at(
                        (System.nanoTime() - begin) / (double) nanos,
                        subject.name() + ": " + cycles + " kills, " + confirmed + " confirmed");
            }
            subject.drain();
            tally.delivered += subject.delivered();
            results.judge(subject.name(), subject.verdicts());
        } catch (AssertionError | RuntimeException e) {
            results.violation(subject.name() + ": " + e);
        }
        tally.confirmed += confirmed;
    }

    /** Lets the load run until so and so many messages were confirmed, some thousand as a rule, now and then none. */
    static void underLoad(Subject subject, Random random) throws Exception {
        long enough = subject.confirmed() + (random.nextInt(6) == 0 ? 0 : random.nextInt(16_000));
        long end = System.nanoTime() + LONGEST_LOAD.toNanos();
        do {
            linger(random.nextInt(200));
        } while (subject.confirmed() < enough && System.nanoTime() < end);
    }

    /** Lets the load run on. */
    static void linger(long millis) {
        long end = System.nanoTime() + millis * 1_000_000;
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private static final class Plotting {
        private final List<String> names = new ArrayList<>();
        private final List<List<Point>> points = new ArrayList<>();

        void add(String name, int cycle, double millis) {
            if (!names.contains(name)) {
                names.add(name);
                points.add(new ArrayList<>());
            }
            points.get(names.indexOf(name)).add(new Point(cycle, millis));
        }

        double median() {
            double[] all = points.stream()
                    .flatMap(List::stream)
                    .mapToDouble(Point::y)
                    .sorted()
                    .toArray();
            return all.length == 0 ? 0 : all[all.length / 2];
        }

        Plot plot() {
            List<Line> lines = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                lines.add(new Line(names.get(i), List.copyOf(points.get(i))));
            }
            return new Plot("From restart to the first delivery", "kill", "ms", lines);
        }
    }
}
