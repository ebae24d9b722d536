package dev.postroad.transports.amqp;

import dev.postroad.api.Administration;
import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import dev.postroad.api.RetryPolicy;
import dev.postroad.api.Transaction;
import dev.postroad.api.Transport;
import dev.postroad.transports.emulation.Catalog;
import dev.postroad.transports.emulation.Consumable;
import dev.postroad.transports.emulation.DedupStore;
import dev.postroad.transports.emulation.Log;
import dev.postroad.transports.emulation.Schedules;
import dev.postroad.transports.emulation.SharedReceiver;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The contract on a broker that speaks AMQP 0-9-1. */
final class AmqpTransport implements Transport {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.amqp");
    private static final long DRAIN_MILLIS = 30_000;
    private static final long SWEEP_SECONDS = 5;
    private static final Map<String, Object> POSITION_BOUNDS =
            Map.of("x-max-length-bytes", 4_000_000, "x-stream-max-segment-size-bytes", 1_000_000);

    private final Link link;
    private final Publisher publisher;
    private final Delays delays;
    private final Catalog catalog;
    private final ScheduledThreadPoolExecutor timer;
    private final Set<SharedReceiver> receivers = ConcurrentHashMap.newKeySet();
    private final AtomicInteger turn = new AtomicInteger();
    private volatile @Nullable DedupStore ids;
    private volatile @Nullable Schedules schedules;
    private volatile @Nullable Groups groups;
    private volatile boolean closed;

    AmqpTransport(AmqpUrl url) {
        this.link = new Link(url);
        this.publisher = new Publisher(link);
        this.delays = new Delays(link, publisher);
        this.timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("postroad-amqp-timer").factory());
        timer.setRemoveOnCancelPolicy(true);
        boolean opened = false;
        try {
            this.catalog = new Catalog((name, reader) -> new QuorumTable(link, name, reader));
            opened = true;
        } finally {
            if (!opened) {
                timer.shutdownNow();
                link.close();
            }
        }
        timer.scheduleWithFixedDelay(publisher::sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
    }

    private Log.Opener opener(Map<String, Object> bounds) {
        return (name, reader) -> new StreamLog(link, publisher, name, bounds, reader);
    }

    /** The positions of a group; only the last entry matters. */
    Log openPositions(String channel, String group, Consumer<byte[]> reader) {
        return new StreamLog(link, publisher, Groups.positions(channel, group), POSITION_BOUNDS, reader);
    }

    synchronized Groups groups() {
        Groups present = groups;
        if (present == null) {
            present = new Groups(opener(Map.of()));
            groups = present;
        }
        return present;
    }

    Link link() {
        return link;
    }

    Delays delays() {
        return delays;
    }

    Catalog catalog() {
        return catalog;
    }

    Publisher publisher() {
        return publisher;
    }

    @Override
    public String url() {
        return link.url().shown();
    }

    @Override
    public Map<Need, Capability> capabilities() {
        return Capabilities.all();
    }

    private void requireOpen() {
        if (closed) {
            throw new MessagingException(Reason.CLOSED, "the connection to " + url() + " is closed");
        }
    }

