package dev.postroad.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the command line asks for.
 *
 * @param rounds of each measurement
 * @param seconds of each round
 * @param warmMillis of load before each round
 * @param firstWarmMillis of load on each new process before all else
 * @param backlog messages
 * @param scenarios to run
 * @param peers to compare with, by {@link ContenderKind#peer}
 * @param directory temporary directories go below it
 * @param json false for tables
 */
record Options(
        int rounds,
        double seconds,
        int warmMillis,
        int firstWarmMillis,
        int backlog,
        List<Scenario> scenarios,
        List<String> peers,
        Path directory,
        boolean json) {

    static final String USAGE = """
            Usage: ./postroad bench embedded [OPTIONS]

            Measures Postroad in one process against ActiveMQ Artemis embedded, Chronicle Queue and what the
            machine can do at all, in turns, and says where its goals are met. Takes about ten minutes; run
            nothing else meanwhile.

              --quick            one short round of each and a backlog of 100,000: about a minute
              --rounds N         rounds of each measurement, 1 to 99 (3)
              --seconds S        seconds of each round, 0.1 to 600 (2)
              --backlog N        messages of the backlog, 20,000 to 100,000,000 (1,000,000)
              --scenario NAME    only this one; several with commas; a beginning stands for all that begin so
              --peers LIST       whom to compare with: %s, with commas; or none (all)
              --dir DIR          where temporary directories go: on the disk to measure (%s)
              --format FORMAT    table or json (table)
              --help             this

            Scenarios: %s
            """;

    /** A command line that cannot be carried out; the message says why. */
    static final class BadOptionException extends Exception {
        private static final long serialVersionUID = 1;

        BadOptionException(String message) {
            super(message);
        }
    }

    /** Whether this contender is to be measured. */
    boolean wants(ContenderKind kind) {
        return kind.peer().equals(ContenderKind.POSTROAD) || peers.contains(kind.peer());
    }

    /** These options with other times of load before anything is measured. */
    Options withWarmUp(int newWarmMillis, int newFirstWarmMillis) {
        return new Options(
                rounds, seconds, newWarmMillis, newFirstWarmMillis, backlog, scenarios, peers, directory, json);
    }

    static String usage() {
        return USAGE.formatted(
                String.join(", ", ContenderKind.peers()),
                System.getProperty("java.io.tmpdir"),
                String.join(", ", Scenario.all().stream().map(Scenario::name).toList()));
    }

    /** @param arguments behind {@code bench embedded} */
    static Options parse(List<String> arguments) throws BadOptionException {
        boolean quick = arguments.contains("--quick");
        int rounds = quick ? 1 : 3;
        double seconds = quick ? 0.5 : 2;
        int backlog = quick ? 100_000 : 1_000_000;
        List<Scenario> scenarios = Scenario.all();
        List<String> peers = ContenderKind.peers();
        Path directory = Path.of(System.getProperty("java.io.tmpdir"));
        boolean json = false;
        for (int i = 0; i < arguments.size(); i++) {
            String option = arguments.get(i);
            String value = null;
            int equals = option.indexOf('=');
            if (option.startsWith("--") && equals > 0) {
                value = option.substring(equals + 1);
                option = option.substring(0, equals);
            }
            if (option.equals("--quick")) {
                if (value != null) {
                    throw new BadOptionException("--quick takes no value, here '" + value + "'");
                }
                continue;
            }
            if (!List.of("--rounds", "--seconds", "--backlog", "--scenario", "--peers", "--dir", "--format")
                    .contains(option)) {
                throw new BadOptionException("there is no option '" + option + "'; see --help");
            }
            if (value == null) {
                if (++i == arguments.size()) {
                    throw new BadOptionException(option + " needs a value; see --help");
                }
                value = arguments.get(i);
            }
            switch (option) {
                case "--rounds" -> rounds = (int) number(option, value, 1, 99, true);
                case "--seconds" -> seconds = number(option, value, 0.1, 600, false);
                case "--backlog" -> backlog = (int) number(option, value, 20_000, 100_000_000, true);
                case "--scenario" -> scenarios = scenarios(value);
                case "--peers" -> peers = peers(value);
                case "--dir" -> directory = directory(value);
                default -> json = json(value);
            }
        }
        return new Options(
                rounds, seconds, quick ? 300 : 500, quick ? 1_000 : 8_000, backlog, scenarios, peers, directory, json);
    }

    private static double number(String option, String value, double least, double most, boolean whole)
            throws BadOptionException {
        double number;
        try {
            number = whole ? Long.parseLong(value) : Double.parseDouble(value);
        } catch (NumberFormatException e) {
            number = Double.NaN;
        }
        if (!(number >= least && number <= most)) {
            String format = whole ? "%,.0f to %,.0f" : "%,.1f to %,.0f";
            throw new BadOptionException(option + " is '" + value + "'; it must be a " + (whole ? "whole " : "")
                    + "number from " + String.format(format, least, most));
        }
        return number;
    }

    private static List<Scenario> scenarios(String names) throws BadOptionException {
        List<Scenario> all = Scenario.all();
        List<Scenario> chosen = new ArrayList<>();
        for (String name : names.split(",")) {
            List<Scenario> found = all.stream()
                    .filter(scenario -> scenario.name().equals(name))
                    .toList();
            if (found.isEmpty() && !name.isEmpty()) {
                found = all.stream()
                        .filter(scenario -> scenario.name().startsWith(name))
                        .toList();
            }
            if (found.isEmpty()) {
                throw new BadOptionException("--scenario names '" + name + "', which there is not; there are "
                        + String.join(", ", all.stream().map(Scenario::name).toList()));
            }
            found.stream().filter(scenario -> !chosen.contains(scenario)).forEach(chosen::add);
        }
        return List.copyOf(chosen);
    }

    private static List<String> peers(String names) throws BadOptionException {
        if (names.equals("none")) {
            return List.of();
        }
        List<String> chosen = Arrays.asList(names.split(","));
        for (String name : chosen) {
            if (!ContenderKind.peers().contains(name)) {
                throw new BadOptionException("--peers names '" + name + "', which there is not; there are "
                        + String.join(", ", ContenderKind.peers()) + ", or none");
            }
        }
        return List.copyOf(chosen);
    }

    private static Path directory(String name) throws BadOptionException {
        Path directory = Path.of(name);
        if (!Files.isDirectory(directory) || !Files.isWritable(directory)) {
            throw new BadOptionException("--dir is '" + name + "', which is no directory that can be written to");
        }
        return directory.toAbsolutePath();
    }

    private static boolean json(String format) throws BadOptionException {
        return switch (format) {
            case "json" -> true;
            case "table" -> false;
            default -> throw new BadOptionException("--format is '" + format + "'; it must be table or json");
        };
    }
}
