package dev.postroad.transports.amqp;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.amqp.StreamReader.From;
import dev.postroad.transports.emulation.Held;
import dev.postroad.transports.emulation.Inflow;
import dev.postroad.transports.emulation.Log;
import dev.postroad.transports.emulation.PartitionTracker;
import dev.postroad.transports.emulation.Settler;
import dev.postroad.transports.emulation.SharedReceiver;
import dev.postroad.transports.emulation.Waiting;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One member of a group of a stream. Of all members one is at work: the active consumer of a queue with a token, which goes to the
 * next when its connection ends. It reads the partitions from the group's positions, which lie in a log, and appends new ones as it
 * settles: one entry for all that was settled while the last one was being confirmed.
 */
final class StreamGroup implements Settler, Link.User {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.amqp");
    private static final int WINDOW = 1_000;
    private static final int LARGEST_PREFETCH = 65_535;
    private static final long CLOSE_SECONDS = 10;

    /** What a message is known by. */
    private record Place(com.rabbitmq.client.Channel on, long tag, int partition, long offset) {}

    private final AmqpTransport transport;
    private final Channel stream;
    private final ConsumerOptions options;
    private final String group;
    private final SharedReceiver receiver;
    private final int prefetch;
    private final Inflow inflow;
    private final Log log;
    private final ReentrantLock lock = new ReentrantLock();

    /** The last entry of the log. */
    private volatile byte[] entry = new byte[0];

    /** Of the partitions, while this member is at work. Guarded by the lock. */
    private final Map<Integer, PartitionTracker> positions = new TreeMap<>();

    private com.rabbitmq.client.@Nullable Channel token;
    private com.rabbitmq.client.@Nullable Channel reading;
    private boolean atWork;

    /** Settlements that no entry holds yet; null where there are none. */
    private @Nullable CompletableFuture<Void> waiting;

    private boolean appending;
    private volatile boolean closing;

    StreamGroup(
            AmqpTransport transport, Channel stream, ConsumerOptions options, String group, SharedReceiver receiver) {
        this.transport = transport;
        this.stream = stream;
        this.options = options;
        this.group = group;
        this.receiver = receiver;
        this.prefetch = options.prefetch() == null ? stream.prefetch() : options.prefetch();
        this.log = transport.openPositions(stream.name(), group, read -> entry = read);
        Duration lease = options.lease() == null ? stream.lease() : options.lease();
        this.inflow = receiver.add(stream, prefetch, lease, true, this);
    }

    void open() {
        if (options.exclusive() || options.priority() != 0) {
            throw new MessagingException(
                    Reason.IMPOSSIBLE_NEED,
                    "a member of group '" + group + "' of stream '" + stream.name()
                            + "' asks to be exclusive or for a priority: one member is at work and the others stand by");
        }
        transport.groups().enter(stream.name(), group);
        try {
            join();
        } catch (IOException | RuntimeException e) {
            throw Failures.of(
                    "joining group '" + group + "' of stream '" + stream.name() + "'",
                    transport.link().url(),
                    e);
        }
        transport.link().add(this);
    }

    private void join() throws IOException {
        String queue = Groups.lock(stream.name(), group);
        com.rabbitmq.client.Channel on = transport.link().channel();
        on.queueDeclare(queue, true, false, false, Map.of("x-single-active-consumer", true));
        lock.lock();
        try {
            token = on;
        } finally {
            lock.unlock();
        }
        on.basicConsume(queue, false, new DefaultConsumer(on) {
            private boolean holds;

            @Override
            public void handleDelivery(
                    String consumerTag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
                    throws IOException {
                if (holds) {
                    // Each member brought one, lest there be none.
                    on.basicAck(envelope.getDeliveryTag(), false);
                } else {
                    holds = true;
                    Thread.startVirtualThread(() -> begin(on));
                }
            }
        });
        transport
                .publisher()
                .publish(
                        "",
                        queue,
                        new AMQP.BasicProperties.Builder()
                                .deliveryMode(2)
                                .messageId(java.util.UUID.randomUUID().toString())
                                .build(),
                        new byte[0])
                .exceptionally(failure -> {
                    LOG.log(Level.WARNING, "a token of group {0} could not be sent: {1}", group, failure.getMessage());
                    return null;
                });
    }

    private void begin(com.rabbitmq.client.Channel by) {
        try {
            log.catchUp();
            lock.lock();
            try {
                if (closing || token != by || !by.isOpen()) {
                    return;
                }
                com.rabbitmq.client.Channel on = transport.link().channel();
                on.basicQos(Math.min(LARGEST_PREFETCH, prefetch + WINDOW));
                reading = on;
                atWork = true;
                positions.clear();
                positions.putAll(Groups.positions(entry));
                for (int partition = 0; partition < stream.partitions(); partition++) {
                    PartitionTracker known = positions.get(partition);
                    StreamReader.consume(
                            on,
                            stream.name(),
                            Topology.queue(stream, partition),
                            partition,
                            known == null ? From.start(options.start()) : From.offset(known.next()),
                            this::arrived);
                }
            } finally {
                lock.unlock();
            }
        } catch (IOException | RuntimeException e) {
            if (!closing) {
                LOG.log(
                        Level.WARNING,
                        "group {0} of stream {1} could not begin: {2}",
                        group,
                        stream.name(),
                        e.toString());
                if (by.isOpen()) {
                    receiver.failed(Failures.of(
                            "reading stream '" + stream.name() + "' for group '" + group + "'",
                            transport.link().url(),
                            e));
                }
            }
        }
    }

    private void arrived(int partition, long offset, com.rabbitmq.client.Channel on, long tag, Wire wire) {
        try {
            int attempt;
            lock.lock();
            try {
                if (!atWork || reading != on) {
                    return;
                }
                long real = offset < 0 ? -1 - offset : offset;
                PartitionTracker tracker = positions.computeIfAbsent(partition, any -> new PartitionTracker(real));
                if (offset < 0) {
                    // Before the time where this group begins.
                    tracker.skipTo(real + 1);
                }
                if (offset < 0 || tracker.isDone(offset)) {
                    on.basicAck(tag, false);
                    return;
                }
                attempt = tracker.tries(offset) + 1;
            } finally {
                lock.unlock();
            }
            inflow.arrived(
                    wire.message(),
                    attempt,
                    new Delivery.Origin(partition, offset, group),
                    new Place(on, tag, partition, offset));
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.WARNING, "a message of stream " + stream.name() + " could not be taken", e);
        }
    }

