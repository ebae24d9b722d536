package dev.postroad.integrations.junit;

import dev.postroad.api.Administration;
import dev.postroad.api.Capability;
import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.Need;
import dev.postroad.api.Receipt;
import dev.postroad.api.Transaction;
import dev.postroad.api.Transport;
import dev.postroad.engine.runtime.Broker;
import dev.postroad.transports.embedded.EmbeddedTransport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The embedded transport with what can go wrong built in.
 *
 * <pre>
 *   program ──▶ TestTransport ──▶ EmbeddedTransport ──▶ Broker ──▶ journal in memory
 *                 faults, story      closed and opened again by a restart
 * </pre>
 *
 * Whatever reaches the broker does so with the read lock held; a restart takes the write lock, so that it falls between two
 * operations. Deliveries of the broker before are not its own any more, as those of a consumer that lost its connection.
 */
final class TestTransport implements Transport {
    private static final byte[] POISON = {(byte) 0xFF, (byte) 0xFE, 0, (byte) 0xC3, 0x28};
    /** Each costs an attempt of what is being delivered. */
    private static final int MOST_RESTARTS = 2;

    private static final long LONGEST_DELAY_MILLIS = 60_000;
    private static final long REORDERED_WITHIN_MILLIS = 1_000;

    private final Supplier<Broker> opener;
    private final TestClock clock;
    private final Story story;
    private final Thread tester;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final Set<TestReceiver> receivers = ConcurrentHashMap.newKeySet();
    private final Map<String, AtomicLong> sent = new ConcurrentHashMap<>();
    private final Map<String, Long> numbers = new ConcurrentHashMap<>();
    private final Ledger ledger = new Ledger();
    private final AtomicLong activity = new AtomicLong();
    private final AtomicLong restarts = new AtomicLong();
    private final ThreadLocal<Boolean> inProgram = ThreadLocal.withInitial(() -> false);

    private volatile Faults faults;
    private Broker broker;
    private EmbeddedTransport inner;
    private volatile int generation;
    private volatile boolean closed;

    TestTransport(Supplier<Broker> opener, TestClock clock, Story story, Faults faults) {
        this.opener = opener;
        this.clock = clock;
        this.story = story;
        this.faults = faults;
        this.tester = Thread.currentThread();
        this.broker = opener.get();
        this.inner = EmbeddedTransport.on(broker, "embedded:test");
    }

    Story story() {
        return story;
    }

    Ledger ledger() {
        return ledger;
    }

    Faults faults() {
        return faults;
    }

    void faults(Faults newFaults) {
        faults = newFaults;
    }

    /** Counts up whenever something happens between the program and the broker. */
    long activity() {
        return activity.get();
    }

    void happened() {
        activity.incrementAndGet();
    }

    int generation() {
        return generation;
    }

    // ── The broker behind it ─────────────────────────────────────────────────────────────────────────────────────────

    <R> R withBroker(java.util.function.Function<Broker, R> work) {
        lock.readLock().lock();
        try {
            return work.apply(broker);
        } finally {
            lock.readLock().unlock();
        }
    }

