package dev.postroad.patterns.eventstore;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.Delivery;
import dev.postroad.api.Format;
import dev.postroad.api.Message;
import dev.postroad.api.MessageProducer;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.api.Postroad;
import dev.postroad.api.Transport;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Events on the broker: a stream channel with one partition, that is kept for ever.
 *
 * <p>The log decides who was first. What is appended at once is one message that says which version its first event has; it
 * counts if that is the next one of its stream when its turn in the log comes, and is passed over by everybody if not. So all
 * who read the log agree, without asking anybody; who appended learns the outcome by following the log up to its own message.
 *
 * <p>Each instance reads the channel once at its start and follows it. It holds about 50 bytes of memory for each append, and the
 * newest snapshot of each stream.
 *
 * <pre>
 *   NAME             one message per append: key stream, value events, headers below; position = offset * 1,000 + place from 1
 *   NAME.snapshots   compacted: the newest snapshot per stream
 * </pre>
 */
public final class ChannelEventStore implements EventStore, AutoCloseable {
    /** Version of the first event of an append. */
    private static final String FIRST = "postroad-events-first";

    private static final String COUNT = "postroad-events-count";
    private static final String TOKEN = "postroad-events-token";
    private static final String VERSION = "postroad-snapshot-version";
    private static final String SCHEMA = "postroad-snapshot-schema";

    private static final Duration POLL = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int MOST_TRIES = 1_000;
    private static final long WORTH_A_JUMP = 256;
    private static final int AT_ONCE = 512;

    private final Postroad postroad;
    private final String events;
    private final String snapshots;
    private final MessageProducer<byte[], byte[]> producer;
    private final Follower log;
    private final Follower kept;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition grown = lock.newCondition();

    // with the lock
    private final Map<String, List<Append>> appends = new HashMap<>();
    private final Map<String, Snapshot> newest = new HashMap<>();

    /** An append that counts. */
    private record Append(long first, int count, long offset, long token) {
        long last() {
            return first + count - 1;
        }
    }

    private ChannelEventStore(Postroad postroad, String name) {
        this.postroad = postroad;
        this.events = name;
        this.snapshots = name + ".snapshots";
        this.producer = postroad.producer(Format.bytes());
        this.log = new Follower(events, this::appended);
        this.kept = new Follower(snapshots, this::snapshotSaved);
    }

    /**
     * Declares the channels and reads what is there.
     *
     * @param name of the channel
     * @throws MessagingException as {@link Postroad#declare(Channel)}; {@code TIMEOUT} if it cannot be read within a minute
     */
    public static ChannelEventStore open(Postroad postroad, String name) {
        postroad.declare(stream(name), stream(name + ".snapshots").withCompacted(true));
        ChannelEventStore store = new ChannelEventStore(postroad, name);
        store.log.start();
        store.kept.start();
        // What lies before these is read when they are.
        store.log.awaitRead(store.send(name, Message.of(bytes("-"), new byte[0])));
        store.kept.awaitRead(store.send(store.snapshots, Message.of(bytes("-"), new byte[0])));
        return store;
    }

    private static Channel stream(String name) {
        return Channel.event(name).withPartitions(1).withRetention(null).withMaxMessageBytes(Channel.MAX_MESSAGE_BYTES);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** The message's offset. */
    private long send(String channel, Message<byte[], byte[]> message) {
        try {
            return producer.sendAsync(channel, message).join().offset();
        } catch (CompletionException e) {
            if (e.getCause() instanceof MessagingException refused) {
                throw refused;
            }
            throw e;
        }
    }

    // ── Appending ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public long append(String stream, long expected, List<Event> appended) {
        Checks.append(stream, expected, appended);
        byte[] value = EventBytes.encode(appended);
        for (int tries = 0; tries < MOST_TRIES; tries++) {
            long version = version(stream);
            if (expected != ANY && expected < version) {
                throw new VersionConflictException(stream, expected, version);
            }
            // Others may have appended what was not read here yet: then the log decides.
            version = Math.max(version, expected);
            long token = ThreadLocalRandom.current().nextLong();
            long offset = send(
                    events,
                    Message.of(bytes(stream), value)
                            .withHeader(FIRST, String.valueOf(version + 1))
                            .withHeader(COUNT, String.valueOf(appended.size()))
                            .withHeader(TOKEN, String.valueOf(token)));
            log.awaitRead(offset);
            if (counts(stream, version + 1, append -> append.token() == token)) {
                return version + appended.size();
            }
            if (expected != ANY) {
                throw new VersionConflictException(stream, expected, version(stream));
            }
        }
        throw new MessagingException(
                Reason.FULL, "others appended to stream '" + stream + "' first, " + MOST_TRIES + " times in a row");
    }

