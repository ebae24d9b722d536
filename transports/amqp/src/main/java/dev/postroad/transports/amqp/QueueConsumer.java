package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.ShutdownSignalException;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.emulation.Held;
import dev.postroad.transports.emulation.Inflow;
import dev.postroad.transports.emulation.Settler;
import dev.postroad.transports.emulation.SharedReceiver;
import dev.postroad.transports.emulation.Waiting;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Consumes a queue, on a channel of its own. What fails is published anew, with its count in a header, and acknowledged when that
 * is confirmed: a crash between the two leaves both, with one id. In a queue that keeps order nothing is published anew, since that
 * would change places: it waits with the consumer.
 */
final class QueueConsumer implements Settler, Link.User {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.amqp");
    private static final long CANCEL_SECONDS = 10;
    private static final long GIVE_BACK_SECONDS = 10;

    /** How many messages of a queue that keeps order are fetched, so that one key can wait and others go on. */
    private static final int WINDOW = 1_000;

    /** How long a message waits once more while its cancellation can't be told. */
    private static final long UNTOLD_MILLIS = 2_000;

    private static final int LARGEST_PREFETCH = 65_535;

    /** What a message is acknowledged by. */
    private record Tag(Acks on, long number) {}

    private final AmqpTransport transport;
    private final Link link;
    private final Channel channel;
    private final ConsumerOptions options;
    private final SharedReceiver receiver;
    private final int prefetch;
    private final Inflow inflow;
    private volatile com.rabbitmq.client.@Nullable Channel current;
    private volatile String consumerTag = "";
    private volatile CountDownLatch cancelled = new CountDownLatch(1);
    private volatile boolean closing;
    private final ReentrantLock serial = new ReentrantLock();

    // with serial
    private boolean consuming;
    private boolean paused;

    /** What came and can't be handed over by the thread that reads it, in order: no more than the prefetch. */
    private final Queue<Runnable> later = new ConcurrentLinkedQueue<>();

    private final AtomicInteger behind = new AtomicInteger();

    QueueConsumer(AmqpTransport transport, Channel channel, ConsumerOptions options, SharedReceiver receiver) {
        this.transport = transport;
        this.link = transport.link();
        this.channel = channel;
        this.options = options;
        this.receiver = receiver;
        int wanted = options.prefetch() == null ? channel.prefetch() : options.prefetch();
        this.prefetch = channel.orderedByKey() ? Math.min(LARGEST_PREFETCH, wanted + WINDOW) : wanted;
        Duration lease = options.lease() == null ? channel.lease() : options.lease();
        this.inflow = receiver.add(channel, wanted, lease, channel.orderedByKey(), this);
    }

