package dev.postroad.fuzzing;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Entry of {@code ./postroad fuzz}: status 0 if nothing was found, 1 if something was, 2 if it was asked wrongly. */
public final class Main {
    private static final String USAGE = """
            Usage: postroad fuzz [TARGET …] [OPTIONS]
              Gives the decoders of bytes from disk and network, and the parsers, inputs that nobody would send.
              Without a TARGET all of them have their turn; for a whole report see ./postroad prove --only fuzzing.

              --list              the targets, with the inputs that are kept of each
              --seconds N         for each target; 5 unless told
              --engine NAME       mutation: in this process, from valid inputs and the corpus (unless told)
                                  jazzer: guided by coverage, in a process of its own
              --seed N            of the mutations; told at the end
              --grow FOLDER       writes the inputs worth keeping to FOLDER, a file for each target: the corpus is in
                                  fuzzing/src/main/resources/dev/postroad/fuzzing/corpus
              --replay BASE64     gives one input to one target and says what comes of it
            """;

    private final PrintStream out;
    private final List<Target> targets = new ArrayList<>();
    private Duration time = Duration.ofSeconds(5);
    private boolean jazzer;
    private long seed = ThreadLocalRandom.current().nextLong(1L << 48);
    private @Nullable Path grow;
    private byte @Nullable [] input;
    private boolean list;

    private Main(PrintStream out) {
        this.out = out;
    }

    /** @param arguments {@code fuzz [TARGET …] [OPTIONS]} */
    public static void main(String[] arguments) throws IOException {
        int status = run(Arrays.asList(arguments), System.out, System.err);
        if (status != 0) {
            System.exit(status);
        }
    }

    static int run(List<String> arguments, PrintStream out, PrintStream err) throws IOException {
        List<String> words = arguments.isEmpty() || !arguments.get(0).equals("fuzz")
                ? arguments
                : arguments.subList(1, arguments.size());
        if (words.contains("--help") || words.contains("-h")) {
            out.print(USAGE);
            return 0;
        }
        Main main = new Main(out);
        try {
            main.read(words);
        } catch (IllegalArgumentException e) {
            err.println("postroad fuzz: " + e.getMessage());
            return 2;
        }
        return main.run();
    }

