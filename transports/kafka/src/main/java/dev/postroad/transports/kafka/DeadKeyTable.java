package dev.postroad.transports.kafka;

import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.BiConsumer;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Where dead keys are kept: a compacted topic of one partition, written in the transaction that gives a message up, and read by
 * whoever takes over a partition of a queue. A queue is named by its topic's id, so that one that is declared anew begins anew.
 */
final class DeadKeyTable {
    private static final TopicPartition PLACE = new TopicPartition("postroad-dead-keys", 0);

    /** Small, since the newest segment is not compacted, and all of it is read by whoever takes over. */
    private static final String SEGMENT_BYTES = Integer.toString(16 * 1024 * 1024);

    private static final Duration POLL = Duration.ofMillis(200);
    private static final long PATIENCE_NANOS = Duration.ofSeconds(60).toNanos();

    private final KafkaTransport transport;

    /** Creates the topic if there is none. */
    DeadKeyTable(KafkaTransport transport) {
        this.transport = transport;
        transport
                .topics()
                .create(
                        PLACE.topic(),
                        1,
                        Map.of(
                                "cleanup.policy",
                                "compact",
                                "segment.bytes",
                                SEGMENT_BYTES,
                                "flush.messages",
                                transport.url0().flushed() ? "1" : Long.toString(Long.MAX_VALUE)),
                        "Postroad's dead keys");
    }

    /** Where a message was given up, as its dead letter tells it and as it tells when it is back. */
    record Origin(String topicId, int partition, long number) {
        @Override
        public String toString() {
            return topicId + "/" + partition + "/" + number;
        }

        /** Null for what is none. */
        static @Nullable Origin read(String text) {
            String[] parts = text.split("/", -1);
            try {
                return parts.length == 3
                        ? new Origin(parts[0], Integer.parseInt(parts[1]), Long.parseLong(parts[2]))
                        : null;
            } catch (NumberFormatException e) {
                return null;
            }
        }
    }

    /** @throws MessagingException {@code NOT_FOUND} */
    String topicId(String topic) {
        TopicDescription described = transport.topics().describe(topic);
        if (described == null) {
            throw new MessagingException(
                    Reason.NOT_FOUND, "there is no topic '" + topic + "' on " + transport.url() + " any more");
        }
        return described.topicId().toString();
    }

    private static String name(String topicId, int partition, UUID key) {
        return topicId + "/" + partition + "/" + key;
    }

    /** @param span null for a key that lives */
    static ProducerRecord<byte[], byte[]> record(
            String topicId, int partition, UUID key, DeadKeys.@Nullable Span span) {
        byte[] value = span == null ? null : (span.first() + "," + span.last()).getBytes(StandardCharsets.UTF_8);
        return new ProducerRecord<>(
                PLACE.topic(),
                PLACE.partition(),
                name(topicId, partition, key).getBytes(StandardCharsets.UTF_8),
                value);
    }

    /**
     * The dead keys of these partitions of a topic, with all that was committed before this call.
     *
     * @throws MessagingException {@code TIMEOUT} or {@code UNREACHABLE}
     */
    Map<Integer, DeadKeys> load(String topicId) {
        Map<Integer, DeadKeys> found = new HashMap<>();
        Map<String, DeadKeys.Span> spans = new HashMap<>();
        read(topicId + "/", (name, span) -> {
            if (span == null) {
                spans.remove(name);
            } else {
                spans.put(name, span);
            }
        });
        spans.forEach((name, span) -> {
            String[] parts = name.split("/", -1);
            found.computeIfAbsent(Integer.valueOf(parts[1]), any -> new DeadKeys())
                    .put(UUID.fromString(parts[2]), span);
        });
        return found;
    }

    /** The topic was deleted: nothing of it is kept. */
    void forget(String topicId) {
        List<String> names = new ArrayList<>();
        load(topicId).forEach((partition, keys) -> keys.all().forEach(key -> names.add(name(topicId, partition, key))));
        names.forEach(name -> transport.produce(
                new ProducerRecord<>(PLACE.topic(), PLACE.partition(), name.getBytes(StandardCharsets.UTF_8), null)));
    }

    private void read(String prefix, BiConsumer<String, DeadKeys.@Nullable Span> reader) {
        long end = end();
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        try (KafkaConsumer<byte[], byte[]> consumer = AloneReader.consumer(transport)) {
            consumer.assign(List.of(PLACE));
            consumer.seekToBeginning(List.of(PLACE));
            while (consumer.position(PLACE) < end) {
                for (ConsumerRecord<byte[], byte[]> entry : consumer.poll(POLL)) {
                    String name = entry.key() == null ? "" : new String(entry.key(), StandardCharsets.UTF_8);
                    if (name.startsWith(prefix)) {
                        reader.accept(name, span(entry.value()));
                    }
                }
                if (System.nanoTime() > deadline) {
                    throw new MessagingException(
                            Reason.TIMEOUT,
                            "the topic '" + PLACE.topic() + "' on " + transport.url()
                                    + " could not be read to its end within "
                                    + Duration.ofNanos(PATIENCE_NANOS).toSeconds() + " s");
                }
            }
        }
    }

    /** Behind all that was written, committed or not: what is not is waited for. */
    private long end() {
        Map<TopicPartition, ListOffsetsResultInfo> ends = Failures.await(
                "looking at " + PLACE.topic(),
                transport.url0(),
                transport
                        .admin()
                        .listOffsets(Map.of(PLACE, OffsetSpec.latest()))
                        .all());
        ListOffsetsResultInfo last = ends.get(PLACE);
        return last == null ? 0 : last.offset();
    }

    private static DeadKeys.@Nullable Span span(byte @Nullable [] value) {
        if (value == null) {
            return null;
        }
        String text = new String(value, StandardCharsets.UTF_8);
        int comma = text.indexOf(',');
        return new DeadKeys.Span(Long.parseLong(text.substring(0, comma)), Long.parseLong(text.substring(comma + 1)));
    }
}
