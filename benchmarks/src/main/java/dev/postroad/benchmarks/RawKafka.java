package dev.postroad.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Straight on Kafka's client: one producer for all that is sent, with callbacks; polls, and commits each poll. */
final class RawKafka implements ClientContender {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final long CREATED_MILLIS = 10;

    private final String servers;
    private final KafkaProducer<byte[], byte[]> producer;

    RawKafka(String servers) {
        this.servers = servers;
        this.producer = producer(servers);
    }

    static KafkaProducer<byte[], byte[]> producer(String servers) {
        return new KafkaProducer<>(Terms.producer(servers), new ByteArraySerializer(), new ByteArraySerializer());
    }

    @Override
    public void declareQueue(String queue) throws IOException, InterruptedException {
        createTopic(servers, queue, 1);
    }

    static void createTopic(String servers, String topic, int partitions) throws IOException, InterruptedException {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", servers))) {
            admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1)))
                    .all()
                    .get();
            while (!answers(admin, topic, partitions)) {
                Stopwatch.waitMillis(CREATED_MILLIS);
            }
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw new IOException(e.getCause());
            }
        }
    }

    /** What is sent to a partition that is just being made may stay without an answer. */
    private static boolean answers(Admin admin, String topic, int partitions)
            throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            ends.put(new TopicPartition(topic, partition), OffsetSpec.latest());
        }
        try {
            admin.listOffsets(ends).all().get();
            return true;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public Sender sender(String queue, Sending sending) {
        return sender(producer, queue, () -> null);
    }

    /** @param keys the key of each message, in turn; null for none */
    static Sender sender(KafkaProducer<byte[], byte[]> producer, String topic, Supplier<byte @Nullable []> keys) {
        return new Ahead() {
            @Override
            public void send(byte[] payload, Confirmation confirmation) {
                producer.send(record(topic, keys.get(), payload), (place, failure) -> {
                    if (failure == null) {
                        confirmation.confirmed();
                    } else {
                        confirmation.failed(failure);
                    }
                });
            }

            @Override
            public void close() {
                producer.flush();
            }
        };
    }

    @Override
    public void close() {
        producer.close();
    }

    /** With an id, as the contract gives each message one. */
    static ProducerRecord<byte[], byte[]> record(String topic, byte @Nullable [] key, byte[] payload) {
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, key, payload);
        record.headers().add(Terms.ID, Terms.id().getBytes(StandardCharsets.UTF_8));
        return record;
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) {
        Reader reader = new Reader(servers, queue, arrivals);
        reader.thread.start();
        return reader;
    }

    /** One consumer of the group, on a thread of its own. */
    static final class Reader implements Closeable {
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final LongConsumer arrivals;
        final Thread thread = Thread.ofPlatform().name("consumer").unstarted(this::run);
        private volatile boolean closing;

        Reader(String servers, String topic, LongConsumer arrivals) {
            this.consumer = new KafkaConsumer<>(
                    Terms.consumer(servers), new ByteArrayDeserializer(), new ByteArrayDeserializer());
            this.arrivals = arrivals;
            consumer.subscribe(List.of(topic));
        }

        private void run() {
            try (consumer) {
                while (!closing) {
                    ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
                    for (ConsumerRecord<byte[], byte[]> record : records) {
                        arrivals.accept(Payloads.sentAt(record.value()));
                    }
                    if (!records.isEmpty()) {
                        consumer.commitSync();
                    }
                }
            }
        }

        @Override
        public void close() {
            closing = true;
            Stopwatch.join(thread);
        }
    }
}
