package dev.postroad.transports.kafka;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import dev.postroad.api.DeadLetter;
import dev.postroad.api.Delivery;
import dev.postroad.api.Message;
import dev.postroad.api.MessagingException;
import dev.postroad.api.MessagingException.Reason;
import dev.postroad.transports.emulation.Driven;
import dev.postroad.transports.emulation.Held;
import dev.postroad.transports.emulation.Inflow;
import dev.postroad.transports.emulation.PartitionTracker;
import dev.postroad.transports.emulation.SharedReceiver;
import dev.postroad.transports.emulation.Waiting;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * One member of a group. A thread of its own polls, whatever handlers do; a consumer that waits for messages, or for its
 * acknowledgements to be recorded, polls in its place meanwhile. What is settled is committed together as soon as the commit before
 * is through. A partition that has much in hand is paused; one that goes to another member is drained for a while first, and what is
 * still in hand then comes again there.
 */
final class Member implements Driven, ConsumerRebalanceListener {
    private static final System.Logger LOG = System.getLogger("dev.postroad.transports.kafka");
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration ANSWER = Duration.ofMillis(1);

    /** Its own thread keeps away for so long from when a consumer's has polled; and looks so often whether it still does. */
    private static final long REST_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private static final long LONG_REST_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** A consumer's thread polls for its acknowledgements for so long; then they are left to the other. */
    private static final long HELP_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** So long a consumer's thread waits for the other to leave the client to it; then it waits for messages. */
    private static final long TAKING_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** So long, at most, what is in hand of a partition that goes keeps it. */
    private static final long DRAIN_MILLIS = 3_000;

    private static final long DRAIN_LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final long PAUSE_MILLIS = 500;
    private static final String EXPIRED = "its time to live ran out";
    private static final String BEHIND = "an earlier message of its key is a dead letter";
    private static final long BURY_SECONDS = 5;
    private static final long TRANSACTION_SECONDS = 10;
    private static final long CLOSE_SECONDS = 20;
    private static final long JOIN_SECONDS = 5;
    private static final long CUT_SECONDS = 30;

    /** Messages of a partition in hand, beyond the prefetch, so that one key can wait and others go on. */
    private static final int WINDOW = 1_000;

    /** Gaps among what is settled: as many as the metadata of a commit holds with certainty. */
    private static final int MOST_RUNS = 500;

    /** A message that came, and where it stands. */
    private static final class Place implements Inflow.Arrival {
        private final Share share;
        private final ConsumerRecord<byte[], byte[]> from;
        private final long offset;
        private final int attempt;

        /** Its time to live ran out before it came. */
        private boolean expired;

        /** It is no message, but tells that a dead letter is gone. */
        private boolean gone;

        /** The key that lives on with it; null if none does. */
        private @Nullable UUID revives;

        Place(Share share, ConsumerRecord<byte[], byte[]> from, int attempt) {
            this.share = share;
            this.from = from;
            this.offset = from.offset();
            this.attempt = attempt;
        }

        TopicPartition partition() {
            return share.partition;
        }

        @Override
        public byte @Nullable [] key() {
            return from.key();
        }

        @Override
        public Message<byte[], byte[]> message() {
            return KafkaWire.message(share.channel(), from);
        }

        @Override
        public int attempt() {
            return attempt;
        }

        @Override
        public Delivery.Origin origin() {
            return share.origin(offset);
        }

        @Override
        public Object handle() {
            return this;
        }
    }

    /** A partition in this member's hands, from when it came until it goes. */
    private final class Share {
        private final TopicPartition partition;
        private final PartitionTracker tracker;

        /** Guarded by the receiver's lock; null where no key dies. */
        private final @Nullable DeadKeys dead;

        private final String topicId;
        private long seen;
        private int inHand;

        Share(TopicPartition partition, PartitionTracker tracker, @Nullable DeadKeys dead, String topicId) {
            this.partition = partition;
            this.tracker = tracker;
            this.dead = dead;
            this.topicId = topicId;
            this.seen = tracker.next();
        }

        String channel() {
            return channel.name();
        }

        Delivery.Origin origin(long offset) {
            return group == null ? Delivery.Origin.QUEUE : new Delivery.Origin(partition.partition(), offset, group);
        }
    }

    private final KafkaTransport transport;
    private final Channel channel;
    private final ConsumerOptions options;
    private final @Nullable String group;
    private final String groupId;
    private final int prefetch;
    private final SharedReceiver receiver;
    private final Inflow inflow;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Thread thread;

    /** Null where no key dies. */
    private final @Nullable DeadKeyTable deadKeys;

    private final Burials burials;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition quieter = lock.newCondition();

    /** Guarded by the lock. */
    private final Map<TopicPartition, Share> shares = new HashMap<>();

