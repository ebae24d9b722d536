package dev.postroad.simulation.broker;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the command line asks for.
 *
 * @param steps of each run
 * @param runs at most
 * @param minutes at most
 */
record SimulateOptions(long seed, int steps, long runs, double minutes, List<Scenario> scenarios) {
    static final String USAGE = """
            Usage: ./postroad simulate [OPTIONS]

            Runs the whole engine on a simulated disk and clock, on one thread, beside a plain model of what it
            should do, with crashes anywhere. A run is a function of its seed: what fails once fails again.

              --seed N           of the first run; those after it count up (drawn anew)
              --steps M          of each run, 1 to 1,000,000 (300)
              --runs K           at most (1 with --seed, else without end)
              --minutes M        at most (1)
              --scenario NAME    queue, keyed, stream, group, transaction, timer, all (every
                                 command together), wide (the rarer ones too),
                                 busy (the same, much at once), strain (bytes, policies, a full disk) or rare
                                 (what protocols ask and few programs do) (all)
              --help             this

            Operations are the commands of the workload and the deliveries that followed; what the checker asks
            to look at the broker is not counted.

            Ends with 0 if no promise was broken, else with 1 and the shortest way there.
            """;

    /** A command line that cannot be carried out; the message says why. */
    static final class BadOptionException extends Exception {
        private static final long serialVersionUID = 1;

        BadOptionException(String message) {
            super(message);
        }
    }

    /** @param fresh the seed where none is given */
    static SimulateOptions parse(List<String> arguments, long fresh) throws BadOptionException {
        long seed = fresh;
        int steps = 300;
        long runs = -1;
        double minutes = -1;
        boolean seeded = false;
        List<Scenario> scenarios = List.of(Scenario.ALL);
        Set<String> given = new HashSet<>();
        for (int i = 0; i < arguments.size(); i++) {
            String option = arguments.get(i);
            String value = null;
            int equals = option.indexOf('=');
            if (option.startsWith("--") && equals > 0) {
                value = option.substring(equals + 1);
                option = option.substring(0, equals);
            }
            if (!List.of("--seed", "--steps", "--runs", "--minutes", "--scenario")
                    .contains(option)) {
                throw new BadOptionException("there is no option '" + option + "'; see --help");
            }
            if (!given.add(option)) {
                throw new BadOptionException(option + " is given twice");
            }
            if (value == null) {
                if (++i == arguments.size()) {
                    throw new BadOptionException(option + " needs a value; see --help");
                }
                value = arguments.get(i);
            }
            switch (option) {
                case "--seed" -> {
                    seed = (long) number(option, value, Long.MIN_VALUE, Long.MAX_VALUE, true);
                    seed = Long.parseLong(value);
                    seeded = true;
                }
                case "--steps" -> steps = (int) number(option, value, 1, 1_000_000, true);
                case "--runs" -> runs = (long) number(option, value, 1, 1e12, true);
                case "--minutes" -> minutes = number(option, value, 0.01, 100_000, false);
                default -> scenarios = scenarios(value);
            }
        }
        if (runs < 0) {
            runs = seeded && minutes < 0 ? scenarios.size() : Long.MAX_VALUE;
        }
        return new SimulateOptions(seed, steps, runs, minutes < 0 ? (seeded ? 1_000 : 1) : minutes, scenarios);
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
            throw new BadOptionException(option + " is '" + value + "'; it must be a " + (whole ? "whole " : "")
                    + String.format(java.util.Locale.ROOT, "number from %,.0f to %,.0f", least, most));
        }
        return number;
    }

    private static List<Scenario> scenarios(String name) throws BadOptionException {
        for (Scenario scenario : Scenario.values()) {
            if (scenario.word().equals(name)) {
                return List.of(scenario);
            }
        }
        throw new BadOptionException("--scenario is '" + name + "', which there is not; there are "
                + String.join(
                        ", ",
                        Arrays.stream(Scenario.values()).map(Scenario::word).toList()));
    }
}