    private void read(List<String> words) {
        Set<String> given = new HashSet<>();
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            if (!word.startsWith("--")) {
                Target target = Targets.named(word);
                if (target == null) {
                    throw new IllegalArgumentException("there is no target '" + word + "'; --list shows all");
                }
                targets.add(target);
                continue;
            }
            if (word.equals("--list")) {
                list = true;
                continue;
            }
            if (i + 1 == words.size()) {
                throw new IllegalArgumentException(word + " is not known, or needs a value; see --help");
            }
            if (!given.add(word)) {
                throw new IllegalArgumentException(word + " is given twice");
            }
            option(word, words.get(++i));
        }
        if (input != null && targets.size() != 1) {
            throw new IllegalArgumentException("--replay goes with one target, not with " + targets.size());
        }
        if (targets.isEmpty()) {
            targets.addAll(Targets.ALL);
        }
    }

    private void option(String word, String value) {
        switch (word) {
            case "--seconds" -> time = Duration.ofSeconds(number(word, value, 1, 86_400));
            case "--seed" -> seed = number(word, value, Long.MIN_VALUE, Long.MAX_VALUE);
            case "--engine" -> {
                if (!value.equals("mutation") && !value.equals("jazzer")) {
                    throw new IllegalArgumentException("--engine is '" + value + "'; it must be mutation or jazzer");
                }
                jazzer = value.equals("jazzer");
            }
            case "--grow" -> grow = Path.of(value);
            case "--replay" -> {
                try {
                    input = Base64.getDecoder().decode(value);
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException("--replay is no base64: " + e.getMessage(), e);
                }
            }
            default -> throw new IllegalArgumentException(word + " is not known; see --help");
        }
    }

    private static long number(String word, String value, long least, long most) {
        try {
            long number = Long.parseLong(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below, like one out of bounds
        }
        throw new IllegalArgumentException(
                word + " is '" + value + "'; it must be a whole number from " + least + " to " + most);
    }

    private int run() throws IOException {
        if (list) {
            for (Target target : Targets.ALL) {
                out.printf(
                        "%-24s %,6d inputs%n", target.name(), Corpus.of(target).size());
            }
            return 0;
        }
        byte[] replayed = input;
        if (replayed != null) {
            return replay(targets.get(0), replayed);
        }
        int found = 0;
        for (Target target : targets) {
            found += jazzer ? withJazzer(target) : withMutations(target);
        }
        out.println("seed " + seed + (found == 0 ? ", nothing found" : ", " + found + " found"));
        return found == 0 ? 0 : 1;
    }

    private int replay(Target target, byte[] bytes) {
        Trial trial = new Trial();
        Finding found = null;
        for (int i = 0; i < 100; i++) {
            found = trial.run(target, bytes);
        }
        out.println(found == null ? target.name() + ": " + (trial.refused() ? "refused" : "accepted") : found.line());
        return found == null ? 0 : 1;
    }

    private int withMutations(Target target) throws IOException {
        List<byte[]> corpus = Corpus.of(target);
        MutationRun run = new MutationRun(target);
        run.replay(corpus);
        long begun = System.nanoTime();
        long end = begun + time.toNanos();
        run.run(Long.MAX_VALUE, corpus, seed, () -> System.nanoTime() > end);
        out.printf(
                "%-24s %,12d executions, %,9.0f a second; slowest %,d us; most heap beyond 4 bytes a byte %,d%n",
                target.name(),
                run.executions(),
                run.executions() * 1e9 / (System.nanoTime() - begun),
                run.slowestNanos() / 1_000,
                run.mostBytes());
        keep(target, run.pool());
        return tell(run.findings());
    }

    private int tell(List<Finding> findings) {
        for (Finding finding : findings) {
            out.println("  FOUND " + finding.line());
            out.println("  again: " + finding.replay());
        }
        return findings.size();
    }

    private int withJazzer(Target target) throws IOException {
        Path folder = Files.createTempDirectory("postroad-fuzz-");
        try {
            JazzerRun run = new JazzerRun(target, folder);
            run.run(Corpus.of(target), time, seed, () -> {});
            String broken = run.broken();
            out.printf("%-24s %,12d executions by Jazzer%n", target.name(), run.executions());
            if (broken != null) {
                out.println("  " + broken);
            }
            MutationRun check = new MutationRun(target);
            check.replay(run.faults());
            check.replay(run.inputs());
            keep(target, run.inputs());
            return tell(check.findings());
        } finally {
            delete(folder);
        }
    }

    private void keep(Target target, List<byte[]> found) throws IOException {
        Path to = grow;
        if (to != null) {
            List<byte[]> all = new ArrayList<>(Corpus.of(target));
            all.addAll(found);
            out.println("  kept " + Corpus.write(to, target, worthKeeping(target, all)));
        }
    }

    /** Of the inputs that are refused at one place, or accepted, a few of the smallest. */
    private static List<byte[]> worthKeeping(Target target, List<byte[]> inputs) {
        List<byte[]> kept = new ArrayList<>();
        Set<Integer> places = new HashSet<>();
        Trial trial = new Trial();
        int accepted = 0;
        for (byte[] candidate : inputs.stream()
                .sorted(Comparator.comparingInt((byte[] bytes) -> bytes.length))
                .toList()) {
            if (trial.run(target, candidate) != null) {
                continue;
            }
            if (trial.refused() ? places.add(trial.place()) : accepted++ < 40 && candidate.length <= 400) {
                kept.add(candidate);
            }
        }
        return kept;
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
                Files.delete(file);
            }
        }
    }
}
