package dev.postroad.simulation.faults;

import dev.postroad.simulation.disk.Fault;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All checks in turn on whatever journal and engine are on the class path, until one finds something: the program that a JVM
 * with a planted bug runs. Arguments: how many milliseconds of processor time it may take, and the file that gets one line, {@code check
 * millis what}, or stays empty, the check that is to begin, and the theme of the programs that it begins with, if any.
 */
final class BugHunt {
    private static final int MOST_IMAGES = 8;
    private static final int STRIDE = 31;
    private static final int CORRUPTIONS = 300;
    /** Rounds of what is likely. */
    private static final int LIKELY = 4;
    /** From this round on: other programs than before. */
    private static final int LONGER = 100;

    private BugHunt() {}

    /** The ways to look. */
    enum Check {
        CRASHES,
        CORRUPTION,
        FAILURES
    }

    /** What was found, and by which check. */
    record Catch(String check, CrashExplorer.Found found) {}

    public static void main(String[] arguments) throws IOException {
        // Processor time: how fast a bug is caught must not depend on what else the machine does.
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long end = threads.getCurrentThreadCpuTime() + Long.parseLong(arguments[0]) * 1_000_000;
        String theme = arguments.length > 3 ? arguments[3] : null;
        Catch caught = run(Check.valueOf(arguments[2]), theme, () -> threads.getCurrentThreadCpuTime() >= end);
        if (caught != null) {
            String what = caught.found.image() + ": " + caught.found.what();
            long millis = threads.getCurrentThreadCpuTime() / 1_000_000;
            Files.writeString(
                    Path.of(arguments[1]),
                    caught.check + " " + millis + " "
                            + what.replace('\n', ' ').substring(0, Math.min(what.length(), 1000)));
        }
    }

    /**
     * A little of everything, beginning with what is likely to find it; then more.
     *
     * @param theme whose programs alone come first; null for none
     */
    static @Nullable Catch run(Check first, @Nullable String theme, BooleanSupplier out) {
        for (int i = 0; theme != null && i < LIKELY; i++) {
            Catch caught = run(first, i == 0 ? 0 : LONGER + i - 1, List.of(theme), out);
            if (caught != null) {
                return caught;
            }
        }
        List<String> all = Programs.names();
        List<Check> order = new ArrayList<>(List.of(first));
        for (Check check : Check.values()) {
            if (check != first) {
                order.add(check);
            }
        }
        for (int round = 0; !out.getAsBoolean(); round++) {
            for (Check check : order) {
                Catch caught = run(check, round, all, out);
                if (caught != null) {
                    return caught;
                }
            }
            Catch caught = crashes(LONGER + round, all, out);
            if (caught != null) {
                return caught;
            }
        }
        return null;
    }

    private static @Nullable Catch run(Check check, int round, List<String> themes, BooleanSupplier out) {
        return switch (check) {
            case CRASHES -> crashes(round, themes, out);
            case CORRUPTION -> corruption(round, out);
            case FAILURES -> failures(round, themes, out);
        };
    }

    private static @Nullable Catch crashes(int round, List<String> themes, BooleanSupplier out) {
        CrashExplorer explorer = new CrashExplorer(out);
        for (String theme : themes) {
            // The longer ones behind the pairs: more happens in each.
            Program program =
                    round == 0 ? Programs.whole(theme) : Programs.program(theme, Programs.pairs(theme) + round);
            explorer.explore(program.name(), disk -> new EngineTrial(program, disk), round == 0 ? 2 : MOST_IMAGES, 20);
            if (!explorer.found().isEmpty()) {
                return new Catch("crash-images", explorer.found().getFirst());
            }
            if (out.getAsBoolean()) {
                return null;
            }
        }
        return null;
    }

    private static @Nullable Catch failures(int round, List<String> themes, BooleanSupplier out) {
        FailureLoop loop = new FailureLoop(out);
        Random random = new Random(round);
        for (String theme : themes) {
            Program program = Programs.whole(theme);
            for (Fault fault : List.of(Fault.FAILED_SYNC, Fault.IO_ERROR)) {
                loop.loop(
                        program.name(),
                        disk -> new EngineTrial(program, disk),
                        fault,
                        false,
                        1 + random.nextInt(STRIDE),
                        STRIDE);
                if (!loop.found().isEmpty()) {
                    return new Catch("io-failures", loop.found().getFirst());
                }
            }
        }
        return null;
    }

    private static @Nullable Catch corruption(int round, BooleanSupplier out) {
        CorruptionSweep sweep = new CorruptionSweep(round, out);
        sweep.sample(CORRUPTIONS);
        return sweep.found().isEmpty()
                ? null
                : new Catch("corruption", sweep.found().getFirst());
    }
}
