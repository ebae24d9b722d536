package dev.postroad.protocols.http;

import dev.postroad.engine.Command;
import dev.postroad.engine.Command.ConsumerSettings;
import dev.postroad.engine.DeliverySink;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineDelivery;
import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.Reply;
import dev.postroad.engine.channel.ChannelDeclaration;
import dev.postroad.engine.channel.ChannelDeclaration.Kind;
import dev.postroad.engine.runtime.Broker;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * From synchronous to asynchronous: a request is posted to a channel with a reply channel of this server's own; the client
 * gets 202 Accepted with a place to ask, or waits for the reply. What is pending, and replies nobody fetched, are kept in
 * memory: bounded in number, and forgotten in time.
 */
final class Requesting {
    private static final long DEFAULT_TIMEOUT_MILLIS = 30_000;
    private static final long MAX_TIMEOUT_MILLIS = TimeUnit.HOURS.toMillis(1);
    private static final long KEPT_MILLIS = TimeUnit.MINUTES.toMillis(1);
    private static final int CREDIT = 256;
    private static final Pattern WAIT = Pattern.compile("(?i)(?:^|[,;\\s])wait\\s*=\\s*\"?(\\d{1,6})\"?(?:$|[,;\\s])");

    private final Broker broker;
    private final Catalog catalog;
    private final int maxPending;
    private final Map<String, Pending> pending = new ConcurrentHashMap<>();
    private final AtomicInteger count = new AtomicInteger();
    private final String replyTo = "replies." + UUID.randomUUID();
    private volatile boolean open;

    private static final class Pending {
        private final String channel;
        private final long deadlineNanos;
        private final CompletableFuture<EngineMessage> reply = new CompletableFuture<>();

        Pending(String channel, long timeoutMillis) {
            this.channel = channel;
            this.deadlineNanos = System.nanoTime() + timeoutMillis * 1_000_000L;
        }

        long leftMillis() {
            return (deadlineNanos - System.nanoTime()) / 1_000_000L;
        }

        String state() {
            return reply.isDone() ? "replied" : leftMillis() > 0 ? "pending" : "expired";
        }
    }

    Requesting(Broker broker, Catalog catalog, int maxPending) {
        this.broker = broker;
        this.catalog = catalog;
        this.maxPending = maxPending;
    }

    /** Opens the reply channel at the first request: most servers never need it. */
    private synchronized void open() {
        if (open) {
            return;
        }
        QueueDefinition basis =
                (QueueDefinition) ChannelDeclaration.of(Kind.REQUEST, replyTo).toDefinition();
        QueueDefinition replies = basis.withDurability(Durability.TRANSIENT)
                .withTtlMillis(MAX_TIMEOUT_MILLIS)
                .withMaxMessages(maxPending)
                .withExpiresMillis(TimeUnit.MINUTES.toMillis(10))
                .withAutoDelete(true);
        broker.await((Reply<Boolean> reply) -> new Command.Declare(replies, null, reply));
        Sink sink = new Sink();
        sink.id = broker.await((Reply<Long> reply) -> new Command.Subscribe(
                replyTo,
                null,
                new ConsumerSettings(CREDIT, false, true, false, 0, -1, null, null, "http requests"),
                sink,
                reply));
        open = true;
    }

    /** Takes replies to who waits for them. */
    private final class Sink implements DeliverySink {
        private volatile long id;
        private int taken;

        @Override
        public void deliver(EngineDelivery delivery) {
            taken++;
            String correlation = delivery.message().properties().correlationId();
            Pending found = correlation == null ? null : pending.get(correlation);
            if (found != null) {
                found.reply.complete(delivery.message());
            }
        }

        @Override
        public void flush() {
            int more = taken;
            taken = 0;
            // Not on the engine's thread: handing a command over may wait for it.
            Thread.startVirtualThread(() -> broker.submit(new Command.Credit(id, more, Reply.ignored())));
        }

        @Override
        public void cancelled(String reason) {
            open = false;
        }
    }

