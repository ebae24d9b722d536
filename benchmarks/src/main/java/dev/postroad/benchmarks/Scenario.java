package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Comparison.Entry;
import dev.postroad.benchmarks.Comparison.Goal;
import java.util.ArrayList;
import java.util.List;

/**
 * What is measured, of whom, and what Postroad is to reach.
 *
 * @param name by which {@code --scenario} asks for it
 * @param title what its table says above
 * @param figures which figures its table shows
 */
record Scenario(String name, String title, Shape shape, List<Row> rows, List<Goal> goals, List<String> figures) {

    /** How it is run. */
    enum Shape {
        /** Rounds of load on processes that have been running for a while. */
        LOAD,
        /** The first second of a new process. */
        COLD,
        /** A queue is filled, its process killed and started again, and the queue drained. */
        BACKLOG,
        /** A process that has nothing to do. */
        IDLE
    }

    /**
     * One line of its table.
     *
     * @param id what goals call it
     * @param order without warm and millis, which the options give
     */
    record Row(String id, String title, ContenderKind kind, Order order) {
        Entry entry() {
            return new Entry(id, title, kind.peer().equals(ContenderKind.POSTROAD), "");
        }
    }

    /** The table of these of its rows. */
    Comparison comparison(List<Row> measured) {
        return new Comparison(
                name,
                title,
                measured.stream().map(Row::entry).toList(),
                shape == Shape.BACKLOG ? Measurement.DRAIN : Measurement.RATE,
                figures,
                List.of(ARTEMIS, CHRONICLE, LIMIT),
                goals);
    }

    static final String ARTEMIS = "artemis";
    static final String CHRONICLE = "chronicle";
    static final String LIMIT = "limit";
    static final int BACKLOG_BYTES = 1024;

    private static final List<String> LOAD_FIGURES = List.of(
            Measurement.RATE,
            "confirm.p50",
            "confirm.p99",
            "confirm.p999",
            "e2e.p50",
            "e2e.p99",
            "e2e.p999",
            Measurement.CPU);
    private static final int LOG_WINDOW = 4096;
    private static final int LOG_BATCH = 64;
    private static final int PACE = 20_000;

    static List<String> names() {
        return all().stream().map(Scenario::name).toList();
    }

