package dev.postroad.benchmarks;

import dev.postroad.benchmarks.Comparison.Entry;
import dev.postroad.benchmarks.Comparison.Goal;
import java.util.List;

/**
 * What is measured on other brokers: a round sends so many messages, all confirmed, and receives them, all acknowledged.
 *
 * @param name by which {@code --scenario} asks for it
 * @param title what its table says above
 * @param bytes of a message
 * @param main the figure that is compared
 */
record TransportScenario(
        String name,
        String title,
        TransportContender.System system,
        int bytes,
        String main,
        List<String> figures,
        List<Goal> goals) {
    /** Messages a second, sent and confirmed. */
    static final String SEND = "send";

    /** Messages a second, received and acknowledged. */
    static final String RECEIVE = "receive";

    static final String CPU_SEND = "cpu.send";
    static final String CPU_RECEIVE = "cpu.receive";

    private static final int WARM_UPS = 3;
    private static final int WARM_UPS_OF_KAFKA = 6;
    private static final double OF_RAW = 0.95;
    private static final double KEYS_OF_RAW = 10;

    /** All scenarios, in the order in which they run. */
    static List<TransportScenario> all() {
        return List.of(
                load("rabbitmq-100", "quorum queue, 100 B, persistent", TransportContender.System.RABBITMQ, 100),
                load("rabbitmq-1k", "quorum queue, 1 KiB, persistent", TransportContender.System.RABBITMQ, 1024),
                load(
                        "kafka-100",
                        "one partition, acks=all, idempotent, linger 1 ms, 100 B",
                        TransportContender.System.KAFKA,
                        100),
                load(
                        "kafka-1k",
                        "one partition, acks=all, idempotent, linger 1 ms, 1 KiB",
                        TransportContender.System.KAFKA,
                        1024),
                new TransportScenario(
                        "kafka-keys",
                        "1,000 keys in six partitions, 20 ms of work for each message",
                        TransportContender.System.KAFKA_KEYS,
                        100,
                        RECEIVE,
                        List.of(RECEIVE, CPU_RECEIVE),
                        List.of(new Goal(RECEIVE, TransportContender.RAW, KEYS_OF_RAW, true))));
    }

    private static TransportScenario load(String name, String title, TransportContender.System system, int bytes) {
        return new TransportScenario(
                name,
                title + "; up to 4,096 ahead of the confirms; prefetch " + Terms.PREFETCH,
                system,
                bytes,
                SEND,
                List.of(SEND, CPU_SEND, RECEIVE, CPU_RECEIVE),
                List.of(
                        new Goal(SEND, TransportContender.RAW, OF_RAW, true),
                        new Goal(RECEIVE, TransportContender.RAW, OF_RAW, true),
                        new Goal(SEND, TransportContender.SPRING, 1, true),
                        new Goal(RECEIVE, TransportContender.SPRING, 1, true),
                        new Goal(SEND, TransportContender.CAMEL, 1, true),
                        new Goal(RECEIVE, TransportContender.CAMEL, 1, true)));
    }

    static List<String> names() {
        return all().stream().map(TransportScenario::name).toList();
    }

    static TransportScenario of(String name) {
        return all().stream()
                .filter(scenario -> scenario.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("there is no scenario '" + name + "'"));
    }

    /** How many messages a round has: what takes longer has fewer. */
    int messages(int backlog) {
        return switch (system) {
            case RABBITMQ -> backlog;
            case KAFKA -> bytes < 1024 ? backlog * 10 : backlog * 6;
            case KAFKA_KEYS -> Math.max(2_000, backlog / 60);
        };
    }

    /**
     * How many rounds of new processes go before those that are measured: it takes them some hundred thousand messages each way,
     * and the JVMs on both sides of Kafka millions. Where each message is work, that is what takes the time.
     */
    int warmUps() {
        return switch (system) {
            case RABBITMQ -> WARM_UPS;
            case KAFKA -> WARM_UPS_OF_KAFKA;
            case KAFKA_KEYS -> 1;
        };
    }

    static Entry entry(TransportContender contender) {
        String id = contender.peer();
        return new Entry(id, contender.title(), id.equals(ContenderKind.POSTROAD), "");
    }

    /** The table of these contenders. */
    Comparison comparison(List<TransportContender> measured) {
        return new Comparison(
                name,
                title,
                measured.stream().map(TransportScenario::entry).toList(),
                main,
                figures,
                TransportContender.peers(),
                goals);
    }
}