    // ── Channels ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void declare(Channel channel) {
        requireOpen();
        catalog.requireSame(channel);
        String dead = channel.deadLetter();
        if (dead != null && catalog.find(dead).isEmpty()) {
            declare(Channel.command(dead).withDeadLetter(null).withRetry(RetryPolicy.DEFAULT));
        }
        declareQueues(channel);
        catalog.enter(channel);
    }

    void declareQueues(Channel channel) {
        link.with("declaring channel '" + channel.name() + "'", on -> {
            Topology.declare(on, channel, link.url().queueType());
            return channel;
        });
    }

    @Override
    public Optional<Channel> find(String channel) {
        requireOpen();
        return catalog.find(channel);
    }

    // ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public CompletableFuture<Receipt> send(String name, Message<byte[], byte[]> message) {
        requireOpen();
        try {
            Channel channel = catalog.get(name, url());
            String id = requireSendable(channel, message);
            Duration window = channel.dedupWindow();
            return window == null
                    ? sendAlways(channel, id, message)
                    : ids().once(name, id, window, () -> sendAlways(channel, id, message));
        } catch (MessagingException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static String requireSendable(Channel channel, Message<byte[], byte[]> message) {
        String id = message.id();
        if (id == null) {
            throw new MessagingException(Reason.INVALID, "a message for channel '" + channel.name() + "' has no id");
        }
        byte[] value = message.value();
        if (value != null && value.length > channel.maxMessageBytes()) {
            throw new MessagingException(
                    Reason.TOO_LARGE,
                    "message " + id + " has a value of " + value.length + " bytes; channel '" + channel.name()
                            + "' takes " + channel.maxMessageBytes() + " at most (maxMessageBytes)");
        }
        return id;
    }

    private CompletableFuture<Receipt> sendAlways(Channel channel, String id, Message<byte[], byte[]> message) {
        long now = System.currentTimeMillis();
        Wire wire = Wire.of(message, channel.ttl(), now);
        if (channel.kind().isStream()) {
            if (wire.notBefore() > now) {
                throw new MessagingException(
                        Reason.IMPOSSIBLE_NEED,
                        "message " + id + " has a time of delivery; channel '" + channel.name()
                                + "' is a stream, and streams are read in order (deliverAt)");
            }
            int partition = partition(channel, message.key());
            return publisher.publish(
                    "",
                    Topology.queue(channel, partition),
                    wire.properties(channel.name(), null, true),
                    wire.body(),
                    new Receipt(id, channel.name(), partition, -1, false));
        }
        if (wire.notBefore() > now) {
            return schedules()
                    .schedule(channel.name(), id, wire.notBefore())
                    .thenComposeAsync(noted -> publish(channel, wire), Thread::startVirtualThread)
                    .thenApply(confirmed -> new Receipt(id, channel.name(), -1, -1, false));
        }
        return publishNow(channel, wire, now, new Receipt(id, channel.name(), -1, -1, false));
    }

    private int partition(Channel channel, byte @Nullable [] key) {
        int hash = key == null ? turn.getAndIncrement() : java.util.Arrays.hashCode(key);
        return Math.floorMod(hash, channel.partitions());
    }

    /** Publishes to a queue, or to where it waits for its time. */
    CompletableFuture<Void> publish(Channel channel, Wire wire) {
        long now = System.currentTimeMillis();
        if (wire.notBefore() > now) {
            return delays.send(
                    channel.name(),
                    wire.properties(
                            channel.name(), null, channel.durability() != dev.postroad.api.Durability.TRANSIENT),
                    wire.body(),
                    wire.notBefore() - now);
        }
        return publishNow(channel, wire, now, Publisher.CONFIRMED);
    }

    private <T> CompletableFuture<T> publishNow(Channel channel, Wire wire, long now, T outcome) {
        boolean persistent = channel.durability() != dev.postroad.api.Durability.TRANSIENT;
        long expires = wire.expires(channel.ttl());
        Duration ttl = expires == Long.MAX_VALUE ? null : Duration.ofMillis(Math.max(1, expires - now));
        return publisher.publish(
                "", channel.name(), wire.properties(channel.name(), ttl, persistent), wire.body(), outcome);
    }

    /** A dead letter of a stream goes to its end: all groups see it again. */
    CompletableFuture<Void> republish(Channel stream, Message<byte[], byte[]> message) {
        return sendAlways(stream, String.valueOf(message.id()), message).thenAccept(receipt -> {});
    }

    CompletableFuture<Void> sendLetter(String dead, Message<byte[], byte[]> message, DeadLetter letter) {
        Message<byte[], byte[]> buried = message.withHeaders(letter.addedTo(message.headers()))
                .withProperties(message.properties().withTtl(null).withDeliverAt(null));
        Channel to = catalog.get(dead, url());
        return publish(to, Wire.of(buried, to.ttl(), System.currentTimeMillis()));
    }

    @Override
    public CompletableFuture<List<Receipt>> sendBatch(String name, List<Message<byte[], byte[]>> messages) {
        requireOpen();
        if (messages.isEmpty()) {
            return CompletableFuture.completedFuture(List.of());
        }
        try {
            Channel channel = catalog.get(name, url());
            messages.forEach(message -> requireSendable(channel, message));
        } catch (MessagingException e) {
            return CompletableFuture.failedFuture(e);
        }
        List<CompletableFuture<Receipt>> sent = new ArrayList<>(messages.size());
        for (Message<byte[], byte[]> message : messages) {
            sent.add(send(name, message));
        }
        return CompletableFuture.allOf(sent.toArray(CompletableFuture[]::new)).handle((all, failure) -> {
            if (failure != null) {
                throw Failures.of(
                        "sending a batch of " + sent.size() + " messages to channel '" + name
                                + "', of which others may be stored,",
                        link.url(),
                        failure.getCause() == null ? failure : failure.getCause());
            }
            return sent.stream().map(CompletableFuture::join).toList();
        });
    }

    // ── What is remembered, opened when it is first needed ───────────────────────────────────────────────────────────

    private synchronized DedupStore ids() {
        DedupStore present = ids;
        if (present == null) {
            present = new DedupStore(opener(Map.of("x-max-age", (DedupStore.LONGEST_WINDOW.toDays() + 1) + "D")));
            ids = present;
        }
        return present;
    }

    synchronized Schedules schedules() {
        Schedules present = schedules;
        if (present == null) {
            present = new Schedules(opener(Map.of("x-max-age", (Delays.LONGEST.toDays() + 1) + "D")));
            schedules = present;
        }
        return present;
    }

    /** Before the first message comes that was cancelled. Where the log is not back after a crash, all others come meanwhile. */
    private void openSchedules() {
        try {
            schedules();
        } catch (MessagingException e) {
            if (e.reason() != Reason.NOT_FOUND && !e.reason().repeatable()) {
                throw e;
            }
            LOG.log(
                    Level.WARNING,
                    "messages with a time of delivery wait until it can be told which are cancelled: {0}",
                    e.getMessage());
        }
    }

    /** @throws MessagingException while that can't be told */
    boolean cancelled(String channel, String id) {
        return schedules().cancelled(channel, id);
    }

    // ── Receiving ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public Receiver receive(List<String> channels, ConsumerOptions options) {
        requireOpen();
        if (channels.isEmpty()) {
            throw new MessagingException(Reason.INVALID, "there must be at least one channel to receive from");
        }
        List<Channel> found = new ArrayList<>();
        for (String name : channels) {
            Channel channel = catalog.get(name, url());
            Consumable.require(channel, options);
            found.add(channel);
        }
        openSchedules();
        SharedReceiver receiver = new SharedReceiver(timer, receivers::remove);
        receivers.add(receiver);
        boolean opened = false;
        try {
            for (Channel channel : found) {
                String group = options.group();
                if (channel.kind().isStream() && group != null) {
                    new StreamGroup(this, channel, options, group, receiver).open();
                } else if (channel.kind().isStream()) {
                    new StreamAlone(this, channel, options, receiver).open();
                } else {
                    new QueueConsumer(this, channel, options, receiver).open();
                }
            }
            opened = true;
            return SteadyReceiver.of(receiver, found, options);
        } finally {
            if (!opened) {
                receiver.close();
            }
        }
    }

    @Override
    public Transaction<byte[], byte[]> begin() {
        requireOpen();
        throw new MessagingException(
                Reason.IMPOSSIBLE_NEED, url() + " has no transactions: " + Capabilities.NO_TRANSACTIONS);
    }

    @Override
    public Administration administration() {
        requireOpen();
        return new AmqpAdministration(this);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        receivers.forEach(SharedReceiver::close);
        publisher.drain(DRAIN_MILLIS);
        DedupStore openIds = ids;
        if (openIds != null) {
            openIds.close();
        }
        Schedules openSchedules = schedules;
        if (openSchedules != null) {
            openSchedules.close();
        }
        Groups openGroups = groups;
        if (openGroups != null) {
            openGroups.close();
        }
        catalog.close();
        publisher.close();
        timer.shutdownNow();
        link.close();
    }
}
