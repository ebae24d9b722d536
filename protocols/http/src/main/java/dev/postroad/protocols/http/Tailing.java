package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.ConsumerSettings;
import dev.postroad.engine.Command.Fetched;
import dev.postroad.engine.Command.StreamRecord;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineStatus;
import dev.postroad.engine.MessageFields;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.routing.Rule;
import dev.postroad.engine.runtime.Broker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** Streams read by offset: page by page, or followed as server-sent events. Nothing is remembered for the reader. */
final class Tailing {
    private static final int MAX_MESSAGES = 10_000;
    private static final int MAX_FETCH_BYTES = 16 * 1024 * 1024;
    private static final int TAIL_BYTES = 1024 * 1024;
    private static final int LEAST_TAIL_BYTES = 16 * 1024;
    private static final long TAIL_WAIT_MILLIS = 15_000;
    private static final long STALLED_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Broker broker;
    private final Catalog catalog;
    private final Consumers consumers;
    private final Set<Feed> feeds = ConcurrentHashMap.newKeySet();
    private volatile boolean draining;

    Tailing(Broker broker, Catalog catalog, Consumers consumers) {
        this.broker = broker;
        this.catalog = catalog;
        this.consumers = consumers;
    }

    private ChannelDeclaration stream(String name) {
        ChannelDeclaration channel = catalog.channel(name);
        if (!channel.kind().isStream()) {
            throw Problem.invalid("channel '" + name + "' is a "
                    + channel.kind().word() + " channel, a queue: it has no partitions and no offsets");
        }
        return channel;
    }

    // ── Page by page ─────────────────────────────────────────────────────────────────────────────────────────────────

    /** {@code GET …/streams/{stream}/partitions} */
    void partitions(Exchange exchange) {
        String name = stream(exchange.path("stream")).name();
        EngineStatus status = broker.await(Command.Inspect::new);
        for (EngineStatus.Stream stream : status.streams()) {
            if (stream.definition().name().equals(name)) {
                exchange.answer(
                        200,
                        Map.of(
                                "partitions",
                                stream.partitions().stream()
                                        .map(Declaring::describe)
                                        .toList()));
                return;
            }
        }
        throw Problem.notFound("there is no stream '" + name + "'");
    }

