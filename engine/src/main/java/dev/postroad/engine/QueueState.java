package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One queue: where its messages lie, which of them are being worked on, and who wants them.
 *
 * <p>Its durable part is a function of the records applied to it: the messages (one {@link PagedIndex} for each level of
 * priority), how often each was delivered and until when it waits, the ids it has seen, and the keys whose messages are dead
 * letters. It is changed by the {@code apply…} methods only, live and at recovery alike.
 *
 * <p>Its volatile part says what to deliver next, and is rebuilt from the durable one whenever that is easier than keeping it:
 *
 * <pre>
 *   a lane:   gone gone held gone parked held returned delayed │ ready ready ready …
 *                                                          cursor
 *   behind the cursor a message is held by a consumer, delayed, parked behind its key, passed over by the filters,
 *   or has come back: then its number is in the heap of returned ones. Beyond the cursor nobody has looked yet.
 * </pre>
 *
 * A message's number in the queue is its lane times 2^48 plus its number in the lane's index.
 */
final class QueueState {
    private static final int LANE_SHIFT = 48;
    private static final long ORDINAL = (1L << LANE_SHIFT) - 1;

    /** More messages than this do not wait behind their keys in memory; scanning stops until some have gone on. */
    private static final int MOST_PARKED = 1 << 20;

    /** What is known of a message beyond its place: that it was delivered, is held, or waits. */
    static final class Active {
        /** Durable: deliveries so far. */
        int attempts;

        /** Durable: not to be delivered before; 0 for none. */
        long notBefore;

        /** Durable: hash of the id of a message that waits for its first delivery, to find it for cancelling; 0 for none. */
        long idHash;

        /** Durable: when it was given back first after a delivery that counts; 0 for never. */
        long firstFailure;

        /** Durable: true if it waits for a retry, not for its first delivery: then its key waits behind it. */
        boolean retry;

        /** Volatile: who holds it; null for nobody. */
        @Nullable
        ConsumerState holder;

        /** Volatile: until when; 0 for as long as the holder lives. */
        long leaseDeadline;

        boolean idle() {
            return attempts == 0 && notBefore == 0 && holder == null;
        }
    }

    /** A key that has a message in flight or waiting for its retry: the ones behind it are parked. */
    private static final class Line {
        long head;
        long[] parked = new long[4];
        int from;
        int count;

        Line(long head) {
            this.head = head;
        }

        void park(long number) {
            if (count == parked.length) {
                long[] larger = new long[2 * parked.length];
                for (int i = 0; i < count; i++) {
                    larger[i] = parked[(from + i) & (parked.length - 1)];
                }
                parked = larger;
                from = 0;
            }
            parked[(from + count++) & (parked.length - 1)] = number;
        }

        long unpark() {
            long number = parked[from];
            from = (from + 1) & (parked.length - 1);
            count--;
            return number;
        }
    }

    /** A key of a key-ordered queue that has dead letters. */
    record DeadKey(int channelId, long keyHash) {}

    /**
     * Where a dead letter of a key-ordered queue came from: as long as it is here, its key is dead there.
     *
     * @param channelId id of the queue it came from
     * @param keyHash hash of its key; 0 for one of several letters, by which no key is dead: the queue it came to only remembers
     *     the message's id
     * @param place its place in the line of its key, see {@link #place}; -1 for behind all others, because it came when
     *     the key was dead
     */
    record Origin(int channelId, long keyHash, long place) {
        DeadKey key() {
            return new DeadKey(channelId, keyHash);
        }

        boolean killsKey() {
            return keyHash != 0;
        }
    }

    final int id;

    /** Name of the stream that feeds this queue as a shared group; null for a queue of its own. */
    final @Nullable String stream;

    private final QueueDefinition declared;

    /** What was declared with what policies add to it. */
    private QueueDefinition definition;

    private final Space space;
    private final PagedIndex[] lanes;

    // durable
    private final LongMap<Active> active = new LongMap<>();
    private final LongMap<Integer> deadKeys = new LongMap<>();
    private final LongMap<Origin> origins = new LongMap<>();
    private final LongMap<Long> places = new LongMap<>();
    private final @Nullable DedupWindow dedup;

    /** False while a shared group has not got all that its stream kept when it was declared. */
    private boolean complete;

    // volatile
    @Nullable
    Object owner;

    boolean touched;
    long scheduledAt = Long.MAX_VALUE;

