package dev.postroad.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What queues should do, said as plainly as possible: lists of messages, looked through from the beginning each time. It knows
 * no journal, no index and no heap. A message is known by its payload, which no other has.
 */
final class EngineModel {
    static final String DEAD = "dead";

    /** A message in a queue. */
    static final class Msg {
        final String name;
        final @Nullable String key;
        final int priority;
        final @Nullable String id;
        long ttl;
        long expiry;
        long notBefore;
        boolean firstDelay;
        int attempts;

        @Nullable
        Credit holder;

        long lease;

        /** Where it stands in the line of its key: lower is earlier. */
        long place;

        /** As a dead letter, the queue it came from; it says so until it is put back. */
        @Nullable
        String origin;

        /** As a dead letter, true if its key is dead there because of it. */
        boolean marks;

        Msg(String name, @Nullable String key, int priority, @Nullable String id) {
            this.name = name;
            this.key = key;
            this.priority = priority;
            this.id = id;
        }

        Msg copy() {
            Msg copy = new Msg(name, key, priority, id);
            copy.ttl = ttl;
            copy.expiry = expiry;
            copy.notBefore = notBefore;
            copy.firstDelay = firstDelay;
            copy.attempts = attempts;
            copy.holder = holder;
            copy.lease = lease;
            copy.place = place;
            copy.origin = origin;
            copy.marks = marks;
            return copy;
        }
    }

    /** A consumer. */
    static final class Credit {
        final String queue;
        int credit;

        Credit(String queue, int credit) {
            this.queue = queue;
            this.credit = credit;
        }
    }

    /** A queue, or a shared group of the stream of its name. */
    static final class Queue {
        final QueueDefinition definition;
        final List<Msg> messages = new ArrayList<>();
        final Map<String, Long> seen = new HashMap<>();
        final List<Credit> consumers = new ArrayList<>();

        Queue(QueueDefinition definition) {
            this.definition = definition;
        }

        String name() {
            return definition.name();
        }
    }

    final Map<String, Queue> queues = new LinkedHashMap<>();

    /** What was delivered since somebody looked, by queue. */
    final Map<String, List<String>> delivered = new HashMap<>();

    private long nextPlace = 1;
    private boolean transacting;
    private final List<Runnable> following = new ArrayList<>();

    EngineModel copy() {
        EngineModel copy = new EngineModel();
        copy.nextPlace = nextPlace;
        Map<Credit, Credit> consumers = new IdentityHashMap<>();
        queues.forEach((name, queue) -> {
            Queue twin = new Queue(queue.definition);
            twin.seen.putAll(queue.seen);
            for (Credit consumer : queue.consumers) {
                Credit other = new Credit(consumer.queue, consumer.credit);
                consumers.put(consumer, other);
                twin.consumers.add(other);
            }
            for (Msg message : queue.messages) {
                Msg other = message.copy();
                other.holder = message.holder == null ? null : consumers.get(message.holder);
                twin.messages.add(other);
            }
            copy.queues.put(name, twin);
        });
        return copy;
    }

    Queue queue(String name) {
        Queue queue = queues.get(name);
        if (queue == null) {
            throw new IllegalArgumentException(name);
        }
        return queue;
    }

    @Nullable
    Msg find(String queue, String message) {
        return queue(queue).messages.stream()
                .filter(m -> m.name.equals(message))
                .findFirst()
                .orElse(null);
    }

    // ── What comes
    // ────────────────────────────────────────────────────────────────────────────────────────────────────

    boolean duplicate(Queue queue, @Nullable String id, long now) {
        Long at = id == null ? null : queue.seen.get(id);
        return at != null && queue.definition.dedupMillis() > 0 && at + queue.definition.dedupMillis() > now;
    }

    private void remember(Queue queue, @Nullable String id, long now) {
        if (id != null && queue.definition.dedupMillis() > 0 && !duplicate(queue, id, now)) {
            queue.seen.put(id, now);
        }
    }

    /** True if the queue refuses so many more that are no duplicates. */
    boolean refuses(Queue queue, int more) {
        QueueDefinition d = queue.definition;
        return d.overflow() == QueueDefinition.Overflow.REJECT_PUBLISH
                && more > 0
                && d.maxMessages() > 0
                && queue.messages.size() + more > d.maxMessages();
    }

    /** A message comes that the queue does not refuse. False if it is a duplicate. */
    boolean publish(Queue queue, Msg message, long ttl, long deliverAt, long now) {
        if (duplicate(queue, message.id, now)) {
            return false;
        }
        message.place = nextPlace++;
        message.ttl = ttl;
        if (keyDead(queue, message.key) && queues.containsKey(DEAD)) {
            remember(queue, message.id, now);
            letter(queue, message, true);
        } else {
            append(queue, message, deliverAt, now);
        }
        return true;
    }

