package dev.postroad.simulation.faults;

import dev.postroad.testkit.ChildProcess;
import dev.postroad.testkit.Experiment;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The checks checked: bugs are put into the real journal and engine one at a time, and each must be caught. */
public final class BugCatalogue implements Experiment {
    private static final long MOST_CPU_MILLIS = 60_000;
    private static final long GOAL = 25;
    /** Time in which the goal is to be reached; less time lowers it. */
    private static final double GOAL_SECONDS = 60;

    /**
     * What became of a planted bug.
     *
     * @param check what caught it; null if nothing did
     * @param seconds of processor time until then
     * @param what was seen
     */
    record Result(PlantedBug bug, @Nullable String check, double seconds, String what) {}

    @Override
    public String name() {
        return "planted-bugs";
    }

    @Override
    public String question() {
        return "Do the checks catch bugs that are planted in the journal and the engine?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws IOException {
        List<Result> results = new ArrayList<>();
        List<NotRun> notRun = new ArrayList<>();
        List<PlantedBug> bugs = PlantedBugs.ALL;
        long due = Progressing.due(budget, GOAL, GOAL_SECONDS);
        long wanted = Math.min(bugs.size(), Math.max(1, due));
        long start = System.nanoTime();
        long total = budget.time().toNanos();
        Path folder = Files.createTempDirectory("planted-bugs");
        try (BugPlanter planter = new BugPlanter()) {
            for (int i = 0; i < wanted; i++) {
                PlantedBug bug = bugs.get((int) Math.floorMod(budget.seed() + i, (long) bugs.size()));
                long left = total - (System.nanoTime() - start);
                if (left <= 0) {
                    notRun.add(new NotRun("planted bug " + bug.name(), "the time was up"));
                    continue;
                }
                results.add(catchIt(planter, bug, folder));
                long caught =
                        results.stream().filter(each -> each.check != null).count();
                progress.at((i + 1.0) / wanted, caught + " of " + results.size() + " caught");
            }
        } finally {
            delete(folder);
        }
        return outcome(results, notRun, due);
    }

    private static Outcome outcome(List<Result> results, List<NotRun> notRun, long due) {
        List<Figure> figures = new ArrayList<>();
        List<Violation> violations = new ArrayList<>();
        long caught = results.stream().filter(each -> each.check != null).count();
        figures.add(new Figure(
                "planted bugs caught",
                caught,
                "of " + results.size(),
                Goal.atLeast(Math.max(Math.min(GOAL, due), results.size()))));
        for (Result result : results) {
            figures.add(new Figure(
                    result.bug.name() + ": " + (result.check == null ? "missed" : result.check),
                    result.seconds,
                    "s",
                    null));
            if (result.check == null) {
                violations.add(new Violation(
                        "the planted bug '" + result.bug.name() + "' is not caught: " + result.bug.why(),
                        Replay.line("BugCatalogueTest", result.bug.name())));
            }
        }
        return new Outcome(figures, violations, notRun, List.of());
    }

    /** Compiles the bug, and lets a JVM of its own look for it. */
    static Result catchIt(BugPlanter planter, PlantedBug bug, Path folder) throws IOException {
        Path classes = folder.resolve(bug.name());
        planter.plant(bug, classes);
        Path answer = folder.resolve(bug.name() + ".txt");
        String path = classes + File.pathSeparator + System.getProperty("java.class.path");
        List<String> arguments = new ArrayList<>(List.of(
                String.valueOf(MOST_CPU_MILLIS), answer.toString(), bug.first().name()));
        String theme = bug.theme();
        if (theme != null) {
            arguments.add(theme);
        }
        try (ChildProcess child = ChildProcess.java(BugHunt.class, arguments.toArray(String[]::new))
                .jvm("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m")
                .classPath(path)
                .start()) {
            int exit = child.awaitExit(Duration.ofMillis(5 * MOST_CPU_MILLIS));
            if (exit != 0) {
                // The planted bug broke the program that looks for it: nobody would overlook that.
                return new Result(bug, "the program itself", 0, String.join(" ", child.tail()));
            }
        }
        if (!Files.exists(answer)) {
            return new Result(bug, null, MOST_CPU_MILLIS / 1000.0, "");
        }
        String[] parts = Files.readString(answer).split(" ", 3);
        return new Result(bug, parts[0], Long.parseLong(parts[1]) / 1000.0, parts[2]);
    }

    /** A table for people: bug, what caught it, after how many seconds of processor time. */
    static String table(List<Result> results) {
        StringBuilder table = new StringBuilder();
        for (Result result : results) {
            String check = result.check;
            table.append(String.format(
                    Locale.ROOT,
                    "%-44s %-20s %6.1f s  %s%n",
                    result.bug.name(),
                    check == null ? "MISSED" : check,
                    result.seconds,
                    result.bug.why()));
        }
        return table.toString();
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }
}
