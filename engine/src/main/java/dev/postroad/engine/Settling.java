package dev.postroad.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of deliveries: acknowledged, released, dead-lettered. Where a queue keeps order per key, a dead letter takes
 * the later messages of its key with it, in sequence, those that wait and those that come, until it is put back or discarded.
 */
final class Settling {
    private static final int LONGEST_REASON = 1000;
    private static final int LETTER_HEADERS = 3072;
    private static final int LONGEST_EXCEPTION = 255;
    private static final int RECORD_ROOM = 40;
    private static final String BEHIND = "an earlier message of its key is a dead letter";
    private static final String FULL = "the queue is full";
    private static final int CHUNK_MESSAGES = 256;
    private static final int CHUNK_BYTES = 1 << 20;

    /** Why a message is given up; without a cause it is just dropped. */
    enum Why {
        REJECTED(Death.Cause.REJECTED),
        DELIVERY_LIMIT(Death.Cause.DELIVERY_LIMIT),
        EXPIRED(Death.Cause.EXPIRED),
        OVERFLOW(Death.Cause.OVERFLOW),
        KEY_ORDER(Death.Cause.KEY_ORDER),
        DROPPED(null);

        private final Death.@Nullable Cause cause;

        Why(Death.@Nullable Cause cause) {
            this.cause = cause;
        }

        String header() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /** True if later messages of the same key must not overtake it. */
        boolean killsKey() {
            return this == REJECTED || this == DELIVERY_LIMIT || this == KEY_ORDER;
        }
    }

    /** How a message failed: after so many deliveries, for the first time at 0 or a moment, and with what. */
    private record Failure(
            int attempts, long firstMillis, @Nullable String exception) {
        private static final Failure NONE = new Failure(0, 0, null);
    }

    private record DeadKey(QueueState queue, long keyHash, long place) {}

    /** The first of the dead letters of a key: its place in the line of the key, and where it is stored itself. */
    private record Head(long place, long position) {}

    private final Engine engine;
    private final List<DeadKey> newlyDead = new ArrayList<>();
    private final List<QueueState> overflowing = new ArrayList<>();

    Settling(Engine engine) {
        this.engine = engine;
    }

    private ConsumerState consumer(long id) {
        ConsumerState consumer = engine.consumers().get(id);
        if (consumer == null) {
            throw new EngineException(
                    EngineException.Reason.NOT_DELIVERED,
                    "there is no consumer " + id + " (any more): its deliveries went back when it ended");
        }
        return consumer;
    }

    private static boolean holds(ConsumerState consumer, Command.Settle settle, int index) {
        QueueState.Active known = consumer.queue.active(settle.numbers()[index]);
        int[] attempts = settle.attempts();
        return known != null && known.holder == consumer && (attempts == null || attempts[index] == known.attempts);
    }

    // ── Commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

    void settle(Command.Settle settle) {
        check(settle);
        if (engine.streamConsuming.has(settle.consumerId())) {
            engine.park(settle.reply(), engine.streamConsuming.settle(settle), false);
            return;
        }
        ConsumerState consumer = consumer(settle.consumerId());
        QueueState queue = consumer.queue;
        boolean all = allHeldOnce(consumer, settle);
        long[] mine = all ? settle.numbers() : heldOnce(consumer, settle);
        int count = all ? settle.count() : mine.length;
        if (count > 0) {
            if (settle.outcome() instanceof Command.Outcome.Acknowledge) {
                // The common case: one record for all of them.
                engine.records.begin(engine.now(), 1, Records.numbersBytes(count));
                engine.records.removed(queue, Records.Cause.ACKNOWLEDGED, mine, count);
                engine.records.end();
            } else {
                settleInChunks(consumer, mine, count, settle.outcome());
            }
        }
        leaveIfDone(consumer);
        engine.touch(queue);
        boolean awaited = !Reply.isIgnored(settle.reply());
        engine.park(settle.reply(), settle.count() - count, awaited && queue.durable() && count > 0);
    }

