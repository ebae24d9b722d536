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
 * millis what}, or stays empty, and the check that is to begin.
 */
final class BugHunt {
    private static final int MOST_IMAGES = 8;
    private static final int STRIDE = 31;
    private static final int CORRUPTIONS = 300;

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
        Catch caught = run(Check.valueOf(arguments[2]), () -> threads.getCurrentThreadCpuTime() >= end);
        if (caught != null) {
            String what = caught.found.image() + ": " + caught.found.what();
            long millis = threads.getCurrentThreadCpuTime() / 1_000_000;
            Files.writeString(
                    Path.of(arguments[1]),
                    caught.check + " " + millis + " "
                            + what.replace('\n', ' ').substring(0, Math.min(what.length(), 1000)));
        }
    }

    /** A little of everything, beginning with what is likely to find it; then more. */
    static @Nullable Catch run(Check first, BooleanSupplier out) {
        List<Check> order = new ArrayList<>(List.of(first));
        for (Check check : Check.values()) {
            if (check != first) {
                order.add(check);
            }
        }
        for (int round = 0; !out.getAsBoolean(); round++) {
            for (Check check : order) {
                Catch caught = run(check, round, out);
                if (caught != null) {
                    return caught;
                }
            }
            Catch caught = crashes(100 + round, out);
            if (caught != null) {
                return caught;
            }
        }
        return null;
    }

    private static @Nullable Catch run(Check check, int round, BooleanSupplier out) {
        return switch (check) {
            case CRASHES -> crashes(round, out);
            case CORRUPTION -> corruption(round, out);
            case FAILURES -> failures(round, out);
        };
    }

    private static @Nullable Catch crashes(int round, BooleanSupplier out) {
        CrashExplorer explorer = new CrashExplorer(out);
        for (String theme : Programs.names()) {
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

    private static @Nullable Catch failures(int round, BooleanSupplier out) {
        FailureLoop loop = new FailureLoop(out);
        Random random = new Random(round);
        for (String theme : Programs.names()) {
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
