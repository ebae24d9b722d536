package dev.postroad.proof.process;

import dev.postroad.proof.history.Verdict;
import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/**
 * {@code power-cut}: the data lies on an ext4 or xfs file system of its own, which is forced down under load without flushing:
 * in the moment in which the process is killed, or before, so that it goes on without a disk for a while. Then the file system is
 * mounted again, and the process started on what is left.
 */
public final class PowerCutExperiment implements Experiment {
    private static final int ON_EXT4 = 20;
    private static final int ON_XFS = 10;
    private static final Duration GOAL_TIME = Duration.ofSeconds(200);
    private static final long DISK_BYTES = 2L << 30;
    /** In the life of a process: what a cut may take is what was sent last. */
    private static final int MOST_CONFIRMED = 6_000;

    private static final Duration ENOUGH_FOR_ALL = Duration.ofSeconds(40);
    private static final Duration DELIVERY = Duration.ofSeconds(60);

    /** For the book. */
    public PowerCutExperiment() {}

    @Override
    public String name() {
        return "power-cut";
    }

    @Override
    public String question() {
        return "Is everything confirmed still there after the power went, on real file systems?";
    }

    /** A subject on a data folder; the other folder outlives the cut. */
    interface Maker {
        Subject on(Path data, Path safe, Random random);
    }

    /** @param cuts that are wanted */
    private record Trial(String name, LoopDisk.Kind kind, Maker maker, int cuts) {}

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        Results results = Results.of(name(), budget.seed());
        Random random = new Random(budget.seed());
        boolean all = budget.time().compareTo(ENOUGH_FOR_ALL) >= 0;
        Maker served = (data, safe, chance) ->
                new Served(new ServeBroker(), data, EmbeddingProgram.lanes(chance.nextInt()), chance.nextLong());
        Maker embedded = (data, safe, chance) -> new Embedding(data, safe, chance.nextInt(), chance.nextLong());
        // At once: each has a file system of its own, and waits for it most of the time.
        List<List<Trial>> lanes = !all
                ? List.of(
                        List.of(new Trial("serve", LoopDisk.Kind.EXT4, served, ON_EXT4)),
                        List.of(new Trial("embedded", LoopDisk.Kind.XFS, embedded, ON_XFS)))
                : List.of(
                        List.of(new Trial("serve", LoopDisk.Kind.EXT4, served, ON_EXT4 / 2)),
                        List.of(new Trial("embedded", LoopDisk.Kind.EXT4, embedded, ON_EXT4 / 2)),
                        List.of(
                                new Trial("serve", LoopDisk.Kind.XFS, served, ON_XFS / 2),
                                new Trial("embedded", LoopDisk.Kind.XFS, embedded, ON_XFS / 2)));
        int times = (int) Math.max(1, budget.time().dividedBy(GOAL_TIME));
        AtomicLong onExt4 = new AtomicLong();
        AtomicLong onXfs = new AtomicLong();
        List<SideBySide.Work> works = new ArrayList<>();
        for (List<Trial> lane : lanes) {
            Random own = new Random(random.nextLong());
            works.add(() -> {
                for (Trial trial : lane) {
                    (trial.kind == LoopDisk.Kind.EXT4 ? onExt4 : onXfs)
                            .addAndGet(run(trial, times, budget.time().dividedBy(lane.size()), own, results, progress));
                }
            });
        }
        SideBySide.run(works);
        results.count("power cuts on ext4", onExt4.get(), ON_EXT4);
        results.count("power cuts on xfs", onXfs.get(), ON_XFS);
        return results.outcome();
    }

    /** How many cuts there were. */
    private static int run(Trial trial, int times, Duration time, Random random, Results results, Progress progress)
            throws Exception {
        String where = trial.name + " on " + trial.kind.word();
        String missing = trial.kind.missing();
        if (missing != null) {
            results.notRun("power cuts of " + where, missing);
            return 0;
        }
        Turns turns = new Turns(time, times * trial.cuts);
        Rate rate = cut(trial.kind, trial.maker, turns, random, results, progress);
        results.count("confirmed, " + where, rate.confirmed);
        results.figure("confirmed rate, " + where, rate.perSecond(), "messages/s");
        return rate.cuts;
    }

    /**
     * What a series of cuts came to.
     *
     * @param seconds under load
     */
    record Rate(int cuts, long confirmed, long lost, double seconds, List<Verdict> verdicts) {
        Rate {
            verdicts = List.copyOf(verdicts);
        }

        double perSecond() {
            return seconds == 0 ? 0 : confirmed / seconds;
        }
    }

    /** For all at once, or for the disk first. */
    private static void cut(LoopDisk disk, Subject subject, Random random) throws IOException {
        if (random.nextBoolean()) {
            disk.cutWith(subject.pid());
        } else {
            subject.pause();
            disk.cut();
            subject.resume();
            // What it does in the dark must not be confirmed.
            KillExperiment.linger(random.nextInt(200));
        }
    }

    /** Cuts the power of one subject, again and again. */
    static Rate cut(LoopDisk.Kind kind, Maker maker, Turns turns, Random random, Results results, Progress progress)
            throws Exception {
        double seconds = 0;
        long confirmed = 0;
        List<Verdict> verdicts = new ArrayList<>();
        String where = kind.word();
        try (Workplace place = Workplace.make("power-cut");
                LoopDisk disk = LoopDisk.make(place.folder(), kind, DISK_BYTES);
                Subject subject = maker.on(disk.folder().resolve("data"), place.folder(), random)) {
            where = subject.name() + " on " + kind.word();
            try {
                while (turns.another()) {
                    subject.start();
                    long started = System.nanoTime();
                    if (!subject.awaitDelivery(DELIVERY)) {
                        results.violation(where + ": no delivery within " + DELIVERY.toSeconds()
                                + " s of the start after cut " + turns.done());
                    }
                    KillExperiment.underLoad(subject, random, MOST_CONFIRMED);
                    cut(disk, subject, random);
                    seconds += (System.nanoTime() - started) / 1e9;
                    subject.kill();
                    disk.unmount();
                    disk.mount();
                    turns.count();
                    confirmed = subject.confirmed();
                    progress.at(turns.fraction(), where + ": " + turns.done() + " cuts, " + confirmed + " confirmed");
                }
                subject.drain();
                verdicts.addAll(subject.verdicts());
                results.judge(where, verdicts);
            } catch (AssertionError | RuntimeException e) {
                results.violation(where + ", after " + turns.done() + " cuts: " + e);
            }
        }
        return new Rate(
                turns.done(),
                confirmed,
                verdicts.stream().mapToLong(Verdict::lost).sum(),
                seconds,
                verdicts);
    }
}
