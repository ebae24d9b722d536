package dev.postroad.transports.kafka;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.ConsumerOptions.Start;
import dev.postroad.api.Delivery;
import dev.postroad.transports.emulation.Inflow;
import dev.postroad.transports.emulation.ReadAlone;
import dev.postroad.transports.emulation.SharedReceiver;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** Reads a stream alone, on a thread of its own. */
final class AloneReader {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.kafka");
    private static final int READ_AHEAD = 500;
    private static final Duration POLL = Duration.ofMillis(500);
    private static final long PAUSE_MILLIS = 500;

    private final KafkaTransport transport;
    private final Channel stream;
    private final Inflow inflow;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread thread;
    private volatile boolean closed;

    AloneReader(KafkaTransport transport, Channel stream, ConsumerOptions options, SharedReceiver receiver) {
        this.transport = transport;
        this.stream = stream;
        this.consumer = consumer(transport);
        List<TopicPartition> partitions = transport.topics().partitionsOf(stream);
        consumer.assign(partitions);
        // Now, and not when the thread has begun: what is sent from here on comes after the latest.
        places(consumer, partitions, options.start()).forEach(consumer::seek);
        this.inflow = receiver.addAlone(stream, new ReadAlone(this::close));
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("postroad-kafka-" + stream.name())
                .unstarted(this::run);
    }

    static KafkaConsumer<byte[], byte[]> consumer(KafkaTransport transport) {
        return new KafkaConsumer<>(
                transport
                        .url0()
                        .client(Map.of(
                                "enable.auto.commit",
                                false,
                                "auto.offset.reset",
                                "earliest",
                                "allow.auto.create.topics",
                                false,
                                "isolation.level",
                                "read_committed",
                                "max.poll.records",
                                READ_AHEAD)),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer());
    }

    /** Where to begin in each partition. */
    static Map<TopicPartition, Long> places(
            KafkaConsumer<?, ?> consumer, List<TopicPartition> partitions, @Nullable Start start) {
        return switch (start) {
            case null -> consumer.beginningOffsets(partitions);
            case Start.Earliest earliest -> consumer.beginningOffsets(partitions);
            case Start.Latest latest -> consumer.endOffsets(partitions);
            case Start.Offset at -> {
                Map<TopicPartition, Long> places = new HashMap<>();
                consumer.beginningOffsets(partitions)
                        .forEach((partition, first) -> places.put(partition, Math.max(first, at.offset())));
                yield places;
            }
            case Start.Timestamp at -> {
                Map<TopicPartition, Long> places = new HashMap<>(consumer.endOffsets(partitions));
                Map<TopicPartition, Long> times = new HashMap<>();
                partitions.forEach(
                        partition -> times.put(partition, at.timestamp().toEpochMilli()));
                for (Map.Entry<TopicPartition, OffsetAndTimestamp> found :
                        consumer.offsetsForTimes(times).entrySet()) {
                    if (found.getValue() != null) {
                        places.put(found.getKey(), found.getValue().offset());
                    }
                }
                yield places;
            }
        };
    }

    void open() {
        thread.start();
    }

    private void run() {
        try (consumer) {
            while (!closed) {
                try {
                    for (ConsumerRecord<byte[], byte[]> each : consumer.poll(POLL)) {
                        inflow.awaitRoom(READ_AHEAD);
                        inflow.arrived(
                                KafkaWire.message(stream.name(), each),
                                1,
                                new Delivery.Origin(each.partition(), each.offset(), null),
                                each.offset());
                    }
                } catch (WakeupException e) {
                    // Only close() wakes it, and the condition above sees it.
                    continue;
                } catch (RuntimeException e) {
                    LOG.log(
                            Level.WARNING,
                            "{0}",
                            Failures.of("reading stream '" + stream.name() + "'", transport.url0(), e)
                                    .getMessage());
                    Thread.sleep(PAUSE_MILLIS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void close() {
        closed = true;
        consumer.wakeup();
    }
}
