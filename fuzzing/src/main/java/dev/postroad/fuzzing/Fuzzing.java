package dev.postroad.fuzzing;

import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Every target has its turn: first with mutated inputs in this JVM, two targets at a time, then with Jazzer, where it is on the
 * class path and the time is enough for its start.
 */
public final class Fuzzing implements Experiment {
    private static final long GOAL = 2_000_000;
    private static final int WORKERS = 2;
    private static final double SHARE_OF_MUTATIONS = 0.6;
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
        Duration whole = budget.time();
        Duration mutations = Duration.ofMillis((long) (whole.toMillis() * SHARE_OF_MUTATIONS));
        Duration each = whole.minus(mutations).dividedBy(Targets.ALL.size()).minus(JAZZER_STARTS_IN);
        boolean jazzer = JazzerRun.possible() && each.compareTo(LEAST_FOR_JAZZER) >= 0;
        if (!jazzer) {
            mutations = whole;
            notRun.add(new NotRun(
                    "coverage-guided fuzzing with Jazzer",
                    JazzerRun.possible()
                            ? "there are less than " + LEAST_FOR_JAZZER.toSeconds() + " s for each of "
                                    + Targets.ALL.size() + " decoders; give it more time"
                            : "Jazzer is not on the class path"));
        }
        mutate(mutations, budget.seed(), progress, jazzer ? SHARE_OF_MUTATIONS : 1);
        if (jazzer) {
            guided(each, budget.seed(), progress);
        }
        return outcome();
    }

    // ── Mutations
    // ────────────────────────────────────────────────────────────────────────────────────────────────────

    private void mutate(Duration time, long seed, Progress progress, double share) throws InterruptedException {
        long begun = System.nanoTime();
        long end = begun + time.toNanos();
        for (Target target : Targets.ALL) {
            runs.put(target, new MutationRun(target));
        }
        Queue<MutationRun> waiting = new ConcurrentLinkedQueue<>(runs.values());
        CountDownLatch ended = new CountDownLatch(WORKERS);
        for (int i = 0; i < WORKERS; i++) {
            Thread worker = new Thread(() -> work(waiting, end, seed, ended), "fuzzing-" + i);
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

    private void work(Queue<MutationRun> waiting, long end, long seed, CountDownLatch ended) {
        for (MutationRun run = waiting.poll(); run != null; run = waiting.poll()) {
            List<byte[]> corpus = Corpus.of(run.target());
            long now = System.nanoTime();
            long until = now + (end - now) * WORKERS / (waiting.size() + WORKERS);
            run.replay(corpus);
            run.run(GOAL, corpus, seed, () -> System.nanoTime() > until);
            run.finish();
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

    // ── Jazzer
    // ───────────────────────────────────────────────────────────────────────────────────────────────────────

    private void guided(Duration each, long seed, Progress progress) throws IOException {
        int done = 0;
        for (Target target : Targets.ALL) {
            double fraction = SHARE_OF_MUTATIONS + (1 - SHARE_OF_MUTATIONS) * done++ / Targets.ALL.size();
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
