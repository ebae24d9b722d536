package dev.postroad.simulation.faults;

import dev.postroad.simulation.disk.Crash;
import dev.postroad.simulation.disk.Operation;
import dev.postroad.simulation.disk.SimulatedDisk;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the power at every operation boundary of a program, in every way that is legal when there are few, and judges what
 * comes back. Of some images the recovery is cut off again, at each of its writes.
 *
 * <p>An image has a name, {@code program@operation/way} or {@code program@operation/way!operation/way}, which finds it again.
 */
final class CrashExplorer {
    /** Of so many images one is crashed again during its recovery. */
    private static final int CRASHED_AGAIN = 18;

    private static final int WAYS_AGAIN = 2;
    private static final int THOROUGH = 4;

    private final BooleanSupplier out;
    private final List<Found> found = new ArrayList<>();
    private @Nullable String only;
    private long programs;
    private long images;
    private long boundaries;
    private long crashedAgain;
    private long imagesAgain;

    /** A broken promise, and the image that shows it. */
    record Found(String image, String what) {}

    /** @param out true when time is up */
    CrashExplorer(BooleanSupplier out) {
        this.out = out;
    }

    /** Looks at this image and no other. */
    void only(String image) {
        only = image;
    }

    List<Found> found() {
        return found;
    }

    long programs() {
        return programs;
    }

    /** Images recovered and judged, those of crashes during a recovery not counted. */
    long images() {
        return images;
    }

    long boundaries() {
        return boundaries;
    }

    /** Images whose recovery was crashed at each of its writes. */
    long crashedAgain() {
        return crashedAgain;
    }

    /** Images of crashes during a recovery. */
    long imagesAgain() {
        return imagesAgain;
    }

    /**
     * Runs a program and looks at the images on its way.
     *
     * @param most images at one boundary
     * @param preparations one of so many boundaries of the preparations is looked at; 0 for none
     */
    void explore(String name, Function<SimulatedDisk, Trial> program, int most, int preparations) {
        SimulatedDisk disk = new SimulatedDisk();
        Trial trial = program.apply(disk);
        Random choice = new Random(name.hashCode());
        int before = found.size();
        disk.listen(operation -> {
            boolean wanted = trial.begun() || (preparations > 0 && choice.nextInt(preparations) == 0);
            if (operation.kind().changes() && wanted && found.size() == before && !out.getAsBoolean()) {
                boundary(name, operation.number(), disk, trial, most);
            }
        });
        programs++;
        try {
            trial.run();
        } catch (RuntimeException e) {
            if (only == null) {
                found.add(new Found(name, trial.trace() + ": " + text(e)));
            }
        }
        disk.listenNoMore();
        if (found.size() == before) {
            boundary(name, disk.calls() + 1, disk, trial, most);
        }
    }

    /** What a failure says; of one that nobody foresaw, where it was. */
    static String text(Throwable e) {
        if (e instanceof Broken) {
            return String.valueOf(e.getMessage());
        }
        StackTraceElement[] trace = e.getStackTrace();
        return e + (trace.length == 0 ? "" : " at " + trace[0]);
    }

    private void boundary(String name, long operation, SimulatedDisk disk, Trial trial, int most) {
        String at = name + "@" + operation;
        String wanted = only;
        if (wanted != null && !wanted.startsWith(at + "/")) {
            return;
        }
        boundaries++;
        long seed = name.hashCode() * 31L + operation;
        List<Crash> ways = disk.crashes(most, seed);
        for (int i = 0; i < ways.size(); i++) {
            String image = at + "/" + i;
            if (wanted == null || wanted.equals(image) || wanted.startsWith(image + "!")) {
                image(
                        image,
                        disk.crash(ways.get(i)),
                        trial,
                        seed + i,
                        ways.get(i).toString());
            }
        }
    }

    /** One state that a crash may leave. */
    private void image(String name, SimulatedDisk image, Trial trial, long seed, String way) {
        Random choice = new Random(seed * 0x9E3779B97F4A7C15L);
        boolean again = choice.nextInt(CRASHED_AGAIN) == 0;
        List<SimulatedDisk> second = new ArrayList<>();
        List<String> names = new ArrayList<>();
        SimulatedDisk[] shown = new SimulatedDisk[1];
        images++;
        if (again) {
            crashedAgain++;
            image.listen(operation -> {
                if (operation.kind().changes()) {
                    crashAgain(name, image, operation, choice, second, names);
                }
            });
        }
        String what = name + ", " + way;
        try {
            String first = trial.recover(image, choice.nextInt(THOROUGH) == 0, () -> {
                image.listenNoMore();
                if (again) {
                    shown[0] = image.crash(Crash.losingAll());
                }
            });
            SimulatedDisk after = shown[0];
            if (after != null) {
                what = name + "!after";
                imagesAgain++;
                String later = trial.recover(after, false, Observation.Opened.NOTHING);
                if (!later.equals(first)) {
                    throw new Broken("what a recovery had shown was gone after the next crash: first " + first
                            + ", then " + later);
                }
            }
            for (int i = 0; i < second.size(); i++) {
                what = names.get(i);
                imagesAgain++;
                trial.recover(second.get(i), false, Observation.Opened.NOTHING);
            }
        } catch (RuntimeException e) {
            found.add(new Found(what, trial.trace() + ": " + text(e)));
        }
    }

    private static void crashAgain(
            String name,
            SimulatedDisk image,
            Operation operation,
            Random choice,
            List<SimulatedDisk> second,
            List<String> names) {
        List<Crash> ways = image.crashes(4 * WAYS_AGAIN, choice.nextLong());
        for (int i = 0; i < WAYS_AGAIN; i++) {
            int way = choice.nextInt(ways.size());
            second.add(image.crash(ways.get(way)));
            names.add(name + "!" + operation.number() + "/" + way + ", " + ways.get(way));
        }
    }
}