    /** When leases have to be looked at, by the steady clock. */
    long leasesScheduledAt = Long.MAX_VALUE;

    long idleSince;
    final List<ConsumerState> consumers = new ArrayList<>();
    private @Nullable ConsumerState activeConsumer;
    private int turn;
    private final long[] cursors;
    private final LongHeap[] returned;
    private final LongHeap delays = new LongHeap();
    private final LongHeap leases = new LongHeap();
    private final LongMap<Line> lines = new LongMap<>();
    private int parked;

    /** What is passed over, in the order of delivery, each with its number. */
    private final LongHeap unmatched = new LongHeap();

    private final LongHeap unserved = new LongHeap();
    private final LongHeap unreadable = new LongHeap();
    private long held;
    private long heldBytes;
    private long delayed;
    private long nextExpiry = Long.MAX_VALUE;
    final Counts counts = new Counts();

    /** Counts since the engine was opened. */
    static final class Counts {
        long accepted;
        long refused;
        long delivered;
        long redelivered;
        long acknowledged;
        long deadLettered;
        long expired;
        long dropped;
        long duplicates;
        long damaged;

        /** What recovery has applied again does not count. */
        void clear() {
            accepted = 0;
            refused = 0;
            delivered = 0;
            redelivered = 0;
            acknowledged = 0;
            deadLettered = 0;
            expired = 0;
            dropped = 0;
            duplicates = 0;
            damaged = 0;
        }

        EngineStatus.Counters status() {
            return new EngineStatus.Counters(
                    accepted,
                    refused,
                    delivered,
                    redelivered,
                    acknowledged,
                    deadLettered,
                    expired,
                    dropped,
                    duplicates);
        }
    }

    QueueState(int id, QueueDefinition definition, @Nullable String stream, PagedIndex.PageReader reader, Space space) {
        this.id = id;
        this.declared = definition;
        this.definition = definition;
        this.stream = stream;
        this.complete = stream == null;
        this.space = space;
        lanes = new PagedIndex[definition.priorities()];
        cursors = new long[lanes.length];
        returned = new LongHeap[lanes.length];
        for (int lane = 0; lane < lanes.length; lane++) {
            lanes[lane] = new PagedIndex(true, definition.keyOrdered(), reader);
            lanes[lane].onPageReleased(space::release);
            returned[lane] = new LongHeap();
        }
        dedup = definition.dedupMillis() > 0
                ? new DedupWindow(definition.dedupMillis(), definition.dedupLimit())
                : null;
    }

    /** The queue as it is: what was declared with what policies add to it. */
    QueueDefinition definition() {
        return definition;
    }

    QueueDefinition declared() {
        return declared;
    }

    boolean complete() {
        return complete;
    }

    void applyComplete() {
        complete = true;
    }

    boolean durable() {
        return definition.durability() == Durability.DURABLE;
    }

    @Nullable
    DedupWindow dedup() {
        return dedup;
    }

    // ── What is there ────────────────────────────────────────────────────────────────────────────────────────────────

    long messages() {
        long sum = 0;
        for (PagedIndex lane : lanes) {
            sum += lane.live();
        }
        return sum;
    }

    long bytes() {
        long sum = 0;
        for (PagedIndex lane : lanes) {
            sum += lane.liveBytes();
        }
        return sum;
    }

    /** Messages that count for the queue's bound. */
    long boundedMessages() {
        return definition.boundsWaiting() ? messages() - held : messages();
    }

    /** Bytes that count for the queue's bound. */
    long boundedBytes() {
        return definition.boundsWaiting() ? bytes() - heldBytes : bytes();
    }

    /** True if another message would be one too many. */
    boolean full() {
        return (definition.maxMessages() > 0 && boundedMessages() >= definition.maxMessages())
                || (definition.maxBytes() > 0 && boundedBytes() >= definition.maxBytes());
    }

    long heldMessages() {
        return held;
    }

    long delayedMessages() {
        return delayed;
    }

    /** Counted anew: those that went while they were parked are taken out of their lines later. */
    long parkedMessages() {
        long count = 0;
        for (long hash : lines.sortedKeys()) {
            Line line = lines.get(hash);
            for (int i = 0; line != null && i < line.count; i++) {
                count += holds(line.parked[(line.from + i) & (line.parked.length - 1)]) ? 1 : 0;
            }
        }
        return count;
    }

    long readyMessages() {
        return Math.max(0, messages() - held - delayed - parkedMessages());
    }

