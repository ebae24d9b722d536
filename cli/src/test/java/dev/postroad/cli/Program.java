package dev.postroad.cli;

import dev.postroad.testkit.ChildProcess;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What stands in front of a postroad command's own arguments. As {@code ./postroad} does it, a JVM finds the classes parsed and
 * checked in an archive, which halves what a short command costs; the archive is made once in each run of tests.
 */
final class Program {
    private static final String MAIN = "dev.postroad.cli.Main";

    /** Of jars: folders of classes cannot be part of an archive. */
    private static final String CLASS_PATH = Arrays.stream(
                    System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> entry.endsWith(".jar"))
            .collect(Collectors.joining(File.pathSeparator));

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final List<String> QUICK = List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");

    private static final List<String> JVM_OPTIONS = withArchive();

    private Program() {}

    /** It as a child process, not yet started. */
    static ChildProcess.Builder with(String... arguments) {
        return ChildProcess.java(MAIN, arguments)
                .jvm(JVM_OPTIONS.toArray(String[]::new))
                .classPath(CLASS_PATH);
    }

    /** The words that start it, the main class included. */
    static List<String> words() {
        List<String> words = new ArrayList<>();
        words.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        words.addAll(JVM_OPTIONS);
        words.addAll(List.of("-cp", CLASS_PATH, MAIN));
        return words;
    }

    private static List<String> withArchive() {
        Path folder = Path.of(
                System.getProperty("basedir", ""),
                "target",
                "archive-" + ProcessHandle.current().pid());
        Path archive = folder.resolve("classes.jsa");
        List<String> making = new ArrayList<>(QUICK);
        making.addAll(List.of("-XX:ArchiveClassesAtExit=" + archive, "-Xlog:disable"));
        folder.toFile().mkdirs();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(folder)));
        try (ChildProcess warmUp = ChildProcess.java(
                        MAIN, "send", "warm-up", "--message", "warm-up", "--quiet", "--data", folder + "/data")
                .jvm(making.toArray(String[]::new))
                .classPath(CLASS_PATH)
                .start()) {
            int exitCode = warmUp.awaitExit(PATIENCE);
            if (exitCode != 0) {
                throw new AssertionError("making an archive of classes ended with " + exitCode + ": " + warmUp.tail());
            }
        }
        List<String> options = new ArrayList<>(QUICK);
        options.add("-XX:SharedArchiveFile=" + archive);
        return List.copyOf(options);
    }

    private static void delete(Path folder) {
        try (Stream<Path> paths = Files.walk(folder)) {
            paths.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