    private void append(Queue queue, Msg message, long deliverAt, long now) {
        long own = queue.definition.ttlMillis();
        long ttl = message.ttl > 0 && own > 0 ? Math.min(message.ttl, own) : Math.max(message.ttl, own);
        message.expiry = ttl > 0 ? Math.max(now, deliverAt) + ttl : 0;
        message.notBefore = deliverAt > now ? deliverAt : 0;
        message.firstDelay = message.notBefore > 0;
        message.attempts = 0;
        message.holder = null;
        message.marks = false;
        queue.messages.add(message);
        remember(queue, message.id, now);
    }

    boolean keyDead(Queue queue, @Nullable String key) {
        return key != null
                && queue.definition.keyOrdered()
                && queue(DEAD).messages.stream().anyMatch(letter -> marks(letter, queue, key));
    }

    private static boolean marks(Msg letter, Queue queue, String key) {
        return letter.marks && queue.name().equals(letter.origin) && key.equals(letter.key);
    }

    /** Queues that have become too long are shortened. */
    void shorten() {
        for (Queue queue : queues.values()) {
            QueueDefinition d = queue.definition;
            while (d.overflow() != QueueDefinition.Overflow.REJECT_PUBLISH
                    && d.maxMessages() > 0
                    && queue.messages.size() > d.maxMessages()) {
                Msg oldest = queue.messages.stream()
                        .filter(m -> m.holder == null)
                        .min(Comparator.comparingInt(m -> lane(queue, m)))
                        .orElse(null);
                if (oldest == null) {
                    break;
                }
                queue.messages.remove(oldest);
                if (d.overflow() == QueueDefinition.Overflow.DEAD_LETTER_OLDEST) {
                    letter(queue, oldest, false);
                }
            }
        }
    }

    private static int lane(Queue queue, Msg message) {
        return Math.min(message.priority, queue.definition.priorities() - 1);
    }

    // ── What goes
    // ─────────────────────────────────────────────────────────────────────────────────────────────────────

    private void letter(Queue queue, Msg message, boolean killsKey) {
        if (queue.definition.deadLetter() == null) {
            return;
        }
        Msg letter = message.copy();
        letter.origin = queue.name();
        letter.marks = killsKey && queue.definition.keyOrdered() && message.key != null;
        letter.expiry = 0;
        letter.ttl = 0;
        letter.notBefore = 0;
        letter.attempts = 0;
        letter.holder = null;
        queue(DEAD).messages.add(letter);
    }

    private void take(Queue queue, Msg message) {
        Credit holder = message.holder;
        if (holder != null) {
            holder.credit++;
            message.holder = null;
        }
        queue.messages.remove(message);
    }

    void acknowledge(Queue queue, Msg message) {
        take(queue, message);
    }

    void deadLetter(Queue queue, Msg message) {
        take(queue, message);
        letter(queue, message, true);
        following.add(() -> follow(queue, message));
        if (!transacting) {
            followAll();
        }
    }

    private void follow(Queue queue, Msg dead) {
        if (queue.definition.keyOrdered() && dead.key != null && queue.definition.deadLetter() != null) {
            for (Msg behind : List.copyOf(queue.messages)) {
                if (dead.key.equals(behind.key) && behind.place > dead.place && behind.holder == null) {
                    queue.messages.remove(behind);
                    letter(queue, behind, true);
                }
            }
        }
    }

    private void followAll() {
        following.forEach(Runnable::run);
        following.clear();
    }

    /** What follows from the parts follows when all are done. */
    void transact(Runnable parts) {
        transacting = true;
        parts.run();
        transacting = false;
        followAll();
    }

    void release(Queue queue, Msg message, long notBefore, boolean counts) {
        int limit = queue.definition.deliveryLimit();
        if (counts && limit > 0 && message.attempts >= limit) {
            deadLetter(queue, message);
            return;
        }
        Credit holder = message.holder;
        if (holder != null) {
            holder.credit++;
            message.holder = null;
        }
        message.attempts -= counts ? 0 : 1;
        message.notBefore = notBefore;
        message.firstDelay = false;
    }

    void leave(Credit consumer) {
        Queue queue = queue(consumer.queue);
        queue.consumers.remove(consumer);
        for (Msg message : List.copyOf(queue.messages)) {
            if (message.holder == consumer) {
                release(queue, message, 0, true);
            }
        }
    }

    /** Goes on counting places where the other one was. */
    void adoptPlaces(EngineModel other) {
        nextPlace = other.nextPlace;
    }

    int purge(Queue queue) {
        int before = queue.messages.size();
        queue.messages.removeIf(m -> m.holder == null);
        return before - queue.messages.size();
    }

    int cancel(Queue queue, String id) {
        int before = queue.messages.size();
        queue.messages.removeIf(m -> m.notBefore > 0 && m.firstDelay && id.equals(m.id));
        return before - queue.messages.size();
    }

    /** Power goes and comes back: nobody holds anything. */
    void restart() {
        for (Queue queue : queues.values()) {
            queue.consumers.clear();
            queue.messages.forEach(m -> m.holder = null);
        }
    }

