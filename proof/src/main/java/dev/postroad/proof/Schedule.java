package dev.postroad.proof;

import dev.postroad.proof.Chapter.Kind;
import dev.postroad.testkit.Experiment;
import dev.postroad.testkit.Experiment.Budget;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.stream.Collectors;

/**
 * Runs the chapters: those that compute on as many cores as there are, beside them those that judge processes, one after the
 * other; then, alone, those that measure.
 */
final class Schedule {
    private final List<Chapter> chapters;
    private final long seed;
    private final Display display;
    private final long start;
    private final int lanes;
    private final Shares shares;
    private final Map<Chapter, Finished> finished = new HashMap<>();
    private final Map<Chapter, Long> ends = new HashMap<>();
    private int begun;

    /**
     * @param time for all of them
     * @param cores at most so many compute side by side
     */
    Schedule(List<Chapter> chapters, Duration time, int cores, long seed, Display display) {
        this.chapters = chapters;
        this.seed = seed;
        this.display = display;
        lanes = Math.clamp(of(Kind.COMPUTING).size(), 1, Math.max(1, cores));
        shares = new Shares(time, chapters, lanes);
        start = System.nanoTime();
    }

    private Queue<Chapter> of(Kind kind) {
        return chapters.stream()
                .filter(chapter -> chapter.kind() == kind)
                .collect(Collectors.toCollection(ArrayDeque::new));
    }

    /** What came of each, in the book's order. */
    List<Finished> run() throws InterruptedException {
        Queue<Chapter> computing = of(Kind.COMPUTING);
        Queue<Chapter> judging = of(Kind.JUDGING);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < lanes; i++) {
            threads.add(Thread.ofPlatform().name("prove-" + i).daemon().start(() -> lane(computing)));
        }
        threads.add(Thread.ofPlatform().name("prove-processes").daemon().start(() -> lane(judging)));
        for (Thread thread : threads) {
            thread.join();
        }
        lane(of(Kind.MEASURING));
        return chapters.stream().map(finished::get).toList();
    }

    private void lane(Queue<Chapter> waiting) {
        while (true) {
            Chapter chapter;
            Duration share;
            synchronized (this) {
                chapter = waiting.poll();
                if (chapter == null) {
                    return;
                }
                long used = used();
                share = shares.next(chapter, used, taken(chapter.kind(), used));
                ends.put(chapter, used + share.toNanos());
            }
            run(chapter, share);
            synchronized (this) {
                ends.remove(chapter);
            }
        }
    }

    private long taken(Kind kind, long used) {
        return ends.entrySet().stream()
                .filter(each -> each.getKey().kind() == kind)
                .mapToLong(each -> Math.max(0, each.getValue() - used))
                .sum();
    }

    private long used() {
        return System.nanoTime() - start;
    }

    private void run(Chapter chapter, Duration share) {
        int number;
        synchronized (this) {
            number = ++begun;
        }
        Display.Shown shown = display.begin(number, chapters.size(), chapter.name(), share);
        Finished result = tried(chapter, share, shown);
        shown.end(result);
        synchronized (this) {
            finished.put(chapter, result);
        }
    }

    private Finished tried(Chapter chapter, Duration share, Experiment.Progress progress) {
        Experiment experiment = chapter.experiment();
        long from = System.nanoTime();
        Experiment.Outcome outcome = null;
        String failure = null;
        try {
            outcome = experiment.run(new Budget(share, seed), progress);
        } catch (Exception | Error e) {
            StringBuilder text = new StringBuilder("the experiment itself failed: " + e);
            for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
                text.append("\ncaused by ").append(cause);
            }
            Arrays.stream(e.getStackTrace())
                    .limit(6)
                    .forEach(frame -> text.append("\n  at ").append(frame));
            failure = text.toString();
        }
        return new Finished(
                chapter.name(),
                experiment.question(),
                outcome,
                failure,
                share,
                Duration.ofNanos(System.nanoTime() - from));
    }
}
