package dev.postroad.proof;

import dev.postroad.proof.ProveOptions.BadOptionException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Entry of {@code ./postroad prove}: status 0 if no promise was found broken, 1 if one was, 2 if it was asked wrongly. */
public final class Main {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

    private static final String LOG_LEVEL = "POSTROAD_LOG_LEVEL";

    private Main() {}

    /** @param arguments {@code prove [OPTIONS]} */
    public static void main(String[] arguments) throws IOException {
        if (System.getenv(LOG_LEVEL) == null) {
            // Clients whose broker is killed under them have much to tell.
            System.setProperty(LOG_LEVEL, "OFF");
        }
        boolean terminal = System.getProperty("postroad.terminals", "").contains("2");
        int status = run(Arrays.asList(arguments), Experiments.all(), System.out, System.err, terminal);
        // Threads that an experiment could not stop must not keep the program.
        System.exit(status);
    }

    static int run(List<String> arguments, List<Chapter> chapters, PrintStream out, PrintStream err, boolean terminal)
            throws IOException {
        List<String> words = new ArrayList<>(arguments);
        if (!words.isEmpty() && words.get(0).equals("prove")) {
            words.remove(0);
        }
        if (words.contains("--help") || words.contains("-h")) {
            out.print(ProveOptions.usage(chapters));
            return 0;
        }
        if (words.contains("--list")) {
            chapters.forEach(chapter -> out.printf(
                    "%-22s %s%n", chapter.name(), chapter.experiment().question()));
            return 0;
        }
        ProveOptions options;
        Instant begun = Instant.now();
        try {
            options = ProveOptions.parse(words, chapters, "proof-" + STAMP.format(begun));
        } catch (BadOptionException e) {
            err.println("postroad prove: " + e.getMessage());
            return 2;
        }
        // Before anything takes a quarter of an hour: can the report be written?
        Path directory = Files.createDirectories(options.directory());
        Surroundings machine = Surroundings.find();
        Long given = options.seed();
        long seed = given == null ? ThreadLocalRandom.current().nextLong(1L << 48) : given;
        err.println(machine.line());
        err.println("seed " + seed + ", " + Words.time(options.time()) + " for "
                + options.chapters().size() + " experiments");
        // Before several chapters do so at once, of which the library would tell.
        System.getLogger("dev.postroad.proof").isLoggable(System.Logger.Level.INFO);
        Book book = write(options, machine, seed, begun, err, terminal);
        Path html = directory.resolve("report.html");
        Files.writeString(html, HtmlReport.of(book));
        Files.writeString(directory.resolve("report.json"), JsonReport.of(book));
        out.println(html + ": " + closing(book));
        return book.status(options.strict());
    }

    private static Book write(
            ProveOptions options, Surroundings machine, long seed, Instant begun, PrintStream err, boolean terminal) {
        long start = System.nanoTime();
        Display display = new Display(err, terminal, options.time(), start);
        List<Finished> finished;
        try {
            finished = new Schedule(options.chapters(), options.time(), machine.cores(), seed, display).run();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted", e);
        }
        return new Book(
                version(),
                machine,
                seed,
                begun,
                Duration.ofNanos(System.nanoTime() - start),
                options.time(),
                finished,
                options.left());
    }

    private static String closing(Book book) {
        return book.violations() + " violations, " + book.failures() + " experiments failed, " + book.missed()
                + " goals missed, " + book.notRun() + " not run, " + Words.time(book.took());
    }

    /** As the jar says; "built from source" where there is none. */
    private static String version() {
        String version = Main.class.getPackage().getImplementationVersion();
        return version == null ? "built from source" : version;
    }
}