    /** Begins. Quorum queues take exclusive consumers and then do not keep others out. @throws MessagingException as the broker says */
    void open() {
        if (options.exclusive() && Topology.quorum(channel, link.url().queueType())) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "an exclusive consumer of channel '" + channel.name()
                            + "': its quorum queue keeps no other out; use queue-type=classic in the url");
        }
        try {
            consume();
        } catch (IOException | RuntimeException e) {
            throw Failures.of("consuming queue '" + channel.name() + "'", link.url(), e);
        }
        link.add(this);
    }

    /** Where it does not already, on a channel of its own; of what is paused only that is made. Nothing if it closes. */
    private void consume() throws IOException {
        serial.lock();
        try {
            if (closing) {
                return;
            }
            com.rabbitmq.client.Channel present = current;
            com.rabbitmq.client.Channel on = present != null && present.isOpen() ? present : newChannel();
            if (!consuming && !paused) {
                consume(on);
            }
        } finally {
            serial.unlock();
        }
    }

    private com.rabbitmq.client.Channel newChannel() throws IOException {
        com.rabbitmq.client.Channel on = link.receivingChannel();
        on.basicQos(prefetch);
        on.addShutdownListener(cause -> shutDown(on, cause));
        current = on;
        consuming = false;
        Acks fresh = new Acks(on);
        Incoming.deliver(
                on,
                (number, redelivered, properties, body) ->
                        arrived(new Tag(fresh, number), redelivered, properties, body));
        return on;
    }

    private void consume(com.rabbitmq.client.Channel on) throws IOException {
        Map<String, Object> arguments = new HashMap<>();
        if (options.priority() != 0) {
            arguments.put("x-priority", options.priority());
        }
        CountDownLatch ended = new CountDownLatch(1);
        cancelled = ended;
        consumerTag = on.basicConsume(
                channel.name(), false, "", false, options.exclusive(), arguments, new DefaultConsumer(on) {
                    @Override
                    public void handleCancelOk(String tag) {
                        ended.countDown();
                    }

                    @Override
                    public void handleCancel(String tag) {
                        receiver.failed(new MessagingException(
                                Reason.NOT_FOUND,
                                "queue '" + channel.name() + "' was deleted on "
                                        + link.url().shown()));
                    }
                });
        consuming = true;
    }

    private void shutDown(com.rabbitmq.client.Channel on, ShutdownSignalException cause) {
        if (closing || current != on) {
            return;
        }
        inflow.forget();
        if (cause.isHardError()) {
            return;
        }
        LOG.log(
                Level.WARNING,
                "the broker closed the channel that consumes queue {0}; opening another: {1}",
                channel.name(),
                cause.getMessage());
        Thread.startVirtualThread(() -> {
            try {
                Thread.sleep(Duration.ofSeconds(1));
                consume();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (IOException | RuntimeException e) {
                receiver.failed(Failures.of("consuming queue '" + channel.name() + "'", link.url(), e));
            }
        });
    }

    @Override
    public void connected(Link newLink) throws IOException {
        if (!closing) {
            // Like a first start: what is not there any more is declared again.
            transport.declareQueues(channel);
            consume();
        }
    }

    @Override
    public void broken() {
        inflow.forget();
    }

    // ── What comes ───────────────────────────────────────────────────────────────────────────────────────────────────

    /** On the thread that reads from the connection: what waits or writes, and all that comes behind that, has another. */
    private void arrived(Tag tag, boolean redelivered, AMQP.BasicProperties properties, byte[] body) {
        try {
            Wire wire = Wire.read(channel.name(), () -> channel.name() + "/" + tag.number, properties, body);
            Fetched fetched = new Fetched(tag, wire, 1 + wire.attempts() + returns(properties, redelivered));
            int most = channel.retry().maxAttempts();
            boolean waits = wire.notBefore() > 0 || wire.attempts() > 0 || most > 1 && fetched.attempt > most;
            if (!waits && behind.get() == 0) {
                inflow.arrived(fetched);
                return;
            }
            afterwards(() -> arrived(fetched, properties, body));
        } catch (RuntimeException e) {
            notTaken(e);
        }
    }

    /** Does it on another thread, behind all that was put off before. */
    private void afterwards(Runnable work) {
        later.add(work);
        if (behind.getAndIncrement() == 0) {
            Thread.startVirtualThread(this::catchUp);
        }
    }

    private void catchUp() {
        do {
            later.remove().run();
        } while (behind.decrementAndGet() > 0);
    }

    private void arrived(Fetched fetched, AMQP.BasicProperties properties, byte[] body) {
        Tag tag = fetched.tag;
        Wire wire = fetched.wire;
        try {
            long now = System.currentTimeMillis();
            if (wire.notBefore() > 0 && withheld(tag, wire, properties, body)) {
                return;
            }
            if (wire.notBefore() > now) {
                settleAfter(tag, transport.delays().send(channel.name(), properties, body, wire.notBefore() - now));
                return;
            }
            if ((wire.notBefore() > 0 || wire.attempts() > 0) && wire.expires(channel.ttl()) <= now) {
                expired(tag, wire, fetched.attempt);
                return;
            }
            inflow.arrived(fetched);
        } catch (IOException | RuntimeException e) {
            notTaken(e);
        }
    }

    /** It stays unacknowledged, and comes again when the consumer has ended. */
    private void notTaken(Exception cause) {
        LOG.log(Level.WARNING, "a message of queue " + channel.name() + " could not be taken", cause);
    }

    private record Fetched(Tag tag, Wire wire, int attempt) implements Inflow.Arrival {
        @Override
        public byte @Nullable [] key() {
            return wire.message().key();
        }

        @Override
        public Message<byte[], byte[]> message() {
            return wire.message();
        }

        @Override
        public Delivery.Origin origin() {
            return Delivery.Origin.QUEUE;
        }

        @Override
        public Object handle() {
            return this;
        }
    }

    /** True if the message is not to be delivered now: it was cancelled, or it waits until that can be told. */
    private boolean withheld(Tag tag, Wire wire, AMQP.BasicProperties properties, byte[] body) throws IOException {
        try {
            if (transport.cancelled(
                    channel.name(), String.valueOf(wire.message().id()))) {
                acknowledge(tag);
                return true;
            }
            return false;
        } catch (MessagingException e) {
            LOG.log(
                    Level.WARNING,
                    "a message of queue {0} waits: whether it is cancelled can''t be told: {1}",
                    channel.name(),
                    e.getMessage());
            settleAfter(tag, transport.delays().send(channel.name(), properties, body, UNTOLD_MILLIS));
            return true;
        }
    }

    /** How often it went back without having been published anew; classic queues tell only whether. */
    private static int returns(AMQP.BasicProperties properties, boolean redelivered) {
        Map<String, Object> headers = properties.getHeaders();
        if (headers != null && headers.get("x-delivery-count") instanceof Number count) {
            return count.intValue();
        }
        return redelivered ? 1 : 0;
    }

    private void expired(Tag tag, Wire wire, int attempt) throws IOException {
        String dead = channel.deadLetter();
        if (dead == null) {
            acknowledge(tag);
            return;
        }
        DeadLetter letter = new DeadLetter(
                channel.name(),
                null,
                DeadLetter.Cause.EXPIRED,
                "its time to live ran out",
                attempt - 1,
                Instant.ofEpochMilli(System.currentTimeMillis()));
        settleAfter(tag, transport.sendLetter(dead, wire.message(), letter));
    }

    // ── What becomes of it ───────────────────────────────────────────────────────────────────────────────────────────

    private static void acknowledge(Tag tag) throws IOException {
        tag.on.acknowledge(tag.number);
    }

    private static Fetched fetched(Held held) {
        return (Fetched) held.handle();
    }

    @Override
    public CompletableFuture<Void> acknowledge(Held held) {
        try {
            acknowledge(fetched(held).tag);
            return Waiting.done();
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(lost(held, e));
        }
    }

    @Override
    public CompletableFuture<Void> acknowledge(List<Held> held) {
        long[] numbers = new long[held.size()];
        try {
            int count = 0;
            Acks on = null;
            for (Held each : held) {
                Tag tag = fetched(each).tag;
                if (on != null && tag.on != on) {
                    on.acknowledge(sorted(numbers, count));
                    count = 0;
                }
                on = tag.on;
                numbers[count++] = tag.number;
            }
            if (on != null) {
                on.acknowledge(sorted(numbers, count));
            }
            return Waiting.done();
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(lost(held.getLast(), e));
        }
    }

    private static long[] sorted(long[] numbers, int count) {
        long[] sorted = Arrays.copyOf(numbers, count);
        Arrays.sort(sorted);
        return sorted;
    }

    private static MessagingException lost(Held held, Exception cause) {
        return new MessagingException(
                Reason.LEASE_LOST,
                "message " + held.message().id() + " of channel '" + held.channel()
                        + "' is no longer this consumer's: the connection broke, and the message went back",
                cause);
    }

    /** Acknowledges once the other is confirmed; gives back if it is not. */
    private CompletableFuture<Void> settleAfter(Tag tag, CompletableFuture<Void> published) {
        return published.handleAsync(
                (confirmed, failure) -> {
                    try {
                        if (failure == null) {
                            acknowledge(tag);
                        } else {
                            tag.on.giveBack(tag.number);
                        }
                    } catch (IOException | RuntimeException e) {
                        throw new MessagingException(
                                Reason.LEASE_LOST,
                                "a message of channel '" + channel.name()
                                        + "' could not be settled: the connection broke, and it went back",
                                e);
                    }
                    if (failure != null) {
                        Throwable cause = failure.getCause() == null ? failure : failure.getCause();
                        throw Failures.of("settling a message of channel '" + channel.name() + "'", link.url(), cause);
                    }
                    return confirmed;
                },
                Thread::startVirtualThread);
    }

    @Override
    public CompletableFuture<Void> retry(Held held, Duration delay) {
        return settleAfter(fetched(held).tag, publishAnew(held, held.attempt(), delay));
    }

    @Override
    public CompletableFuture<Void> giveBack(Held held) {
        return giveBack(held, held.attempt() - 1);
    }

    private CompletableFuture<Void> publishAnew(Held held, int attempts, Duration delay) {
        try {
            Wire wire = fetched(held).wire;
            long wait = delay.toMillis() + (delay.toNanos() % 1_000_000 == 0 ? 0 : 1);
            return transport.publish(
                    channel,
                    wire.withAttempts(attempts).withNotBefore(wait == 0 ? 0 : System.currentTimeMillis() + wait));
        } catch (MessagingException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public CompletableFuture<Void> bury(Held held, DeadLetter letter) {
        Tag tag = fetched(held).tag;
        String dead = channel.deadLetter();
        if (dead == null) {
            return acknowledge(held);
        }
        Message<byte[], byte[]> message = held.message();
        try {
            return settleAfter(tag, transport.sendLetter(dead, message, letter));
        } catch (MessagingException e) {
            return settleAfter(tag, CompletableFuture.failedFuture(e));
        }
    }

    // ── Closing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void pause() {
        serial.lock();
        try {
            paused = true;
            cancel();
        } finally {
            serial.unlock();
        }
    }

    @Override
    public void resume() {
        serial.lock();
        try {
            paused = false;
            com.rabbitmq.client.Channel on = current;
            if (!closing && !consuming && on != null && on.isOpen()) {
                consume(on);
            }
        } catch (IOException | RuntimeException e) {
            receiver.failed(Failures.of("consuming queue '" + channel.name() + "'", link.url(), e));
        } finally {
            serial.unlock();
        }
    }

    @Override
    public void stop() {
        closing = true;
        link.remove(this);
        serial.lock();
        try {
            cancel();
        } finally {
            serial.unlock();
        }
    }

    /** Returns when all that came was handed over. */
    private void cancel() {
        com.rabbitmq.client.Channel on = current;
        if (!consuming || on == null || !on.isOpen()) {
            return;
        }
        consuming = false;
        try {
            on.basicCancel(consumerTag);
            if (!cancelled.await(CANCEL_SECONDS, TimeUnit.SECONDS)) {
                LOG.log(Level.WARNING, "the consumer of queue {0} was cancelled without an answer", channel.name());
            }
            CountDownLatch caughtUp = new CountDownLatch(1);
            afterwards(caughtUp::countDown);
            if (!caughtUp.await(CANCEL_SECONDS, TimeUnit.SECONDS)) {
                LOG.log(
                        Level.WARNING,
                        "what came last to the consumer of queue {0} goes back with its channel",
                        channel.name());
            }
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.DEBUG, "cancelling a consumer failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close(List<Held> handedOut, List<Held> fetched) {
        com.rabbitmq.client.Channel on = current;
        if (!channel.orderedByKey() && on != null && on.isOpen()) {
            giveBack(handedOut, fetched);
        }
        Link.release(on);
    }

    /** Given back by the broker all would count as delivered, or none. */
    private void giveBack(List<Held> handedOut, List<Held> fetched) {
        List<CompletableFuture<Void>> given = new ArrayList<>();
        handedOut.forEach(held -> given.add(giveBack(held, held.attempt())));
        fetched.forEach(held -> given.add(giveBack(held, held.attempt() - 1)));
        try {
            CompletableFuture.allOf(given.toArray(CompletableFuture[]::new))
                    .exceptionally(failure -> null)
                    .get(GIVE_BACK_SECONDS, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            LOG.log(Level.WARNING, "what the consumer of queue {0} held goes back with its channel", channel.name());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private CompletableFuture<Void> giveBack(Held held, int attempts) {
        return settleAfter(fetched(held).tag, publishAnew(held, attempts, Duration.ZERO));
    }
}
