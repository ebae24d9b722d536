package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.ConsumerSettings;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.runtime.Broker;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.exc.JacksonIOException;

/**
 * Streams of deliveries: a consumer that lives as long as its connection. What the client does not settle comes back when the
 * connection ends, or when the client does not read for so long that the connection is given up.
 */
final class Consuming {
    private static final long WINDOW_BYTES = 8L * 1024 * 1024;
    private static final long MOST_WINDOW_BYTES = 256L * 1024 * 1024;
    private static final int BATCH = 512;
    private static final long BATCH_BYTES = 64 * 1024;
    private static final int CHUNK_BYTES = 16 * 1024;
    private static final long STALLED_NANOS = TimeUnit.SECONDS.toNanos(30);
    private static final long END_MILLIS = 2_000;
    private static final byte[] NEWLINE = {'\n'};

    private final Broker broker;
    private final Catalog catalog;
    private final Consumers consumers;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private volatile boolean draining;

    Consuming(Broker broker, Catalog catalog, Consumers consumers) {
        this.broker = broker;
        this.catalog = catalog;
        this.consumers = consumers;
    }

    /** {@code POST …/channels/{channel}/consume} */
    void consume(Exchange exchange) throws Exception {
        JsonFields fields = exchange.jsonOrNothing(
                "prefetch", "group", "start", "filter", "lease", "priority", "exclusive", "name", "autoAcknowledge");
        ChannelDeclaration channel = catalog.channel(exchange.path("channel"));
        boolean auto = fields.flag("autoAcknowledge", false);
        int prefetch = (int) fields.whole("prefetch", 1, 65_535, channel.prefetch());
        long lease = fields.time("lease", 1, Receiving.MAX_LEASE_MILLIS, channel.leaseMillis());
        String name = fields.text("name");
        Window window = new Window(channel, prefetch);
        ConsumerSettings settings = new ConsumerSettings(
                window.size,
                !auto,
                auto,
                fields.flag("exclusive", false),
                (int) fields.whole("priority", Integer.MIN_VALUE, Integer.MAX_VALUE, 0),
                auto ? -1 : lease,
                fields.rule("filter"),
                null,
                name == null ? "http consume" : name);
        if (draining) {
            throw new Problem(503, "CLOSED", "the server is closing");
        }
        HttpConsumer consumer = consumers.open(
                new Consumers.Wish(
                        channel,
                        fields.text("group"),
                        Receiving.start(fields.node("start")),
                        settings,
                        auto ? 0 : lease),
                true);
        boolean events = wantsEvents(exchange);
        try (Connection connection = new Connection(
                exchange.stream(events ? "text/event-stream" : "application/x-ndjson"), events, consumer)) {
            connections.add(connection);
            connection.run(window, exchange.settings().heartbeat().toMillis());
        } finally {
            consumers.close(consumer);
        }
    }

    static boolean wantsEvents(Exchange exchange) {
        String accept = exchange.header("Accept");
        return accept != null && accept.contains("text/event-stream");
    }

    /** {@code DELETE …/consumers/{consumer}} */
    void end(Exchange exchange) throws InterruptedException {
        HttpConsumer consumer = consumers.byName(exchange.path("consumer"));
        consumer.received((int) exchange.query("received", 0, Integer.MAX_VALUE, Integer.MAX_VALUE));
        consumer.inbox().stop();
        // Its own thread ends it, having noted what it wrote; one that is stuck in writing is not waited for.
        for (Connection connection : connections) {
            if (connection.consumer == consumer) {
                connection.awaitEnd();
            }
        }
        consumers.close(consumer);
        exchange.answerNothing();
    }

    /** How many deliveries may be unsettled: the prefetch, or fewer where messages are large. */
    private final class Window {
        private final ChannelDeclaration channel;
        private final int prefetch;
        private int size;

        Window(ChannelDeclaration channel, int prefetch) {
            this.channel = channel;
            this.prefetch = prefetch;
            this.size = wanted();
        }

        private int wanted() {
            return catalog.countFor(channel, prefetch, WINDOW_BYTES, MOST_WINDOW_BYTES);
        }

        /** Adapts the consumer's credit to the sizes seen. */
        void adapt(HttpConsumer consumer) {
            int wanted = wanted();
            if (wanted > size || wanted < size / 2) {
                int more = wanted - size;
                size = wanted;
                broker.submit(new Command.Credit(consumer.id(), more, Reply.ignored()));
            }
        }
    }