    boolean holds(long number) {
        int lane = (int) (number >>> LANE_SHIFT);
        return number >= 0 && lane < lanes.length && !lanes[lane].gone(number & ORDINAL);
    }

    @Nullable
    Active active(long number) {
        return active.get(number);
    }

    long position(long number) {
        return lane(number).position(number & ORDINAL);
    }

    int size(long number) {
        return lane(number).size(number & ORDINAL);
    }

    long expiry(long number) {
        return lane(number).time(number & ORDINAL);
    }

    long keyHash(long number) {
        return lane(number).hash(number & ORDINAL);
    }

    /** When the message failed first; 0 where it did not. */
    long firstFailure(long number) {
        Active known = active.isEmpty() ? null : active.get(number);
        return known == null ? 0 : known.firstFailure;
    }

    int attempts(long number) {
        Active known = active.get(number);
        return known == null ? 0 : known.attempts;
    }

    /** Numbers of all messages, highest priority and oldest first, from this one on; {@link PagedIndex#NONE} at the end. */
    long nextNumber(long after) {
        int lane = after < 0 ? lanes.length - 1 : (int) (after >>> LANE_SHIFT);
        long ordinal = after < 0 ? 0 : (after & ORDINAL) + 1;
        for (; lane >= 0; lane--, ordinal = 0) {
            long found = lanes[lane].nextLive(ordinal);
            if (found != PagedIndex.NONE) {
                return number(lane, found);
            }
        }
        return PagedIndex.NONE;
    }

    /** The oldest message of the lowest priority that nobody holds; {@link PagedIndex#NONE} if all are held. */
    long oldestWaiting() {
        for (int lane = 0; lane < lanes.length; lane++) {
            for (long n = lanes[lane].nextLive(0); n != PagedIndex.NONE; n = lanes[lane].nextLive(n + 1)) {
                Active known = active.get(number(lane, n));
                if (known == null || known.holder == null) {
                    return number(lane, n);
                }
            }
        }
        return PagedIndex.NONE;
    }

    /** Position of the oldest message, or -1. */
    long oldestPosition() {
        long oldest = -1;
        for (PagedIndex lane : lanes) {
            long n = lane.nextLive(0);
            if (n != PagedIndex.NONE && (oldest < 0 || lane.position(n) < oldest)) {
                oldest = lane.position(n);
            }
        }
        return oldest;
    }

    Command.Browsed.State state(long number) {
        Active known = active.get(number);
        if (known != null && known.holder != null) {
            return Command.Browsed.State.IN_FLIGHT;
        }
        if (known != null && known.notBefore != 0) {
            return Command.Browsed.State.DELAYED;
        }
        if (definition.keyOrdered()) {
            Line line = lines.get(keyHash(number));
            if (line != null && line.head != number) {
                return Command.Browsed.State.PARKED;
            }
        }
        return Command.Browsed.State.READY;
    }

    /** True if messages of this key go to the dead letters, behind the one that is there. */
    boolean keyDead(long keyHash) {
        return keyHash != 0 && deadKeys.get(keyHash) != null;
    }

    boolean hasDeadKeys() {
        return !deadKeys.isEmpty();
    }

    long[] deadKeyHashes() {
        return deadKeys.sortedKeys();
    }

    @Nullable
    Origin origin(long number) {
        return origins.get(number);
    }

    /** Numbers of the dead letters here that stand for a key elsewhere, ascending. */
    long[] lettersWithOrigin() {
        return origins.sortedKeys();
    }

    /**
     * Where the message stands in the line of its key: the position it had when it first came, which a dead letter that is
     * put back keeps. So the order of a line is known however it was torn apart on the way.
     */
    long place(long number) {
        Long kept = places.isEmpty() ? null : places.get(number);
        return kept == null ? position(number) : kept;
    }

    /** How many dead letters there are of this key, wherever they lie. */
    int deadLetters(long keyHash) {
        Integer count = deadKeys.get(keyHash);
        return count == null ? 0 : count;
    }

    /** Messages of which more is known than their place. */
    int activeEntries() {
        return active.size();
    }

    /** Dead letters here that stand for a key elsewhere. */
    int originEntries() {
        return origins.size();
    }

    /** Does a message record at this position still count here? */
    boolean refersTo(long position, int priority) {
        PagedIndex lane = lanes[laneOf(priority)];
        long ordinal = lane.find(position);
        return ordinal != PagedIndex.NONE && !lane.gone(ordinal);
    }

