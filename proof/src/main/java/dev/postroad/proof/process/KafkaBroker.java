package dev.postroad.proof.process;

import dev.postroad.testkit.KafkaServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Apache Kafka, one node, with {@code acks=all}.
 *
 * @param tools a folder where its class path is kept once it was resolved
 * @param flushEach true to have it flush each message
 */
record KafkaBroker(Path tools, boolean flushEach) implements Broker {
    @Override
    public String name() {
        return flushEach ? "Kafka, acks=all, flush.messages=1" : "Kafka, acks=all";
    }

    @Override
    public @Nullable String missing() {
        if (!Machine.has("mvn")) {
            return "there is no mvn to fetch Kafka with";
        }
        try {
            KafkaServer.classPath(tools);
            return null;
        } catch (IOException | AssertionError e) {
            return "Kafka could not be fetched: " + e.getMessage();
        }
    }

    @Override
    public Running start(Path data) {
        Map<String, String> settings = flushEach ? Map.of("log.flush.interval.messages", "1") : Map.of();
        KafkaServer server = KafkaServer.start(data, tools, settings);
        return new PeerProcess(server.process(), lane -> new Client(server.port(), lane.channel()));
    }

    private static final class Client implements Load {
        private final String address;
        private final String topic;
        private final KafkaProducer<byte[], byte[]> producer;

        Client(int port, String topic) {
            this.address = "127.0.0.1:" + port;
            this.topic = topic;
            this.producer = new KafkaProducer<>(
                    Map.of(
                            "bootstrap.servers",
                            address,
                            "acks",
                            "all",
                            "delivery.timeout.ms",
                            10_000,
                            "request.timeout.ms",
                            5_000,
                            "max.block.ms",
                            5_000),
                    new ByteArraySerializer(),
                    new ByteArraySerializer());
        }

        @Override
        public void declare() {
            try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address))) {
                admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1)))
                        .all()
                        .get();
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw new IllegalStateException(e);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }

        @Override
        public CompletableFuture<Place> send(Sending message) {
            CompletableFuture<Place> outcome = new CompletableFuture<>();
            producer.send(
                    new ProducerRecord<>(
                            topic, ("k" + message.key()).getBytes(StandardCharsets.US_ASCII), message.payload()),
                    (place, failure) -> {
                        if (failure == null) {
                            outcome.complete(Place.NONE);
                        } else {
                            outcome.completeExceptionally(failure);
                        }
                    });
            return outcome;
        }

        @Override
        public boolean transacts() {
            return false;
        }

        @Override
        public void sendTogether(Map<String, Sending> messages) {
            throw new UnsupportedOperationException("no transactions here");
        }

        @Override
        public boolean batches() {
            return false;
        }

        @Override
        public CompletableFuture<Void> sendBatch(List<Sending> messages) {
            throw new UnsupportedOperationException("only transactions are atomic, which are not tried here");
        }

        @Override
        public Receiver receiver() {
            KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                    Map.of("bootstrap.servers", address, "enable.auto.commit", "false"),
                    new ByteArrayDeserializer(),
                    new ByteArrayDeserializer());
            List<TopicPartition> all = List.of(new TopicPartition(topic, 0));
            consumer.assign(all);
            consumer.seekToBeginning(all);
            return new Reading(consumer);
        }

        @Override
        public long left() {
            return -1;
        }

        @Override
        public void close() {
            producer.close(Duration.ZERO);
        }
    }

    private record Reading(KafkaConsumer<byte[], byte[]> consumer) implements Load.Receiver {
        @Override
        public List<Load.Taken> receive(int max, Duration wait) {
            List<Load.Taken> taken = new ArrayList<>();
            for (ConsumerRecord<byte[], byte[]> each : consumer.poll(wait)) {
                taken.add(new Load.Taken(0, Load.Place.NONE, each.value(), each));
            }
            return taken;
        }

        @Override
        public CompletableFuture<Void> acknowledge(List<Load.Taken> taken) {
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public void giveBack(List<Load.Taken> taken) {
            // It is read and not consumed: it stays.
            return;
        }

        @Override
        public boolean settles() {
            return false;
        }

        @Override
        public void close() {
            consumer.close(CloseOptions.timeout(Duration.ZERO));
        }
    }
}
