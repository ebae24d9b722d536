package dev.postroad.benchmarks;

import java.io.Closeable;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.springframework.amqp.core.Message;
import org.springframework.amqp.core.MessageBuilder;
import org.springframework.amqp.core.MessageDeliveryMode;
import org.springframework.amqp.core.MessageListener;
import org.springframework.amqp.core.Queue;
import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;
import org.springframework.amqp.rabbit.connection.CorrelationData;
import org.springframework.amqp.rabbit.core.RabbitAdmin;
import org.springframework.amqp.rabbit.core.RabbitTemplate;
import org.springframework.amqp.rabbit.listener.DirectMessageListenerContainer;

/** Spring AMQP: its template with correlated confirms, its listener container with a hundred messages to an acknowledgement. */
final class SpringRabbitMq implements Contender {
    private final CachingConnectionFactory connections;

    SpringRabbitMq(String place) {
        connections = new CachingConnectionFactory(java.net.URI.create("amqp://guest:guest@" + place));
        connections.setPublisherConfirmType(CachingConnectionFactory.ConfirmType.CORRELATED);
    }

    @Override
    public void declareQueue(String queue) {
        Map<String, @Nullable Object> arguments = new HashMap<>(Terms.QUEUE);
        new RabbitAdmin(connections).declareQueue(new Queue(queue, true, false, false, arguments));
    }

    @Override
    public Sender sender(String queue, Sending sending) {
        RabbitTemplate template = new RabbitTemplate(connections);
        return new Sender() {
            @Override
            public void send(byte[] payload) {
                throw Contender.cannot("sender that waits");
            }

            @Override
            public void send(byte[] payload, Confirmation confirmation) {
                String id = Terms.id();
                CorrelationData correlation = new CorrelationData(id);
                correlation.getFuture().whenComplete((confirm, failure) -> {
                    if (failure == null && confirm.ack()) {
                        confirmation.confirmed();
                    } else {
                        confirmation.failed(failure == null ? new IllegalStateException("refused") : failure);
                    }
                });
                Date now = new Date();
                Message message = MessageBuilder.withBody(payload)
                        .setDeliveryMode(MessageDeliveryMode.PERSISTENT)
                        .setMessageId(id)
                        .setTimestamp(now)
                        .setHeader(Terms.TIME, now.getTime())
                        .build();
                template.send("", queue, message, correlation);
            }

            @Override
            public void close() {
                // The template has nothing of its own.
            }
        };
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) {
        DirectMessageListenerContainer container = new DirectMessageListenerContainer(connections);
        container.setQueueNames(queue);
        container.setPrefetchCount(Terms.PREFETCH);
        container.setMessagesPerAck(Terms.ACKNOWLEDGED_TOGETHER);
        MessageListener listener = message -> arrivals.accept(Payloads.sentAt(message.getBody()));
        container.setMessageListener(listener);
        container.afterPropertiesSet();
        container.start();
        return container::stop;
    }

    @Override
    public Log log(String name, int batch) {
        throw Contender.cannot("log");
    }

    @Override
    public void close() {
        connections.destroy();
    }
}