    private final Set<TopicPartition> changed = new HashSet<>();
    private @Nullable CompletableFuture<Void> waiting;
    private boolean committing;

    /** What commits is a transaction. */
    private boolean transacting;

    /** Nothing is read on until the commit is answered; set under the lock. */
    private volatile boolean awaited;

    /** Held by who works Kafka's client. */
    private final ReentrantLock client = new ReentrantLock();

    /** How many threads wait for that. */
    private final AtomicInteger wanted = new AtomicInteger();

    /** When a consumer's thread worked it last; and from when on one may again, after a failure. */
    private volatile long drivenAt = System.nanoTime() - REST_NANOS;

    private volatile long notBefore = System.nanoTime();

    /** Nobody waited for the answer to this commit yet. Of the thread that polls. */
    private boolean unheard;

    private static final AtomicLong NUMBERS = new AtomicLong();
    private final long number = NUMBERS.incrementAndGet();

    private final CountDownLatch joined = new CountDownLatch(1);
    private volatile ConsumerGroupMetadata metadata;
    private volatile boolean closing;
    private volatile boolean polling;
    private long cutAt = System.nanoTime();

    Member(KafkaTransport transport, Channel channel, ConsumerOptions options, SharedReceiver receiver) {
        this.transport = transport;
        this.channel = channel;
        this.options = options;
        this.group = options.group();
        this.groupId = group == null ? Topics.queueGroup(channel.name()) : group;
        this.receiver = receiver;
        this.deadKeys =
                group == null && channel.orderedByKey() && channel.deadLetter() != null ? transport.deadKeys() : null;
        this.burials = new Burials(transport.givingUp(), this);
        this.prefetch = options.prefetch() == null ? channel.prefetch() : options.prefetch();
        Map<String, Object> settings = new HashMap<>();
        settings.put("group.id", groupId);
        settings.put("client.id", options.name() == null ? "postroad" : options.name());
        settings.put("enable.auto.commit", false);
        settings.put("auto.offset.reset", "earliest");
        settings.put("allow.auto.create.topics", false);
        settings.put("isolation.level", "read_committed");
        settings.put("heartbeat.interval.ms", 1_000);
        settings.put("session.timeout.ms", 10_000);
        settings.put("partition.assignment.strategy", CooperativeStickyAssignor.class.getName());
        settings.put("max.poll.records", Math.clamp(prefetch, 16, 500));
        this.consumer = new KafkaConsumer<>(
                transport.url0().client(settings), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        this.metadata = consumer.groupMetadata();
        this.inflow = receiver.add(channel, prefetch, null, true, this);
        this.thread = Thread.ofPlatform()
                .daemon()
                .name("postroad-kafka-" + channel.name())
                .unstarted(this::run);
    }

    void open() {
        consumer.subscribe(List.of(Topics.name(channel.name())), this);
        thread.start();
        try {
            if (!joined.await(JOIN_SECONDS, TimeUnit.SECONDS)) {
                LOG.log(Level.WARNING, "joining group {0} takes long; going on in the background", groupId);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Its place among all, for those who need an order. */
    long number() {
        return number;
    }

    String channel() {
        return channel.name();
    }

    // ── The thread that polls ────────────────────────────────────────────────────────────────────────────────────────

    private void run() {
        try {
            while (!closing) {
                if (othersPoll()) {
                    LockSupport.parkNanos(client.isLocked() ? LONG_REST_NANOS : REST_NANOS);
                } else {
                    turnAlone();
                }
            }
            LOG.log(Level.DEBUG, "member of {0} ends", groupId);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            client.lock();
            try {
                // Revokes what it has, which commits.
                consumer.close();
            } catch (RuntimeException e) {
                LOG.log(Level.DEBUG, "closing a consumer failed", e);
            } finally {
                client.unlock();
            }
        }
    }

    /** True while a consumer's thread polls, or did a moment ago and left nothing to commit. */
    private boolean othersPoll() {
        return wanted.get() > 0 || client.isLocked() || (System.nanoTime() - drivenAt < REST_NANOS && !mayCommit());
    }

    private void turnAlone() throws InterruptedException {
        client.lock();
        try {
            turn(POLL);
            return;
        } catch (WakeupException e) {
            // There is something to commit, or to close, or somebody else wants to poll.
            return;
        } catch (RuntimeException e) {
            failed(e);
        } finally {
            client.unlock();
        }
        Thread.sleep(PAUSE_MILLIS);
    }

    /** Commits, and brings what comes within this time. By who has the client. */
    private void turn(Duration longest) {
        metadata = consumer.groupMetadata();
        commit();
        cut();
        pauseFull();
        arrived(poll(longest));
        passGaps();
    }

    /**
     * Takes what was fetched before it waits for more, and does not begin to wait while there is something to commit, or somebody
     * else who would: they wake only one that waits.
     */
    private ConsumerRecords<byte[], byte[]> poll(Duration longest) {
        boolean hearing = awaited;
        if (!hearing) {
            ConsumerRecords<byte[], byte[]> there = consumer.poll(Duration.ZERO);
            if (!there.isEmpty()) {
                return there;
            }
        }
        polling = true;
        try {
            return mayCommit() || wanted.get() > 0
                    ? ConsumerRecords.empty()
                    : consumer.poll(hearing && ANSWER.compareTo(longest) < 0 ? ANSWER : longest);
        } finally {
            polling = false;
        }
    }

    // ── Threads of consumers ─────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public boolean drive(long nanos) throws InterruptedException {
        if (!takeClient(Math.min(nanos, TAKING_NANOS))) {
            return false;
        }
        try {
            long end = System.nanoTime() + nanos;
            for (long left = nanos; left > 0 && mayDrive() && !inflow.holds(1); left = end - System.nanoTime()) {
                turn(Duration.ofNanos(Math.min(left, POLL.toNanos())));
            }
            return true;
        } catch (WakeupException e) {
            // Whoever asked for this finds what there is to do.
            return true;
        } catch (InterruptException e) {
            Thread.interrupted();
            throw new InterruptedException("interrupted while polling Kafka");
        } catch (RuntimeException e) {
            failed(e);
            return false;
        } finally {
            giveClient();
        }
    }

    @Override
    public CompletableFuture<Void> acknowledgeDriving(List<Held> held) {
        CompletableFuture<Void> done = acknowledge(held, false);
        if (!done.isDone() && !driven(done)) {
            rouse();
        }
        return done;
    }

    private boolean driven(CompletableFuture<Void> done) {
        boolean has = false;
        try {
            has = takeClient(HELP_NANOS);
            long end = System.nanoTime() + HELP_NANOS;
            while (has && mayDrive() && !done.isDone() && System.nanoTime() < end) {
                turnAwaited();
            }
            return done.isDone();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (InterruptException e) {
            // The thread is interrupted still.
            return false;
        } catch (RuntimeException e) {
            failed(e);
            return false;
        } finally {
            if (has) {
                giveClient();
            }
        }
    }

    private void turnAwaited() {
        try {
            turn(ANSWER);
        } catch (WakeupException e) {
            // The answer is there, or there is more to commit.
            return;
        }
    }

    private boolean mayDrive() {
        return !closing && wanted.get() == 0;
    }

    private boolean takeClient(long nanos) throws InterruptedException {
        if (closing || System.nanoTime() - notBefore < 0) {
            return false;
        }
        if (!client.tryLock()) {
            wanted.incrementAndGet();
            try {
                wake();
                if (!client.tryLock(nanos, TimeUnit.NANOSECONDS)) {
                    return false;
                }
            } finally {
                wanted.decrementAndGet();
            }
        }
        drivenAt = System.nanoTime();
        return true;
    }

    private void giveClient() {
        drivenAt = System.nanoTime();
        client.unlock();
    }

    @Override
    public void wake() {
        if (polling) {
            consumer.wakeup();
        }
    }

    /** Somebody is to commit, or to look. */
    private void rouse() {
        if (polling) {
            consumer.wakeup();
        } else {
            LockSupport.unpark(thread);
        }
    }

    private boolean underWay() {
        lock.lock();
        try {
            return committing;
        } finally {
            lock.unlock();
        }
    }

    private boolean mayCommit() {
        lock.lock();
        try {
            return waiting != null && !committing;
        } finally {
            lock.unlock();
        }
    }

    private void failed(RuntimeException e) {
        notBefore = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS);
        MessagingException why =
                Failures.of("reading channel '" + channel.name() + "' in group '" + groupId + "'", transport.url0(), e);
        LOG.log(Level.WARNING, "{0}", why.getMessage());
        switch (why.reason()) {
            case DENIED, INVALID -> receiver.failed(why);
            default -> {}
        }
    }

    private void arrived(ConsumerRecords<byte[], byte[]> records) {
        if (records.isEmpty()) {
            return;
        }
        List<Place> arrivals = new ArrayList<>(records.count());
        for (TopicPartition partition : records.partitions()) {
            arrived(partition, records.records(partition), arrivals);
        }
        inflow.arrived(arrivals);
    }

    private void arrived(TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records, List<Place> arrivals) {
        List<Place> places = new ArrayList<>(records.size());
        lock.lock();
        try {
            Share share = shares.get(partition);
            if (share == null) {
                return;
            }
            boolean fresh = share.tracker.isFreshFrom(share.seen);
            for (ConsumerRecord<byte[], byte[]> record : records) {
                long offset = record.offset();
                if (offset < share.seen) {
                    continue;
                }
                pass(partition, share, offset);
                share.seen = offset + 1;
                if (fresh) {
                    places.add(new Place(share, record, 1));
                } else if (!share.tracker.isDone(offset)) {
                    places.add(new Place(share, record, share.tracker.tries(offset) + 1));
                }
            }
            share.inHand += places.size();
        } finally {
            lock.unlock();
        }
        long now = System.currentTimeMillis();
        for (Place place : places) {
            boolean expires = KafkaWire.expires(place.from) <= now;
            place.expired = expires && inTurn(place);
            place.gone = group == null && KafkaWire.isGone(place.from);
            if (expires && !place.expired) {
                expired(place);
            } else {
                arrivals.add(place);
            }
        }
    }

    /** True if what expires must be seen to in its turn: there are keys that its end concerns. */
    private boolean inTurn(Place place) {
        return deadKeys != null || leaves(place);
    }

    /** True of a dead letter that keeps a key dead. */
    private boolean leaves(Place place) {
        return group == null && KafkaWire.isLetter(place.from);
    }

    private void expired(Place place) {
        String dead = channel.deadLetter();
        if (dead == null) {
            done(place);
            return;
        }
        bury(place, dead, place.message(), letter(place, DeadLetter.Cause.EXPIRED, EXPIRED));
    }

    private DeadLetter letter(Place place, DeadLetter.Cause cause, String reason) {
        return new DeadLetter(
                channel.name(),
                group,
                cause,
                reason,
                place.attempt - 1,
                Instant.ofEpochMilli(System.currentTimeMillis()));
    }

    /** What could not be buried stays undone: nothing of it is lost, and it comes again with the partition's next member. */
    private CompletableFuture<Void> bury(Place place, String dead, Message<byte[], byte[]> message, DeadLetter letter) {
        CompletableFuture<Void> sent = transport.sendLetter(dead, place.from, message, letter);
        return sent.handleAsync(
                        (done, failure) -> {
                            if (failure == null) {
                                return done(place);
                            }
                            notBuried(place, failure);
                            return CompletableFuture.<Void>failedFuture(failure);
                        },
                        Thread::startVirtualThread)
                .thenCompose(Function.identity());
    }

    /** It stays undone, and comes again with the partition's next member. */
    void notBuried(Held held, MessagingException failure) {
        notBuried(place(held), failure);
    }

    private void notBuried(Place place, Throwable failure) {
        LOG.log(
                Level.WARNING,
                "offset {0} of {1} could not be dead-lettered to ''{2}'' and comes again when the partition is read anew: {3}",
                Long.toString(place.offset),
                place.partition(),
                channel.deadLetter(),
                failure.getMessage());
        letGo(place);
    }

    /** It is in nobody's hands, and must not keep the partition from being read. */
    private void letGo(Place place) {
        lock.lock();
        try {
            place.share.inHand--;
            quieter.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Offsets that hold no message: marks of transactions, and what was compacted away. Under the lock. */
    private void pass(TopicPartition partition, Share share, long to) {
        if (share.seen < to) {
            share.tracker.done(share.seen, to);
            changed.add(partition);
            share.seen = to;
        }
    }

    private void passGaps() {
        for (TopicPartition partition : consumer.assignment()) {
            long position = consumer.position(partition);
            lock.lock();
            try {
                Share share = shares.get(partition);
                if (share != null && share.seen < position) {
                    pass(partition, share, position);
                    waiting = waiting == null ? new CompletableFuture<>() : waiting;
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private void pauseFull() {
        Set<TopicPartition> full = new HashSet<>();
        Set<TopicPartition> free = new HashSet<>();
        Set<TopicPartition> assigned = consumer.assignment();
        // Whoever waits for a commit is to hear of it before this thread reads on what nobody could take yet; but a
        // broker that
        // is slow to answer must not keep it from reading.
        boolean enough = unheard && underWay() && inflow.holds(prefetch);
        unheard &= !enough;
        lock.lock();
        try {
            awaited = enough && committing;
            shares.forEach((partition, share) -> {
                if (assigned.contains(partition)) {
                    boolean much = awaited || share.inHand >= prefetch + WINDOW || share.tracker.runs() >= MOST_RUNS;
                    (much ? full : free).add(partition);
                }
            });
        } finally {
            lock.unlock();
        }
        consumer.pause(full);
        free.retainAll(consumer.paused());
        consumer.resume(free);
    }

    // ── Commits ──────────────────────────────────────────────────────────────────────────────────────────────────────

    private void commit() {
        CompletableFuture<Void> noted;
        Map<TopicPartition, OffsetAndMetadata> offsets;
        lock.lock();
        try {
            noted = waiting;
            if (committing || noted == null) {
                return;
            }
            offsets = offsets(changed);
            changed.clear();
            waiting = null;
            committing = true;
        } finally {
            lock.unlock();
        }
        unheard = true;
        consumer.commitAsync(offsets, (committed, failure) -> {
            boolean more;
            lock.lock();
            try {
                committing = false;
                more = waiting != null || awaited;
                awaited = false;
                quieter.signalAll();
            } finally {
                lock.unlock();
            }
            if (failure == null) {
                Waiting.complete(noted);
            } else if (failure instanceof RetriableException
                    || failure instanceof RetriableCommitFailedException
                    || failure instanceof RebalanceInProgressException) {
                again(offsets.keySet(), noted);
            } else {
                noted.completeExceptionally(new MessagingException(
                        Reason.LEASE_LOST,
                        "what was settled of channel '" + channel.name() + "' could not be committed for group '"
                                + groupId + "' and may come again: " + failure.getMessage(),
                        failure));
            }
            if (more) {
                consumer.wakeup();
            }
        });
    }

    /** The broker is away, or the group is sharing out anew: what is still this member's is committed the next time. */
    private void again(Set<TopicPartition> partitions, CompletableFuture<Void> noted) {
        lock.lock();
        try {
            partitions.stream().filter(shares::containsKey).forEach(changed::add);
            CompletableFuture<Void> next = waiting;
            if (next == null) {
                waiting = noted;
            } else {
                next.whenComplete((done, failure) -> {
                    if (failure == null) {
                        Waiting.complete(noted);
                    } else {
                        noted.completeExceptionally(failure);
                    }
                });
            }
        } finally {
            lock.unlock();
        }
    }

    /** A queue's topic loses what is settled, now and then. */
    private void cut() {
        if (group != null || System.nanoTime() - cutAt < TimeUnit.SECONDS.toNanos(CUT_SECONDS)) {
            return;
        }
        cutAt = System.nanoTime();
        Map<TopicPartition, RecordsToDelete> settled = new HashMap<>();
        lock.lock();
        try {
            shares.forEach(
                    (partition, share) -> settled.put(partition, RecordsToDelete.beforeOffset(share.tracker.next())));
        } finally {
            lock.unlock();
        }
        transport.admin().deleteRecords(settled);
    }

    // ── Transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

    /**
     * Takes the right to commit from the thread that polls, and tells what to commit so that these are settled too. Ends with
     * {@link #transacted}.
     */
    Map<TopicPartition, OffsetAndMetadata> transacting(List<Held> acknowledged) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (committing) {
                quieter.await();
            }
            Map<TopicPartition, PartitionTracker> after = new HashMap<>();
            for (Held held : acknowledged) {
                Place place = place(held);
                Share share = place.share;
                if (!ours(share)) {
                    throw new MessagingException(
                            Reason.LEASE_LOST,
                            "offset " + place.offset + " of " + place.partition()
                                    + " is no longer this member's of group '" + groupId
                                    + "': the partition went to another");
                }
                after.computeIfAbsent(place.partition(), any -> PartitionTracker.read(share.tracker.text()))
                        .done(place.offset);
            }
            committing = true;
            transacting = true;
            Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
            after.forEach((partition, tracker) ->
                    offsets.put(partition, new OffsetAndMetadata(tracker.next(), tracker.text())));
            return offsets;
        } finally {
            lock.unlock();
        }
    }

    ConsumerGroupMetadata metadata() {
        return metadata;
    }

    /** The transaction is over. */
    void transacted(List<Held> acknowledged, boolean committed) {
        boolean more;
        lock.lock();
        try {
            for (Held held : acknowledged) {
                Place place = place(held);
                if (committed && ours(place.share)) {
                    settle(place.share, List.of(place));
                }
            }
            committing = false;
            transacting = false;
            more = waiting != null || awaited;
            awaited = false;
            quieter.signalAll();
        } finally {
            lock.unlock();
        }
        if (more) {
            rouse();
        }
    }

    /** Under the lock. */
    private Map<TopicPartition, OffsetAndMetadata> offsets(Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : partitions) {
            Share share = shares.get(partition);
            if (share != null) {
                offsets.put(partition, new OffsetAndMetadata(share.tracker.next(), share.tracker.text()));
            }
        }
        return offsets;
    }

    // ── Partitions come and go ───────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        if (!partitions.isEmpty()) {
            assigned(partitions);
        }
        joined.countDown();
    }

    private void assigned(Collection<TopicPartition> partitions) {
        Map<TopicPartition, OffsetAndMetadata> committed =
                persistently(() -> consumer.committed(Set.copyOf(partitions)));
        // After the positions, so that what was written with them is there.
        DeadKeyTable table = deadKeys;
        String topicId = table == null ? "" : persistently(() -> table.topicId(Topics.name(channel.name())));
        Map<Integer, DeadKeys> dead = table == null ? Map.of() : persistently(() -> table.load(topicId));
        for (TopicPartition partition : partitions) {
            OffsetAndMetadata position = committed.get(partition);
            PartitionTracker tracker =
                    position == null ? new PartitionTracker(persistently(() -> start(partition))) : tracker(position);
            DeadKeys known = table == null ? null : dead.getOrDefault(partition.partition(), new DeadKeys());
            lock.lock();
            try {
                shares.put(partition, new Share(partition, tracker, known, topicId));
                if (position == null) {
                    // So that the next member begins there too.
                    changed.add(partition);
                    waiting = waiting == null ? new CompletableFuture<>() : waiting;
                }
            } finally {
                lock.unlock();
            }
            consumer.seek(partition, tracker.next());
        }
    }

    /** A partition that this member knows nothing of would not be read while it has it: so it asks until it is told. */
    private <T> T persistently(Supplier<T> question) {
        while (true) {
            try {
                return question.get();
            } catch (WakeupException e) {
                // Somebody has something to commit, which is done when this is.
                if (closing) {
                    throw e;
                }
            } catch (MessagingException | RetriableException e) {
                if (closing || Thread.currentThread().isInterrupted()) {
                    throw e;
                }
                LOG.log(
                        Level.WARNING,
                        "taking over partitions of channel {0} waits, and is tried again: {1}",
                        channel.name(),
                        e.getMessage());
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS));
            }
        }
    }

    static PartitionTracker tracker(OffsetAndMetadata position) {
        try {
            PartitionTracker tracker = PartitionTracker.read(position.metadata());
            if (tracker.next() == position.offset()) {
                return tracker;
            }
        } catch (RuntimeException e) {
            LOG.log(Level.DEBUG, "a commit's metadata is not Postroad's: {0}", e.toString());
        }
        return new PartitionTracker(position.offset());
    }

    private long start(TopicPartition partition) {
        Long place = AloneReader.places(consumer, List.of(partition), options.start())
                .get(partition);
        return place == null ? 0 : place;
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        if (partitions.isEmpty()) {
            return;
        }
        Set<TopicPartition> going = Set.copyOf(partitions);
        inflow.forgetFetched(held -> going.contains(place(held).partition()));
        if (!closing) {
            drain(going);
        }
        Map<TopicPartition, OffsetAndMetadata> offsets;
        CompletableFuture<Void> noted;
        lock.lock();
        try {
            awaitTransaction();
            offsets = offsets(going);
            noted = waiting;
            waiting = null;
            changed.removeAll(going);
            offsets.putAll(offsets(changed));
            changed.clear();
            going.forEach(shares::remove);
        } finally {
            lock.unlock();
        }
        inflow.forget(held -> going.contains(place(held).partition()));
        try {
            commitNow(offsets);
            if (noted != null) {
                Waiting.complete(noted);
            }
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "the last positions of group {0} were not committed: {1}", groupId, e.toString());
            if (noted != null) {
                noted.completeExceptionally(Failures.of("committing for group '" + groupId + "'", transport.url0(), e));
            }
        }
    }

    /** What a transaction settles must not be undone by the commit that follows. Under the lock. */
    private void awaitTransaction() {
        long left = TimeUnit.SECONDS.toNanos(TRANSACTION_SECONDS);
        try {
            while (transacting && left > 0) {
                left = quieter.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void commitNow(Map<TopicPartition, OffsetAndMetadata> offsets) {
        try {
            consumer.commitSync(offsets);
        } catch (WakeupException e) {
            // Somebody had something to commit: this is it.
            consumer.commitSync(offsets);
        }
    }

    /** Waits for what is in hand. Its end is told before it is out of hand, which nobody tells: this looks again by itself. */
    private void drain(Set<TopicPartition> going) {
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MILLIS);
        try {
            while (System.nanoTime() < end
                    && inflow.inHand(held -> going.contains(place(held).partition()))) {
                lock.lock();
                try {
                    quieter.awaitNanos(DRAIN_LOOK_NANOS);
                } finally {
                    lock.unlock();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        Set<TopicPartition> gone = Set.copyOf(partitions);
        lock.lock();
        try {
            gone.forEach(shares::remove);
        } finally {
            lock.unlock();
        }
        inflow.forget(held -> gone.contains(place(held).partition()));
    }

    // ── What becomes of messages ─────────────────────────────────────────────────────────────────────────────────────

    private static Place place(Held held) {
        return (Place) held.handle();
    }

    @Override
    public CompletableFuture<Void> acknowledge(Held held) {
        return alone(place(held)) ? settleWithRecords(held) : done(place(held));
    }

    @Override
    public CompletableFuture<Void> acknowledge(List<Held> held) {
        return acknowledge(held, true);
    }

    /** @param rousing false if the caller polls itself now */
    private CompletableFuture<Void> acknowledge(List<Held> held, boolean rousing) {
        List<Place> places = new ArrayList<>(held.size());
        List<CompletableFuture<Void>> more = new ArrayList<>(0);
        for (Held each : held) {
            Place place = place(each);
            if (alone(place)) {
                more.add(settleWithRecords(each));
            } else {
                places.add(place);
            }
        }
        if (more.isEmpty()) {
            return change(places, Member::settle, rousing);
        }
        more.add(change(places, Member::settle, rousing));
        return CompletableFuture.allOf(more.toArray(CompletableFuture[]::new));
    }

    // ── Dead keys ────────────────────────────────────────────────────────────────────────────────────────────────────

    /** True if records are to be written as it is settled. */
    private boolean alone(Place place) {
        return place.revives != null || leaves(place);
    }

    private CompletableFuture<Void> settleWithRecords(Held held) {
        return burials.add(held, records -> records.addAll(alongside(List.of(held))));
    }

    /** What is to be written as these are acknowledged: keys that live on, and dead letters that are gone. May block. */
    List<ProducerRecord<byte[], byte[]>> alongside(List<Held> acknowledged) {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>(0);
        for (Held held : acknowledged) {
            Place place = place(held);
            if (place.revives != null) {
                records.add(note(place, place.revives, null));
            }
            if (leaves(place)) {
                ProducerRecord<byte[], byte[]> gone = transport.goneLetter(place.from);
                if (gone != null) {
                    records.add(gone);
                }
            }
        }
        return records;
    }

    private static ProducerRecord<byte[], byte[]> note(Place place, UUID key, DeadKeys.@Nullable Span span) {
        return DeadKeyTable.record(place.share.topicId, place.partition().partition(), key, span);
    }

    /** True if the message's partition is still this member's. */
    boolean has(Held held) {
        lock.lock();
        try {
            return ours(place(held).share);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean keepsDeadKeys() {
        return deadKeys != null;
    }

    @Override
    public boolean diverts(Held held) {
        Place place = place(held);
        DeadKeys dead = place.share.dead;
        if (!place.gone && !place.expired && (dead == null || dead.isEmpty())) {
            return false;
        }
        byte[] bytes = place.key();
        String letters = channel.deadLetter();
        if (dead != null
                && !dead.isEmpty()
                && bytes != null
                && follows(held, place, dead, DeadKeys.of(bytes), letters)) {
            return true;
        }
        if (place.gone) {
            settleWithRecords(held);
            return true;
        }
        if (place.expired) {
            if (letters == null) {
                settleWithRecords(held);
            } else {
                buryAlone(held, letters, letter(place, DeadLetter.Cause.EXPIRED, EXPIRED));
            }
            return true;
        }
        return false;
    }

    /** True if the message goes to the dead letters because its key is dead. */
    private boolean follows(Held held, Place place, DeadKeys dead, UUID key, @Nullable String letters) {
        if (place.gone) {
            place.revives = dead.gone(key, number(place, KafkaWire.gone(place.from))) ? key : null;
            return false;
        }
        DeadKeys.Fate fate = dead.arrived(key, place.offset, number(place, KafkaWire.back(place.from)));
        place.revives = fate == DeadKeys.Fate.REVIVES ? key : null;
        if (fate != DeadKeys.Fate.FOLLOWS || letters == null) {
            return false;
        }
        bury(held, letters, letter(place, DeadLetter.Cause.KEY_ORDER, BEHIND), key, dead.get(key));
        return true;
    }

    private static long number(Place place, DeadKeyTable.@Nullable Origin origin) {
        return origin != null
                        && origin.partition() == place.partition().partition()
                        && origin.topicId().equals(place.share.topicId)
                ? origin.number()
                : -1;
    }

    @Override
    public boolean roomForDeadKey(Held held) {
        Place place = place(held);
        byte[] key = place.key();
        return place.share.dead == null || key == null || place.share.dead.hasRoomFor(DeadKeys.of(key));
    }

    @Override
    public CompletableFuture<Void> buryKey(Held held, DeadLetter letter, List<Held> later) {
        Place place = place(held);
        String letters = channel.deadLetter();
        DeadKeys dead = place.share.dead;
        byte[] bytes = place.key();
        if (letters == null || dead == null || bytes == null) {
            throw new IllegalStateException(
                    "message " + place.offset + " of " + place.partition() + " keeps no key dead");
        }
        UUID key = DeadKeys.of(bytes);
        dead.gaveUp(key, place.offset);
        CompletableFuture<Void> done = bury(held, letters, letter, key, dead.get(key));
        for (Held each : later) {
            Place behind = place(each);
            dead.follows(key, behind.offset);
            bury(each, letters, letter(behind, DeadLetter.Cause.KEY_ORDER, BEHIND), key, dead.get(key));
        }
        return done;
    }

    /** To the dead letters, where it keeps its key dead. */
    private CompletableFuture<Void> bury(
            Held held, String letters, DeadLetter letter, UUID key, DeadKeys.@Nullable Span span) {
        Place place = place(held);
        place.revives = null;
        DeadKeyTable.Origin origin =
                new DeadKeyTable.Origin(place.share.topicId, place.partition().partition(), place.offset);
        return burials.add(held, records -> {
            ProducerRecord<byte[], byte[]> record = transport.letter(letters, place.from, held.message(), letter);
            KafkaWire.markLetter(record, origin);
            records.add(record);
            records.add(note(place, key, span));
            records.addAll(alongside(List.of(held)));
        });
    }

    /** To the dead letters, together with what its end has to do with a key. */
    private CompletableFuture<Void> buryAlone(Held held, String letters, DeadLetter letter) {
        Place place = place(held);
        return burials.add(held, records -> {
            records.add(transport.letter(letters, place.from, held.message(), letter));
            records.addAll(alongside(List.of(held)));
        });
    }

    /** The record that a message was read of. */
    static ConsumerRecord<byte[], byte[]> record(Held held) {
        return place(held).from;
    }

    /** Those of one partition, which came one behind the other for the most part. */
    private static void settle(Share share, List<Place> places) {
        long from = 0;
        long to = 0;
        for (Place place : places) {
            if (place.offset != to) {
                share.tracker.done(from, to);
                from = place.offset;
            }
            to = place.offset + 1;
        }
        share.tracker.done(from, to);
        share.inHand -= places.size();
    }

    /** Under the lock. */
    private boolean ours(Share share) {
        return shares.get(share.partition) == share;
    }

    private CompletableFuture<Void> done(Place place) {
        return change(List.of(place), Member::settle);
    }

    @Override
    public void kept(Held held) {
        Place place = place(held);
        change(List.of(place), (share, at) -> share.tracker.tried(place.offset, held.attempt() - 1));
    }

    @Override
    public CompletableFuture<Void> retry(Held held, Duration delay) {
        throw new IllegalStateException("what a group retries waits with its receiver");
    }

    @Override
    public CompletableFuture<Void> bury(Held held, DeadLetter letter) {
        String dead = channel.deadLetter();
        if (dead == null) {
            return acknowledge(held);
        }
        Place place = place(held);
        return leaves(place) ? buryAlone(held, dead, letter) : bury(place, dead, held.message(), letter);
    }

    private interface Change {
        void apply(Share share, List<Place> places);
    }

    /** Makes a change for each of these that is still this member's; the rest fails the future, once the others are noted. */
    private CompletableFuture<Void> change(List<Place> places, Change change) {
        return change(places, change, true);
    }

    private CompletableFuture<Void> change(List<Place> places, Change change, boolean rousing) {
        CompletableFuture<Void> noted;
        Place lost = null;
        boolean any = false;
        boolean first;
        lock.lock();
        try {
            for (int from = 0, to; from < places.size(); from = to) {
                Share share = places.get(from).share;
                to = from + 1;
                while (to < places.size() && places.get(to).share == share) {
                    to++;
                }
                if (ours(share)) {
                    change.apply(share, places.subList(from, to));
                    changed.add(share.partition);
                    any = true;
                } else {
                    lost = places.get(from);
                }
            }
            if (!any) {
                return lost == null ? Waiting.done() : rest(lost).apply(null);
            }
            quieter.signalAll();
            CompletableFuture<Void> present = waiting;
            first = present == null;
            noted = present == null ? new CompletableFuture<>() : present;
            waiting = noted;
        } finally {
            lock.unlock();
        }
        if (first && rousing) {
            rouse();
        }
        return lost == null ? noted : noted.thenCompose(rest(lost));
    }

    private Function<@Nullable Void, CompletableFuture<Void>> rest(Place lost) {
        return done -> CompletableFuture.failedFuture(new MessagingException(
                Reason.LEASE_LOST,
                "offset " + lost.offset + " of " + lost.partition() + " is no longer this member's of group '" + groupId
                        + "': the partition went to another"));
    }

    // ── Closing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public void close(List<Held> handedOut, List<Held> fetched) {
        for (Held held : handedOut) {
            Place place = place(held);
            change(List.of(place), (share, at) -> share.tracker.tried(place.offset, held.attempt()));
        }
        burials.close(BURY_SECONDS);
        closing = true;
        consumer.wakeup();
        LockSupport.unpark(thread);
        try {
            if (!thread.join(Duration.ofSeconds(CLOSE_SECONDS))) {
                LOG.log(Level.WARNING, "the consumer of channel {0} did not close in time", channel.name());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        List<CompletableFuture<Void>> left = new ArrayList<>();
        lock.lock();
        try {
            if (waiting != null) {
                left.add(waiting);
            }
        } finally {
            lock.unlock();
        }
        left.forEach(Waiting::complete);
    }
}
