package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import dev.postroad.api.ConsumerOptions.Start;
import java.io.IOException;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Reads stream queues from a place on. */
final class StreamReader {
    private static final long EMPTY_MILLIS = 500;
    private static final int ALL = 65_535;

    private StreamReader() {}

    /** Is given the messages of a partition, in order. */
    interface Sink {
        void read(int partition, long offset, Channel on, long tag, Wire wire);
    }

    /** Where to begin: with the messages that the broker finds for the first, those that are before the others not counted. */
    record From(Object streamOffset, long offset, @Nullable Instant time) {
        static From start(@Nullable Start start) {
            return switch (start) {
                case null -> new From("first", 0, null);
                case Start.Earliest earliest -> new From("first", 0, null);
                case Start.Latest latest -> new From("next", 0, null);
                case Start.Offset at -> new From(Math.max(0, at.offset()), at.offset(), null);
                // The broker knows when it stored a message, and not when that says it came to be.
                case Start.Timestamp at -> new From("first", 0, at.timestamp());
            };
        }

        static From offset(long offset) {
            return new From(offset, offset, null);
        }
    }

    static void consume(Channel on, String channel, String queue, int partition, From from, Sink sink)
            throws IOException {
        on.basicConsume(queue, false, Map.of("x-stream-offset", from.streamOffset), new DefaultConsumer(on) {
            private boolean reached = from.time == null;

            @Override
            public void handleDelivery(
                    String consumerTag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
                    throws IOException {
                long offset = offset(properties);
                long tag = envelope.getDeliveryTag();
                if (offset < from.offset) {
                    on.basicAck(tag, false);
                    return;
                }
                Wire wire = Wire.read(channel, () -> queue + "/" + offset, properties, body);
                reached = reached
                        || from.time == null
                        || !wire.message().timestamp().isBefore(from.time);
                sink.read(partition, reached ? offset : -1 - offset, on, tag, wire);
            }
        });
    }

    private static long offset(AMQP.BasicProperties properties) {
        Map<String, Object> headers = properties.getHeaders();
        return headers != null && headers.get("x-stream-offset") instanceof Number number ? number.longValue() : 0;
    }

    /** The offset behind the last message; 0 where none came in half a second. */
    static long end(Channel on, String queue) throws IOException {
        AtomicLong end = new AtomicLong();
        CountDownLatch some = new CountDownLatch(1);
        on.basicQos(ALL);
        String consumer = on.basicConsume(queue, false, Map.of("x-stream-offset", "last"), new DefaultConsumer(on) {
            @Override
            public void handleDelivery(
                    String consumerTag, Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
                end.set(offset(properties) + 1);
                some.countDown();
            }

            @Override
            public void handleCancelOk(String consumerTag) {
                some.countDown();
            }
        });
        try {
            if (!some.await(EMPTY_MILLIS, TimeUnit.MILLISECONDS)) {
                end.set(0);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // What the broker sends of its last chunk precedes this answer.
        on.basicCancel(consumer);
        return end.get();
    }
}
