package dev.postroad.fuzzing;

import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.PriorityBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * First mutated inputs in this JVM, two targets at a time, always those that had the fewest; then Jazzer, where it is on the class
 * path, on as many targets as the time allows.
 */
public final class Fuzzing implements Experiment {
    private static final long GOAL = 2_000_000;
    /** With so much time, and with each further time as much, another so many for each target. */
    private static final Duration GOAL_TIME = Duration.ofSeconds(400);

    private static final int WORKERS = 2;
    private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final double SHARE_OF_MUTATIONS = 0.95;
    private static final Duration LEAST_FOR_JAZZER = Duration.ofSeconds(4);
    private static final Duration JAZZER_STARTS_IN = Duration.ofSeconds(5);
    private static final long HANGING_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long TELL_MILLIS = 500;

    private final Map<Target, Long> executions = new LinkedHashMap<>();
    private final Map<Target, MutationRun> runs = new LinkedHashMap<>();
    private final List<Violation> violations = new ArrayList<>();
    private final List<NotRun> notRun = new ArrayList<>();
    private long byJazzer;

    @Override
    public String name() {
        return "fuzzing";
    }

    @Override
    public String question() {
        return "Does any decoder of bytes from disk or network, or any parser, fall over an input?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        executions.clear();
        runs.clear();
        violations.clear();
        notRun.clear();
        byJazzer = 0;
        long end = System.nanoTime() + budget.time().toNanos();
        boolean possible = JazzerRun.possible();
        if (!possible) {
            notRun.add(new NotRun("coverage-guided fuzzing with Jazzer", "Jazzer is not on the class path"));
        }
        double share = possible ? SHARE_OF_MUTATIONS : 1;
        mutate(Duration.ofNanos((long) (budget.time().toNanos() * share)), budget, progress, share);
        if (possible) {
            guided(end, budget.seed(), progress);
        }
        return outcome();
    }

    // ── Mutations ────────────────────────────────────────────────────────────────────────────────────────────────────

    private void mutate(Duration time, Budget budget, Progress progress, double share) throws InterruptedException {
        long begun = System.nanoTime();
        long end = begun + time.toNanos();
        long most = GOAL * Math.max(1, budget.time().toSeconds() / GOAL_TIME.toSeconds());
        Targets.ALL.forEach(target -> runs.put(target, new MutationRun(target)));
        Queue<MutationRun> waiting =
                new PriorityBlockingQueue<>(runs.size(), Comparator.comparingLong(MutationRun::executions));
        waiting.addAll(runs.values());
        CountDownLatch ended = new CountDownLatch(WORKERS);
        for (int i = 0; i < WORKERS; i++) {
            Thread worker = new Thread(() -> work(waiting, most, end, budget.seed(), ended), "fuzzing-" + i);
            // One that hangs in a decoder must not keep the program from ending.
            worker.setDaemon(true);
            worker.start();
        }
        while (!ended.await(TELL_MILLIS, TimeUnit.MILLISECONDS)) {
            double done = (System.nanoTime() - begun) / (double) time.toNanos();
            progress.at(share * Math.min(1, done), String.format(Locale.ROOT, "%,d executions", mutated()));
            if (hangs()) {
                break;
            }
        }
        runs.forEach((target, run) -> {
            executions.merge(target, run.executions(), Long::sum);
            run.findings().forEach(found -> violations.add(new Violation(found.line(), found.replay())));
        });
    }

    /** A slice for whichever had the fewest, again and again: so the least of all is as many as can be. */
    private static void work(Queue<MutationRun> waiting, long most, long end, long seed, CountDownLatch ended) {
        for (MutationRun run = waiting.poll(); run != null; run = waiting.poll()) {
            if (run.executions() == 0) {
                List<byte[]> corpus = Corpus.of(run.target());
                run.replay(corpus);
                run.begin(corpus, seed);
            }
            long until = Math.min(end, System.nanoTime() + SLICE_NANOS);
            run.goOn(most, () -> System.nanoTime() > until);
            if (run.executions() < most && !run.isFull() && System.nanoTime() < end) {
                waiting.add(run);
            }
        }
        ended.countDown();
    }

    private long mutated() {
        return runs.values().stream().mapToLong(MutationRun::executions).sum();
    }

    private boolean hangs() {
        boolean found = false;
        for (MutationRun run : runs.values()) {
            byte[] input = run.runningLongerThan(HANGING_NANOS);
            if (input != null) {
                Finding finding = new Finding(run.target(), "runs for 20 s and on", "hangs", input);
                violations.add(new Violation(finding.line(), finding.replay()));
                found = true;
            }
        }
        return found;
    }

    // ── Jazzer ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private void guided(long end, long seed, Progress progress) throws IOException {
        Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
        List<Target> targets = new ArrayList<>(Targets.ALL);
        Collections.rotate(targets, (int) Math.floorMod(seed, (long) targets.size()));
        int count = (int) Math.min(targets.size(), left.dividedBy(LEAST_FOR_JAZZER.plus(JAZZER_STARTS_IN)));
        targets.subList(count, targets.size())
                .forEach(target -> notRun.add(new NotRun("Jazzer on " + target.name(), "the time was up")));
        int done = 0;
        for (Target target : targets.subList(0, count)) {
            Duration each = left.dividedBy(count).minus(JAZZER_STARTS_IN);
            double fraction = SHARE_OF_MUTATIONS + (1 - SHARE_OF_MUTATIONS) * done++ / count;
            Path folder = Files.createTempDirectory("postroad-fuzz-");
            try {
                JazzerRun run = new JazzerRun(target, folder);
                run.run(
                        Corpus.of(target),
                        each,
                        seed,
                        () -> progress.at(fraction, "Jazzer on " + target.name() + ", " + done(byJazzer)));
                byJazzer += run.executions();
                executions.merge(target, run.executions(), Long::sum);
                String broken = run.broken();
                if (broken != null) {
                    notRun.add(new NotRun("Jazzer on " + target.name(), broken));
                }
                MutationRun check = new MutationRun(target);
                check.replay(run.faults());
                check.replay(run.inputs());
                check.findings().forEach(found -> violations.add(new Violation(found.line(), found.replay())));
            } finally {
                Main.delete(folder);
            }
        }
    }

    private static String done(long count) {
        return String.format(Locale.ROOT, "%,d executions before", count);
    }

    private Outcome outcome() {
        List<Figure> figures = new ArrayList<>();
        long least =
                executions.values().stream().mapToLong(Long::longValue).min().orElse(0);
        long all = executions.values().stream().mapToLong(Long::longValue).sum();
        long slowest = runs.values().stream()
                .mapToLong(MutationRun::slowestNanos)
                .max()
                .orElse(0);
        figures.add(Figure.count("decoders and parsers", Targets.ALL.size()));
        figures.add(Figure.count("executions", all));
        figures.add(Figure.count("of them guided by coverage", byJazzer));
        figures.add(Figure.count("executions of the decoder that had the fewest", least, GOAL));
        figures.add(new Figure("slowest input", slowest / 1e6, "ms", Goal.atMost(Target.MOST_NANOS / 1e6)));
        executions.forEach((target, count) -> figures.add(Figure.count("executions of " + target.name(), count)));
        return new Outcome(figures, List.copyOf(violations), List.copyOf(notRun), List.of());
    }
}
