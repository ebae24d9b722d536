package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.AlreadyClosedException;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.emulation.Log;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** A log as a stream queue. To catch up, a mark is appended and awaited: the broker tells no better where its end is. */
final class StreamLog implements Log, Link.User {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.amqp");
    static final String PREFIX = "postroad-";
    private static final String MARK_TYPE = "postroad-mark";
    private static final int PREFETCH = 500;
    private static final long CATCH_UP_SECONDS = 30;

    private final Link link;
    private final Publisher publisher;
    private final String queue;
    private final Map<String, Object> arguments;
    private final Consumer<byte[]> reader;
    private final Map<String, CompletableFuture<Void>> marks = new ConcurrentHashMap<>();

    /** The next offset; what came is not read again after a new connection. Written by one thread at a time. */
    private volatile long next;

    private volatile Channel channel;

    /** @param bounds arguments of the queue beside its type: how long, or how many bytes of entries matter */
    StreamLog(Link link, Publisher publisher, String name, Map<String, Object> bounds, Consumer<byte[]> reader) {
        this.link = link;
        this.publisher = publisher;
        this.queue = PREFIX + name;
        this.arguments = new HashMap<>(bounds);
        arguments.put("x-queue-type", "stream");
        this.reader = reader;
        try {
            this.channel = open();
        } catch (IOException | RuntimeException e) {
            throw Failures.of(
                    "opening the stream queue '" + queue + "', where Postroad keeps its " + name, link.url(), e);
        }
        link.add(this);
    }

    private Channel open() throws IOException {
        Channel opened = link.channel();
        try {
            read(opened);
        } catch (IOException | RuntimeException e) {
            Link.release(opened);
            throw e;
        }
        return opened;
    }

    private void read(Channel opened) throws IOException {
        opened.queueDeclare(queue, true, false, false, arguments);
        opened.basicQos(PREFETCH);
        Object from = next == 0 ? "first" : next;
        opened.basicConsume(queue, false, Map.of("x-stream-offset", from), new DefaultConsumer(opened) {
            @Override
            public void handleDelivery(
                    String consumerTag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
                    throws IOException {
                arrived(properties, body);
                try {
                    opened.basicAck(envelope.getDeliveryTag(), false);
                } catch (AlreadyClosedException e) {
                    // It is read again from where this log has come to, or never, if it was closed.
                    LOG.log(Level.DEBUG, "reading {0} ended", queue);
                }
            }
        });
    }

    private void arrived(AMQP.BasicProperties properties, byte[] body) {
        Map<String, Object> headers = properties.getHeaders();
        if (headers != null && headers.get("x-stream-offset") instanceof Number offset) {
            if (offset.longValue() < next) {
                return;
            }
            next = offset.longValue() + 1;
        }
        if (MARK_TYPE.equals(properties.getType())) {
            CompletableFuture<Void> mark = marks.remove(new String(body, StandardCharsets.UTF_8));
            if (mark != null) {
                dev.postroad.transports.emulation.Waiting.complete(mark);
            }
        } else {
            reader.accept(body);
        }
    }

    @Override
    public CompletableFuture<Void> append(byte[] entry) {
        return publish(entry, "postroad-entry");
    }

    private CompletableFuture<Void> publish(byte[] body, String type) {
        return publisher.publish(
                "",
                queue,
                new AMQP.BasicProperties.Builder()
                        .deliveryMode(2)
                        .type(type)
                        .messageId(UUID.randomUUID().toString())
                        .build(),
                body);
    }

    @Override
    public void catchUp() {
        String mark = UUID.randomUUID().toString();
        CompletableFuture<Void> seen = new CompletableFuture<>();
        marks.put(mark, seen);
        try {
            publish(mark.getBytes(StandardCharsets.UTF_8), MARK_TYPE)
                    .thenCompose(confirmed -> seen)
                    .get(CATCH_UP_SECONDS, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException e) {
            throw Failures.of("reading '" + queue + "'", link.url(), e.getCause() == null ? e : e.getCause());
        } catch (TimeoutException e) {
            throw new MessagingException(
                    Reason.TIMEOUT,
                    "the stream queue '" + queue + "' on " + link.url().shown()
                            + " could not be read to its end within " + CATCH_UP_SECONDS + " s",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted while reading '" + queue + "'", e);
        } finally {
            marks.remove(mark);
        }
    }

    @Override
    public void connected(Link newLink) throws IOException {
        channel = open();
    }

    @Override
    public void broken() {
        // A mark that is lost ends with its time.
    }

    @Override
    public void close() {
        link.remove(this);
        Link.release(channel);
    }
}