    /** {@code POST …/channels/{channel}/requests} */
    void request(Exchange exchange) throws Exception {
        ChannelDeclaration channel = catalog.channel(exchange.path("channel"));
        long timeout = exchange.queryTime(
                "timeout",
                1,
                MAX_TIMEOUT_MILLIS,
                channel.timeoutMillis() == 0 ? DEFAULT_TIMEOUT_MILLIS : channel.timeoutMillis());
        long wait = Math.min(prefer(exchange), timeout);
        open();
        EngineMessage given = Publishing.one(exchange);
        String id = UUID.randomUUID().toString();
        EngineMessage.Properties p = given.properties();
        EngineMessage request = Publishing.fit(
                channel,
                new EngineMessage(
                        given.id(),
                        given.key(),
                        given.payload(),
                        given.headers(),
                        new EngineMessage.Properties(p.type(), p.source(), id, replyTo, p.contentType(), p.version()),
                        given.timestampMillis(),
                        given.priority(),
                        given.ttlMillis() == 0 ? timeout : Math.min(timeout, given.ttlMillis()),
                        given.deliverAtMillis()));
        Pending mine = new Pending(channel.name(), timeout);
        register(id, mine);
        boolean accepted = false;
        try {
            broker.await((Reply<Command.Published> reply) ->
                    new Command.Publish(null, channel.name(), List.of(request), null, true, null, reply));
            accepted = true;
        } finally {
            if (!accepted) {
                forget(id);
            }
        }
        EngineMessage reply = wait == 0 ? null : await(mine, wait);
        if (wait > 0) {
            exchange.header("Preference-Applied", "wait=" + wait / 1000);
        }
        if (reply != null) {
            forget(id);
            answer(exchange, 200, id, mine, reply);
        } else {
            exchange.header("Location", "/api/v1/requests/" + id);
            exchange.header("Retry-After", "1");
            answer(exchange, 202, id, mine, null);
        }
    }

    private static @Nullable EngineMessage await(Pending pending, long millis) throws InterruptedException {
        try {
            return pending.reply.get(millis, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return null;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private void register(String id, Pending mine) {
        if (count.incrementAndGet() > maxPending) {
            count.decrementAndGet();
            throw Problem.full(maxPending + " requests already wait for their reply, or to be fetched; the limit is "
                    + maxPending);
        }
        pending.put(id, mine);
    }

    private void forget(String id) {
        if (pending.remove(id) != null) {
            count.decrementAndGet();
        }
    }

    /** How long the client wants to wait: {@code Prefer: wait=5}, in seconds. */
    private static long prefer(Exchange exchange) {
        String prefer = exchange.header("Prefer");
        if (prefer == null) {
            return 0;
        }
        Matcher wait = WAIT.matcher(prefer.toLowerCase(Locale.ROOT));
        return wait.find() ? Math.min(Receiving.MAX_WAIT_MILLIS, Long.parseLong(wait.group(1)) * 1000) : 0;
    }

    /** {@code GET …/requests/{request}} */
    void status(Exchange exchange) throws Exception {
        String id = exchange.path("request");
        Pending found = pending.get(id);
        if (found == null) {
            throw Problem.notFound("there is no request '" + (id.length() <= 60 ? id : id.substring(0, 60) + "…")
                    + "': none was accepted under this id, or its reply was not fetched within "
                    + KEPT_MILLIS / 1000 + " s of its deadline, or the server was started anew");
        }
        long wait = Math.min(prefer(exchange), Math.max(0, found.leftMillis()));
        EngineMessage reply = found.reply.isDone() ? found.reply.join() : wait == 0 ? null : await(found, wait);
        answer(exchange, 200, id, found, reply);
    }

    /** {@code DELETE …/requests/{request}} */
    void delete(Exchange exchange) {
        forget(exchange.path("request"));
        exchange.answerNothing();
    }

    private void answer(Exchange exchange, int status, String id, Pending request, @Nullable EngineMessage reply) {
        exchange.answer(status, json -> {
            json.writeStartObject();
            json.writeStringProperty("request", id);
            json.writeStringProperty("channel", request.channel);
            json.writeStringProperty("state", reply == null ? request.state() : "replied");
            if (reply == null) {
                json.writeStringProperty("status", "/api/v1/requests/" + id);
            } else {
                json.writeName("reply");
                MessageJson.write(json, reply);
            }
            json.writeEndObject();
        });
    }

    int pending() {
        return count.get();
    }

    /** Forgets requests whose time is over. */
    void sweep() {
        pending.forEach((id, request) -> {
            if (request.leftMillis() < -KEPT_MILLIS) {
                forget(id);
            }
        });
    }

    /** Deletes the reply channel. */
    synchronized void close() {
        if (open) {
            open = false;
            try {
                broker.await((Reply<Long> reply) -> new Command.DeleteChannel(replyTo, false, false, null, reply));
            } catch (EngineException e) {
                // It goes by itself when it has been unused for a while.
                System.getLogger(Requesting.class.getName())
                        .log(
                                System.Logger.Level.DEBUG,
                                "the reply channel {0} stays for now: {1}",
                                replyTo,
                                e.getMessage());
            }
        }
    }
}