    <R> R locked(Supplier<R> work) {
        lock.readLock().lock();
        try {
            return work.get();
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Closes the broker and opens it again on the same journal; consumers go on where they were. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // with the write lock
    void restart() {
        lock.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            inner.close();
            broker.close();
            broker = opener.get();
            inner = EmbeddedTransport.on(broker, "embedded:test");
            generation++;
            receivers.forEach(TestReceiver::reopen);
            story.fault("(broker)", null, "closed and opened again");
            happened();
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** By who holds the lock. */
    Receiver openInner(List<String> channels, ConsumerOptions options) {
        return inner.receive(channels, options);
    }

    void ended(TestReceiver receiver) {
        receivers.remove(receiver);
    }

    // ── Faults ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Runs a part of the program on the tester's own thread, where crashes strike too. */
    void inProgram(Runnable work) {
        boolean before = inProgram.get();
        inProgram.set(true);
        try {
            work.run();
        } finally {
            inProgram.set(before);
        }
    }

    private boolean crashable() {
        return Thread.currentThread() != tester || inProgram.get();
    }

    /** The how-manieth message of its channel this is; a message keeps its number when it is sent again. */
    private long number(String channel, Message<byte[], byte[]> message) {
        return numbers.computeIfAbsent(
                channel + '\n' + message.id(),
                id -> sent.computeIfAbsent(channel, name -> new AtomicLong()).getAndIncrement());
    }

    boolean strikes(Fault fault, String channel, @Nullable String id) {
        if (!faults.rates().containsKey(fault)) {
            return false;
        }
        Long number = numbers.get(channel + '\n' + id);
        return faults.strikes(
                fault, channel, number == null ? String.valueOf(id).hashCode() : number);
    }

    /**
     * Whether faults may make a first attempt fail: the program's own failures must have attempts left. To be asked when a fault
     * strikes and not before, since it asks the broker.
     */
    boolean forgiving(Delivery<byte[], byte[]> delivery) {
        return delivery.attempt() == 1
                && find(delivery.channel())
                        .map(channel -> channel.retry().maxAttempts() >= 3)
                        .orElse(false);
    }

    SimulatedCrash crash(String channel, @Nullable String id, String where) {
        story.fault(channel, id, "the program dies " + where);
        happened();
        return new SimulatedCrash(where + ", message " + id + " of channel " + channel);
    }

    // ── Sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** What is sent in place of one message: perhaps later, perhaps with poison before it. The last one is the message. */
    private List<Message<byte[], byte[]>> prepared(String channel, Message<byte[], byte[]> message) {
        long number = number(channel, message);
        if (faults.strikes(Fault.RESTART, channel, number) && restarts.incrementAndGet() <= MOST_RESTARTS) {
            restart();
        }
        List<Message<byte[], byte[]>> out = new ArrayList<>(2);
        if (faults.strikes(Fault.POISON, channel, number)) {
            out.add(Message.<byte[], byte[]>of(null, POISON)
                    .withId("poison-" + channel + "-" + number)
                    .withTimestamp(clock.instant()));
            story.fault(channel, "poison-" + channel + "-" + number, "sent, and nobody can read it");
        }
        out.add(late(channel, number, message));
        return out;
    }

    private Message<byte[], byte[]> late(String channel, long number, Message<byte[], byte[]> message) {
        long millis = 0;
        if (faults.strikes(Fault.DELAY, channel, number)) {
            millis = 1 + (long) (faults.draw("delay", channel, number) * LONGEST_DELAY_MILLIS);
        } else if (faults.strikes(Fault.REORDER, channel, number)) {
            millis = 1 + (long) (faults.draw("reorder", channel, number) * REORDERED_WITHIN_MILLIS);
        }
        if (millis == 0 || message.properties().deliverAt() != null || !unordered(channel)) {
            return message;
        }
        story.fault(channel, message.id(), "held back for " + Duration.ofMillis(millis));
        return message.withDeliverAt(clock.instant().plusMillis(millis));
    }

    private boolean unordered(String channel) {
        return find(channel)
                .map(found -> !found.orderedByKey()
                        && found.kind() != dev.postroad.api.ChannelKind.EVENT
                        && found.kind() != dev.postroad.api.ChannelKind.DOCUMENT)
                .orElse(false);
    }

    private void accepted(String channel, Message<byte[], byte[]> message) {
        ledger.published(channel, message);
        story.tell(channel, message.id(), "confirmed");
        happened();
    }

    private void repeat(String channel, Message<byte[], byte[]> message) {
        if (strikes(Fault.DUPLICATE, channel, message.id())) {
            story.fault(channel, message.id(), "sent a second time by its producer");
            Message<byte[], byte[]> copy = message;
            if (unordered(channel) && message.properties().deliverAt() == null) {
                long millis = (long) (faults.draw(
                                "second", channel, String.valueOf(message.id()).hashCode())
                        * 10_000);
                copy = message.withDeliverAt(clock.instant().plusMillis(millis));
            }
            Message<byte[], byte[]> again = copy;
            locked(() -> inner.send(channel, again));
        }
    }

    @Override
    public Receipt sendAndWait(String channel, Message<byte[], byte[]> message) {
        return sendBatchAndWait(channel, List.of(message)).getLast();
    }

    @Override
    public List<Receipt> sendBatchAndWait(String channel, List<Message<byte[], byte[]>> messages) {
        Message<byte[], byte[]> first = messages.getFirst();
        List<Message<byte[], byte[]>> out = new ArrayList<>();
        for (Message<byte[], byte[]> message : messages) {
            out.addAll(prepared(channel, message));
        }
        if (crashable() && strikes(Fault.CRASH_BEFORE_SEND, channel, first.id()) && ledger.crashOnce(channel, first)) {
            throw crash(channel, first.id(), "before it sends");
        }
        messages.forEach(message -> story.tell(channel, message.id(), "sent"));
        List<Receipt> receipts = locked(() -> inner.sendBatchAndWait(channel, out));
        sent(channel, messages);
        if (crashable() && strikes(Fault.CRASH_AFTER_SEND, channel, first.id()) && ledger.crashOnce(channel, first)) {
            throw crash(channel, first.id(), "when it has sent");
        }
        return ofThese(receipts, messages);
    }

    private void sent(String channel, List<Message<byte[], byte[]>> messages) {
        for (Message<byte[], byte[]> message : messages) {
            accepted(channel, message);
            repeat(channel, message);
        }
    }

    private static List<Receipt> ofThese(List<Receipt> receipts, List<Message<byte[], byte[]>> messages) {
        Map<String, Receipt> byId = new HashMap<>();
        receipts.forEach(receipt -> byId.put(receipt.messageId(), receipt));
        List<Receipt> own = new ArrayList<>(messages.size());
        for (Message<byte[], byte[]> message : messages) {
            Receipt receipt = byId.get(String.valueOf(message.id()));
            own.add(receipt == null ? receipts.getLast() : receipt);
        }
        return own;
    }

    @Override
    public CompletableFuture<Receipt> send(String channel, Message<byte[], byte[]> message) {
        return sendBatch(channel, List.of(message)).thenApply(List::getLast);
    }

    /** Nobody waits here, so that there is nobody to die: a crash is a future without an answer. */
    @Override
    public CompletableFuture<List<Receipt>> sendBatch(String channel, List<Message<byte[], byte[]>> messages) {
        if (messages.isEmpty()) {
            return CompletableFuture.completedFuture(List.of());
        }
        Message<byte[], byte[]> first = messages.getFirst();
        List<Message<byte[], byte[]>> out = new ArrayList<>();
        for (Message<byte[], byte[]> message : messages) {
            out.addAll(prepared(channel, message));
        }
        if (crashable() && strikes(Fault.CRASH_BEFORE_SEND, channel, first.id()) && ledger.crashOnce(channel, first)) {
            story.fault(channel, first.id(), "not sent, and the producer is not told");
            return noAnswer(channel, first);
        }
        messages.forEach(message -> story.tell(channel, message.id(), "sent"));
        CompletableFuture<List<Receipt>> answer = locked(() -> inner.sendBatch(channel, out));
        boolean unanswered =
                crashable() && strikes(Fault.CRASH_AFTER_SEND, channel, first.id()) && ledger.crashOnce(channel, first);
        return answer.thenCompose(receipts -> {
            messages.forEach(message -> accepted(channel, message));
            if (unanswered) {
                story.fault(channel, first.id(), "stored, and the producer is not told");
                return noAnswer(channel, first);
            }
            return CompletableFuture.completedFuture(ofThese(receipts, messages));
        });
    }

    private static CompletableFuture<List<Receipt>> noAnswer(String channel, Message<byte[], byte[]> message) {
        return CompletableFuture.failedFuture(new MessagingException(
                MessagingException.Reason.TIMEOUT,
                "no answer for message " + message.id() + " on channel '" + channel + "' (a simulated fault)"));
    }

    @Override
    public Transaction<byte[], byte[]> begin() {
        return locked(() -> new TestTransaction(this, inner.begin()));
    }

    /** By a transaction that is committed. */
    void sentInTransaction(String channel, Message<byte[], byte[]> message) {
        number(channel, message);
        accepted(channel, message);
    }

    // ── The rest ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public Receiver receive(List<String> channels, ConsumerOptions options) {
        return locked(() -> {
            TestReceiver receiver = new TestReceiver(this, channels, options, inner.receive(channels, options));
            receivers.add(receiver);
            return receiver;
        });
    }

    @Override
    public String url() {
        return "embedded:test";
    }

    @Override
    public Map<Need, Capability> capabilities() {
        return locked(() -> inner.capabilities());
    }

    @Override
    public void declare(Channel channel) {
        locked(() -> {
            inner.declare(channel);
            return true;
        });
    }

    @Override
    public Optional<Channel> find(String channel) {
        return locked(() -> inner.find(channel));
    }

    /** Of the broker as it is now; to be asked for again after a restart. */
    @Override
    public Administration administration() {
        return locked(() -> inner.administration());
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            inner.close();
            broker.close();
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Settles with a broker that may not be the delivery's own any more. */
    <R> R settling(int itsGeneration, Supplier<R> current, Supplier<R> gone) {
        return locked(() -> itsGeneration == generation ? current.get() : gone.get());
    }
}