    private int laneOf(int priority) {
        return Math.min(priority, lanes.length - 1);
    }

    PagedIndex lane(int lane) {
        return lanes[lane];
    }

    int lanes() {
        return lanes.length;
    }

    private PagedIndex lane(long number) {
        return lanes[(int) (number >>> LANE_SHIFT)];
    }

    private static long number(int lane, long ordinal) {
        return ((long) lane << LANE_SHIFT) | ordinal;
    }

    long heapBytes() {
        long sum = 400
                + active.heapBytes()
                + 48L * active.size()
                + deadKeys.heapBytes()
                + origins.heapBytes()
                + 40L * origins.size()
                + places.heapBytes()
                + 24L * places.size()
                + delays.heapBytes()
                + leases.heapBytes()
                + unmatched.heapBytes()
                + unserved.heapBytes()
                + unreadable.heapBytes()
                + 80L * lines.size()
                + 8L * parked;
        for (int lane = 0; lane < lanes.length; lane++) {
            sum += lanes[lane].heapBytes() + returned[lane].heapBytes();
        }
        return sum + (dedup == null ? 0 : dedup.heapBytes());
    }

    // ── Apply: the only ways the durable part changes ────────────────────────────────────────────────────────────────

    /** A message came. Returns its number. */
    long applyMessage(
            long now,
            long position,
            int sizeBytes,
            int priority,
            long ttlMillis,
            long deliverAtMillis,
            @Nullable String messageId,
            byte @Nullable [] key,
            @Nullable Origin origin,
            long place) {
        long ttl = ttlMillis > 0 && definition.ttlMillis() > 0
                ? Math.min(ttlMillis, definition.ttlMillis())
                : Math.max(ttlMillis, definition.ttlMillis());
        long expiry = ttl > 0 ? Times.after(Math.max(now, deliverAtMillis), ttl) : 0;
        int lane = laneOf(priority);
        long hash = key != null && definition.keyOrdered() ? Hash.of(key) : 0;
        long number = number(lane, lanes[lane].append(position, sizeBytes, expiry, hash));
        space.retain(position, sizeBytes);
        if (expiry != 0 && expiry < nextExpiry) {
            nextExpiry = expiry;
        }
        if (deliverAtMillis > now) {
            Active waiting = new Active();
            waiting.notBefore = deliverAtMillis;
            waiting.idHash = messageId == null ? 0 : Hash.of(messageId, 0);
            active.put(number, waiting);
            delays.add(deliverAtMillis, number);
            delayed++;
        }
        if (dedup != null && messageId != null) {
            dedup.add(messageId, now);
        }
        if (origin != null) {
            origins.put(
                    number, origin.place() >= 0 ? origin : new Origin(origin.channelId(), origin.keyHash(), position));
        }
        if (place >= 0) {
            places.put(number, place);
        }
        counts.accepted++;
        return number;
    }

    /** One dead letter more, or less, of this key. */
    void applyDeadKey(long keyHash, int change) {
        Integer before = deadKeys.get(keyHash);
        int after = (before == null ? 0 : before) + change;
        if (after > 0) {
            deadKeys.put(keyHash, after);
        } else {
            deadKeys.remove(keyHash);
        }
    }

    /** A message was handed to a consumer. */
    void applyDelivered(long number) {
        if (!holds(number)) {
            return;
        }
        Active known = active.get(number);
        if (known == null) {
            known = new Active();
            active.put(number, known);
        }
        if (known.notBefore != 0) {
            known.notBefore = 0;
            delayed--;
        }
        known.idHash = 0;
        known.retry = false;
        known.attempts++;
    }

    /** A message goes, for whatever reason. Returns the origin it had as a dead letter of a key-ordered queue, or null. */
    @Nullable
    Origin applyRemoved(long number) {
        PagedIndex lane = lane(number);
        long ordinal = number & ORDINAL;
        if (lane.gone(ordinal)) {
            return null;
        }
        long position = lane.position(ordinal);
        long hash = definition.keyOrdered() ? lane.hash(ordinal) : 0;
        int size = lane.remove(ordinal);
        Active known = active.isEmpty() ? null : active.remove(number);
        if (known != null) {
            if (known.holder != null) {
                takeFrom(known, size);
            }
            if (known.notBefore != 0) {
                delayed--;
            }
        }
        if (hash != 0) {
            advanceLine(hash, number);
        }
        if (!places.isEmpty()) {
            places.remove(number);
        }
        space.release(position, size);
        return origins.isEmpty() ? null : origins.remove(number);
    }

