package dev.postroad.transports.kafka;

import dev.postroad.api.Transport;
import java.util.List;

/**
 * Opens {@code kafka://host:port,host:port}; with {@code user:password@} in front it logs in by SASL PLAIN. Options, behind a
 * question mark and joined by {@code &}:
 *
 * <ul>
 *   <li>{@code queue-partitions}: of topics that are queues, 1 to 1,000, default 1. Order across keys is kept within one
 *   <li>{@code replication}: replicas of topics that are created; the broker's default
 *   <li>{@code durable}: {@code flushed} (the default: durable channels force each message to disk) or {@code replicated}
 *   <li>{@code timeout}: seconds a call may take, 1 to 600, default 10
 *   <li>{@code kafka.NAME}: a property of Kafka's own for all clients, {@code kafka.security.protocol=SSL} for example.
 *       {@code kafka.batch.size} also bounds what is sent ahead of its confirms: eight batches of each partition of a channel
 * </ul>
 */
public final class KafkaProvider implements Transport.Provider {

    /** For the service loader. */
    public KafkaProvider() {}

    @Override
    public List<String> schemes() {
        return List.of("kafka");
    }

    @Override
    public Transport open(String url) {
        return new KafkaTransport(KafkaUrl.parse(url));
    }
}
