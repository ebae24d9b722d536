package dev.postroad.simulation.faults;

import dev.postroad.testkit.Experiment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Every state that a power cut may leave behind, at every operation of many short programs. */
public final class CrashImages implements Experiment {
    /** Time in which the goals are to be reached; less time lowers them. */
    private static final double GOAL_SECONDS = 120;

    private static final long GOAL_IMAGES = 300_000;
    private static final int EXHAUSTIVE_EVERY = 8;
    private static final int MOST = 24;
    private static final int EXHAUSTIVE = 260;

    @Override
    public String name() {
        return "crash-images";
    }

    @Override
    public String question() {
        return "Is everything that was confirmed there after a power cut at any moment, and nothing else, in order?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) {
        CrashExplorer[] at = new CrashExplorer[1];
        Progressing out = new Progressing(
                budget,
                progress,
                () -> at[0] == null
                        ? ""
                        : at[0].images() + at[0].imagesAgain() + " images, "
                                + at[0].found().size() + " violations");
        CrashExplorer explorer = new CrashExplorer(out);
        at[0] = explorer;
        long due = Progressing.due(budget, GOAL_IMAGES, GOAL_SECONDS);
        long begun = System.nanoTime();
        explore(explorer, budget.seed(), () -> out.getAsBoolean() || explorer.images() + explorer.imagesAgain() >= due);
        List<Violation> violations = new ArrayList<>();
        for (CrashExplorer.Found found : explorer.found()) {
            violations.add(new Violation(
                    found.image() + ": " + found.what(), Replay.line("CrashImagesTest", imageOf(found.image()))));
        }
        long images = explorer.images() + explorer.imagesAgain();
        double seconds = (System.nanoTime() - begun) / 1e9;
        long goal = Math.min(GOAL_IMAGES, due);
        double again = explorer.images() == 0 ? 0 : 100.0 * explorer.crashedAgain() / explorer.images();
        return new Outcome(
                List.of(
                        Figure.count("crash images recovered and checked", images, goal),
                        Figure.count("operation boundaries", explorer.boundaries()),
                        Figure.count("programs", explorer.programs()),
                        new Figure(
                                "images crashed again during recovery, at each write", again, "%", Goal.atLeast(4.5)),
                        Figure.count("images of crashes during recovery", explorer.imagesAgain()),
                        new Figure("images per second", images / seconds, "/s", null),
                        new Figure("violations", violations.size(), "", Goal.atMost(0))),
                violations,
                List.of(),
                List.of());
    }

    /** Breadth first: a program of each theme, then the next of each. The seed says where the random ones begin. */
    private static void explore(CrashExplorer explorer, long seed, BooleanSupplier out) {
        int random = (int) Math.floorMod(seed, 1_000_000L);
        for (int round = 0; !out.getAsBoolean() && explorer.found().size() < 20; round++) {
            for (String theme : Programs.names()) {
                int pairs = Programs.pairs(theme);
                int number = round % 2 == 0 && round / 2 < pairs ? round / 2 : pairs + random + round;
                Program program = Programs.program(theme, number);
                int most = round % EXHAUSTIVE_EVERY == 1 ? EXHAUSTIVE : MOST;
                explorer.explore(
                        program.name() + "~" + most, disk -> new EngineTrial(program, disk), most, round == 0 ? 1 : 0);
            }
        }
    }

    private static String imageOf(String found) {
        int comma = found.indexOf(',');
        return comma < 0 ? found : found.substring(0, comma);
    }

    /** Looks at one image again, by its name; returns what is found. */
    static List<CrashExplorer.Found> replay(String image) {
        int at = image.indexOf('@');
        String program = at < 0 ? image : image.substring(0, at);
        int hash = program.indexOf('#');
        int tilde = program.indexOf('~');
        Program again =
                Programs.program(program.substring(0, hash), Integer.parseInt(program.substring(hash + 1, tilde)));
        CrashExplorer explorer = new CrashExplorer(() -> false);
        if (at >= 0) {
            explorer.only(image);
        }
        int most = Integer.parseInt(program.substring(tilde + 1));
        explorer.explore(program, disk -> new EngineTrial(again, disk), most, 1);
        return explorer.found();
    }
}
