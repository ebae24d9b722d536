package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Comparison.Entry;
import dev.postroad.benchmarks.Comparison.Goal;
import java.util.List;

/**
 * What is measured over AMQP 0-9-1, of whom, and what Postroad is to reach.
 *
 * @param name by which {@code --scenario} asks for it
 * @param title what its table says above
 * @param perfTest arguments of the load tool, where it makes the load
 * @param confirms whether publishers wait for confirms: then the table says what those mean
 * @param main the figure that is compared
 */
record AmqpScenario(
        String name,
        String title,
        Shape shape,
        List<String> perfTest,
        boolean confirms,
        List<AmqpContender> contenders,
        String main,
        List<String> figures,
        List<Goal> goals) {

    /** How it is run. */
    enum Shape {
        /** Rounds of load by PerfTest. */
        LOAD,
        /** One client asks, one answers, one request at a time. */
        REQUEST_REPLY,
        /** A queue is filled, its process killed and started again, and the queue drained. */
        BACKLOG,
        /** A new process without clients, then with many that do nothing. */
        CONNECTIONS
    }

    static final String RABBITMQ = "rabbitmq";
    static final String CEILING = "ceiling";
    static final int BACKLOG_BYTES = 1024;

    private static final List<AmqpContender> FORCED = List.of(
            AmqpContender.POSTROAD,
            AmqpContender.RABBITMQ,
            AmqpContender.RABBITMQ_QUORUM,
            AmqpContender.NULL_FORCED,
            AmqpContender.NULL);
    private static final List<AmqpContender> CLASSIC =
            List.of(AmqpContender.POSTROAD, AmqpContender.RABBITMQ, AmqpContender.NULL_FORCED, AmqpContender.NULL);
    private static final List<AmqpContender> TRANSIENT =
            List.of(AmqpContender.POSTROAD, AmqpContender.RABBITMQ, AmqpContender.NULL);
    private static final List<AmqpContender> BROKERS = List.of(AmqpContender.POSTROAD, AmqpContender.RABBITMQ);
    private static final List<String> LOAD_FIGURES = List.of(
            Measurement.RATE, "confirm.p50", "confirm.p99", "e2e.p50", "e2e.p99", "cpu.broker", "cpu.client", "rss.mb");

    /** All scenarios, in the order in which they run. */
    static List<AmqpScenario> all() {
        return List.of(
                durable("durable-100", "100 B", 100, FORCED, 3),
                durable("durable-1k", "1 KiB", 1024, FORCED, 4.5),
                load(
                        "confirm-each-1",
                        "one producer that waits for each confirm, 100 B, persistent",
                        List.of("-x", "1", "-y", "1", "-c", "1", "-q", "500", "-A", "100", "-f", "persistent"),
                        FORCED,
                        goals(1.85, 0.9)),
                load(
                        "confirm-each-16",
                        "sixteen producers that wait for each confirm, 100 B, persistent",
                        List.of("-x", "16", "-y", "1", "-c", "1", "-q", "500", "-A", "100", "-f", "persistent"),
                        CLASSIC,
                        goals(2.8, 0.87)),
                transientAutoAck(),
                load(
                        "durable-4x4x4",
                        "four producers, four queues, four consumers, confirms 256 ahead, 100 B, persistent",
                        List.of(
                                "--queue-pattern",
                                "bench-%d",
                                "--queue-pattern-from",
                                "1",
                                "--queue-pattern-to",
                                "4",
                                "-x",
                                "4",
                                "-y",
                                "4",
                                "-c",
                                "256",
                                "-q",
                                "500",
                                "-A",
                                "100",
                                "-f",
                                "persistent"),
                        CLASSIC,
                        List.of(new Goal(Measurement.RATE, RABBITMQ, 2.5, true))),
                load(
                        "fan-out-10",
                        "one producer, a fanout exchange, ten queues with a consumer each, 100 B, persistent; deliveries"
                                + " are counted",
                        List.of(
                                "-t",
                                "fanout",
                                "-e",
                                "bench-fan-out",
                                "--queue-pattern",
                                "fan-%d",
                                "--queue-pattern-from",
                                "1",
                                "--queue-pattern-to",
                                "10",
                                "-x",
                                "1",
                                "-y",
                                "10",
                                "-c",
                                "256",
                                "-q",
                                "500",
                                "-A",
                                "100",
                                "-f",
                                "persistent"),
                        CLASSIC,
                        List.of()),
                latency(),
                requestReply(),
                backlog(),
                connections());
    }

    static List<String> names() {
        return all().stream().map(AmqpScenario::name).toList();
    }

    static AmqpScenario of(String name) {
        return all().stream()
                .filter(scenario -> scenario.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no scenario '" + name + "'"));
    }

    Entry entry(AmqpContender contender) {
        boolean ceiling = contender == AmqpContender.NULL_FORCED
                || (contender == AmqpContender.NULL && !contenders.contains(AmqpContender.NULL_FORCED));
        String id = switch (contender) {
            case POSTROAD -> ContenderKind.POSTROAD;
            case RABBITMQ -> RABBITMQ;
            case RABBITMQ_QUORUM -> "quorum";
            case NULL_FORCED, NULL -> ceiling ? CEILING : "unforced";
        };
        return new Entry(
                id, contender.title(), contender == AmqpContender.POSTROAD, confirms ? contender.promise() : "");
    }

    /** The table of these of its contenders. */
    Comparison comparison(List<AmqpContender> measured) {
        return new Comparison(
                name,
                title,
                measured.stream().map(this::entry).toList(),
                main,
                figures,
                List.of(RABBITMQ, "quorum", CEILING, "unforced"),
                goals);
    }

    private static List<Goal> goals(double rabbit, double ceiling) {
        return List.of(
                new Goal(Measurement.RATE, RABBITMQ, rabbit, true), new Goal(Measurement.RATE, CEILING, ceiling, true));
    }

    private static AmqpScenario load(
            String name, String title, List<String> perfTest, List<AmqpContender> contenders, List<Goal> goals) {
        return new AmqpScenario(
                name, title, Shape.LOAD, perfTest, true, contenders, Measurement.RATE, LOAD_FIGURES, goals);
    }

    private static AmqpScenario durable(
            String name, String size, int bytes, List<AmqpContender> contenders, double rabbit) {
        return load(
                name,
                "one producer up to 256 ahead of its confirms, one consumer that acknowledges, " + size
                        + ", persistent",
                List.of(
                        "-x",
                        "1",
                        "-y",
                        "1",
                        "-c",
                        "256",
                        "-q",
                        "500",
                        "-A",
                        "100",
                        "-f",
                        "persistent",
                        "-s",
                        String.valueOf(bytes)),
                contenders,
                goals(rabbit, 0.9));
    }

    private static AmqpScenario transientAutoAck() {
        return new AmqpScenario(
                "transient",
                "one producer without confirms, one consumer that need not acknowledge, 100 B, transient",
                Shape.LOAD,
                List.of("-x", "1", "-y", "1", "-a", "-s", "100"),
                false,
                TRANSIENT,
                Measurement.RATE,
                List.of(Measurement.RATE, "e2e.p50", "e2e.p99", "cpu.broker", "cpu.client", "rss.mb"),
                goals(1.7, 0.9));
    }

    private static AmqpScenario latency() {
        return new AmqpScenario(
                "latency-1000",
                "a steady 1,000 a second, confirms 256 ahead, 100 B, persistent; medians of each second's percentiles",
                Shape.LOAD,
                List.of("-x", "1", "-y", "1", "-r", "1000", "-c", "256", "-q", "500", "-f", "persistent", "-s", "100"),
                true,
                CLASSIC,
                "confirm.p50",
                List.of("confirm.p50", "confirm.p99", "e2e.p50", "e2e.p99", Measurement.RATE, "cpu.broker"),
                List.of(
                        new Goal("confirm.p50", RABBITMQ, 0.55, false),
                        new Goal("confirm.p99", RABBITMQ, 0.25, false),
                        new Goal("confirm.p50", CEILING, 1.5, false)));
    }

    private static AmqpScenario requestReply() {
        return new AmqpScenario(
                "request-reply",
                "one client asks, one answers, by RabbitMQ's Java client, one request at a time, 100 B, transient",
                Shape.REQUEST_REPLY,
                List.of(),
                false,
                TRANSIENT,
                "rpc.p50",
                List.of("rpc.p50", "rpc.p99", Measurement.RATE, "cpu.broker"),
                List.of(new Goal("rpc.p50", RABBITMQ, 0.95, false), new Goal("rpc.p50", CEILING, 1.05, false)));
    }

    private static AmqpScenario backlog() {
        return new AmqpScenario(
                "backlog",
                "a backlog of 1 KiB messages: filled, killed with SIGKILL, started again until the first message came, drained",
                Shape.BACKLOG,
                List.of(),
                true,
                BROKERS,
                Measurement.DRAIN,
                List.of(
                        "fill",
                        "rss.message",
                        "heap.message",
                        "restart.ms",
                        "rss.restarted",
                        Measurement.DRAIN,
                        "cpu.broker"),
                List.of(
                        new Goal("restart.ms", "", 1500, false),
                        new Goal("heap.message", "", 32, false),
                        new Goal(Measurement.DRAIN, RABBITMQ, 4, true)));
    }

    private static AmqpScenario connections() {
        return new AmqpScenario(
                "connections",
                "a new process without clients, then with many idle connections with a channel each",
                Shape.CONNECTIONS,
                List.of(),
                false,
                BROKERS,
                "rss.mb",
                List.of("rss.mb", "connections", "rss.connection", "heap.connection", Measurement.RATE),
                List.of(new Goal("rss.mb", RABBITMQ, 0.7, false), new Goal("rss.mb", "", 100, false)));
    }
}
