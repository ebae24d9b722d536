package dev.postroad.proof;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What was asked for.
 *
 * @param time for all together
 * @param chapters to run, in the book's order
 * @param left the names of those that were left out, with why
 * @param seed null for a fresh one
 * @param directory where the report goes
 * @param strict whether a missed goal fails
 */
record ProveOptions(
        Duration time,
        List<Chapter> chapters,
        List<Left> left,
        @Nullable Long seed,
        Path directory,
        boolean strict) {
    static final int MINUTES = 15;
    private static final double LEAST_MINUTES = 0.1;
    private static final double MOST_MINUTES = 7 * 24 * 60;

    /** A chapter that was left out, and why. */
    record Left(String name, String why) {}

    /** A command that can't be followed; the message says why. */
    static final class BadOptionException extends Exception {
        private static final long serialVersionUID = 1;

        BadOptionException(String message) {
            super(message);
        }
    }

    static String usage(List<Chapter> chapters) {
        StringBuilder names = new StringBuilder();
        for (Chapter chapter : chapters) {
            names.append(String.format(
                    "  %-22s %s%n", chapter.name(), chapter.experiment().question()));
        }
        return """
               Usage: postroad prove [OPTIONS]
                 Tries to break Postroad for some time, in every way there is, and writes down what came of it.

                 --minutes N      for all together, 15 unless told; shared out by weight. May have a fraction: 0.5.
                                  Some experiments have a least that they can do in, and take a little longer
                 --only A,B       these experiments and no others
                 --skip A,B       all but these
                 --peers          do the same to RabbitMQ, Kafka and NATS where they are installed
                 --seed N         where all that is random comes from; the report tells it
                 --out DIR        where the report goes: report.html and report.json; proof-DATE-TIME unless told
                 --strict         a goal that was missed fails the command, too
                 --list           the experiments, and what each asks
                 --help           this text

               Nothing else should run meanwhile: goals that are speeds mean nothing on a busy machine.
               Everything is written into temporary directories (java.io.tmpdir), which are deleted afterwards.
               What a machine does not offer, root or loop devices say, is told as "not run", and never as passed.

               Exit status: 0 no promise was found broken; 1 one was, an experiment failed, or with --strict a goal
               was missed; 2 the command was wrong.

               Experiments:
               """ + names;
    }

    static ProveOptions parse(List<String> words, List<Chapter> all, String defaultDirectory)
            throws BadOptionException {
        Duration time = Duration.ofMinutes(MINUTES);
        Set<String> only = new LinkedHashSet<>();
        Set<String> skip = new LinkedHashSet<>();
        Long seed = null;
        Path directory = Path.of(defaultDirectory);
        boolean strict = false;
        boolean peers = false;
        Set<String> given = new HashSet<>();
        for (int i = 0; i < words.size(); i++) {
            String word = words.get(i);
            switch (word) {
                case "--peers" -> peers = true;
                case "--strict" -> strict = true;
                case "--minutes", "--only", "--skip", "--seed", "--out" -> {
                    if (i + 1 == words.size()) {
                        throw new BadOptionException(word + " needs a value");
                    }
                    String value = words.get(++i);
                    if (!given.add(word) && !word.equals("--only") && !word.equals("--skip")) {
                        throw new BadOptionException(word + " is given twice");
                    }
                    switch (word) {
                        case "--minutes" -> time = minutes(value);
                        case "--only" -> only.addAll(names(word, value, all));
                        case "--skip" -> skip.addAll(names(word, value, all));
                        case "--seed" -> seed = seed(value);
                        default -> directory = Path.of(value);
                    }
                }
                default -> throw new BadOptionException("'" + word + "' is not known; see --help");
            }
        }
        return choose(all, only, skip, peers, time, seed, directory, strict);
    }

    private static ProveOptions choose(
            List<Chapter> all,
            Set<String> only,
            Set<String> skip,
            boolean peers,
            Duration time,
            @Nullable Long seed,
            Path directory,
            boolean strict)
            throws BadOptionException {
        List<Chapter> chosen = new ArrayList<>();
        List<Left> left = new ArrayList<>();
        for (Chapter chapter : all) {
            if (!only.isEmpty() && !only.contains(chapter.name())) {
                left.add(new Left(chapter.name(), "not among --only"));
            } else if (skip.contains(chapter.name())) {
                left.add(new Left(chapter.name(), "left out by --skip"));
            } else if (chapter.peers() && !peers && !only.contains(chapter.name())) {
                left.add(new Left(chapter.name(), "about other brokers; ask for it with --peers"));
            } else {
                chosen.add(chapter);
            }
        }
        if (chosen.isEmpty()) {
            throw new BadOptionException("--only and --skip leave nothing to run");
        }
        return new ProveOptions(time, List.copyOf(chosen), List.copyOf(left), seed, directory, strict);
    }

    private static List<String> names(String option, String value, List<Chapter> all) throws BadOptionException {
        List<String> known = all.stream().map(Chapter::name).toList();
        List<String> names = Arrays.stream(value.split(",")).map(String::strip).toList();
        for (String name : names) {
            if (!known.contains(name)) {
                throw new BadOptionException(
                        option + " names '" + name + "', which there is not; there are " + String.join(", ", known));
            }
        }
        return names;
    }

    private static Duration minutes(String value) throws BadOptionException {
        try {
            double minutes = Double.parseDouble(value);
            if (minutes >= LEAST_MINUTES && minutes <= MOST_MINUTES) {
                return Duration.ofMillis(Math.round(minutes * 60_000));
            }
        } catch (NumberFormatException e) {
            // told below, like one out of bounds
        }
        throw new BadOptionException("--minutes is '" + value + "'; it must be a number from 0.1 to 10080");
    }

    private static Long seed(String value) throws BadOptionException {
        try {
            return Long.decode(value);
        } catch (NumberFormatException e) {
            throw new BadOptionException("--seed is '" + value + "'; it must be a whole number of 64 bits");
        }
    }
}
