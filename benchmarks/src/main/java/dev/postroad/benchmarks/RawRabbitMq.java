package dev.postroad.benchmarks;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.Closeable;
import java.io.IOException;
import java.util.Date;
import java.util.Map;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeoutException;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** Straight on RabbitMQ's client: confirms many in flight, acknowledgements a hundred at a time. */
final class RawRabbitMq implements ClientContender {
    private static final int PERSISTENT = 2;

    private final Connection connection;

    RawRabbitMq(String place) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri("amqp://guest:guest@" + place);
        connection = factory.newConnection();
    }

    @Override
    public void declareQueue(String queue) throws IOException, TimeoutException {
        try (Channel channel = connection.createChannel()) {
            channel.queueDeclare(queue, true, false, false, Terms.QUEUE);
        }
    }

    /** What the contract gives each message, given by hand. */
    private static AMQP.BasicProperties properties() {
        Date now = new Date();
        return new AMQP.BasicProperties.Builder()
                .deliveryMode(PERSISTENT)
                .messageId(Terms.id())
                .timestamp(now)
                .headers(Map.of(Terms.TIME, now.getTime()))
                .build();
    }

    @Override
    public Sender sender(String queue, Sending sending) throws IOException {
        Channel channel = connection.createChannel();
        channel.confirmSelect();
        ConcurrentNavigableMap<Long, Confirmation> unconfirmed = new ConcurrentSkipListMap<>();
        channel.addConfirmListener(
                (number, multiple) -> {
                    if (multiple) {
                        ConcurrentNavigableMap<Long, Confirmation> upTo = unconfirmed.headMap(number, true);
                        upTo.values().forEach(Confirmation::confirmed);
                        upTo.clear();
                    } else {
                        confirmed(unconfirmed.remove(number));
                    }
                },
                (number, multiple) -> {
                    throw new IllegalStateException("message " + number + " was refused");
                });
        return new Ahead() {
            @Override
            public void send(byte[] payload, Confirmation confirmation) throws IOException {
                unconfirmed.put(channel.getNextPublishSeqNo(), confirmation);
                channel.basicPublish("", queue, true, properties(), payload);
            }

            @Override
            public void close() throws IOException {
                end(channel);
            }
        };
    }

    private static void confirmed(@Nullable Confirmation confirmation) {
        if (confirmation != null) {
            confirmation.confirmed();
        }
    }

    @Override
    public Closeable receive(String queue, LongConsumer arrivals) throws IOException {
        Channel channel = connection.createChannel();
        channel.basicQos(Terms.PREFETCH);
        CountDownLatch cancelled = new CountDownLatch(1);
        String tag = channel.basicConsume(queue, false, new DefaultConsumer(channel) {
            private int unacknowledged;

            @Override
            public void handleDelivery(String of, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
                    throws IOException {
                arrivals.accept(Payloads.sentAt(body));
                if (++unacknowledged == Terms.ACKNOWLEDGED_TOGETHER) {
                    unacknowledged = 0;
                    channel.basicAck(envelope.getDeliveryTag(), true);
                }
            }

            @Override
            public void handleCancelOk(String of) {
                cancelled.countDown();
            }

            @Override
            public void handleShutdownSignal(String of, ShutdownSignalException cause) {
                cancelled.countDown();
            }
        });
        return () -> {
            // The last message is told of before it is acknowledged: the channel must stay open until that is done.
            channel.basicCancel(tag);
            Stopwatch.await(cancelled);
            end(channel);
        };
    }

    private static void end(Channel channel) throws IOException {
        try {
            channel.close();
        } catch (TimeoutException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        connection.close();
    }
}
