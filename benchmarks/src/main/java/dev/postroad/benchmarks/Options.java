package dev.postroad.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the command line asks for.
 *
 * @param rounds of each measurement
 * @param seconds of each round
 * @param warmMillis of load before each round
 * @param firstWarmMillis of load on each new process before all else
 * @param backlog messages
 * @param connections of the scenario that has many
 * @param scenarios to run, by their names
 * @param peers to compare with, by their names
 * @param directory temporary directories go below it
 * @param json false for tables
 */
record Options(
        int rounds,
        double seconds,
        int warmMillis,
        int firstWarmMillis,
        int backlog,
        int connections,
        List<String> scenarios,
        List<String> peers,
        Path directory,
        boolean json) {

    static final String USAGE = """
            Usage: ./postroad bench %s [OPTIONS]

            %s

              --quick            %,d short round of each and a backlog of %,d: figures to look at, not to quote
              --rounds N         rounds of each measurement, 1 to 99 (%d)
              --seconds S        seconds of each round, %s to 600 (%s)
              --backlog N        messages of the backlog, 20,000 to 100,000,000 (%,d)
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

    /** Whether who goes by this name is to be measured. */
    boolean wants(String peer) {
        return peer.equals(ContenderKind.POSTROAD) || peers.contains(peer);
    }

    /** These options with other times of load before anything is measured. */
    Options withWarmUp(int newWarmMillis, int newFirstWarmMillis) {
        return new Options(
                rounds,
                seconds,
                newWarmMillis,
                newFirstWarmMillis,
                backlog,
                connections,
                scenarios,
                peers,
                directory,
                json);
    }

    static String usage(Suite suite) {
        return USAGE.formatted(
                suite.name(),
                suite.summary(),
                suite.quick().rounds(),
                suite.quick().backlog(),
                suite.full().rounds(),
                Report.number(suite.leastSeconds()),
                Report.number(suite.full().seconds()),
                suite.full().backlog(),
                String.join(", ", suite.peers()),
                System.getProperty("java.io.tmpdir"),
                String.join(", ", suite.scenarios()));
    }

    /** @param arguments behind {@code bench NAME} */
    static Options parse(Suite suite, List<String> arguments) throws BadOptionException {
        Suite.Effort effort = arguments.contains("--quick") ? suite.quick() : suite.full();
        int rounds = effort.rounds();
        double seconds = effort.seconds();
        int backlog = effort.backlog();
        List<String> scenarios = suite.scenarios();
        List<String> peers = suite.peers();
        Path directory = Path.of(System.getProperty("java.io.tmpdir"));
        boolean json = false;
        Set<String> given = new HashSet<>();
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
            if (!given.add(option)) {
                boolean list = option.equals("--scenario") || option.equals("--peers");
                throw new BadOptionException(option + " is given twice" + (list ? "; write several with commas" : ""));
            }
            if (value == null) {
                if (++i == arguments.size()) {
                    throw new BadOptionException(option + " needs a value; see --help");
                }
                value = arguments.get(i);
            }
            switch (option) {
                case "--rounds" -> rounds = (int) number(option, value, 1, 99, true);
                case "--seconds" -> seconds = number(option, value, suite.leastSeconds(), 600, false);
                case "--backlog" -> backlog = (int) number(option, value, 20_000, 100_000_000, true);
                case "--scenario" -> scenarios = scenarios(suite, value);
                case "--peers" -> peers = peers(suite, value);
                case "--dir" -> directory = directory(value);
                default -> json = json(value);
            }
        }
        return new Options(
                rounds,
                seconds,
                effort.warmMillis(),
                effort.firstWarmMillis(),
                backlog,
                effort.connections(),
                scenarios,
                peers,
                directory,
                json);
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

    private static List<String> scenarios(Suite suite, String names) throws BadOptionException {
        List<String> chosen = new ArrayList<>();
        for (String name : names.split(",")) {
            List<String> found = suite.scenarios().stream().filter(name::equals).toList();
            if (found.isEmpty() && !name.isEmpty()) {
                found = suite.scenarios().stream()
                        .filter(scenario -> scenario.startsWith(name))
                        .toList();
            }
            if (found.isEmpty()) {
                throw new BadOptionException("--scenario names '" + name + "', which there is not; there are "
                        + String.join(", ", suite.scenarios()));
            }
            found.stream().filter(scenario -> !chosen.contains(scenario)).forEach(chosen::add);
        }
        return List.copyOf(chosen);
    }

    private static List<String> peers(Suite suite, String names) throws BadOptionException {
        if (names.equals("none")) {
            return List.of();
        }
        List<String> chosen = Arrays.asList(names.split(","));
        for (String name : chosen) {
            if (!suite.peers().contains(name)) {
                throw new BadOptionException("--peers names '" + name + "', which there is not; there are "
                        + String.join(", ", suite.peers()) + ", or none");
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
