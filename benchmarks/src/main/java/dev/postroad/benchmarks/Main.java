package dev.postroad.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Entry of {@code ./postroad bench}: status 0 if it ran, whatever the verdicts; 1 if it failed; 2 if it was asked wrongly. */
public final class Main {
    /** First argument of the processes that the benchmark starts. */
    static final String WORKER = "worker";

    static final String NULL_BROKER = "null-broker";

    private Main() {}

    /** @param arguments {@code bench NAME [OPTIONS]} */
    public static void main(String[] arguments) throws Exception {
        // What is measured brings logging of its own: none of it may cost time, or get between the figures.
        System.setProperty("slf4j.provider", "org.slf4j.nop.NOPServiceProvider");
        System.setProperty("slf4j.internal.verbosity", "ERROR");
        List<String> words = Arrays.asList(arguments);
        if (!words.isEmpty() && words.getFirst().equals(WORKER)) {
            Worker.main(Arrays.copyOfRange(arguments, 1, arguments.length));
            return;
        }
        if (!words.isEmpty() && words.getFirst().equals(NULL_BROKER)) {
            NullBroker.main(words.subList(1, words.size()));
            return;
        }
        int status = run(words);
        if (status != 0) {
            System.exit(status);
        }
    }

    private static int run(List<String> words) throws InterruptedException {
        List<String> rest = new ArrayList<>(words);
        rest.remove("bench");
        String name = rest.isEmpty() ? "" : rest.getFirst();
        if (name.equals("outbox")) {
            return OutboxBench.run(rest.subList(1, rest.size()), System.out, System.err);
        }
        Suite suite = Suite.ALL.stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElse(null);
        if (suite == null) {
            boolean help = name.isEmpty() || name.equals("--help") || name.equals("-h") || name.equals("help");
            String known = Suite.ALL.stream()
                            .map(each -> "  ./postroad bench " + each.name() + " [OPTIONS]\n"
                                    + each.summary().indent(6))
                            .collect(Collectors.joining("\n"))
                    + "\n" + OutboxBench.summary();
            if (help) {
                System.out.print(known);
                return name.isEmpty() ? 2 : 0;
            }
            System.err.print("postroad bench: there is no '" + name + "'; there are\n" + known);
            return 2;
        }
        if (rest.contains("--help") || rest.contains("-h")) {
            System.out.print(Options.usage(suite));
            return 0;
        }
        Options options;
        try {
            options = Options.parse(suite, rest.subList(1, rest.size()));
        } catch (Options.BadOptionException e) {
            System.err.println("postroad bench " + name + ": " + e.getMessage());
            return 2;
        }
        try (Bench bench = suite.open(options, System.err)) {
            measure(suite, bench, options);
            return 0;
        } catch (IOException e) {
            System.err.println("postroad bench " + name + ": " + e.getMessage());
            return 1;
        }
    }

    private static void measure(Suite suite, Bench bench, Options options) throws IOException, InterruptedException {
        // Also where it is interrupted nothing may be left behind.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                bench.abandon();
            } catch (IOException | InterruptedException e) {
                System.err.println("postroad bench: not all could be cleaned up: " + e.getMessage());
            }
        }));
        Machine machine = bench.machine();
        if (!options.json()) {
            System.out.println(machine.line());
            System.out.println("medians of " + options.rounds() + " rounds"
                    + (suite == Suite.TRANSPORTS ? "" : " of " + Report.number(options.seconds()) + " s")
                    + ", taken in turns; times in microseconds unless said");
        }
        List<Results> all = new ArrayList<>();
        for (String scenario : options.scenarios()) {
            Results results = bench.run(scenario, all.size() + 1);
            all.add(results);
            if (!options.json()) {
                System.out.print(Report.table(results));
                System.out.flush();
            }
        }
        if (options.json()) {
            System.out.println(Report.json(machine, options, all));
        }
    }
}
