package dev.postroad.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;

/**
 * What {@code ./postroad bench NAME} can be asked.
 *
 * @param summary of the usage text: what it measures, and how long that takes
 * @param scenarios names of all, in the order in which they run
 * @param peers names of all whom Postroad can be compared with
 * @param leastSeconds of a round
 */
record Suite(
        String name,
        String summary,
        List<String> scenarios,
        List<String> peers,
        double leastSeconds,
        Effort full,
        Effort quick) {

    /**
     * How much is done where the options do not say.
     *
     * @param seconds of each round
     * @param warmMillis of load before each round
     * @param firstWarmMillis of load on each new process before all else
     */
    record Effort(int rounds, double seconds, int warmMillis, int firstWarmMillis, int backlog, int connections) {}

    static final Suite EMBEDDED = new Suite(
            "embedded",
            """
            Measures Postroad in one process against ActiveMQ Artemis embedded, Chronicle Queue and what the
            machine can do at all, in turns, and says where its goals are met. Takes about ten minutes; run
            nothing else meanwhile.""",
            Scenario.names(),
            ContenderKind.peers(),
            0.1,
            new Effort(3, 2, 500, 8_000, 1_000_000, 0),
            new Effort(1, 0.5, 300, 1_000, 100_000, 0));

    static final Suite AMQP = new Suite(
            "amqp",
            """
            Measures ./postroad serve under RabbitMQ's own load tool, PerfTest, beside a RabbitMQ of this machine
            (Debian's rabbitmq-server) and a broker that does nothing, which shows the tool's own ceiling, in
            turns, and says where the goals are met. Takes about an hour; run nothing else meanwhile.""",
            AmqpScenario.names(),
            AmqpContender.peers(),
            1,
            new Effort(3, 5, 8_000, 20_000, 1_000_000, 5_000),
            new Effort(1, 2, 3_000, 10_000, 100_000, 500));

    static final Suite TRANSPORTS = new Suite(
            "transports",
            """
            Measures Postroad's producers and consumers on a RabbitMQ (Debian's rabbitmq-server) and on a Kafka
            (fetched by Maven) against the same work written straight on the system's client, with Spring AMQP,
            Spring Kafka and Camel, in turns, and says where the goals are met. A round sends --backlog messages
            and receives them (ten times as many on Kafka, six times of 1 KiB); --seconds has no say.
            Takes about twenty minutes.""",
            TransportScenario.names(),
            TransportContender.peers(),
            0.1,
            new Effort(7, 1, 0, 0, 150_000, 0),
            new Effort(1, 1, 0, 0, 40_000, 0));

    static final List<Suite> ALL = List.of(EMBEDDED, AMQP, TRANSPORTS);

    /** @param progress told what is going on, a line at a time */
    Bench open(Options options, PrintStream progress) throws IOException {
        return switch (name) {
            case "embedded" -> new EmbeddedBench(options, progress);
            case "amqp" -> new AmqpBench(options, progress);
            default -> new TransportBench(options, progress);
        };
    }
}