    /** One response that is written bit by bit. */
    private final class Connection implements AutoCloseable {
        private final OutputStream out;
        private final boolean events;
        private final HttpConsumer consumer;
        private final Thread thread = Thread.currentThread();
        private final Chunks chunks = new Chunks();
        private final CountDownLatch ended = new CountDownLatch(1);
        private volatile long writingSince;

        Connection(OutputStream out, boolean events, HttpConsumer consumer) {
            this.out = out;
            this.events = events;
            this.consumer = consumer;
        }

        void run(Window window, long heartbeatMillis) throws IOException, InterruptedException {
            line("consumer", Json.write(Map.of("consumer", consumers.name(consumer))));
            send();
            Inbox inbox = consumer.inbox();
            while (true) {
                List<EngineDelivery> batch = inbox.take(BATCH, BATCH_BYTES, heartbeatMillis);
                if (!batch.isEmpty()) {
                    write(batch);
                    if (consumer.autoAcknowledge()) {
                        broker.submit(new Command.Credit(consumer.id(), batch.size(), Reply.ignored()));
                    }
                    window.adapt(consumer);
                    continue;
                }
                String cancelled = inbox.cancelledReason();
                if (cancelled != null || inbox.stopped()) {
                    line("end", Json.write(Map.of("end", cancelled != null ? cancelled : "closed")));
                    send();
                    return;
                }
                chunks.write(events ? ":\n\n".getBytes(StandardCharsets.US_ASCII) : NEWLINE);
                send();
            }
        }

        private void write(List<EngineDelivery> batch) throws IOException {
            for (EngineDelivery delivery : batch) {
                if (events) {
                    chunks.write("event: delivery\ndata: ".getBytes(StandardCharsets.US_ASCII));
                }
                try (JsonGenerator json = Json.MAPPER.createGenerator(chunks)) {
                    Receiving.write(json, consumer, delivery, catalog);
                } catch (JacksonIOException e) {
                    throw new IOException(e.getMessage(), e);
                }
                chunks.write(NEWLINE);
                if (events) {
                    chunks.write(NEWLINE);
                }
            }
            send();
        }

        private void line(String event, byte[] json) throws IOException {
            if (events) {
                chunks.write(("event: " + event + "\ndata: ").getBytes(StandardCharsets.US_ASCII));
            }
            chunks.write(json);
            chunks.write(NEWLINE);
            if (events) {
                chunks.write(NEWLINE);
            }
        }

        private void send() throws IOException {
            chunks.drain();
            writingSince = System.nanoTime();
            out.flush();
            writingSince = 0;
        }

        /**
         * What is on its way to the client: in chunks, so that a large message to one that does not read takes no memory of its
         * own. Flushing and closing are the connection's, not those of whoever writes a message.
         */
        private final class Chunks extends OutputStream {
            private final byte[] chunk = new byte[CHUNK_BYTES];
            private int length;

            @Override
            public void write(int b) throws IOException {
                if (length == chunk.length) {
                    drain();
                }
                chunk[length++] = (byte) b;
            }

            @Override
            public void write(byte[] bytes, int from, int count) throws IOException {
                for (int at = from, left = count; left > 0; ) {
                    if (length == chunk.length) {
                        drain();
                    }
                    int fits = Math.min(left, chunk.length - length);
                    System.arraycopy(bytes, at, chunk, length, fits);
                    length += fits;
                    at += fits;
                    left -= fits;
                }
            }

            void drain() throws IOException {
                writingSince = System.nanoTime();
                out.write(chunk, 0, length);
                writingSince = 0;
                length = 0;
            }
        }

        /** Waits until its thread has ended; one that has been writing for long is not waited for. */
        void awaitEnd() throws InterruptedException {
            while (!ended.await(END_MILLIS, TimeUnit.MILLISECONDS)) {
                if (writingSince != 0) {
                    thread.interrupt();
                    return;
                }
            }
        }

        /** Ends a connection whose client has not read for long: interrupting closes its socket. */
        void endIfStalled() {
            long since = writingSince;
            if (since != 0 && System.nanoTime() - since > STALLED_NANOS) {
                thread.interrupt();
            }
        }

        @Override
        public void close() throws IOException {
            try {
                consumers.close(consumer);
            } finally {
                ended.countDown();
                connections.remove(this);
            }
            out.close();
        }
    }

    /** Ends connections whose clients have stalled. */
    void sweep() {
        connections.forEach(Connection::endIfStalled);
    }

    /** Ends all streams. */
    void drain() {
        draining = true;
        connections.forEach(c -> c.consumer.inbox().stop());
    }

    int open() {
        return connections.size();
    }
}
