package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Scenario.Row;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Runs the scenarios, each in rounds in which every contender has its turn. The processes stay for as long as a scenario to come
 * needs them; while one is at work the others wait for orders.
 */
final class EmbeddedBench implements Bench {
    private static final String WARM_UP = "warm-up";
    private static final long IDLE_MILLIS = 5_000;

    private final Options options;
    private final TemporaryDirectory directory;
    private final PrintStream progress;
    private final Map<ContenderKind, WorkerProcess> workers = new EnumMap<>(ContenderKind.class);
    private final List<WorkerProcess> all = new ArrayList<>();
    private int started;

    /** @param progress told what is going on, a line at a time */
    EmbeddedBench(Options options, PrintStream progress) throws IOException {
        this.options = options;
        this.directory = new TemporaryDirectory(options.directory());
        this.progress = progress;
    }

    @Override
    public Machine machine() throws IOException {
        return Machine.find(directory.path());
    }

    @Override
    public Results run(String name, int number) throws IOException, InterruptedException {
        Scenario scenario = Scenario.of(name);
        List<Row> rows = scenario.rows().stream()
                .filter(row -> options.wants(row.kind().peer()))
                .toList();
        Results results = new Results(scenario.comparison(rows));
        String place = "[" + number + "/" + options.scenarios().size() + "] " + scenario.name();
        switch (scenario.shape()) {
            case LOAD -> load(rows, results, place);
            case COLD -> cold(rows, results, place);
            case BACKLOG -> backlog(rows, results, place);
            case IDLE -> idle(rows, results, place);
        }
        closeWorkersNotNeededAfter(scenario);
        return results;
    }

    // ── Shapes
    // ────────────────────────────────────────────────────────────────────────────────────────────────────────

    private void load(List<Row> rows, Results results, String place) throws IOException {
        for (int round = 1; round <= options.rounds(); round++) {
            for (Row row : rows) {
                WorkerProcess worker = worker(row.kind());
                Measurement measured = worker.run(timed(row.order(), round));
                results.add(row.entry(), measured);
                tell(place, round, row, measured);
            }
        }
    }

    private Order timed(Order order, int round) {
        return new Order(order.kind(), order.channel() + "-" + round, order.numbers())
                .with("warm", round == 1 ? 2 * options.warmMillis() : options.warmMillis())
                .with("millis", (int) (options.seconds() * 1000));
    }

    private void cold(List<Row> rows, Results results, String place) throws IOException {
        for (int round = 1; round <= options.rounds(); round++) {
            for (Row row : rows) {
                Path home = newHome(row.kind());
                try (WorkerProcess worker = start(row.kind(), home)) {
                    Measurement measured =
                            worker.run(row.order().with("warm", 0).with("millis", 1000));
                    measured.with("ready.ms", worker.readyMillis());
                    results.add(row.entry(), measured);
                    tell(place, round, row, measured);
                }
                TemporaryDirectory.delete(home);
            }
        }
    }

    private void backlog(List<Row> rows, Results results, String place) throws IOException, InterruptedException {
        for (Row row : rows) {
            Path home = newHome(row.kind());
            Measurement measured = new Measurement();
            int messages = options.backlog();
            Order heap = new Order(Order.Kind.HEAP, row.order().channel());
            try (WorkerProcess worker = start(row.kind(), home)) {
                double before = worker.run(heap).get("heap").orElse(0);
                Measurement filled = worker.run(row.order().with("messages", messages));
                measured.with("fill", filled.get(Measurement.RATE).orElse(0));
                double after = worker.run(heap).get("heap").orElse(0);
                measured.with("heap.filled", (after - before) / messages);
                progress.println(place + ": " + row.title() + " holds " + String.format("%,d", messages)
                        + " messages; killing it");
                worker.kill();
            }
            try (WorkerProcess worker = start(row.kind(), home)) {
                Measurement first =
                        worker.run(new Order(Order.Kind.FIRST, row.order().channel()));
                measured.with("restart.ms", worker.firstMillis());
                int left = messages - (int) first.get("messages").orElse(0);
                double with = worker.run(heap).get("heap").orElse(0);
                measured.with("rss.mb", worker.residentMegabytes());
                Measurement drained =
                        worker.run(new Order(Order.Kind.DRAIN, row.order().channel()).with("messages", left));
                measured.with(Measurement.DRAIN, drained.get(Measurement.RATE).orElse(0));
                double came = drained.get("messages").orElse(0);
                if (came < left) {
                    throw new IOException(row.title() + " lost messages: of " + left + " there came " + came);
                }
                double without = worker.run(heap).get("heap").orElse(0);
                measured.with("heap.restarted", Math.max(0, with - without) / messages);
            }
            results.add(row.entry(), measured);
            tell(place, 1, row, measured);
            TemporaryDirectory.delete(home);
        }
    }

