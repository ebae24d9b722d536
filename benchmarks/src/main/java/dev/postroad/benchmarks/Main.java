package dev.postroad.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Entry of {@code ./postroad bench}: status 0 if it ran, whatever the verdicts; 1 if it failed; 2 if it was asked wrongly. */
public final class Main {
    /** First argument of the processes that the benchmark starts. */
    static final String WORKER = "worker";

    private Main() {}

    /** @param arguments {@code bench embedded [OPTIONS]} */
    public static void main(String[] arguments) throws Exception {
        // What is measured brings logging of its own: none of it may cost time, or get between the figures.
        System.setProperty("slf4j.provider", "org.slf4j.nop.NOPServiceProvider");
        System.setProperty("slf4j.internal.verbosity", "ERROR");
        List<String> words = Arrays.asList(arguments);
        if (!words.isEmpty() && words.getFirst().equals(WORKER)) {
            Worker.main(Arrays.copyOfRange(arguments, 1, arguments.length));
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
        if (rest.contains("--help") || rest.contains("-h")) {
            System.out.print(Options.usage());
            return 0;
        }
        if (rest.isEmpty() || !rest.getFirst().equals("embedded")) {
            System.err.println("postroad bench: say what to measure: bench embedded"
                    + (rest.isEmpty() ? "" : "; there is no '" + rest.getFirst() + "'"));
            return 2;
        }
        Options options;
        try {
            options = Options.parse(rest.subList(1, rest.size()));
        } catch (Options.BadOptionException e) {
            System.err.println("postroad bench embedded: " + e.getMessage());
            return 2;
        }
        try {
            measure(options);
            return 0;
        } catch (IOException e) {
            System.err.println("postroad bench embedded: " + e.getMessage());
            return 1;
        }
    }

    private static void measure(Options options) throws IOException, InterruptedException {
        EmbeddedBench bench = new EmbeddedBench(options, System.err);
        // Also where it is interrupted nothing may be left behind.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                bench.abandon();
            } catch (IOException | InterruptedException e) {
                System.err.println("postroad bench: not all could be cleaned up: " + e.getMessage());
            }
        }));
        try (bench) {
            Machine machine = bench.machine();
            if (!options.json()) {
                System.out.println(machine.line());
                System.out.println("medians of " + options.rounds() + " rounds of " + Report.number(options.seconds())
                        + " s, taken in turns; times in microseconds unless said");
            }
            List<Results> all = new ArrayList<>();
            for (Scenario scenario : options.scenarios()) {
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
}
