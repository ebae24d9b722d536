package dev.postroad.benchmarks;

import java.util.Arrays;
import java.util.List;

/** Who is measured over AMQP 0-9-1. */
enum AmqpContender {
    POSTROAD("Postroad", ContenderKind.POSTROAD, "forced to disk, a group at a time"),
    RABBITMQ("RabbitMQ, classic queue", "rabbitmq", "forced to disk, a group at a time"),
    /** The same process as the one before. */
    RABBITMQ_QUORUM("RabbitMQ, quorum queue", "rabbitmq", "forced to disk, its write-ahead log"),
    NULL_FORCED("ceiling: does nothing but force", "ceiling", "forced to disk, a group at a time"),
    NULL("ceiling: does nothing", "ceiling", "nothing: memory, gone at the end");

    private final String title;
    private final String peer;
    private final String promise;

    AmqpContender(String title, String peer, String promise) {
        this.title = title;
        this.peer = peer;
        this.promise = promise;
    }

    /** What tables call it. */
    String title() {
        return title;
    }

    /** The name by which {@code --peers} asks for it; Postroad always takes part. */
    String peer() {
        return peer;
    }

    /** What stands on the disk when it confirms a persistent message in a durable queue. */
    String promise() {
        return promise;
    }

    /** Whose process it is measured on. */
    AmqpContender process() {
        return this == RABBITMQ_QUORUM ? RABBITMQ : this;
    }

    static List<String> peers() {
        return Arrays.stream(values())
                .map(AmqpContender::peer)
                .filter(peer -> !peer.equals(ContenderKind.POSTROAD))
                .distinct()
                .toList();
    }
}
