package dev.postroad.simulation.faults;

import dev.postroad.simulation.disk.Fault;
import dev.postroad.testkit.Experiment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Every call on the disk fails, once and for ever, in every way there is. */
public final class IoFailures implements Experiment {
    /** So many passes, each over one call in so many: what there is no time for is spread evenly over all of a program. */
    private static final int PASSES = 32;

    private static final long GOAL_SECONDS = 110;

    @Override
    public String name() {
        return "io-failures";
    }

    @Override
    public String question() {
        return "When any call on the disk fails, once or for ever, is nothing confirmed that is not there afterwards?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) {
        FailureLoop[] at = new FailureLoop[1];
        Progressing out = new Progressing(
                budget,
                progress,
                () -> at[0] == null
                        ? ""
                        : at[0].failures() + " failures, " + at[0].found().size() + " violations");
        FailureLoop loop = new FailureLoop(out);
        at[0] = loop;
        List<String> themes = Programs.names();
        Map<String, List<String>> noted = new HashMap<>();
        long combinations = 2L * Fault.values().length * themes.size();
        while (loop.loops() < PASSES * combinations && !out.getAsBoolean()) {
            int first = 1 + (int) Math.floorMod(budget.seed() + loop.loops() / combinations, (long) PASSES);
            pass(loop, noted, themes, first);
        }
        long passes = loop.loops() / combinations;
        List<Violation> violations = new ArrayList<>();
        long falseConfirms = 0;
        for (CrashExplorer.Found found : loop.found()) {
            violations.add(
                    new Violation(found.image() + ": " + found.what(), Replay.line("IoFailuresTest", found.image())));
            falseConfirms += found.what().contains("a confirmed change is lost") ? 1 : 0;
        }
        List<NotRun> notRun = new ArrayList<>();
        if (passes < PASSES) {
            notRun.add(new NotRun(
                    "every single call",
                    "the time was enough for " + passes + " calls in " + PASSES + ", from a place the seed says"));
        }
        return new Outcome(
                List.of(
                        Figure.count("scenarios", themes.size(), 12),
                        Figure.count("kinds of failure", Fault.values().length, 5),
                        Figure.count("scenario, kind and once or for ever", combinations),
                        new Figure(
                                "calls that failed, each in all these ways",
                                100.0 * passes / PASSES,
                                "%",
                                Goal.atLeast(Math.min(100, 100 * budget.time().toSeconds() / GOAL_SECONDS))),
                        Figure.count("injected failures", loop.failures()),
                        Figure.count("recoveries judged", loop.recoveries()),
                        new Figure("false confirms", falseConfirms, "", Goal.atMost(0)),
                        new Figure("violations", violations.size(), "", Goal.atMost(0))),
                violations,
                notRun,
                List.of());
    }

    private static void pass(FailureLoop loop, Map<String, List<String>> noted, List<String> themes, int first) {
        for (Fault fault : Fault.values()) {
            for (boolean forever : new boolean[] {false, true}) {
                for (String theme : themes) {
                    Program program = Programs.whole(theme);
                    // The first of all these looks at all, and so do the crash images.
                    boolean looking = loop.failures() == 0;
                    List<String> known = noted.computeIfAbsent(theme, each -> new ArrayList<>());
                    loop.loop(
                            theme,
                            disk -> new EngineTrial(program, disk, looking, known),
                            fault,
                            forever,
                            first,
                            PASSES);
                }
            }
        }
    }

    /** Runs one failure again, by its name. */
    static List<CrashExplorer.Found> replay(String image) {
        String[] parts = image.split("/");
        Program program = Programs.whole(parts[0]);
        FailureLoop loop = new FailureLoop(() -> false);
        loop.failing(
                parts[0],
                disk -> new EngineTrial(program, disk),
                Fault.valueOf(parts[1]),
                parts[2].equals("for-ever"),
                Integer.parseInt(parts[3]));
        return loop.found();
    }
}