    // ── What becomes of it ───────────────────────────────────────────────────────────────────────────────────────────

    private static Place place(Held held) {
        return (Place) held.handle();
    }

    @Override
    public CompletableFuture<Void> acknowledge(Held held) {
        Place place = place(held);
        CompletableFuture<Void> noted = change(place, tracker -> tracker.done(place.offset));
        try {
            place.on.basicAck(place.tag, false);
        } catch (IOException | RuntimeException e) {
            LOG.log(Level.DEBUG, "the broker could not be told to send more", e);
        }
        return noted;
    }

    @Override
    public CompletableFuture<Void> retry(Held held, Duration delay) {
        throw new IllegalStateException("what a group retries waits with its receiver");
    }

    @Override
    public void kept(Held held) {
        Place place = place(held);
        change(place, tracker -> tracker.tried(place.offset, held.attempt() - 1));
    }

    @Override
    public CompletableFuture<Void> bury(Held held, DeadLetter letter) {
        String dead = stream.deadLetter();
        if (dead == null) {
            return acknowledge(held);
        }
        try {
            return transport
                    .sendLetter(dead, held.message(), letter)
                    .thenComposeAsync(sent -> acknowledge(held), Thread::startVirtualThread);
        } catch (MessagingException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private interface Change {
        void apply(PartitionTracker tracker);
    }

    /** Changes a position; completes when the log has it. */
    private CompletableFuture<Void> change(Place place, Change change) {
        lock.lock();
        try {
            PartitionTracker tracker = positions.get(place.partition);
            if (!atWork || reading != place.on || tracker == null) {
                return CompletableFuture.failedFuture(new MessagingException(
                        Reason.LEASE_LOST,
                        "offset " + place.offset + " of stream '" + stream.name()
                                + "' is no longer this member's of group '" + group
                                + "': the connection broke, and another member goes on"));
            }
            change.apply(tracker);
            CompletableFuture<Void> noted = waiting;
            if (noted == null) {
                noted = new CompletableFuture<>();
                waiting = noted;
            }
            append();
            return noted;
        } finally {
            lock.unlock();
        }
    }

    /** Under the lock. */
    private void append() {
        CompletableFuture<Void> noted = waiting;
        if (appending || noted == null) {
            return;
        }
        appending = true;
        waiting = null;
        log.append(Groups.entry(positions))
                .whenCompleteAsync(
                        (done, failure) -> {
                            lock.lock();
                            try {
                                appending = false;
                                append();
                            } finally {
                                lock.unlock();
                            }
                            if (failure == null) {
                                Waiting.complete(noted);
                            } else {
                                noted.completeExceptionally(failure);
                            }
                        },
                        Thread::startVirtualThread);
    }

    // ── Beginning again, and closing ─────────────────────────────────────────────────────────────────────────────────

    @Override
    public void connected(Link link) throws IOException {
        if (!closing) {
            transport.declareQueues(stream);
            join();
        }
    }

    @Override
    public void broken() {
        inflow.forget();
        lock.lock();
        try {
            atWork = false;
            token = null;
            reading = null;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void stop() {
        closing = true;
        transport.link().remove(this);
    }

    @Override
    public void close(List<Held> handedOut, List<Held> fetched) {
        List<CompletableFuture<Void>> last = new ArrayList<>();
        for (Held held : handedOut) {
            Place place = place(held);
            last.add(change(place, tracker -> tracker.tried(place.offset, held.attempt())));
        }
        lock.lock();
        try {
            if (waiting != null) {
                last.add(waiting);
            }
        } finally {
            lock.unlock();
        }
        try {
            CompletableFuture.allOf(last.toArray(CompletableFuture[]::new))
                    .exceptionally(failure -> null)
                    .get(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
            LOG.log(
                    Level.WARNING,
                    "the last positions of group {0} of stream {1} were not confirmed",
                    group,
                    stream.name());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        com.rabbitmq.client.Channel tokens;
        com.rabbitmq.client.Channel on;
        lock.lock();
        try {
            tokens = token;
            on = reading;
            atWork = false;
            token = null;
            reading = null;
        } finally {
            lock.unlock();
        }
        log.close();
        Link.release(on);
        // Last: with this the next member begins.
        Link.release(tokens);
    }
}