    // ── What is put elsewhere
    // ─────────────────────────────────────────────────────────────────────────────────────────

    private boolean full(Queue queue) {
        return queue.definition.maxMessages() > 0 && queue.messages.size() >= queue.definition.maxMessages();
    }

    int move(Queue from, Queue to, long max, long now) {
        int moved = 0;
        List<Msg> inOrder = from.messages.stream()
                .sorted(Comparator.comparingInt((Msg m) -> -lane(from, m)))
                .toList();
        for (Msg message : inOrder) {
            if (moved == max || full(to)) {
                break;
            }
            if (message.holder != null) {
                continue;
            }
            long deliverAt = message.firstDelay ? message.notBefore : 0;
            boolean home = message.marks && to.name().equals(message.origin);
            if (home
                    && from.messages.stream()
                            .anyMatch(m -> m.place < message.place && marks(m, to, String.valueOf(message.key)))) {
                continue;
            }
            from.messages.remove(message);
            moved++;
            if (!home && keyDead(to, message.key)) {
                remember(to, message.id, now);
                Msg behind = message.copy();
                behind.place = nextPlace++;
                letter(to, behind, true);
            } else {
                Msg there = message.copy();
                there.place = home ? message.place : nextPlace++;
                append(to, there, deliverAt, now);
            }
        }
        return moved;
    }

    int redrive(long max, long now) {
        Queue dead = queue(DEAD);
        int moved = 0;
        Set<String> linesDone = new HashSet<>();
        for (Msg first : List.copyOf(dead.messages)) {
            if (first.marks && !linesDone.add(first.origin + "/" + first.key)) {
                continue;
            }
            List<Msg> line = !first.marks
                    ? List.of(first)
                    : dead.messages.stream()
                            .filter(m -> m.marks && m.origin != null && m.origin.equals(first.origin))
                            .filter(m -> m.key != null && m.key.equals(first.key))
                            .sorted(Comparator.comparingLong(m -> m.place))
                            .toList();
            for (Msg letter : line) {
                Queue back = letter.origin == null ? null : queues.get(letter.origin);
                if (moved == max
                        || letter.holder != null
                        || back == null
                        || full(back)
                        || (!letter.marks && keyDead(back, letter.key))) {
                    break;
                }
                dead.messages.remove(letter);
                Msg there = letter.copy();
                there.place = letter.marks ? letter.place : nextPlace++;
                there.origin = null;
                append(back, there, 0, now);
                moved++;
            }
        }
        return moved;
    }

    // ── Time
    // ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    /** What is due at this moment. */
    void timers(long now) {
        for (Queue queue : queues.values()) {
            for (Msg message : queue.messages) {
                if (message.notBefore > 0 && message.notBefore <= now) {
                    message.notBefore = 0;
                    message.firstDelay = false;
                }
            }
            for (Msg message : byLane(queue)) {
                if (message.holder != null && message.lease > 0 && message.lease <= now) {
                    release(queue, message, 0, true);
                }
            }
            for (Msg message : byLane(queue)) {
                if (message.holder == null && message.expiry > 0 && message.expiry <= now) {
                    queue.messages.remove(message);
                    letter(queue, message, false);
                }
            }
        }
    }

    private static List<Msg> byLane(Queue queue) {
        return queue.messages.stream()
                .sorted(Comparator.comparingInt(m -> lane(queue, m)))
                .toList();
    }

    /** Hands out what can be handed out. */
    void dispatch(long now) {
        boolean more = true;
        while (more) {
            more = false;
            for (Queue queue : queues.values()) {
                Msg next = next(queue, now);
                Credit taker = queue.consumers.stream()
                        .filter(c -> c.credit > 0)
                        .findFirst()
                        .orElse(null);
                if (next == null || taker == null) {
                    continue;
                }
                more = true;
                if (next.expiry > 0 && next.expiry <= now) {
                    queue.messages.remove(next);
                    letter(queue, next, false);
                    continue;
                }
                next.attempts++;
                next.firstDelay = false;
                next.holder = taker;
                taker.credit--;
                next.lease = queue.definition.leaseMillis() > 0 ? now + queue.definition.leaseMillis() : 0;
                delivered.computeIfAbsent(queue.name(), q -> new ArrayList<>()).add(next.name + "#" + next.attempts);
            }
        }
    }

    private static @Nullable Msg next(Queue queue, long now) {
        Msg best = null;
        Set<String> keysBusy = new HashSet<>();
        for (Msg message : queue.messages) {
            boolean waits = message.holder != null || message.notBefore > now;
            String key = queue.definition.keyOrdered() ? message.key : null;
            if (key != null && !keysBusy.add(key)) {
                continue;
            }
            if (!waits && (best == null || lane(queue, message) > lane(queue, best))) {
                best = message;
            }
        }
        return best;
    }
}
