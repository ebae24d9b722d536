package dev.postroad.simulation.broker;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** The command {@code simulate}. */
public final class Simulate {
    private static final long TELL_NANOS = 1_000_000_000L;

    private Simulate() {}

    /** Runs what the arguments ask for; ends with 0, with 1 for a broken promise, with 2 for arguments it does not know. */
    public static void main(String[] arguments) {
        System.exit(run(Arrays.asList(arguments)));
    }

    static int run(List<String> arguments) {
        List<String> options = !arguments.isEmpty() && arguments.getFirst().equals("simulate")
                ? arguments.subList(1, arguments.size())
                : arguments;
        if (options.contains("--help") || options.contains("-h")) {
            System.out.print(SimulateOptions.USAGE);
            return 0;
        }
        SimulateOptions asked;
        try {
            asked = SimulateOptions.parse(options, ThreadLocalRandom.current().nextLong(1L << 40));
        } catch (SimulateOptions.BadOptionException e) {
            System.err.println("postroad simulate: " + e.getMessage());
            return 2;
        }
        return run(asked);
    }

    private static int run(SimulateOptions asked) {
        Campaign campaign = new Campaign();
        long begun = System.nanoTime();
        long[] told = {begun};
        boolean terminal = System.getProperty("postroad.terminals", "").contains("2");
        System.out.println("from seed " + asked.seed() + ", " + asked.steps() + " steps each");
        campaign.run(
                asked.scenarios(),
                asked.seed(),
                asked.steps(),
                asked.runs(),
                (long) (asked.minutes() * 60e9),
                result -> {
                    long now = System.nanoTime();
                    if (now - told[0] > TELL_NANOS) {
                        told[0] = now;
                        System.err.print((terminal ? "\r\033[K" : "")
                                + progress(campaign, (now - begun) / 1e9)
                                + (terminal ? "" : "\n"));
                    }
                });
        if (terminal) {
            System.err.print("\r\033[K");
        }
        table(campaign, (System.nanoTime() - begun) / 1e9);
        for (Simulation.Result violation :
                campaign.violations().stream().limit(1).toList()) {
            System.err.println("looking for the shortest way to what seed " + violation.seed() + " found …");
            tell(violation, Shrinker.shrink(violation));
        }
        campaign.violations().stream()
                .skip(1)
                .forEach(v -> System.out.println("also: " + Campaign.replay(v) + "\n      " + v.violation()));
        return campaign.violations().isEmpty() ? 0 : 1;
    }

    private static String progress(Campaign campaign, double seconds) {
        long runs = 0;
        long operations = 0;
        for (Campaign.Sum sum : campaign.sums().values()) {
            runs += sum.runs;
            operations += sum.operations;
        }
        return String.format(
                Locale.ROOT,
                "%,.0f s: %,d runs, %,d operations, %d violations",
                seconds,
                runs,
                operations,
                campaign.violations().size());
    }

    private static void table(Campaign campaign, double seconds) {
        System.out.printf(
                Locale.ROOT,
                "%n%-12s %10s %14s %10s %12s %12s %12s %11s%n",
                "scenario",
                "runs",
                "operations",
                "crashes",
                "recoveries",
                "in recovery",
                "comparisons",
                "violations");
        long operations = 0;
        for (Map.Entry<Scenario, Campaign.Sum> each : campaign.sums().entrySet()) {
            Campaign.Sum sum = each.getValue();
            operations += sum.operations;
            System.out.printf(
                    Locale.ROOT,
                    "%-12s %,10d %,14d %,10d %,12d %,12d %,12d %,11d%n",
                    each.getKey().word(),
                    sum.runs,
                    sum.operations,
                    sum.crashes,
                    sum.recoveries,
                    sum.crashesInRecovery,
                    sum.checks,
                    sum.violations);
        }
        System.out.printf(
                Locale.ROOT, "%n%,.0f operations a second, %.1f s%n", operations / Math.max(0.001, seconds), seconds);
    }

    private static void tell(Simulation.Result found, Simulation.Result shortest) {
        System.out.println("\nA promise is broken. Seed " + found.seed() + ", scenario "
                + found.scenario().word() + ", step " + found.steps() + "; the shortest way there that was found:\n");
        shortest.story().forEach(System.out::println);
        System.out.println("\n" + shortest.violation() + "\n\nagain: " + Campaign.replay(found));
    }
}
