package dev.postroad.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaProducerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.KafkaMessageListenerContainer;
import org.springframework.kafka.listener.MessageListener;

/** Spring Kafka: its template, and its listener container, which commits each poll as it comes. */
final class SpringKafka implements ClientContender {
    private final String servers;
    private final DefaultKafkaProducerFactory<byte[], byte[]> producers;

    SpringKafka(String servers) {
        this.servers = servers;
        this.producers = new DefaultKafkaProducerFactory<>(
                new HashMap<>(Terms.producer(servers)), new ByteArraySerializer(), new ByteArraySerializer());
    }

    @Override
    public void declareQueue(String queue) throws IOException, InterruptedException {
        RawKafka.createTopic(servers, queue, 1);
    }

    @Override
    public Sender sender(String queue, Sending sending) {
        KafkaTemplate<byte[], byte[]> template = new KafkaTemplate<>(producers);
        return new Ahead() {
            @Override
            public void send(byte[] payload, Confirmation confirmation) {
                template.send(RawKafka.record(queue, null, payload)).whenComplete((sent, failure) -> {
                    if (failure == null) {
                        confirmation.confirmed();
                    } else {
                        confirmation.failed(failure);
                    }
                });
            }

            @Override
            public void close() {
                template.flush();
            }
        };
    }

    @Override
    public void close() {
        producers.destroy();
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) {
        Map<String, Object> settings = new HashMap<>(Terms.consumer(servers));
        DefaultKafkaConsumerFactory<byte[], byte[]> consumers =
                new DefaultKafkaConsumerFactory<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        ContainerProperties properties = new ContainerProperties(queue);
        properties.setAckMode(ContainerProperties.AckMode.BATCH);
        MessageListener<byte[], byte[]> listener = record -> arrivals.accept(Payloads.sentAt(record.value()));
        properties.setMessageListener(listener);
        KafkaMessageListenerContainer<byte[], byte[]> container =
                new KafkaMessageListenerContainer<>(consumers, properties);
        container.start();
        return container::stop;
    }
}