    /** A message is back in its place, from this moment on. */
    void applyReleased(long time, long number, long notBefore, boolean counts) {
        if (!holds(number)) {
            return;
        }
        Active known = active.get(number);
        if (known == null) {
            known = new Active();
            active.put(number, known);
        }
        if (known.holder != null) {
            takeFrom(known, definition.boundsWaiting() ? size(number) : 0);
        }
        if (!counts && known.attempts > 0) {
            known.attempts--;
        }
        if (counts && known.firstFailure == 0) {
            known.firstFailure = time;
        }
        if (known.notBefore != 0) {
            delayed--;
        }
        known.notBefore = notBefore;
        known.retry = notBefore != 0;
        if (notBefore != 0) {
            delays.add(notBefore, number);
            delayed++;
        } else {
            comeBack(number);
            if (known.idle()) {
                active.remove(number);
            }
        }
    }

    /** Policies make this of the queue from now on; false if it is what it was. */
    boolean applyPolicies(QueueDefinition effective) {
        if (effective.equals(definition)) {
            return false;
        }
        boolean counted = definition.boundsWaiting();
        definition = effective;
        if (counted != effective.boundsWaiting()) {
            heldBytes = 0;
            for (long number : active.sortedKeys()) {
                Active known = active.get(number);
                heldBytes += !counted && known != null && known.holder != null ? size(number) : 0;
            }
        }
        return true;
    }

    /** Everything the queue refers to is let go. */
    void applyDeleted() {
        for (long n = nextNumber(-1); n != PagedIndex.NONE; n = nextNumber(n)) {
            space.release(position(n), size(n));
        }
        for (PagedIndex lane : lanes) {
            lane.releaseAll();
        }
    }

    // ── Volatile: what to deliver next ───────────────────────────────────────────────────────────────────────────────

    /** A consumer holds the message, until the deadline if that is not 0. */
    void hold(long number, ConsumerState consumer, long leaseDeadline) {
        Active known = active.get(number);
        if (known == null) {
            throw new IllegalStateException("message " + number + " was not delivered");
        }
        known.holder = consumer;
        known.leaseDeadline = leaseDeadline;
        if (leaseDeadline != 0) {
            leases.add(leaseDeadline, number);
        }
        consumer.inFlight++;
        held++;
        heldBytes += definition.boundsWaiting() ? size(number) : 0;
    }

    private void takeFrom(Active known, int size) {
        ConsumerState holder = known.holder;
        if (holder != null) {
            holder.inFlight--;
            if (holder.settings.restoring()) {
                gainCredit(holder, 1);
            }
            held--;
            heldBytes -= definition.boundsWaiting() ? size : 0;
            known.holder = null;
            known.leaseDeadline = 0;
        }
    }

    void gainCredit(ConsumerState consumer, int more) {
        boolean could = consumer.canTake();
        consumer.credit = (int) Math.max(0, Math.min(Integer.MAX_VALUE, (long) consumer.credit + more));
        if (!could && consumer.canTake()) {
            returnAll(unserved);
        }
    }

    /** What was passed over is looked at again, for there is a new consumer. */
    void consumerCame(ConsumerState consumer) {
        int at = 0;
        while (at < consumers.size() && consumers.get(at).settings.priority() >= consumer.settings.priority()) {
            at++;
        }
        consumers.add(at, consumer);
        returnAllPassedOver();
    }

    void consumerWent(ConsumerState consumer) {
        consumers.remove(consumer);
        if (consumer == activeConsumer) {
            activeConsumer = null;
        }
        turn = 0;
        returnAllPassedOver();
    }

    private void returnAllPassedOver() {
        returnAll(unmatched);
        returnAll(unserved);
        returnAll(unreadable);
    }

    @Nullable
    ConsumerState activeConsumer() {
        return activeConsumer;
    }

    /**
     * Where one consumer is to receive and none does, the first of the highest priority does from now on. It stays the one until
     * it goes. Null if nothing changed.
     */
    @Nullable
    ConsumerState electConsumer() {
        if (!definition.singleActiveConsumer() || activeConsumer != null || consumers.isEmpty()) {
            return null;
        }
        activeConsumer = consumers.getFirst();
        return activeConsumer;
    }

