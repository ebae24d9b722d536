package dev.postroad.benchmarks;

import java.io.Closeable;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.springframework.amqp.core.Message;
import org.springframework.amqp.core.MessageBuilder;
import org.springframework.amqp.core.MessageDeliveryMode;
import org.springframework.amqp.core.MessageListener;
import org.springframework.amqp.core.Queue;
import org.springframework.amqp.rabbit.connection.CachingConnectionFactory;
import org.springframework.amqp.rabbit.core.RabbitAdmin;
import org.springframework.amqp.rabbit.core.RabbitTemplate;
import org.springframework.amqp.rabbit.listener.DirectMessageListenerContainer;

/**
 * Spring AMQP: its template, whose operations share a channel and wait for the confirms of a batch; its listener container with a
 * hundred messages to an acknowledgement. Its correlated confirms are no match for this load: a channel goes back to the cache only
 * when it has no confirm to wait for, so that about every message opens another.
 */
final class SpringRabbitMq implements ClientContender {
    private static final int BATCH = 1_024;
    private static final long POLL_MILLIS = 100;
    private static final long CONFIRM_MILLIS = 60_000;

    private final CachingConnectionFactory connections;

    SpringRabbitMq(String place) {
        connections = new CachingConnectionFactory(java.net.URI.create("amqp://guest:guest@" + place));
        connections.setPublisherConfirmType(CachingConnectionFactory.ConfirmType.SIMPLE);
    }

    @Override
    public void declareQueue(String queue) {
        Map<String, @Nullable Object> arguments = new HashMap<>(Terms.QUEUE);
        new RabbitAdmin(connections).declareQueue(new Queue(queue, true, false, false, arguments));
    }

    @Override
    public Sender sender(String queue, Sending sending) {
        return new Batches(new RabbitTemplate(connections), queue);
    }

    private record Waiting(byte[] payload, Confirmation confirmation) {}

    /** Sends what has come meanwhile, up to a batch, and waits for its confirms. */
    private static final class Batches implements Ahead {
        private final RabbitTemplate template;
        private final String queue;
        private final BlockingQueue<Waiting> waiting = new LinkedBlockingQueue<>();
        private final Thread thread = Thread.ofPlatform().name("spring-sender").unstarted(this::run);
        private volatile boolean closing;

        Batches(RabbitTemplate template, String queue) {
            this.template = template;
            this.queue = queue;
            thread.start();
        }

        private void run() {
            List<Waiting> batch = new ArrayList<>();
            while (!closing || !waiting.isEmpty()) {
                try {
                    Waiting first = waiting.poll(POLL_MILLIS, TimeUnit.MILLISECONDS);
                    if (first == null) {
                        continue;
                    }
                    batch.add(first);
                    waiting.drainTo(batch, BATCH - 1);
                    send(batch);
                    batch.forEach(each -> each.confirmation.confirmed());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                } catch (RuntimeException e) {
                    batch.forEach(each -> each.confirmation.failed(e));
                }
                batch.clear();
            }
        }

        private void send(List<Waiting> batch) {
            template.invoke(operations -> {
                for (Waiting each : batch) {
                    operations.send("", queue, message(each.payload));
                }
                operations.waitForConfirmsOrDie(CONFIRM_MILLIS);
                return batch.size();
            });
        }

        @Override
        public void send(byte[] payload, Confirmation confirmation) {
            waiting.add(new Waiting(payload, confirmation));
        }

        @Override
        public void close() {
            closing = true;
            Stopwatch.join(thread);
        }
    }

    private static Message message(byte[] payload) {
        Date now = new Date();
        return MessageBuilder.withBody(payload)
                .setDeliveryMode(MessageDeliveryMode.PERSISTENT)
                .setMessageId(Terms.id())
                .setTimestamp(now)
                .setHeader(Terms.TIME, now.getTime())
                .build();
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
    public void close() {
        connections.destroy();
    }
}