    private static void check(Command.Settle settle) {
        if (settle.count() < 0 || settle.count() > settle.numbers().length) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "a settlement says " + settle.count() + " deliveries and names " + settle.numbers().length);
        }
        if (settle.outcome() instanceof Command.Outcome.Extend extend && extend.leaseMillis() < 1) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "a lease is extended by " + extend.leaseMillis() + " ms; it must be 1 or more");
        }
        if (settle.outcome() instanceof Command.Outcome.Release release && release.delayMillis() < 0) {
            throw new EngineException(
                    EngineException.Reason.INVALID,
                    "a release is delayed by " + release.delayMillis() + " ms; it must be 0 or more");
        }
    }

    /** The common case: nothing to pass over, which ascending numbers show without looking for repetitions. */
    private static boolean allHeldOnce(ConsumerState consumer, Command.Settle settle) {
        long before = -1;
        for (int i = 0; i < settle.count(); i++) {
            long number = settle.numbers()[i];
            if (number <= before || !holds(consumer, settle, i)) {
                return false;
            }
            before = number;
        }
        return true;
    }

    private static long[] heldOnce(ConsumerState consumer, Command.Settle settle) {
        return IntStream.range(0, settle.count())
                .filter(index -> holds(consumer, settle, index))
                .mapToLong(index -> settle.numbers()[index])
                .distinct()
                .toArray();
    }

    private void leaveIfDone(ConsumerState consumer) {
        if (consumer.leaving && consumer.inFlight == 0) {
            engine.forget(consumer);
        }
    }

    private void settleInChunks(ConsumerState consumer, long[] numbers, int count, Command.Outcome outcome) {
        for (int from = 0; from < count; ) {
            int to = from + 1;
            long bytes = settleBytes(consumer.queue, numbers[from], outcome);
            for (; to < count && to - from < CHUNK_MESSAGES; to++) {
                long more = settleBytes(consumer.queue, numbers[to], outcome);
                if (bytes + more > Math.min(CHUNK_BYTES, engine.journal.maxBatchBytes() / 2)) {
                    break;
                }
                bytes += more;
            }
            engine.records.begin(engine.now(), 2 * (to - from), bytes);
            for (int i = from; i < to; i++) {
                perform(consumer, numbers[i], outcome);
            }
            engine.records.end();
            from = to;
        }
        afterBatch();
    }

    /** Most payload bytes of a settlement in a transaction. @throws EngineException if one is not this consumer's */
    long checkAll(Command.Settle settle) {
        check(settle);
        if (engine.streamConsuming.has(settle.consumerId())) {
            return 0;
        }
        ConsumerState consumer = consumer(settle.consumerId());
        long bytes = 0;
        for (int i = 0; i < settle.count(); i++) {
            long number = settle.numbers()[i];
            if (!holds(consumer, settle, i)) {
                throw new EngineException(
                        EngineException.Reason.NOT_DELIVERED,
                        "delivery " + number + " of queue '"
                                + consumer.queue.definition().name()
                                + "' is not (or no longer) this consumer's: its lease ran out, or it was settled before");
            }
            bytes += settleBytes(consumer.queue, number, settle.outcome());
        }
        return bytes;
    }

    void perform(Command.Settle settle) {
        if (engine.streamConsuming.has(settle.consumerId())) {
            engine.streamConsuming.settle(settle);
            return;
        }
        ConsumerState consumer = consumer(settle.consumerId());
        for (int i = 0; i < settle.count(); i++) {
            perform(consumer, settle.numbers()[i], settle.outcome());
        }
        leaveIfDone(consumer);
        engine.touch(consumer.queue);
    }

    private long settleBytes(QueueState queue, long number, Command.Outcome outcome) {
        return switch (outcome) {
            case Command.Outcome.Acknowledge a -> Records.numbersBytes(1);
            case Command.Outcome.Extend e -> 0;
            case Command.Outcome.Release r ->
                atLimit(queue, number, r.counts()) ? giveUpBytes(queue, number) : Records.numbersBytes(1);
            case Command.Outcome.DeadLetter d -> giveUpBytes(queue, number);
        };
    }

    private void perform(ConsumerState consumer, long number, Command.Outcome outcome) {
        QueueState queue = consumer.queue;
        long[] one = {number};
        switch (outcome) {
            case Command.Outcome.Acknowledge a -> engine.records.removed(queue, Records.Cause.ACKNOWLEDGED, one, 1);
            case Command.Outcome.Extend extend ->
                queue.extendLease(number, Times.after(engine.steady(), extend.leaseMillis()));
            case Command.Outcome.Release release -> release(queue, number, release);
            case Command.Outcome.DeadLetter dead ->
                record(queue, number, Why.REJECTED, dead.reason(), dead.exception());
        }
    }

    private static boolean atLimit(QueueState queue, long number, boolean counts) {
        int limit = queue.definition().deliveryLimit();
        return counts && limit > 0 && queue.attempts(number) >= limit;
    }

    private void release(QueueState queue, long number, Command.Outcome.Release release) {
        if (atLimit(queue, number, release.counts())) {
            String cause = release.cause();
            record(
                    queue,
                    number,
                    Why.DELIVERY_LIMIT,
                    (cause == null ? "" : cause + "; ") + "delivered " + queue.attempts(number) + " times of "
                            + queue.definition().deliveryLimit() + " at most");
            return;
        }
        long notBefore = release.delayMillis() > 0 ? Times.after(engine.now(), release.delayMillis()) : 0;
        engine.records.released(queue, notBefore, release.counts(), new long[] {number}, 1);
        if (queue.definition().boundsWaiting()) {
            // What was in flight did not count.
            noteOverflow(queue);
        }
    }

    // ── Without a command ────────────────────────────────────────────────────────────────────────────────────────────

    /** A delivery goes back because its consumer ended or its lease ran out. In a batch of its own. */
    void takeBack(QueueState queue, long number, String cause) {
        Command.Outcome.Release release = new Command.Outcome.Release(0, cause, true);
        QueueState.Active known = queue.active(number);
        ConsumerState holder = known == null ? null : known.holder;
        engine.records.begin(engine.now(), 2, settleBytes(queue, number, release));
        release(queue, number, release);
        engine.records.end();
        if (holder != null) {
            leaveIfDone(holder);
        }
        afterBatch();
        engine.touch(queue);
    }

    /** A message is given up. In a batch of its own. */
    void giveUp(QueueState queue, long number, Why why, String reason) {
        giveUpAlone(queue, number, why, reason);
        afterBatch();
    }

    private void giveUpAlone(QueueState queue, long number, Why why, String reason) {
        engine.records.begin(engine.now(), 2, giveUpBytes(queue, number));
        record(queue, number, why, reason);
        engine.records.end();
        engine.touch(queue);
    }

    /** Most payload bytes of what {@link #record} writes. */
    private long giveUpBytes(QueueState queue, long number) {
        long bytes = Records.numbersBytes(1);
        if (queue.definition().deadLetter() != null) {
            Stored stored = engine.state.store.readIfSound(queue.position(number));
            bytes += stored == null ? 0 : letterBytes(queue, stored.message());
        }
        return bytes;
    }

    /** Most payload bytes of the records of a message's dead letter, wherever it goes. */
    long letterBytes(QueueState queue, EngineMessage message) {
        long bytes = 0;
        Route route = message.route();
        long keys = route == null ? 0 : 2 * Route.maxBytes(route.topic(), route.keys());
        for (Records.Target to : resolve(queue, message, Why.REJECTED)) {
            bytes += RECORD_ROOM
                    + Records.messageBytes(message, to.queueCount)
                    + 3L * LONGEST_REASON
                    + LETTER_HEADERS
                    + Death.ROOM
                    + keys;
        }
        return bytes;
    }

    /**
     * Records that a message is given up, and its dead letter if there is a place for it. One that only follows its key, with
     * which nobody found fault, stays where it is if there is none. Within a batch.
     */
    private void record(QueueState queue, long number, Why why, String reason) {
        record(queue, number, why, reason, null);
    }

    private void record(QueueState queue, long number, Why why, String reason, @Nullable String exception) {
        Stored stored = why == Why.DROPPED ? null : engine.state.store.readIfSound(queue.position(number));
        List<Records.Target> places = stored == null ? List.of() : resolve(queue, stored.message(), why);
        if (why == Why.KEY_ORDER && places.isEmpty()) {
            return;
        }
        long hash = queue.keyHash(number);
        if (stored != null && !places.isEmpty()) {
            QueueState.Origin origin = why.killsKey() ? origin(queue, hash, queue.place(number), places) : null;
            boolean failed = why == Why.REJECTED || why == Why.DELIVERY_LIMIT;
            long before = queue.firstFailure(number);
            Failure failure =
                    new Failure(queue.attempts(number), failed && before == 0 ? engine.now() : before, exception);
            store(deadLetter(queue, stored.message(), failure, why, reason), places, origin);
            if (origin != null && why != Why.KEY_ORDER) {
                newlyDead.add(new DeadKey(queue, hash, origin.place()));
            }
        }
        Records.Cause cause = places.isEmpty()
                ? (why == Why.EXPIRED ? Records.Cause.EXPIRED : Records.Cause.DROPPED)
                : Records.Cause.DEAD_LETTERED;
        engine.records.removed(queue, cause, new long[] {number}, 1);
    }

    /**
     * A message came whose key is dead in this queue: it goes behind its predecessor, to the dead letters. Within a batch.
     * Returns false if there is no place for dead letters any more.
     */
    private boolean deadLetterBehind(QueueState queue, EngineMessage message, long hash) {
        List<Records.Target> places = resolve(queue, message, Why.KEY_ORDER);
        if (places.isEmpty()) {
            return false;
        }
        QueueState.Origin origin = origin(queue, hash, -1, places);
        if (origin == null && queue.dedup() != null && message.id() != null) {
            origin = new QueueState.Origin(queue.id, 0, -1);
        }
        store(deadLetter(queue, message, Failure.NONE, Why.KEY_ORDER, BEHIND), places, origin);
        queue.counts.deadLettered++;
        return true;
    }

    /** A message that comes to a full queue goes to its dead letters, if there is a place for them. Within a batch. */
    void deadLetterNewcomer(QueueState queue, EngineMessage message) {
        List<Records.Target> places = resolve(queue, message, Why.OVERFLOW);
        if (!places.isEmpty()) {
            store(deadLetter(queue, message, Failure.NONE, Why.OVERFLOW, FULL), places, null);
            queue.counts.deadLettered++;
        }
    }

    /** Where its key is dead, the message goes behind its predecessors to the dead letters. Within a batch. */
    void followDeadKeys(EngineMessage message, Records.Target to) {
        byte[] key = message.key();
        if (key == null) {
            return;
        }
        int kept = 0;
        int count = to.queueCount;
        for (int i = 0; i < count; i++) {
            QueueState queue = to.queues[i];
            if (!queue.hasDeadKeys()
                    || !queue.keyDead(Hash.of(key))
                    || !deadLetterBehind(queue, message, Hash.of(key))) {
                to.queues[kept++] = queue;
            }
        }
        to.queueCount = kept;
    }

    private void store(EngineMessage letter, List<Records.Target> places, QueueState.@Nullable Origin origin) {
        for (Records.Target to : places) {
            to.origin = origin;
            engine.records.message(letter, to);
            stored(to);
        }
    }

    /**
     * Where dead letters of the queue go: one record each, because a record is of one stream at most. A queue that the message
     * would come back to by itself, over and over, is left out; and so is this one for what follows a dead key: there it would
     * be delivered before those it follows.
     */
    private List<Records.Target> resolve(QueueState queue, EngineMessage message, Why why) {
        QueueDefinition.DeadLetterTarget target = queue.definition().deadLetter();
        if (target == null) {
            return List.of();
        }
        boolean judged = why.cause == null || why.cause.judged();
        String here = name(queue);
        List<Records.Target> places = new ArrayList<>(1);
        for (String name : engine.routes.channels(target.topic(), letterKeys(queue, target, message), message)) {
            boolean back = name.equals(here) && (why == Why.KEY_ORDER || !judged);
            if (!back && (judged || !Death.goesRound(message.deaths(), name))) {
                resolve(name, message, places);
            }
        }
        return places;
    }

    private static String name(QueueState queue) {
        String stream = queue.stream;
        return stream == null ? queue.definition().name() : stream;
    }

    /** What dead letters are published with: what the target says, else what the message was published with. */
    private static List<String> letterKeys(
            QueueState queue, QueueDefinition.DeadLetterTarget target, EngineMessage message) {
        String channel = target.channel();
        if (channel != null) {
            return List.of(channel);
        }
        Route route = message.route();
        return route == null ? List.of(name(queue)) : route.keys();
    }

    private void resolve(String channel, EngineMessage message, List<Records.Target> places) {
        boolean stream = engine.routes.isStream(channel);
        if (places.isEmpty() || (stream && places.getLast().stream != null)) {
            places.add(new Records.Target().clear());
        }
        engine.routes.resolve(channel, message, -1, places.getLast());
        if (places.getLast().empty()) {
            places.removeLast();
        }
    }

    /** One letter in one queue stands for its key; letters in several places, or in a stream, can't be put back in order. */
    private static QueueState.@Nullable Origin origin(
            QueueState queue, long hash, long place, List<Records.Target> places) {
        Records.Target to = places.getFirst();
        boolean one = places.size() == 1 && to.stream == null && to.queueCount == 1 && to.queues[0] != queue;
        return hash != 0 && one ? new QueueState.Origin(queue.id, hash, place) : null;
    }

    private EngineMessage deadLetter(QueueState queue, EngineMessage message, Failure failure, Why why, String reason) {
        Map<String, Object> headers = new LinkedHashMap<>(message.headers());
        headers.put(
                DeadLetterHeaders.REASON,
                reason.length() > LONGEST_REASON ? reason.substring(0, LONGEST_REASON) : reason);
        headers.put(DeadLetterHeaders.CAUSE, why.header());
        String stream = queue.stream;
        headers.put(
                DeadLetterHeaders.ORIGIN, stream == null ? queue.definition().name() : stream);
        if (stream != null) {
            headers.put(DeadLetterHeaders.GROUP, queue.definition().name());
        } else {
            // It may have been a dead letter of a group before.
            headers.remove(DeadLetterHeaders.GROUP);
        }
        headers.put(DeadLetterHeaders.ATTEMPTS, (long) failure.attempts());
        headers.put(DeadLetterHeaders.TIME, engine.now());
        // As with the group, these may be of an earlier death.
        headers.remove(DeadLetterHeaders.FIRST_FAILURE);
        headers.remove(DeadLetterHeaders.EXCEPTION);
        if (failure.firstMillis() != 0) {
            headers.put(DeadLetterHeaders.FIRST_FAILURE, failure.firstMillis());
        }
        String exception = failure.exception();
        if (exception != null) {
            headers.put(
                    DeadLetterHeaders.EXCEPTION,
                    exception.length() > LONGEST_EXCEPTION ? exception.substring(0, LONGEST_EXCEPTION) : exception);
        }
        Route route = message.route();
        QueueDefinition.DeadLetterTarget target = queue.definition().deadLetter();
        Death.Cause cause = why.cause;
        return new EngineMessage(
                message.id(),
                message.key(),
                message.payload(),
                headers,
                message.properties(),
                message.timestampMillis(),
                message.priority(),
                0,
                0,
                target == null ? route : letterRoute(queue, target, message),
                cause == null
                        ? message.deaths()
                        : Death.after(message.deaths(), cause, name(queue), route, message.ttlMillis(), engine.now()));
    }

    private static @Nullable Route letterRoute(
            QueueState queue, QueueDefinition.DeadLetterTarget target, EngineMessage message) {
        Route route = message.route();
        if (target.channel() == null && route != null) {
            return new Route(target.topic(), route.keys(), route.blind());
        }
        String topic = target.topic();
        return topic == null ? null : new Route(topic, letterKeys(queue, target, message), 0);
    }

    // ── After a batch ────────────────────────────────────────────────────────────────────────────────────────────────

    /** A message was stored: its queues have something to do, and may have become too long. Within a batch. */
    void stored(Records.Target to) {
        for (int i = 0; i < to.queueCount; i++) {
            engine.touch(to.queues[i]);
            noteOverflow(to.queues[i]);
        }
    }

    void noteOverflow(QueueState queue) {
        QueueDefinition.Overflow overflow = queue.definition().overflow();
        if ((overflow == QueueDefinition.Overflow.DROP_OLDEST
                        || overflow == QueueDefinition.Overflow.DEAD_LETTER_OLDEST)
                && over(queue)
                && !overflowing.contains(queue)) {
            overflowing.add(queue);
        }
    }

    private static boolean over(QueueState queue) {
        QueueDefinition definition = queue.definition();
        return (definition.maxMessages() > 0 && queue.boundedMessages() > definition.maxMessages())
                || (definition.maxBytes() > 0 && queue.boundedBytes() > definition.maxBytes());
    }

    /**
     * What follows from a batch, in batches of their own: messages that wait behind a key that has just died go to the dead
     * letters, in sequence, and queues that have become too long are shortened.
     */
    void afterBatch() {
        List<QueueState> shortened = new ArrayList<>(0);
        try {
            while (!newlyDead.isEmpty() || !overflowing.isEmpty()) {
                if (!newlyDead.isEmpty()) {
                    DeadKey dead = newlyDead.getFirst();
                    if (engine.state.queue(dead.queue().id) == dead.queue()) {
                        clear(dead.queue(), dead.keyHash(), dead.place(), Long.MAX_VALUE);
                    }
                    newlyDead.removeFirst();
                } else {
                    QueueState queue = overflowing.getFirst();
                    // Dead letters may come round to where they began: what overflows a second time is dropped.
                    boolean first = !shortened.contains(queue);
                    boolean letters = queue.definition().overflow() == QueueDefinition.Overflow.DEAD_LETTER_OLDEST;
                    overflowing.removeFirst();
                    if (engine.state.queue(queue.id) == queue) {
                        shorten(queue, first && letters);
                    }
                    shortened.add(queue);
                }
            }
        } catch (EngineException e) {
            if (e.reason() != EngineException.Reason.FULL) {
                throw e;
            }
            // What the batch was about is done. The rest is tried again with the next turn that has space.
        }
    }

    /** True if something that should follow from a batch waits for space on the disk. */
    boolean behind() {
        return !newlyDead.isEmpty();
    }

    private void shorten(QueueState queue, boolean deadLetter) {
        boolean letters = deadLetter;
        while (over(queue)) {
            long oldest = queue.oldestWaiting();
            if (oldest == PagedIndex.NONE) {
                return;
            }
            long before = queue.messages();
            giveUpAlone(queue, oldest, letters ? Why.OVERFLOW : Why.DROPPED, FULL);
            // A letter that comes back to where it was would go round for ever.
            letters = letters && queue.messages() < before;
        }
    }

    /**
     * The engine was opened: where it had stopped between a batch and what follows from it, that is made up for. What came
     * after the first letter of a dead key stays: it had found no place among the letters, or was put back. So opening again
     * and again changes nothing.
     */
    void afterRestart() {
        engine.state.queues().forEach(this::noteOverflow);
        Map<QueueState.DeadKey, Head> first = new LinkedHashMap<>();
        for (QueueState letters : engine.state.queues()) {
            for (long number : letters.lettersWithOrigin()) {
                QueueState.Origin origin = letters.origin(number);
                if (origin != null) {
                    Head head = new Head(origin.place(), letters.position(number));
                    first.merge(origin.key(), head, (a, b) -> a.place() <= b.place() ? a : b);
                }
            }
        }
        first.forEach((key, head) -> {
            QueueState queue = engine.state.queue(key.channelId());
            if (queue != null) {
                clear(queue, key.keyHash(), head.place(), head.position());
            }
        });
        afterBatch();
    }

    /**
     * Messages of a dead key that stand behind this place in its line go to the dead letters, in sequence.
     *
     * @param before only those stored before this position
     */
    private void clear(QueueState queue, long hash, long place, long before) {
        List<Long> chunk = new ArrayList<>();
        long most = Math.min(CHUNK_BYTES, engine.journal.maxBatchBytes() / 2);
        long bytes = 0;
        for (long n = queue.nextNumber(-1); n != PagedIndex.NONE; n = queue.nextNumber(n)) {
            QueueState.Active known = queue.active(n);
            boolean held = known != null && known.holder != null;
            if (queue.keyHash(n) == hash && !held && queue.place(n) > place && queue.position(n) < before) {
                long more = giveUpBytes(queue, n);
                if (chunk.size() == CHUNK_MESSAGES || (bytes > 0 && bytes + more > most)) {
                    giveUpAll(queue, chunk, bytes);
                    bytes = 0;
                }
                chunk.add(n);
                bytes += more;
            }
        }
        giveUpAll(queue, chunk, bytes);
    }

    private void giveUpAll(QueueState queue, List<Long> chunk, long bytes) {
        if (!chunk.isEmpty()) {
            engine.records.begin(engine.now(), 2 * chunk.size(), bytes);
            for (long number : chunk) {
                record(queue, number, Why.KEY_ORDER, BEHIND);
            }
            engine.records.end();
            chunk.clear();
        }
    }

    /** The message as it was before it became a dead letter. */
    static EngineMessage restored(EngineMessage letter) {
        Map<String, Object> headers = new LinkedHashMap<>(letter.headers());
        headers.keySet().removeIf(DeadLetterHeaders::isOne);
        Route route = letter.route();
        for (Death death : letter.deaths()) {
            route = death.first() ? death.route() : route;
        }
        return letter.withHeaders(headers.isEmpty() ? Map.of() : headers)
                .withRoute(route)
                .withDeaths(List.of());
    }

    /** The queue or shared group that a dead letter came from; null if it says none, or that is gone. */
    @Nullable
    QueueState originOf(EngineMessage letter) {
        Object origin = letter.headers().get(DeadLetterHeaders.ORIGIN);
        Object group = letter.headers().get(DeadLetterHeaders.GROUP);
        if (!(origin instanceof String name)) {
            return null;
        }
        return group instanceof String groupName ? engine.state.sharedGroup(name, groupName) : engine.state.queue(name);
    }
}