    private void returnAll(LongHeap heap) {
        while (!heap.isEmpty()) {
            returnFirst(heap);
        }
    }

    private void returnFirst(LongHeap heap) {
        comeBack(heap.second());
        heap.removeFirst();
    }

    private void comeBack(long number) {
        int lane = (int) (number >>> LANE_SHIFT);
        if ((number & ORDINAL) < cursors[lane]) {
            returned[lane].add(number & ORDINAL, 0);
        }
    }

    private void advanceLine(long hash, long number) {
        Line line = lines.get(hash);
        if (line == null || line.head != number) {
            return;
        }
        while (line.count > 0) {
            long next = line.unpark();
            parked--;
            if (holds(next)) {
                line.head = next;
                Active known = active.get(next);
                if (known == null || (known.holder == null && known.notBefore == 0)) {
                    comeBack(next);
                    return;
                }
            }
        }
        lines.remove(hash);
    }

    /**
     * The message to deliver next, or {@link PagedIndex#NONE}. It stays next until the caller holds, removes or passes it
     * over: so each call must be followed by one of these.
     */
    long nextReady(long now) {
        for (int lane = lanes.length - 1; lane >= 0; lane--) {
            long ordinal = nextReady(lane);
            if (ordinal != PagedIndex.NONE) {
                return number(lane, ordinal);
            }
        }
        return PagedIndex.NONE;
    }

    private long nextReady(int lane) {
        PagedIndex index = lanes[lane];
        LongHeap back = returned[lane];
        while (true) {
            long ordinal;
            if (!back.isEmpty()) {
                ordinal = back.first();
                back.removeFirst();
                if (index.gone(ordinal)) {
                    continue;
                }
            } else {
                if (parked >= MOST_PARKED) {
                    return PagedIndex.NONE;
                }
                ordinal = index.nextLive(cursors[lane]);
                if (ordinal == PagedIndex.NONE) {
                    cursors[lane] = index.next();
                    return PagedIndex.NONE;
                }
                cursors[lane] = ordinal + 1;
            }
            if (available(number(lane, ordinal))) {
                return ordinal;
            }
        }
    }

    /** True if nobody holds the message, it does not wait, and it is first of its key; parks it behind its key if not. */
    private boolean available(long number) {
        Active known = active.isEmpty() ? null : active.get(number);
        long hash = definition.keyOrdered() ? keyHash(number) : 0;
        if (known != null && (known.holder != null || known.notBefore != 0)) {
            if (hash != 0 && (known.retry || known.holder != null) && lines.get(hash) == null) {
                lines.put(hash, new Line(number));
            }
            return false;
        }
        if (hash == 0) {
            return true;
        }
        Line line = lines.get(hash);
        if (line == null) {
            lines.put(hash, new Line(number));
            return true;
        }
        if (line.head == number) {
            return true;
        }
        line.park(number);
        parked++;
        return false;
    }

    /** The message from {@link #nextReady} is not delivered after all: it is ready still. */
    void giveBack(long number) {
        comeBack(number);
    }

    /** No consumer's filter takes it: it waits for another consumer. */
    void passOverUnmatched(long number) {
        passOver(unmatched, number);
    }

    /** The consumers whose filter takes it have no credit: it waits until one has. */
    void passOverUnserved(long number) {
        passOver(unserved, number);
    }

    /** It can't be read: it stays where it is, and its key behind it, for an operator to look at. */
    void passOverUnreadable(long number) {
        passOver(unreadable, number);
    }

    private void passOver(LongHeap heap, long number) {
        leaveLine(number);
        heap.add(rank(number), number);
    }

    /** Grows in the order of delivery: the highest priority first, and in each as they came. */
    private long rank(long number) {
        return ((lanes.length - 1L - (number >>> LANE_SHIFT)) << LANE_SHIFT) | (number & ORDINAL);
    }

    /** As {@link #nextReady}, for somebody without a filter: what the filters of consumers left is there too. */
    long nextReadyToAnyone(long now) {
        while (true) {
            long number = nextReady(now);
            LongHeap first = firstPassedOver();
            if (first == null || (number != PagedIndex.NONE && rank(number) < first.first())) {
                return number;
            }
            if (number != PagedIndex.NONE) {
                giveBack(number);
            }
            returnFirst(first);
        }
    }

    private @Nullable LongHeap firstPassedOver() {
        if (unmatched.isEmpty() || unserved.isEmpty()) {
            return !unmatched.isEmpty() ? unmatched : unserved.isEmpty() ? null : unserved;
        }
        return unmatched.first() < unserved.first() ? unmatched : unserved;
    }

