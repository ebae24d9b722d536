package dev.postroad.proof.process;

import dev.postroad.testkit.Experiment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * {@code kill}: SIGKILL at random moments under load, again and again, to a server driven over HTTP, one over AMQP, and a
 * program with the broker in it.
 */
public final class KillExperiment implements Experiment {
    private static final Duration GOAL_TIME = Duration.ofSeconds(160);
    private static final int SUBJECTS = 3;
    private static final int CYCLES = 45;
    private static final long CONFIRMED = 300_000;
    private static final Duration DELIVERY = Duration.ofSeconds(60);
    private static final Duration LONGEST_LOAD = Duration.ofSeconds(4);
    private static final double SHARE_OF_DRAIN = 0.1;
    /** In the life of a process: so many that 45 lives come to the goal. */
    static final int MOST_CONFIRMED = 12_000;

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
        Tally tally = new Tally(new Plotting(), progress);
        long times = Math.max(1, budget.time().dividedBy(GOAL_TIME));
        // At once: they have nothing to do with each other, and mostly wait for the disk and for JVMs.
        try (Workplace place = Workplace.make(name())) {
            ServeBroker broker = new ServeBroker();
            Subject served =
                    new Served(broker, place.at("served"), EmbeddingProgram.lanes(random.nextInt()), random.nextLong());
            Lane queue = new Lane("queue", Lane.Kind.PLAIN, random.nextInt(), Lane.Mix.USUAL);
            Subject amqp = new Served(broker.overAmqp(), place.at("amqp"), List.of(queue), random.nextLong());
            Subject embedding =
                    new Embedding(place.at("embedded"), place.folder(), random.nextInt(), random.nextLong());
            List<Subject> subjects = List.of(served, amqp, embedding);
            long nanos = budget.time().toNanos();
            SideBySide.run(subjects.stream()
                    .map(subject -> {
                        Random own = new Random(random.nextLong());
                        return (SideBySide.Work) () -> kill(subject, nanos, times, own, tally, results);
                    })
                    .toList());
        }
        results.count("kill -9 cycles", tally.cycles.get(), CYCLES);
        results.count("messages confirmed", tally.confirmed.get(), CONFIRMED);
        results.count("deliveries", tally.delivered.get());
        results.figure("median restart to first delivery", tally.plotting.median(), "ms");
        results.plot(tally.plotting.plot());
        return results.outcome();
    }

    private static final class Tally {
        private final Plotting plotting;
        private final Progress progress;
        private final AtomicLong cycles = new AtomicLong();
        private final AtomicLong confirmed = new AtomicLong();
        private final AtomicLong delivered = new AtomicLong();

        Tally(Plotting plotting, Progress progress) {
            this.plotting = plotting;
            this.progress = progress;
        }
    }

    /** Ends when the time is over, or this subject has had its part of what is wanted, so many times. */
    private static void kill(Subject subject, long nanos, long times, Random random, Tally tally, Results results)
            throws Exception {
        long begin = System.nanoTime();
        long until = (long) (nanos * (1 - SHARE_OF_DRAIN));
        long confirmed = 0;
        try (subject) {
            int cycles = 0;
            while (cycles < 2
                    || (System.nanoTime() - begin < until
                            && (cycles < times * CYCLES / SUBJECTS || confirmed < times * CONFIRMED / SUBJECTS))) {
                long started = System.nanoTime();
                subject.start();
                if (!subject.awaitDelivery(DELIVERY)) {
                    results.violation(subject.name() + ": no delivery within " + DELIVERY.toSeconds()
                            + " s of the start after kill " + cycles);
                }
                if (cycles > 0) {
                    tally.plotting.add(subject.name(), cycles, (System.nanoTime() - started) / 1e6);
                }
                underLoad(subject, random, MOST_CONFIRMED);
                subject.kill();
                cycles++;
                long before = confirmed;
                confirmed = subject.confirmed();
                tally.confirmed.addAndGet(confirmed - before);
                tally.progress.at(
                        Math.min(1, (System.nanoTime() - begin) / (double) nanos),
                        tally.cycles.incrementAndGet() + " kills, " + tally.confirmed + " confirmed");
            }
            subject.drain();
            tally.delivered.addAndGet(subject.delivered());
            results.judge(subject.name(), subject.verdicts());
        } catch (AssertionError | RuntimeException e) {
            results.violation(subject.name() + ": " + e);
        }
    }

    /** Lets the load run until some messages were confirmed, fewer than {@code most}, now and then none. */
    static void underLoad(Subject subject, Random random, int most) throws Exception {
        long enough = subject.confirmed() + (random.nextInt(6) == 0 ? 0 : random.nextInt(most));
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

        synchronized void add(String name, int cycle, double millis) {
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
