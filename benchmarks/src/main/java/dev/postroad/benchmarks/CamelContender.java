package dev.postroad.benchmarks;

import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongConsumer;
import org.apache.camel.AsyncProducer;
import org.apache.camel.CamelContext;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.consumer.KafkaManualCommit;
import org.apache.camel.component.springrabbit.SpringRabbitMQComponent;
import org.apache.camel.impl.engine.SimpleCamelContext;
import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;
import org.springframework.retry.interceptor.RetryOperationsInterceptor;

/**
 * Camel's endpoints, without a route around them. Its producer for RabbitMQ waits for each confirm, so there it is used by many
 * threads; the one for Kafka is asynchronous, and its consumer commits at the end of each poll.
 */
final class CamelContender implements ClientContender {
    private static final int THREADS = 32;

    /** Declares what Camel is not to declare by itself. */
    private interface Declaring {
        void declare(String queue) throws Exception;
    }

    private final CamelContext camel;
    private final Declaring declaring;
    private final String sendingUri;
    private final String receivingUri;
    private final int threads;
    private final Closeable connections;

    private CamelContender(
            CamelContext camel,
            Declaring declaring,
            String sendingUri,
            String receivingUri,
            int threads,
            Closeable connections) {
        this.camel = camel;
        this.declaring = declaring;
        this.sendingUri = sendingUri;
        this.receivingUri = receivingUri;
        this.threads = threads;
        this.connections = connections;
        camel.start();
    }

    static CamelContender rabbitMq(String place) throws Exception {
        CachingConnectionFactory connections =
                new CachingConnectionFactory(java.net.URI.create("amqp://guest:guest@" + place));
        connections.setPublisherConfirmType(CachingConnectionFactory.ConfirmType.SIMPLE);
        connections.setChannelCacheSize(THREADS);
        CamelContext camel = new SimpleCamelContext();
        SpringRabbitMQComponent component = new SpringRabbitMQComponent();
        component.setConnectionFactory(connections);
        camel.addComponent("spring-rabbitmq", component);
        // What it makes by itself it makes of classes that this Spring AMQP has no more.
        camel.getRegistry().bind("retry", new RetryOperationsInterceptor());
        String uri = "spring-rabbitmq:default?routingKey=%1$s";
        RawRabbitMq declaring = new RawRabbitMq(place);
        return new CamelContender(
                camel,
                declaring::declareQueue,
                uri + "&confirm=enabled",
                uri + "&queues=%1$s&autoDeclare=false&prefetchCount=" + Terms.PREFETCH
                        + "&messageListenerContainerType=DMLC&retry=#retry",
                THREADS,
                () -> {
                    declaring.close();
                    connections.destroy();
                });
    }

    static CamelContender kafka(String servers) {
        String uri = "kafka:%1$s?brokers=" + servers;
        return new CamelContender(
                new SimpleCamelContext(),
                queue -> RawKafka.createTopic(servers, queue, 1),
                uri
                        + "&requestRequiredAcks=all&enableIdempotence=true&lingerMs=1&bufferMemorySize=67108864&producerBatchSize="
                        + Terms.BATCH_BYTES
                        + "&keySerializer=org.apache.kafka.common.serialization.ByteArraySerializer"
                        + "&valueSerializer=org.apache.kafka.common.serialization.ByteArraySerializer",
                uri + "&groupId=" + Terms.GROUP
                        + "&autoCommitEnable=false&allowManualCommit=true&autoOffsetReset=earliest"
                        + "&isolationLevel=read_committed&maxPollRecords=" + Terms.PREFETCH
                        + "&keyDeserializer=org.apache.kafka.common.serialization.ByteArrayDeserializer"
                        + "&valueDeserializer=org.apache.kafka.common.serialization.ByteArrayDeserializer",
                0,
                () -> {});
    }

    @Override
    public void declareQueue(String queue) throws Exception {
        declaring.declare(queue);
    }

    @Override
    public Sender sender(String queue, Sending sending) throws Exception {
        Endpoint endpoint = camel.getEndpoint(sendingUri.formatted(queue));
        AsyncProducer producer = endpoint.createAsyncProducer();
        producer.start();
        ExecutorService senders = threads == 0 ? null : Executors.newFixedThreadPool(threads);
        return new Ahead() {
            @Override
            public void send(byte[] payload, Confirmation confirmation) {
                Exchange exchange = endpoint.createExchange();
                exchange.getMessage().setBody(payload);
                exchange.getMessage().setHeader(Terms.ID, Terms.id());
                if (senders == null) {
                    producer.process(exchange, sync -> tell(exchange, confirmation));
                } else {
                    exchange.getMessage().setHeader(Terms.TIME, System.currentTimeMillis());
                    senders.execute(() -> {
                        producer.process(exchange, sync -> {});
                        tell(exchange, confirmation);
                    });
                }
            }

            @Override
            public void close() throws IOException {
                if (senders != null) {
                    senders.close();
                }
                producer.close();
            }
        };
    }

    private static void tell(Exchange exchange, Confirmation confirmation) {
        if (exchange.getException() == null) {
            confirmation.confirmed();
        } else {
            confirmation.failed(exchange.getException());
        }
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) throws Exception {
        Endpoint endpoint = camel.getEndpoint(receivingUri.formatted(queue));
        Consumer consumer = endpoint.createConsumer(exchange -> {
            Message message = exchange.getMessage();
            arrivals.accept(Payloads.sentAt(message.getBody(byte[].class)));
            if (Boolean.TRUE.equals(message.getHeader(KafkaConstants.LAST_POLL_RECORD))) {
                // Without this it commits nothing where it does not commit by the clock.
                message.getHeader(KafkaConstants.MANUAL_COMMIT, KafkaManualCommit.class)
                        .commit();
            }
        });
        consumer.start();
        return consumer::close;
    }

    @Override
    public void close() throws IOException {
        camel.stop();
        connections.close();
    }
}