    /** {@code GET …/streams/{stream}/partitions/{partition}/messages} */
    void fetch(Exchange exchange) {
        ChannelDeclaration channel = stream(exchange.path("stream"));
        int partition = exchange.pathNumber("partition", Integer.MAX_VALUE);
        int max = (int) exchange.query("max", 1, MAX_MESSAGES, 100);
        int maxBytes = (int) exchange.query("maxBytes", 1, MAX_FETCH_BYTES, 1024 * 1024);
        long wait = exchange.queryTime("wait", 0, Receiving.MAX_WAIT_MILLIS, 0);
        long offset = offset(exchange, channel, partition);
        long until = wait == 0 || draining ? 0 : System.currentTimeMillis() + wait;
        Fetched fetched = broker.await((Reply<Fetched> reply) ->
                new Command.Fetch(channel.name(), partition, offset, max, maxBytes, until, reply));
        exchange.answer(200, json -> {
            json.writeStartObject();
            json.writeNumberProperty("earliest", fetched.earliest());
            json.writeNumberProperty("next", fetched.next());
            json.writeNumberProperty("nextFetch", fetched.nextFetch());
            json.writeArrayPropertyStart("messages");
            fetched.records().forEach(record -> write(json, channel, record));
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private static void write(JsonGenerator json, ChannelDeclaration channel, StreamRecord record) {
        json.writeStartObject();
        json.writeNumberProperty("partition", record.partition());
        json.writeNumberProperty("offset", record.offset());
        json.writeStringProperty("accepted", MessageJson.moment(record.acceptedMillis()));
        json.writeName("message");
        MessageJson.write(json, Receiving.unpacked(channel, record.message()));
        json.writeEndObject();
    }

    private long offset(Exchange exchange, ChannelDeclaration channel, int partition) {
        String offset = exchange.query("offset");
        String timestamp = exchange.query("timestamp");
        if (offset != null && timestamp != null) {
            throw Problem.invalid("'offset' and 'timestamp' can't both be given");
        }
        if (timestamp != null) {
            return Seeking.first(broker, channel.name(), partition, JsonFields.instant("timestamp", timestamp));
        }
        if (offset == null || offset.equals("earliest")) {
            return 0;
        }
        return offset.equals("latest")
                ? Seeking.end(broker, channel.name(), partition)
                : exchange.query("offset", 0, Long.MAX_VALUE, 0);
    }

    // ── Server-sent events ───────────────────────────────────────────────────────────────────────────────────────────

    /** {@code GET …/channels/{channel}/events} */
    void events(Exchange exchange) throws Exception {
        ChannelDeclaration channel = catalog.channel(exchange.path("channel"));
        String group = exchange.query("group");
        if (draining) {
            throw new Problem(503, "CLOSED", "the server is closing");
        }
        if (channel.kind().isStream() && group == null) {
            tail(exchange, channel);
        } else if (exchange.queryFlag("autoAcknowledge", false)) {
            consume(exchange, channel, group);
        } else {
            throw Problem.invalid(
                    "server-sent events of a queue or group can't be acknowledged: add autoAcknowledge=true to"
                            + " have each settled by being sent, or use POST /api/v1/channels/{channel}/consume");
        }
    }

    private void consume(Exchange exchange, ChannelDeclaration channel, @Nullable String group) throws Exception {
        int credit = catalog.countFor(channel, 64, TAIL_BYTES, 64L * TAIL_BYTES);
        String filter = exchange.query("filter");
        ConsumerSettings settings = new ConsumerSettings(
                credit,
                false,
                true,
                false,
                0,
                -1,
                filter == null ? null : JsonFields.rule("filter", filter),
                null,
                "http events");
        HttpConsumer consumer = consumers.open(new Consumers.Wish(channel, group, null, settings, 0), true);
        try (Feed feed = new Feed(exchange.stream("text/event-stream"))) {
            feed.comment();
            while (!feed.over && !consumer.inbox().stopped() && consumer.inbox().cancelledReason() == null) {
                List<EngineDelivery> batch = consumer.inbox()
                        .take(
                                64,
                                Long.MAX_VALUE,
                                exchange.settings().heartbeat().toMillis());
                if (batch.isEmpty()) {
                    feed.comment();
                }
                for (EngineDelivery delivery : batch) {
                    feed.event(null, json -> Receiving.write(json, consumer, delivery, catalog));
                }
                feed.send();
                if (!batch.isEmpty()) {
                    broker.submit(new Command.Credit(consumer.id(), batch.size(), Reply.ignored()));
                }
            }
        } finally {
            consumers.close(consumer);
        }
    }

    private void tail(Exchange exchange, ChannelDeclaration channel) throws Exception {
        String text = exchange.query("filter");
        Rule filter = text == null ? null : JsonFields.rule("filter", text);
        // Looked at by the engine's thread only, where each fetch is answered.
        MessageFields fields = new MessageFields(broker.payloads());
        long[] next = positions(exchange, channel);
        String only = exchange.query("partition");
        int first = only == null ? 0 : (int) exchange.query("partition", 0, next.length - 1L, 0);
        int last = only == null ? next.length - 1 : first;
        int bytes = Math.max(LEAST_TAIL_BYTES, TAIL_BYTES / (last - first + 1));
        // Each partition has one fetch under way, begun anew when what it brought was written: that bounds the memory.
        LinkedBlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
        try (Feed feed = new Feed(exchange.stream("text/event-stream"))) {
            // Who comes back before the first event goes on from here all the same.
            feed.text("id: " + id(next) + "\n\n");
            feed.send();
            for (int partition = first; partition <= last; partition++) {
                fetch(channel.name(), partition, next[partition], bytes, matching(filter, fields), answers);
            }
            while (!feed.over) {
                Answer answer = answers.poll(exchange.settings().heartbeat().toMillis(), TimeUnit.MILLISECONDS);
                if (answer == null) {
                    feed.comment();
                    feed.send();
                    continue;
                }
                if (answer.fetched == null) {
                    feed.end(answer.failure);
                    return;
                }
                for (StreamRecord record : answer.fetched.records()) {
                    next[answer.partition] = record.offset() + 1;
                    feed.event(id(next), json -> write(json, channel, record));
                }
                feed.send();
                next[answer.partition] = Math.max(next[answer.partition], answer.fetched.nextFetch());
                fetch(
                        channel.name(),
                        answer.partition,
                        next[answer.partition],
                        bytes,
                        matching(filter, fields),
                        answers);
            }
        }
    }

    private record Answer(
            int partition,
            @Nullable Fetched fetched,
            @Nullable String failure) {}

    private static UnaryOperator<Fetched> matching(@Nullable Rule filter, MessageFields fields) {
        return fetched -> filter == null
                ? fetched
                : new Fetched(
                        fetched.records().stream()
                                .filter(record -> filter.matches(fields.of(record.message())))
                                .toList(),
                        fetched.earliest(),
                        fetched.next(),
                        fetched.nextFetch());
    }

    private void fetch(
            String stream,
            int partition,
            long offset,
            int bytes,
            UnaryOperator<Fetched> matching,
            LinkedBlockingQueue<Answer> answers) {
        long until = System.currentTimeMillis() + TAIL_WAIT_MILLIS;
        broker.submit(new Command.Fetch(stream, partition, offset, 1_000, bytes, until, new Reply<>() {
            @Override
            public void done(Fetched fetched) {
                answers.add(new Answer(partition, matching.apply(fetched), null));
            }

            @Override
            public void failed(EngineException cause) {
                answers.add(new Answer(partition, null, cause.getMessage()));
            }
        }));
    }

    /** Where to begin in each partition: behind the last event the client has seen, or where it says. */
    private long[] positions(Exchange exchange, ChannelDeclaration channel) {
        long[] next = new long[channel.partitions()];
        String seen = exchange.header("Last-Event-ID");
        String from = exchange.query("from");
        for (int partition = 0; partition < next.length; partition++) {
            if (seen != null) {
                next[partition] = seen(seen, partition, next.length);
            } else if (from == null || from.equals("latest")) {
                next[partition] = Seeking.end(broker, channel.name(), partition);
            } else if (!from.equals("earliest")) {
                next[partition] = from.matches("\\d{1,18}")
                        ? Long.parseLong(from)
                        : Seeking.first(broker, channel.name(), partition, JsonFields.instant("from", from));
            }
        }
        return next;
    }

    private static String id(long[] next) {
        StringBuilder id = new StringBuilder();
        for (long offset : next) {
            id.append(id.isEmpty() ? "" : "-").append(offset);
        }
        return id.toString();
    }

    private static long seen(String id, int partition, int partitions) {
        String[] offsets = id.split("-", -1);
        if (offsets.length == partitions && offsets[partition].matches("\\d{1,18}")) {
            return Long.parseLong(offsets[partition]);
        }
        throw Problem.invalid("Last-Event-ID is '" + (id.length() <= 60 ? id : id.substring(0, 60) + "…")
                + "'; it must be the id of an event of this stream, which has " + partitions + " partitions");
    }

    /** A response of events, written bit by bit. */
    private final class Feed implements AutoCloseable {
        private final OutputStream out;
        private final Thread thread = Thread.currentThread();
        private final ByteArrayOutputStream buffer = new ByteArrayOutputStream(8 * 1024);
        private volatile boolean over;
        private volatile long writingSince;

        Feed(OutputStream out) {
            this.out = out;
            feeds.add(this);
        }

        void comment() {
            text(":\n\n");
        }

        void event(@Nullable String id, java.util.function.Consumer<JsonGenerator> writer) throws IOException {
            if (id != null) {
                text("id: " + id + "\n");
            }
            text("data: ");
            try (JsonGenerator json = Json.MAPPER.createGenerator(buffer)) {
                writer.accept(json);
            }
            text("\n\n");
            if (buffer.size() > TAIL_BYTES / 4) {
                send();
            }
        }

        void end(@Nullable String why) throws IOException {
            text("event: end\ndata: " + Json.text(String.valueOf(why)) + "\n\n");
            send();
        }

        void text(String text) {
            buffer.writeBytes(text.getBytes(StandardCharsets.UTF_8));
        }

        void send() throws IOException {
            if (buffer.size() > 0) {
                writingSince = System.nanoTime();
                buffer.writeTo(out);
                out.flush();
                writingSince = 0;
                buffer.reset();
            }
        }

        void endIfStalled() {
            long since = writingSince;
            if (since != 0 && System.nanoTime() - since > STALLED_NANOS) {
                thread.interrupt();
            }
        }

        @Override
        public void close() throws IOException {
            feeds.remove(this);
            out.close();
        }
    }

    void sweep() {
        feeds.forEach(Feed::endIfStalled);
    }

    void drain() {
        draining = true;
        feeds.forEach(f -> f.over = true);
    }

    int open() {
        return feeds.size();
    }
}