    private void leaveLine(long number) {
        if (definition.keyOrdered()) {
            // Its key keeps waiting behind it: order goes before filters.
            long hash = keyHash(number);
            if (hash != 0 && lines.get(hash) == null) {
                lines.put(hash, new Line(number));
            }
        }
    }

    /**
     * A consumer with credit, in turn among those of the highest priority that has one; null if there is none. It stays the
     * next until {@link #took} says that it got something.
     */
    @Nullable
    ConsumerState nextConsumer() {
        int count = consumers.size();
        if (count == 0) {
            return null;
        }
        if (definition.singleActiveConsumer()) {
            ConsumerState only = activeConsumer;
            return only != null && only.canTake() ? only : null;
        }
        if (count == 1) {
            ConsumerState only = consumers.getFirst();
            return only.canTake() ? only : null;
        }
        ConsumerState best = null;
        for (int i = 0; i < count; i++) {
            ConsumerState candidate = consumers.get((turn + i) % count);
            if (candidate.canTake() && (best == null || candidate.settings.priority() > best.settings.priority())) {
                best = candidate;
            }
        }
        return best;
    }

    /** The consumer got a message: others are before it now. */
    void took(ConsumerState consumer) {
        if (consumers.size() > 1) {
            turn = (consumers.indexOf(consumer) + 1) % consumers.size();
        }
    }

    boolean hasFilters() {
        for (ConsumerState consumer : consumers) {
            if (consumer.filter() != null) {
                return true;
            }
        }
        return false;
    }

    /** Messages whose time has come can be delivered. Returns true if there were any. */
    boolean wakeDelayed(long now) {
        boolean any = false;
        while (!delays.isEmpty() && delays.first() <= now) {
            long due = delays.first();
            long number = delays.second();
            delays.removeFirst();
            Active known = active.get(number);
            if (known != null && known.notBefore == due) {
                known.notBefore = 0;
                known.idHash = 0;
                known.retry = false;
                delayed--;
                comeBack(number);
                if (known.idle()) {
                    active.remove(number);
                }
                any = true;
            }
        }
        return any;
    }

    long nextDelay() {
        return delays.isEmpty() ? Long.MAX_VALUE : delays.first();
    }

    /** A delivery whose lease has run out, or {@link PagedIndex#NONE}; each is told once. */
    long nextExpiredLease(long steady) {
        while (!leases.isEmpty() && leases.first() <= steady) {
            long deadline = leases.first();
            long number = leases.second();
            leases.removeFirst();
            Active known = active.get(number);
            if (known != null && known.holder != null && known.leaseDeadline == deadline) {
                return number;
            }
        }
        return PagedIndex.NONE;
    }

    long nextLease() {
        return leases.isEmpty() ? Long.MAX_VALUE : leases.first();
    }

    void extendLease(long number, long deadline) {
        Active known = active.get(number);
        if (known != null && known.holder != null) {
            known.leaseDeadline = deadline;
            if (deadline != 0) {
                leases.add(deadline, number);
            }
        }
    }

    long nextExpiry() {
        return nextExpiry;
    }

    /** Numbers of messages that nobody holds and whose time to live is over. */
    List<Long> expired(long now) {
        List<Long> due = new ArrayList<>();
        if (nextExpiry > now) {
            return due;
        }
        long soonest = Long.MAX_VALUE;
        for (int lane = 0; lane < lanes.length; lane++) {
            int laneNumber = lane;
            lanes[lane].forEachDue(now, ordinal -> {
                long number = number(laneNumber, ordinal);
                Active known = active.get(number);
                if (known == null || known.holder == null) {
                    due.add(number);
                }
            });
            soonest = Math.min(soonest, lanes[lane].minTime());
        }
        nextExpiry = Math.max(soonest, soonest == Long.MAX_VALUE ? soonest : now + 100);
        return due;
    }

    /** Not all that had expired was dealt with. */
    void expireAgain(long now) {
        nextExpiry = now;
    }

    /** Numbers of what this consumer holds, ascending. */
    long[] heldBy(ConsumerState consumer) {
        long[] mine = new long[consumer.inFlight];
        int n = 0;
        for (long number : active.sortedKeys()) {
            Active known = active.get(number);
            if (known != null && known.holder == consumer && n < mine.length) {
                mine[n++] = number;
            }
        }
        return mine;
    }

