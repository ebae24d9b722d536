package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.ConsumerSettings;
import dev.postroad.engine.Command.Start;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.ValueCompression;
import dev.postroad.engine.runtime.Broker;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Long polls. A poll borrows a consumer of the engine's from a pool, gives it credit for what it wants, waits, and takes back
 * the credit that was not used; what arrives after that all the same is given back. Deliveries have a lease, since nothing
 * else tells when a client is gone.
 */
final class Receiving {
    static final long DEFAULT_LEASE_MILLIS = 30_000;
    static final long MAX_LEASE_MILLIS = TimeUnit.HOURS.toMillis(12);
    static final long MAX_WAIT_MILLIS = 60_000;
    private static final int MAX_MESSAGES = 1_000;
    private static final long ABOUT_BYTES = 8L * 1024 * 1024;
    private static final long MOST_BYTES = 256L * 1024 * 1024;
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(60);

    private final Broker broker;
    private final Catalog catalog;
    private final Consumers consumers;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Key, ArrayDeque<HttpConsumer>> idle = new HashMap<>();
    private volatile boolean draining;

    private record Key(
            String channel,
            @Nullable String group,
            @Nullable String filter,
            long lease,
            boolean autoAcknowledge) {}

    Receiving(Broker broker, Catalog catalog, Consumers consumers) {
        this.broker = broker;
        this.catalog = catalog;
        this.consumers = consumers;
    }

    /** {@code POST …/channels/{channel}/receive} */
    void receive(Exchange exchange) throws Exception {
        JsonFields fields =
                exchange.jsonOrNothing("max", "wait", "lease", "group", "start", "filter", "autoAcknowledge");
        ChannelDeclaration channel = catalog.channel(exchange.path("channel"));
        int max = (int) fields.whole("max", 1, MAX_MESSAGES, 10);
        long wait = fields.time("wait", 0, MAX_WAIT_MILLIS, 0);
        long lease = fields.time(
                "lease",
                1,
                MAX_LEASE_MILLIS,
                channel.leaseMillis() == 0 ? DEFAULT_LEASE_MILLIS : channel.leaseMillis());
        boolean auto = fields.flag("autoAcknowledge", false);
        String filter = fields.text("filter");
        Key key = new Key(channel.name(), fields.text("group"), filter, auto ? 0 : lease, auto);
        if (draining) {
            throw new Problem(503, "CLOSED", "the server is closing");
        }
        HttpConsumer consumer = borrow(key);
        if (consumer == null) {
            ConsumerSettings settings = new ConsumerSettings(
                    0, false, auto, false, 0, auto ? -1 : lease, fields.rule("filter"), null, "http receive");
            consumer = consumers.open(
                    new Consumers.Wish(channel, key.group, start(fields.node("start")), settings, key.lease), false);
        }
        List<EngineDelivery> deliveries = List.of();
        boolean answered = false;
        try {
            deliveries = poll(consumer, catalog.countFor(channel, max, ABOUT_BYTES, MOST_BYTES), wait);
            if (deliveries.isEmpty() && consumer.inbox().cancelledReason() != null) {
                throw Problem.notFound(
                        "channel '" + channel.name() + "': " + consumer.inbox().cancelledReason());
            }
            answer(exchange, consumer, deliveries);
            answered = true;
        } finally {
            if (!answered && !auto) {
                consumers.release(deliveries);
            }
            giveBack(key, consumer);
        }
    }

    private List<EngineDelivery> poll(HttpConsumer consumer, int max, long waitMillis) throws InterruptedException {
        Inbox inbox = consumer.inbox();
        inbox.listen(true);
        boolean complete = false;
        List<EngineDelivery> taken = new ArrayList<>();
        try {
            credit(consumer, max);
            taken.addAll(inbox.take(max, Long.MAX_VALUE, waitMillis));
            // Once this is answered nothing more is under way: the engine hands out deliveries before it answers.
            credit(consumer, -max);
            if (taken.size() < max) {
                taken.addAll(inbox.take(max - taken.size(), Long.MAX_VALUE, 0));
            }
            complete = true;
            return taken;
        } finally {
            inbox.listen(false);
            if (!complete) {
                consumers.release(taken);
            }
        }
    }

    private void credit(HttpConsumer consumer, int more) {
        broker.await((Reply<Integer> reply) -> new Command.Credit(consumer.id(), more, reply));
    }