    static Scenario of(String name) {
        return all().stream()
                .filter(scenario -> scenario.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no scenario '" + name + "'"));
    }

    /** All scenarios, in the order in which they run. */
    static List<Scenario> all() {
        return List.of(
                blocking(1, 100),
                blocking(16, 100),
                blocking(1, 1024),
                blocking(16, 1024),
                windowed(256, 100, List.of()),
                windowed(256, 1024, List.of()),
                windowed(4096, 100, goals(7, 0.5)),
                windowed(4096, 1024, goals(4, 0.7)),
                stream(100, 0.7),
                stream(1024, 1.5),
                streamLatency(),
                cold(),
                backlog(),
                idle());
    }

    private static List<Goal> goals(double artemis, double limit) {
        return List.of(
                new Goal(Measurement.RATE, ARTEMIS, artemis, true), new Goal(Measurement.RATE, LIMIT, limit, true));
    }

    private static String size(int bytes) {
        return bytes % 1024 == 0 ? bytes / 1024 + " KiB" : bytes + " B";
    }

    private static String tag(int bytes) {
        return bytes % 1024 == 0 ? bytes / 1024 + "k" : String.valueOf(bytes);
    }

    private static Scenario blocking(int senders, int bytes) {
        String name = "blocking-" + senders + "-" + tag(bytes);
        Order order = new Order(Order.Kind.BLOCKING, name).with("bytes", bytes).with("senders", senders);
        List<Row> rows = new ArrayList<>(postroad(order));
        rows.add(row(ARTEMIS, ContenderKind.ARTEMIS, order));
        if (senders == 1) {
            rows.add(row(ARTEMIS, ContenderKind.ARTEMIS_UNBUFFERED, order));
            rows.add(row("group-commit", ContenderKind.GROUP_COMMIT, order));
            rows.add(row(LIMIT, ContenderKind.CALLER_COMMIT, order));
        } else {
            rows.add(row(LIMIT, ContenderKind.GROUP_COMMIT, order));
        }
        return new Scenario(
                name,
                (senders == 1 ? "one sender that waits" : senders + " senders that wait") + " for each confirmation, "
                        + size(bytes) + ", durable",
                Shape.LOAD,
                rows,
                goals(2, senders == 1 ? 0.7 : 0.85),
                LOAD_FIGURES);
    }

    private static List<Row> postroad(Order order) {
        return List.of(row("engine", ContenderKind.ENGINE, order), row("api", ContenderKind.API, order));
    }

    private static Row row(String id, ContenderKind kind, Order order) {
        return new Row(id, kind.title(), kind, order);
    }

    private static Scenario windowed(int window, int bytes, List<Goal> goals) {
        String name = "async-" + window + "-" + tag(bytes);
        Order order = new Order(Order.Kind.WINDOWED, name)
                .with("bytes", bytes)
                .with("window", window)
                .with("consume", 1);
        List<Row> rows = new ArrayList<>(postroad(order));
        rows.add(row(ARTEMIS, ContenderKind.ARTEMIS, order));
        Order sendOnly = order.with("consume", 0);
        if (window != 256) {
            rows.add(new Row(
                    "deep-limit",
                    ContenderKind.GROUP_COMMIT.title() + ", send only",
                    ContenderKind.GROUP_COMMIT,
                    sendOnly));
        }
        rows.add(new Row(
                LIMIT,
                ContenderKind.GROUP_COMMIT.title() + ", send only, window 256",
                ContenderKind.GROUP_COMMIT,
                sendOnly.with("window", 256)));
        return new Scenario(
                name,
                "one sender up to " + window + " ahead of its confirmations, one consumer that acknowledges, "
                        + size(bytes) + ", durable",
                Shape.LOAD,
                rows,
                goals,
                LOAD_FIGURES);
    }

    private static Scenario stream(int bytes, double factor) {
        String name = "stream-" + tag(bytes);
        Order order = new Order(Order.Kind.LOG, name)
                .with("bytes", bytes)
                .with("batch", 1)
                .with("window", LOG_WINDOW)
                .with("pace", 0)
                .with("spin", 0);
        List<Row> rows = new ArrayList<>(postroad(order));
        rows.add(new Row(
                "engine-batched",
                ContenderKind.ENGINE.title() + ", batches of " + LOG_BATCH,
                ContenderKind.ENGINE,
                order.with("batch", LOG_BATCH)));
        rows.add(row(CHRONICLE, ContenderKind.CHRONICLE, order));
        rows.add(row(LIMIT, ContenderKind.HOP, order));
        return new Scenario(
                name,
                "a stream: one thread appends, one reads what comes, " + size(bytes)
                        + ", buffered (forced every second)",
                Shape.LOAD,
                rows,
                List.of(new Goal(Measurement.RATE, CHRONICLE, factor, true)),
                List.of(Measurement.RATE, "e2e.p50", "e2e.p99", "e2e.p999", Measurement.CPU));
    }

    private static Scenario streamLatency() {
        String name = "stream-latency";
        Order order = new Order(Order.Kind.LOG, name)
                .with("bytes", 100)
                .with("batch", 1)
                .with("window", LOG_WINDOW)
                .with("pace", PACE)
                .with("spin", 1);
        List<Row> rows = new ArrayList<>(postroad(order));
        rows.add(row(CHRONICLE, ContenderKind.CHRONICLE, order));
        rows.add(row(LIMIT, ContenderKind.HOP, order));
        return new Scenario(
                name,
                "the same at " + String.format("%,d", PACE) + " messages a second, 100 B, with a reader that spins",
                Shape.LOAD,
                rows,
                List.of(new Goal("e2e.p50", "", 3, false)),
                List.of(Measurement.RATE, "e2e.p50", "e2e.p99", "e2e.p999", Measurement.CPU));
    }

    private static Scenario cold() {
        String name = "cold";
        Order order = new Order(Order.Kind.WINDOWED, name)
                .with("bytes", 100)
                .with("window", 256)
                .with("consume", 1);
        List<Row> rows = new ArrayList<>(postroad(order));
        rows.add(row(ARTEMIS, ContenderKind.ARTEMIS, order));
        return new Scenario(
                name,
                "a new process: until it is ready, and its first second; window 256, consumed and acknowledged, 100 B",
                Shape.COLD,
                rows,
                List.of(),
                List.of(
                        "ready.ms",
                        Measurement.RATE,
                        "confirm.p50",
                        "confirm.p99",
                        "e2e.p50",
                        "e2e.p99",
                        Measurement.CPU));
    }

    private static Scenario backlog() {
        String name = "backlog";
        Order order = new Order(Order.Kind.FILL, name).with("bytes", BACKLOG_BYTES);
        List<Row> rows = new ArrayList<>(postroad(order));
        rows.add(row(ARTEMIS, ContenderKind.ARTEMIS, order));
        return new Scenario(
                name,
                "a backlog of 1 KiB messages: filled, killed with SIGKILL, started again, drained",
                Shape.BACKLOG,
                rows,
                List.of(
                        new Goal("restart.ms", "", 1500, false),
                        new Goal("heap.restarted", "", 32, false),
                        new Goal(Measurement.DRAIN, ARTEMIS, 3, true)),
                List.of("fill", "heap.filled", "restart.ms", "heap.restarted", Measurement.DRAIN, "rss.mb"));
    }

    private static Scenario idle() {
        return new Scenario(
                "idle",
                "a server without clients or data, five seconds after its start",
                Shape.IDLE,
                List.of(row("serve", ContenderKind.SERVER, new Order(Order.Kind.HEAP, "idle"))),
                List.of(new Goal("rss.mb", "", 100, false)),
                List.of("ready.ms", "heap.mb", "rss.mb"));
    }
}
