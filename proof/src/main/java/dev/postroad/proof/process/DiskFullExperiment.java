package dev.postroad.proof.process;

import dev.postroad.testkit.Await;
import dev.postroad.testkit.Experiment;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * {@code disk-full}: a small disk fills with a backlog, and by the files of others to its last byte, and empties again. Publishers
 * must be refused with a clear error, nothing confirmed be lost, and all go on without repair once there is space.
 */
public final class DiskFullExperiment implements Experiment {
    private static final String DISK = "320m";
    private static final int BLOCK = 1 << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final Lane.Mix MIX = new Lane.Mix(2, 1, 1, 0, 2, 16, 64, 64 << 10);

    /** For the book. */
    public DiskFullExperiment() {}

    @Override
    public String name() {
        return "disk-full";
    }

    @Override
    public String question() {
        return "Is anything lost when the disk is full, and does service return by itself when there is space?";
    }

    @Override
    public Outcome run(Budget budget, Progress progress) throws Exception {
        Results results = Results.of(name(), budget.seed());
        String missing = Machine.missingForMounts("mount", "umount");
        if (missing != null) {
            results.notRun("a disk that fills and empties", missing);
            return results.outcome();
        }
        Random random = new Random(budget.seed());
        long begin = System.nanoTime();
        long confirmed = 0;
        int rounds = 0;
        while (rounds < 1
                || (System.nanoTime() - begin) * (rounds + 1.0) / rounds
                        < budget.time().toNanos()) {
            confirmed += round(random, results, new Watch(progress, begin, budget.time(), rounds));
            rounds++;
        }
        results.count("times the disk was full", 2L * rounds);
        results.count("messages confirmed", confirmed);
        return results.outcome();
    }

    private record Watch(Progress progress, long begin, Duration time, int round) {
        void say(String what) {
            progress.at((System.nanoTime() - begin) / (double) time.toNanos(), "round " + (round + 1) + ": " + what);
        }
    }

    private static long round(Random random, Results results, Watch watch) throws Exception {
        try (Workplace place = Workplace.make("disk-full")) {
            Path disk = Files.createDirectory(place.at("disk"));
            Machine.must("mount", "-t", "tmpfs", "-o", "size=" + DISK, "postroad-proof", disk.toString());
            try {
                return fillAndEmpty(disk, random, results, watch);
            } finally {
                Await.value(
                        "the disk is unmounted",
                        PATIENCE,
                        () -> Machine.run("umount", disk.toString()),
                        ran -> ran.exit() == 0);
            }
        }
    }

    private static long fillAndEmpty(Path disk, Random random, Results results, Watch watch) throws Exception {
        List<Lane> lanes = List.of(new Lane("orders", Lane.Kind.QUEUE, random.nextInt(), MIX));
        try (Served served = new Served(new ServeBroker(), disk.resolve("data"), lanes, random.nextLong())) {
            served.startFilling();
            awaitRefusal(served, "a backlog has filled the disk", watch);
            requireClear(served.refusal(), results);
            long full = served.confirmed();

            watch.say(full + " confirmed, full by its backlog");
            served.endLoad();
            served.beginLoad(true, true);
            await(
                    served,
                    "service returns once consumers have made space",
                    watch,
                    () -> served.confirmed() > full + 200);
            watch.say(served.confirmed() + " confirmed, back in service");

            Path ballast = fill(disk);
            served.endLoad();
            served.beginLoad(true, false);
            awaitRefusal(served, "the files of others have filled the disk", watch);
            fill(disk);
            watch.say(served.confirmed() + " confirmed, not a byte free");
            if (!served.running().isAlive()) {
                results.violation("the process ended on a full disk: " + served.tail());
            }
            served.kill();
            startOnFullDisk(served, disk, results);
            Files.delete(ballast);
            Files.deleteIfExists(second(disk));
            if (!served.running().isAlive()) {
                served.start();
            }
            long then = served.confirmed();
            await(served, "service returns with the space", watch, () -> served.confirmed() > then + 100);
            watch.say(served.confirmed() + " confirmed, back in service after a restart on a full disk");
            served.kill();
            served.drain();
            results.judge("a disk that filled and emptied", served.verdicts());
            return served.confirmed();
        } catch (AssertionError e) {
            results.violation("a disk that filled and emptied: " + e.getMessage());
            return 0;
        }
    }

    /** Where not a byte is free the start may be refused, if it says why and where. */
    private static void startOnFullDisk(Served served, Path disk, Results results) {
        try {
            served.start();
        } catch (AssertionError refused) {
            String said = String.valueOf(refused.getMessage());
            if (!said.contains("No space left") || !said.contains(disk.toString())) {
                results.violation("on a full disk the start was refused without saying why and where: " + said);
            }
        }
    }

    private static void awaitRefusal(Served served, String what, Watch watch) {
        await(served, what, watch, () -> served.refusal() != null);
    }

    private static void await(Served served, String what, Watch watch, BooleanSupplier condition) {
        long[] told = {0};
        Await.until(what, PATIENCE, () -> {
            if (System.nanoTime() - told[0] > Duration.ofSeconds(1).toNanos()) {
                told[0] = System.nanoTime();
                watch.say(served.confirmed() + " confirmed, " + served.delivered() + " delivered, until " + what);
            }
            return condition.getAsBoolean();
        });
    }

    private static void requireClear(@Nullable String refusal, Results results) {
        if (refusal == null || !refusal.startsWith("FULL") || !refusal.contains("disk")) {
            results.violation("on a full disk the refusal does not say so: " + refusal);
        }
    }

    private static Path second(Path disk) {
        return disk.resolve("ballast-2");
    }

    /** Takes all space that is left. */
    private static Path fill(Path disk) throws IOException {
        Path ballast = disk.resolve("ballast");
        Path file = Files.exists(ballast) ? second(disk) : ballast;
        for (int block = BLOCK; block >= 1; block >>= 4) {
            try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                byte[] bytes = new byte[block];
                while (true) {
                    out.write(bytes);
                }
            } catch (IOException full) {
                if (Files.getFileStore(disk).getUsableSpace() == 0) {
                    return file;
                }
            }
        }
        return file;
    }
}