    private void idle(List<Row> rows, Results results, String place) throws IOException, InterruptedException {
        for (Row row : rows) {
            try (WorkerProcess worker = start(row.kind(), newHome(row.kind()))) {
                Measurement measured = new Measurement().with("ready.ms", worker.readyMillis());
                Stopwatch.waitMillis(IDLE_MILLIS);
                measured.with("rss.mb", worker.residentMegabytes());
                double heap = worker.run(row.order()).get("heap").orElse(0);
                results.add(row.entry(), measured.with("heap.mb", heap / (1 << 20)));
                progress.println(place + ": " + row.title());
            }
        }
    }

    private void tell(String place, int round, Row row, Measurement measured) {
        double rate = measured.get(Measurement.RATE)
                .orElse(measured.get(Measurement.DRAIN).orElse(0));
        progress.println(place + " round " + round + ": " + row.title() + " " + Report.number(rate) + " msg/s");
    }

    // ── Processes
    // ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private WorkerProcess worker(ContenderKind kind) throws IOException {
        WorkerProcess worker = workers.get(kind);
        if (worker == null) {
            worker = start(kind, newHome(kind));
            workers.put(kind, worker);
            progress.println("warming up " + kind.title());
            warmUp(kind, worker);
        }
        return worker;
    }

    private void warmUp(ContenderKind kind, WorkerProcess worker) throws IOException {
        Order order = kind == ContenderKind.CHRONICLE || kind == ContenderKind.HOP
                ? new Order(Order.Kind.LOG, WARM_UP)
                        .with("batch", 1)
                        .with("pace", 0)
                        .with("spin", 0)
                : new Order(Order.Kind.WINDOWED, WARM_UP)
                        .with("consume", kind.peer().equals(ContenderKind.LIMITS) ? 0 : 1);
        if (kind == ContenderKind.CALLER_COMMIT) {
            order = new Order(Order.Kind.BLOCKING, WARM_UP).with("senders", 1);
        }
        worker.run(order.with("bytes", 100)
                .with("window", 1024)
                .with("warm", options.firstWarmMillis())
                .with("millis", 100));
    }

    private Path newHome(ContenderKind kind) throws IOException {
        return Files.createDirectories(directory.path().resolve(kind.id() + "-" + ++started));
    }

    private WorkerProcess start(ContenderKind kind, Path home) throws IOException {
        WorkerProcess worker = new WorkerProcess(kind, home, directory.path().resolve(home.getFileName() + ".log"));
        synchronized (all) {
            all.add(worker);
        }
        return worker;
    }

    private void closeWorkersNotNeededAfter(Scenario done) {
        List<Scenario> scenarios =
                options.scenarios().stream().map(Scenario::of).toList();
        List<Scenario> left = scenarios.subList(options.scenarios().indexOf(done.name()) + 1, scenarios.size());
        for (ContenderKind kind : List.copyOf(workers.keySet())) {
            boolean needed = left.stream()
                    .filter(scenario -> scenario.shape() == Scenario.Shape.LOAD)
                    .flatMap(scenario -> scenario.rows().stream())
                    .anyMatch(row -> row.kind() == kind);
            WorkerProcess worker = workers.get(kind);
            if (!needed && worker != null) {
                workers.remove(kind);
                worker.close();
            }
        }
    }

    @Override
    public void abandon() throws IOException, InterruptedException {
        synchronized (all) {
            for (WorkerProcess worker : all) {
                worker.kill();
            }
        }
        directory.close();
    }

    @Override
    public void close() throws IOException {
        workers.values().forEach(WorkerProcess::close);
        workers.clear();
        directory.close();
    }
}
