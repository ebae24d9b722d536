package dev.postroad.transports.http;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import java.io.IOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/** Deliveries of a queue, or of a group of a stream. */
final class ConsumeSource extends Source {
    private static final long SETTLE_MILLIS = 5_000;

    private final Http http;
    private final Settler settler;
    private final byte[] request;
    private final @Nullable String group;
    private final boolean leased;
    private volatile @Nullable Connection connection;

    /** One stream, from its beginning until it breaks; its deliveries are good for as long. */
    final class Connection {
        private volatile @Nullable String consumer;
        private volatile boolean gone;
        private volatile int received;
        private boolean ended;

        String channel() {
            return ConsumeSource.this.channel();
        }

        boolean leased() {
            return leased;
        }

        String name() {
            return String.valueOf(consumer);
        }

        /** True for who is to end it: once, if it has begun and is still there. */
        synchronized boolean end() {
            boolean first = !ended && !gone && consumer != null;
            ended |= first;
            return first;
        }

        /** One more was handed to the application. By one thread at a time. */
        @SuppressWarnings("NonAtomicVolatileUpdate")
        void received() {
            received++;
        }

        CompletableFuture<Void> settle(List<String> deliveries, Settler.@Nullable Outcome outcome) {
            if (gone) {
                return CompletableFuture.failedFuture(new MessagingException(
                        Reason.LEASE_LOST,
                        "the connection that the delivery of channel '" + channel()
                                + "' came through is gone, and the message went back"));
            }
            return settler.settle(deliveries, outcome);
        }
    }

    ConsumeSource(Http http, Settler settler, Channel channel, ConsumerOptions options, HttpReceiver receiver) {
        super(channel.name(), receiver);
        this.http = http;
        this.settler = settler;
        this.group = options.group();
        this.leased = options.lease() != null || channel.lease() != null;
        Map<String, Object> wish = new LinkedHashMap<>();
        put(wish, "group", options.group());
        put(wish, "start", start(options.start()));
        put(wish, "prefetch", options.prefetch());
        put(wish, "filter", options.filter());
        put(wish, "lease", options.lease() == null ? null : ChannelJson.time(options.lease()));
        put(wish, "name", options.name());
        wish.put("priority", options.priority());
        wish.put("exclusive", options.exclusive());
        this.request = Http.write(wish);
    }

    private static void put(Map<String, Object> wish, String name, @Nullable Object value) {
        if (value != null) {
            wish.put(name, value);
        }
    }

    private static @Nullable Object start(ConsumerOptions.@Nullable Start start) {
        return switch (start) {
            case null -> null;
            case ConsumerOptions.Start.Earliest earliest -> "earliest";
            case ConsumerOptions.Start.Latest latest -> "latest";
            case ConsumerOptions.Start.Offset offset -> Map.of("offset", Math.max(0, offset.offset()));
            case ConsumerOptions.Start.Timestamp at ->
                Map.of("timestamp", at.timestamp().toString());
        };
    }

    @Override
    Lines connect() {
        Lines lines = new Lines(http.stream("POST", Http.channel(channel()) + "/consume", request, Http.LINES, null));
        Connection next = new Connection();
        connection = next;
        try {
            // The first line says what the consumer is called, without which it could not be ended.
            byte[] line = lines.next();
            if (line == null || !take(line) || next.consumer == null) {
                throw new IOException("the stream ended before it began");
            }
            return lines;
        } catch (IOException e) {
            throw new MessagingException(
                    Reason.UNREACHABLE,
                    "the stream of channel '" + channel() + "' broke as it began: " + e.getMessage(),
                    e);
        }
    }

    @Override
    boolean take(byte[] line) throws IOException {
        Connection current = connection;
        if (current == null) {
            return false;
        }
        String name = null;
        int attempt = 1;
        Instant firstFailure = null;
        int partition = -1;
        long offset = -1;
        Message<byte[], byte[]> message = null;
        try (JsonParser json = Http.MAPPER.createParser(line)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String member = json.currentName();
                json.nextToken();
                switch (member) {
                    case "delivery" -> name = json.getString();
                    case "attempt" -> attempt = json.getIntValue();
                    case "firstFailure" -> firstFailure = Instant.parse(json.getString());
                    case "partition" -> partition = json.getIntValue();
                    case "offset" -> offset = json.getLongValue();
                    case "message" -> message = MessageJson.read(json, channel());
                    case "consumer" -> current.consumer = json.getString();
                    case "end" -> {
                        return false;
                    }
                    default -> json.skipChildren();
                }
            }
        }
        if (name != null && message != null) {
            Delivery.Origin origin =
                    group == null ? Delivery.Origin.QUEUE : new Delivery.Origin(partition, offset, group);
            receiver().arrived(new HttpDelivery(current, name, attempt, firstFailure, origin, message));
        }
        return true;
    }

    @Override
    void broken() {
        Connection former = connection;
        if (former != null) {
            former.gone = true;
            receiver().forget(former);
        }
    }

    /** Gives back at once what was delivered and not settled: the server would notice only when it writes next. */
    @Override
    void end() {
        Connection last = connection;
        if (last == null || !last.end()) {
            return;
        }
        settler.drain(SETTLE_MILLIS);
        last.gone = true;
        try {
            http.repeatable(
                    "DELETE", "/api/v1/consumers/" + Http.part(last.name()) + "?received=" + last.received, null);
        } catch (MessagingException e) {
            LOG.log(
                    System.Logger.Level.DEBUG,
                    "the consumer of channel {0} ends with its connection: {1}",
                    channel(),
                    e.getMessage());
        }
    }
}