    @Override
    public long version(String stream) {
        lock.lock();
        try {
            List<Append> of = appends.getOrDefault(stream, List.of());
            return of.isEmpty() ? 0 : of.getLast().last();
        } finally {
            lock.unlock();
        }
    }

    /** By the follower: the rule that all who read the log share. */
    private void appended(Delivery<byte[], byte[]> delivery) {
        Message<byte[], byte[]> message = delivery.message();
        byte[] key = message.key();
        long first = number(message, FIRST);
        long count = number(message, COUNT);
        if (key == null || first < 1 || count < 1 || count > MAX_EVENTS) {
            return;
        }
        String stream = new String(key, StandardCharsets.UTF_8);
        List<Append> of = appends.computeIfAbsent(stream, each -> new ArrayList<>());
        if (first == (of.isEmpty() ? 1 : of.getLast().last() + 1)) {
            of.add(new Append(first, (int) count, delivery.origin().offset(), number(message, TOKEN)));
        }
    }

    /** -1 where there is none. */
    private static long number(Message<?, ?> message, String header) {
        try {
            return Long.parseLong(message.headers().getOrDefault(header, "-1"));
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /** Whether the append with this first version is the one. */
    private boolean counts(String stream, long first, Predicate<Append> one) {
        lock.lock();
        try {
            List<Append> of = appends.getOrDefault(stream, List.of());
            int at = Collections.binarySearch(of, new Append(first, 1, 0, 0), Comparator.comparingLong(Append::first));
            return at >= 0 && one.test(of.get(at));
        } finally {
            lock.unlock();
        }
    }

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public List<StoredEvent> read(String stream, long from, int max) {
        List<Long> offsets = new ArrayList<>();
        lock.lock();
        try {
            long events = 0;
            for (Append append : appends.getOrDefault(stream, List.of())) {
                if (append.last() >= from && events < max) {
                    offsets.add(append.offset());
                    events += append.last() - Math.max(from, append.first()) + 1;
                }
            }
        } finally {
            lock.unlock();
        }
        List<StoredEvent> found = new ArrayList<>();
        int at = 0;
        while (at < offsets.size()) {
            int end = at + 1;
            while (end < offsets.size() && offsets.get(end) - offsets.get(end - 1) < WORTH_A_JUMP) {
                end++;
            }
            scan(offsets.get(at), offsets.get(end - 1), delivery -> {
                if (Collections.binarySearch(offsets, delivery.origin().offset()) >= 0) {
                    for (StoredEvent event : stored(delivery)) {
                        if (event.version() >= from && found.size() < max) {
                            found.add(event);
                        }
                    }
                }
                return true;
            });
            at = end;
        }
        return found;
    }

    @Override
    public List<StoredEvent> readAll(long after, int max) {
        long end = log.read() - 1;
        long begin = after <= 0 ? 0 : (after - 1) / MAX_EVENTS;
        List<StoredEvent> found = new ArrayList<>();
        if (begin > end || max < 1) {
            return found;
        }
        scan(begin, end, delivery -> {
            Message<byte[], byte[]> message = delivery.message();
            byte[] key = message.key();
            long offset = delivery.origin().offset();
            if (key != null
                    && counts(
                            new String(key, StandardCharsets.UTF_8),
                            number(message, FIRST),
                            append -> append.offset() == offset)) {
                for (StoredEvent event : stored(delivery)) {
                    if (event.position() > after && found.size() < max) {
                        found.add(event);
                    }
                }
            }
            return found.size() < max;
        });
        return found;
    }

    /** The events of an append that counts. */
    private static List<StoredEvent> stored(Delivery<byte[], byte[]> delivery) {
        Message<byte[], byte[]> message = delivery.message();
        byte[] key = message.key();
        byte[] value = message.value();
        if (key == null || value == null) {
            return List.of();
        }
        String stream = new String(key, StandardCharsets.UTF_8);
        long first = number(message, FIRST);
        long place = delivery.origin().offset() * MAX_EVENTS + 1;
        List<StoredEvent> events = new ArrayList<>();
        for (Event event : EventBytes.decode(value)) {
            int i = events.size();
            events.add(new StoredEvent(stream, first + i, place + i, event, message.timestamp()));
        }
        return events;
    }

    /** Takes messages until it has enough. */
    @FunctionalInterface
    private interface Taker {
        /** Takes one. @return whether more are wanted */
        boolean take(Delivery<byte[], byte[]> delivery);
    }

    /** All messages from one offset to another, both included; the last one must be there. */
    private void scan(long from, long to, Taker taker) {
        try (Transport.Receiver receiver = postroad.transport().receive(List.of(events), startingAt(from))) {
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (System.nanoTime() < deadline) {
                for (Delivery<byte[], byte[]> delivery : receiver.receive(AT_ONCE, POLL)) {
                    long offset = delivery.origin().offset();
                    if (offset > to || !taker.take(delivery) || offset == to) {
                        return;
                    }
                }
            }
            throw new MessagingException(
                    Reason.TIMEOUT, "the events of channel '" + events + "' could not be read within " + PATIENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MessagingException(Reason.TIMEOUT, "interrupted while reading events", e);
        }
    }

    private static ConsumerOptions startingAt(long offset) {
        return ConsumerOptions.DEFAULT.withStart(new ConsumerOptions.Start.Offset(offset));
    }

    // ── Snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void saveSnapshot(String stream, Snapshot snapshot) {
        long offset = send(
                snapshots,
                Message.of(bytes(stream), snapshot.state())
                        .withHeader(VERSION, String.valueOf(snapshot.version()))
                        .withHeader(SCHEMA, String.valueOf(snapshot.schema())));
        kept.awaitRead(offset);
    }

    /** By the follower. */
    private void snapshotSaved(Delivery<byte[], byte[]> delivery) {
        Message<byte[], byte[]> message = delivery.message();
        byte[] key = message.key();
        byte[] state = message.value();
        long version = number(message, VERSION);
        if (key != null && state != null && version >= 0) {
            newest.put(
                    new String(key, StandardCharsets.UTF_8),
                    new Snapshot(version, (int) number(message, SCHEMA), state));
        }
    }

    @Override
    public Optional<Snapshot> snapshot(String stream) {
        lock.lock();
        try {
            return Optional.ofNullable(newest.get(stream));
        } finally {
            lock.unlock();
        }
    }

    /** Follows the channel no more. Idempotent. */
    @Override
    public void close() {
        log.close();
        kept.close();
        producer.close();
    }

    // ── Following ────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Reads a channel from its beginning, for as long as the store is open. */
    private final class Follower {
        private final String channel;
        private final Consumer<Delivery<byte[], byte[]>> each;
        private final Transport.Receiver receiver;

        // with the lock
        private long next;
        private @Nullable RuntimeException failure;
        private boolean ended;

        Follower(String channel, Consumer<Delivery<byte[], byte[]>> each) {
            this.channel = channel;
            this.each = each;
            this.receiver = postroad.transport().receive(List.of(channel), startingAt(0));
        }

        void start() {
            Thread.ofVirtual().name("postroad-events-" + channel).start(this::follow);
        }

        private void follow() {
            try {
                while (true) {
                    List<Delivery<byte[], byte[]>> got = receiver.receive(AT_ONCE, POLL);
                    lock.lock();
                    try {
                        if (ended) {
                            return;
                        }
                        for (Delivery<byte[], byte[]> delivery : got) {
                            each.accept(delivery);
                            next = Math.max(next, delivery.origin().offset() + 1);
                        }
                        grown.signalAll();
                    } finally {
                        lock.unlock();
                    }
                }
            } catch (InterruptedException e) {
                end(new MessagingException(Reason.CLOSED, "interrupted while following channel '" + channel + "'", e));
            } catch (RuntimeException e) {
                end(e);
            }
        }

        private void end(RuntimeException why) {
            lock.lock();
            try {
                failure = why;
                grown.signalAll();
            } finally {
                lock.unlock();
            }
        }

        /** Everything below this offset has been read. */
        long read() {
            lock.lock();
            try {
                return next;
            } finally {
                lock.unlock();
            }
        }

        /** Waits until the message with this offset has been read. */
        void awaitRead(long offset) {
            lock.lock();
            try {
                long left = PATIENCE.toNanos();
                while (next <= offset) {
                    RuntimeException why = failure;
                    if (why != null || left <= 0) {
                        throw new MessagingException(
                                why == null ? Reason.TIMEOUT : Reason.FAILED,
                                "channel '" + channel + "' is read up to offset " + next + ", and " + offset
                                        + " is waited for: whether what was sent counts is not known",
                                why);
                    }
                    left = grown.awaitNanos(left);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new MessagingException(
                        Reason.TIMEOUT, "interrupted while following channel '" + channel + "'", e);
            } finally {
                lock.unlock();
            }
        }

        void close() {
            lock.lock();
            try {
                ended = true;
            } finally {
                lock.unlock();
            }
            receiver.close();
        }
    }
}