    private void answer(Exchange exchange, HttpConsumer consumer, List<EngineDelivery> deliveries) {
        exchange.answer(200, json -> {
            json.writeStartObject();
            json.writeArrayPropertyStart("deliveries");
            deliveries.forEach(delivery -> write(json, consumer, delivery, catalog));
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    /** Writes a delivery as an object, and notes that the client holds it. */
    static void write(JsonGenerator json, HttpConsumer consumer, EngineDelivery delivery, Catalog catalog) {
        json.writeStartObject();
        if (!consumer.autoAcknowledge()) {
            json.writeStringProperty("delivery", consumer.hold(delivery).toString());
        }
        json.writeNumberProperty("attempt", delivery.attempt());
        if (delivery.firstFailureMillis() != 0) {
            json.writeStringProperty("firstFailure", MessageJson.moment(delivery.firstFailureMillis()));
        }
        if (delivery.partition() >= 0) {
            json.writeNumberProperty("partition", delivery.partition());
            json.writeNumberProperty("offset", delivery.offset());
        }
        EngineMessage message = delivery.message();
        byte[] value = message.payload();
        catalog.sized(consumer.channel().name(), value == null ? 0 : value.length);
        json.writeName("message");
        MessageJson.write(json, unpacked(consumer.channel(), message));
        json.writeEndObject();
    }

    /** The message as its sender gave it, where its channel packs values; what can't be unpacked is handed out as it is. */
    static EngineMessage unpacked(ChannelDeclaration channel, EngineMessage message) {
        if (!channel.compressed()) {
            return message;
        }
        try {
            return ValueCompression.unpack(message, channel.maxMessageBytes());
        } catch (EngineException e) {
            return message;
        }
    }

    /** Where to start: {@code "earliest"}, {@code "latest"}, {@code {"offset": n}} or {@code {"timestamp": "…"}}. */
    static @Nullable Start start(@Nullable JsonNode node) {
        if (node == null) {
            return null;
        }
        if (node.isString()) {
            switch (node.stringValue()) {
                case "earliest":
                    return new Start.Earliest();
                case "latest":
                    return new Start.Latest();
                default:
                    break;
            }
        } else if (node instanceof ObjectNode object && object.size() == 1) {
            JsonFields fields = new JsonFields("start.", object, List.of("offset", "timestamp"));
            return fields.has("offset")
                    ? new Start.Offset(fields.whole("offset", 0, Long.MAX_VALUE, 0))
                    : new Start.Timestamp(fields.instant("timestamp", 0));
        }
        throw Problem.invalid("'start' is " + node + "; it must be \"earliest\", \"latest\", {\"offset\": n} or"
                + " {\"timestamp\": \"2026-11-21T12:00:00Z\"}");
    }

    // ── The pool ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private @Nullable HttpConsumer borrow(Key key) {
        lock.lock();
        try {
            ArrayDeque<HttpConsumer> free = idle.get(key);
            while (free != null && !free.isEmpty()) {
                HttpConsumer consumer = free.removeLast();
                if (consumer.inbox().cancelledReason() == null) {
                    return consumer;
                }
                Thread.startVirtualThread(() -> consumers.close(consumer));
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    private void giveBack(Key key, HttpConsumer consumer) {
        consumer.used();
        boolean gone = consumer.inbox().cancelledReason() != null;
        if (!gone) {
            lock.lock();
            try {
                idle.computeIfAbsent(key, k -> new ArrayDeque<>()).addLast(consumer);
            } finally {
                lock.unlock();
            }
        } else {
            consumers.close(consumer);
        }
    }

    /** Ends consumers that nobody used for a while and whose deliveries are settled. */
    void sweep() {
        List<HttpConsumer> unused = new ArrayList<>();
        lock.lock();
        try {
            Iterator<ArrayDeque<HttpConsumer>> pools = idle.values().iterator();
            while (pools.hasNext()) {
                ArrayDeque<HttpConsumer> free = pools.next();
                free.removeIf(c -> {
                    boolean over = c.idleNanos() > IDLE_NANOS && c.holding() == 0;
                    if (over) {
                        unused.add(c);
                    }
                    return over;
                });
                if (free.isEmpty()) {
                    pools.remove();
                }
            }
        } finally {
            lock.unlock();
        }
        unused.forEach(consumers::close);
    }

    /** Answers all polls that wait, with nothing. */
    void drain() {
        draining = true;
        consumers.all().forEach(c -> c.inbox().stop());
    }
}