    /** Numbers of messages that wait for their first delivery under an id with this hash. */
    List<Long> waitingForFirstDelivery(long idHash) {
        List<Long> found = new ArrayList<>();
        for (long number : active.sortedKeys()) {
            Active known = active.get(number);
            if (known != null && known.notBefore != 0 && !known.retry && known.idHash == idHash) {
                found.add(number);
            }
        }
        return found;
    }

    /** Works out anew what to deliver next; the durable part, and who holds what, stay. */
    void rebuild() {
        lines.clear();
        parked = 0;
        unmatched.clear();
        unserved.clear();
        unreadable.clear();
        delays.clear();
        held = 0;
        heldBytes = 0;
        delayed = 0;
        nextExpiry = Long.MAX_VALUE;
        for (int lane = 0; lane < lanes.length; lane++) {
            returned[lane].clear();
            cursors[lane] = lanes[lane].first();
            nextExpiry = Math.min(nextExpiry, lanes[lane].minTime());
        }
        for (long number : active.sortedKeys()) {
            Active known = active.get(number);
            if (known == null) {
                continue;
            }
            if (known.notBefore != 0) {
                delays.add(known.notBefore, number);
                delayed++;
            }
            if (known.holder != null) {
                held++;
                heldBytes += definition.boundsWaiting() ? size(number) : 0;
            }
            if (definition.keyOrdered() && (known.holder != null || (known.notBefore != 0 && known.retry))) {
                long hash = keyHash(number);
                if (hash != 0 && lines.get(hash) == null) {
                    lines.put(hash, new Line(number));
                }
            }
        }
    }

    /** All deliveries are nobody's: the engine was opened again. */
    void forgetHolders() {
        for (long number : active.sortedKeys()) {
            Active known = active.get(number);
            if (known != null) {
                known.holder = null;
                known.leaseDeadline = 0;
            }
        }
        leases.clear();
        rebuild();
    }

    // ── Snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────

    void write(Snapshot snapshot) {
        for (PagedIndex lane : lanes) {
            lane.write(snapshot);
        }
        ByteBuffer out = snapshot.room(11 + 46 * active.size());
        out.put((byte) (complete ? 1 : 0));
        Bytes.putVarint(out, active.size());
        for (long number : active.sortedKeys()) {
            Active known = active.get(number);
            if (known != null) {
                out.putLong(number).putLong(known.notBefore).putLong(known.idHash);
                Bytes.putVarint(out, 2L * known.attempts + (known.retry ? 1 : 0));
                Bytes.putVarint(out, known.firstFailure);
            }
        }
        out = snapshot.room(30 + 14 * deadKeys.size() + 28 * origins.size() + 16 * places.size());
        Bytes.putVarint(out, deadKeys.size());
        for (long hash : deadKeys.sortedKeys()) {
            Integer count = deadKeys.get(hash);
            out.putLong(hash);
            Bytes.putVarint(out, count == null ? 0 : count);
        }
        Bytes.putVarint(out, origins.size());
        for (long number : origins.sortedKeys()) {
            Origin origin = origins.get(number);
            if (origin != null) {
                out.putLong(number)
                        .putInt(origin.channelId())
                        .putLong(origin.keyHash())
                        .putLong(origin.place());
            }
        }
        Bytes.putVarint(out, places.size());
        for (long number : places.sortedKeys()) {
            out.putLong(number).putLong(place(number));
        }
        if (dedup != null) {
            dedup.write(snapshot);
        }
    }

    void read(ByteBuffer in) {
        for (PagedIndex lane : lanes) {
            lane.read(in);
        }
        complete = in.get() != 0;
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            Active known = new Active();
            long number = in.getLong();
            known.notBefore = in.getLong();
            known.idHash = in.getLong();
            long attempts = Bytes.getVarint(in);
            known.attempts = (int) (attempts >>> 1);
            known.retry = (attempts & 1) != 0;
            known.firstFailure = Bytes.getVarint(in);
            if (!known.idle()) {
                active.put(number, known);
            }
        }
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            deadKeys.put(in.getLong(), (int) Bytes.getVarint(in));
        }
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            origins.put(in.getLong(), new Origin(in.getInt(), in.getLong(), in.getLong()));
        }
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            places.put(in.getLong(), in.getLong());
        }
        if (dedup != null) {
            dedup.read(in);
        }
        rebuild();
    }
}
