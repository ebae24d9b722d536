package dev.postroad.simulation.faults;

import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.StreamDefinition;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What an engine must hold after the commands it was given: lists and maps, nothing of the engine's own code. Each command
 * is a method. {@link #afterRestart} writes the state down as {@link Observation} writes down what it finds in an engine
 * that was opened again, so that one comparison of texts compares everything.
 */
final class Expectation {

    /** A message in a queue. */
    static final class Held {
        final long number;
        final Sent sent;
        /** Its place in the line of its key, which a dead letter keeps. */
        final long place;

        int attempts;
        long notBefore;
        boolean retry;
        long expiry;
        boolean taken;
        long lease;
        /** Of a dead letter, the queue it came from, by its place among all queues there ever were; -1 for none. */
        long origin = -1;

        String originName = "";
        String cause = "";
        int lettersAttempts;

        Held(long number, Sent sent, long place) {
            this.number = number;
            this.sent = sent;
            this.place = place;
        }

        Held copy() {
            Held copy = new Held(number, sent, place);
            copy.attempts = attempts;
            copy.notBefore = notBefore;
            copy.retry = retry;
            copy.expiry = expiry;
            copy.origin = origin;
            copy.originName = originName;
            copy.cause = cause;
            copy.lettersAttempts = lettersAttempts;
            return copy;
        }

        String text(long now) {
            StringBuilder text = new StringBuilder(sent.text());
            if (attempts > 0) {
                text.append(" x").append(attempts);
            }
            if (notBefore > now) {
                text.append(" @").append(notBefore);
            }
            if (!cause.isEmpty()) {
                text.append(" dead:")
                        .append(cause)
                        .append('/')
                        .append(lettersAttempts)
                        .append('/')
                        .append(originName);
            }
            return text.toString();
        }
    }

    /** What was published. */
    record Sent(
            String word,
            int bytes,
            @Nullable String id,
            @Nullable String key,
            int priority,
            long ttlMillis,
            long deliverAt) {
        String text() {
            return bytes < 0 ? "(tombstone)" : word + ":" + Math.max(bytes, word.length() + 1);
        }
    }

    static final class Queue {
        final long identity;
        final QueueDefinition definition;
        final List<Held> messages = new ArrayList<>();
        final Map<String, Long> seen = new TreeMap<>();

        Queue(long identity, QueueDefinition definition) {
            this.identity = identity;
            this.definition = definition;
        }
    }

    static final class Stream {
        final StreamDefinition definition;
        final List<TreeMap<Long, Kept>> partitions = new ArrayList<>();
        final long[] next;
        final Map<String, Long> seen = new TreeMap<>();
        /** Of each producer: epoch, then the next sequence in each partition. */
        final Map<Long, int[]> producers = new TreeMap<>();

        Stream(StreamDefinition definition) {
            this.definition = definition;
            this.next = new long[definition.partitions()];
            for (int p = 0; p < definition.partitions(); p++) {
                partitions.add(new TreeMap<>());
            }
        }
    }

    /** A message in a stream. */
    record Kept(Sent sent, long accepted) {}

    /** By name; a shared group's is {@code stream/group}. */
    final Map<String, Queue> queues = new TreeMap<>();

    final Map<String, Stream> streams = new TreeMap<>();
    final Map<String, Set<String>> topics = new TreeMap<>();
    final Map<String, Map<String, Long>> groups = new TreeMap<>();
    long producers;
    private long identities;
    private long numbers;

    // ── What happens ─────────────────────────────────────────────────────────────────────────────────────────────────

    boolean exists(String name) {
        return queues.containsKey(name) || streams.containsKey(name);
    }

    void declare(QueueDefinition definition) {
        queues.put(definition.name(), new Queue(identities++, definition));
    }

    void declare(StreamDefinition definition) {
        streams.put(definition.name(), new Stream(definition));
    }

    void declareGroup(String stream, QueueDefinition definition, long now) {
        Queue group = new Queue(identities++, definition);
        queues.put(stream + "/" + definition.name(), group);
        Stream fed = streams.get(stream);
        if (fed != null) {
            fed.partitions.forEach(partition -> partition
                    .values()
                    .forEach(kept ->
                            add(group, new Sent(kept.sent.word, kept.sent.bytes, null, kept.sent.key, 0, 0, 0), now)));
        }
    }

    void delete(String name) {
        queues.remove(name);
        if (streams.remove(name) != null) {
            queues.keySet().removeIf(queue -> queue.startsWith(name + "/"));
            groups.values().forEach(offsets -> offsets.keySet().removeIf(key -> key.startsWith(name + "-")));
            groups.values().removeIf(Map::isEmpty);
        }
        topics.values().forEach(channels -> channels.remove(name));
    }

    /** True if the message would be dropped as a duplicate. */
    boolean duplicate(String channel, Sent sent, long now) {
        String id = sent.id;
        Queue queue = queues.get(channel);
        Stream stream = streams.get(channel);
        Map<String, Long> seen = queue != null ? queue.seen : stream != null ? stream.seen : Map.of();
        long window =
                queue != null ? queue.definition.dedupMillis() : stream != null ? stream.definition.dedupMillis() : 0;
        Long at = id == null ? null : seen.get(id);
        return at != null && at + window > now;
    }

    /** True if the queue is at its bound and refuses what comes. */
    boolean full(String channel, int ahead) {
        Queue queue = queues.get(channel);
        return queue != null
                && queue.definition.overflow() == QueueDefinition.Overflow.REJECT_PUBLISH
                && queue.definition.maxMessages() > 0
                && queue.messages.size() + ahead >= queue.definition.maxMessages();
    }

    void publish(String channel, Sent sent, long now) {
        if (duplicate(channel, sent, now)) {
            return;
        }
        Queue queue = queues.get(channel);
        if (queue != null) {
            remember(queue.seen, queue.definition.dedupMillis(), sent, now);
            if (keyDead(queue, sent.key)) {
                letter(queue, new Held(0, sent, numbers++), "key-order", now);
            } else {
                add(queue, sent, now);
            }
            return;
        }
        Stream stream = streams.get(channel);
        if (stream != null) {
            remember(stream.seen, stream.definition.dedupMillis(), sent, now);
            append(stream, channel, 0, sent, now);
        }
    }

    private static void remember(Map<String, Long> seen, long window, Sent sent, long now) {
        String id = sent.id;
        if (id != null && window > 0) {
            Long before = seen.get(id);
            if (before == null || before + window <= now) {
                seen.put(id, now);
            }
        }
    }

    void append(Stream stream, String name, int partition, Sent sent, long now) {
        TreeMap<Long, Kept> kept = stream.partitions.get(partition);
        if (stream.definition.compacted()) {
            kept.values().removeIf(other -> String.valueOf(other.sent.key).equals(sent.key));
        }
        kept.put(stream.next[partition]++, new Kept(sent, now));
        queues.forEach((group, queue) -> {
            if (group.startsWith(name + "/")) {
                add(queue, new Sent(sent.word, sent.bytes, null, sent.key, 0, sent.ttlMillis, 0), now);
            }
        });
    }

    void produce(String name, long producer, int epoch, int sequence, int partition, List<Sent> batch, long now) {
        Stream stream = streams.get(name);
        if (stream == null) {
            return;
        }
        int[] known = stream.producers.get(producer);
        if (known == null || known[0] < epoch) {
            known = new int[1 + stream.definition.partitions()];
            known[0] = epoch;
            stream.producers.put(producer, known);
        }
        for (Sent sent : batch) {
            append(stream, name, partition, sent, now);
        }
        known[1 + partition] = sequence + batch.size();
    }

    private Held add(Queue queue, Sent sent, long now) {
        return add(queue, sent, numbers++, now);
    }

    private Held add(Queue queue, Sent sent, long place, long now) {
        Held held = new Held(numbers++, sent, place);
        held.notBefore = sent.deliverAt > now ? sent.deliverAt : 0;
        long ttl = sent.ttlMillis > 0 && queue.definition.ttlMillis() > 0
                ? Math.min(sent.ttlMillis, queue.definition.ttlMillis())
                : Math.max(sent.ttlMillis, queue.definition.ttlMillis());
        held.expiry = ttl > 0 ? Math.max(now, sent.deliverAt) + ttl : 0;
        int at = queue.messages.size();
        while (at > 0 && level(queue, queue.messages.get(at - 1).sent) < level(queue, sent)) {
            at--;
        }
        queue.messages.add(at, held);
        shorten(queue, now);
        return held;
    }

    private static int level(Queue queue, Sent sent) {
        return Math.min(sent.priority, queue.definition.priorities() - 1);
    }

    private void shorten(Queue queue, long now) {
        long most = queue.definition.maxMessages();
        if (most == 0 || queue.definition.overflow() == QueueDefinition.Overflow.REJECT_PUBLISH) {
            return;
        }
        while (queue.messages.size() > most) {
            Held oldest = null;
            for (Held held : queue.messages) {
                if (!held.taken && (oldest == null || level(queue, held.sent) < level(queue, oldest.sent))) {
                    oldest = held;
                }
            }
            if (oldest == null) {
                return;
            }
            if (queue.definition.overflow() == QueueDefinition.Overflow.DEAD_LETTER_OLDEST) {
                letter(queue, oldest, "overflow", now);
            }
            queue.messages.remove(oldest);
        }
    }

    // ── Deliveries ───────────────────────────────────────────────────────────────────────────────────────────────────

    /** What a consumer that can take so many gets now, in this order. */
    List<Held> ready(String name, int most, long now) {
        Queue queue = queues.get(name);
        List<Held> ready = new ArrayList<>();
        if (queue == null) {
            return ready;
        }
        Set<String> busy = new HashSet<>();
        for (Held held : queue.messages) {
            if (queue.definition.keyOrdered()
                    && held.sent.key != null
                    && (held.taken || (held.retry && held.notBefore > now))) {
                busy.add(held.sent.key);
            }
        }
        for (Held held : queue.messages) {
            String key = held.sent.key;
            boolean waits = held.taken || held.notBefore > now || (held.expiry != 0 && held.expiry <= now);
            boolean behind = queue.definition.keyOrdered() && key != null && busy.contains(key);
            if (!waits && !behind && ready.size() < most) {
                ready.add(held);
                if (key != null) {
                    busy.add(key);
                }
            }
        }
        return ready;
    }

    static void delivered(Held held, long lease) {
        held.attempts++;
        held.notBefore = 0;
        held.retry = false;
        held.taken = true;
        held.lease = lease;
    }

    void acknowledge(Queue queue, Held held) {
        queue.messages.remove(held);
    }

    void release(Queue queue, Held held, long delay, long now) {
        held.taken = false;
        held.lease = 0;
        int limit = queue.definition.deliveryLimit();
        if (limit > 0 && held.attempts >= limit) {
            giveUp(queue, held, "delivery-limit", now);
            return;
        }
        held.notBefore = delay > 0 ? now + delay : 0;
        held.retry = delay > 0;
    }

    /** A message is given up, and where its queue keeps order the later ones of its key with it. */
    void giveUp(Queue queue, Held held, String cause, long now) {
        boolean letters = queue.definition.deadLetter() != null;
        if (letters) {
            letter(queue, held, cause, now);
        }
        queue.messages.remove(held);
        String key = held.sent.key;
        if (letters && queue.definition.keyOrdered() && key != null && !cause.equals("expired")) {
            for (Held later : List.copyOf(queue.messages)) {
                if (key.equals(later.sent.key) && later.place > held.place && !later.taken) {
                    letter(queue, later, "key-order", now);
                    queue.messages.remove(later);
                }
            }
        }
    }

    private void letter(Queue from, Held held, String cause, long now) {
        QueueDefinition.DeadLetterTarget target = from.definition.deadLetter();
        Queue to = target == null || target.channel() == null ? null : queues.get(target.channel());
        if (to == null) {
            return;
        }
        Sent sent = held.sent;
        Held letter = add(to, new Sent(sent.word, sent.bytes, sent.id, sent.key, sent.priority, 0, 0), held.place, now);
        letter.cause = cause;
        letter.lettersAttempts = held.attempts;
        letter.originName = nameOf(from);
        boolean stands = !cause.equals("expired") && !cause.equals("overflow");
        letter.origin = stands && from.definition.keyOrdered() && sent.key != null ? from.identity : -1;
    }

    private String nameOf(Queue queue) {
        for (Map.Entry<String, Queue> entry : queues.entrySet()) {
            if (entry.getValue() == queue) {
                return entry.getKey();
            }
        }
        return "?";
    }

    private boolean keyDead(Queue queue, @Nullable String key) {
        return key != null
                && queues.values().stream()
                        .flatMap(other -> other.messages.stream())
                        .anyMatch(letter -> letter.origin == queue.identity && key.equals(letter.sent.key));
    }

    /** All letters go back to where they came from, those of a key in order of their line. */
    long redrive(String name, long now) {
        Queue letters = queues.get(name);
        if (letters == null) {
            return 0;
        }
        List<Held> order = new ArrayList<>();
        for (Held held : letters.messages) {
            if (!order.contains(held)) {
                List<Held> line = new ArrayList<>();
                for (Held other : letters.messages) {
                    if (other == held
                            || (held.origin >= 0
                                    && other.origin == held.origin
                                    && String.valueOf(other.sent.key).equals(held.sent.key))) {
                        line.add(other);
                    }
                }
                line.sort((a, b) -> Long.compare(a.place, b.place));
                order.addAll(line);
            }
        }
        Set<String> stuck = new HashSet<>();
        long moved = 0;
        for (Held held : order) {
            Queue back = queues.get(held.originName);
            String line = held.origin + "/" + held.sent.key;
            if (back == null
                    || (held.origin >= 0 && back.identity != held.origin)
                    || held.taken
                    || back == letters
                    || stuck.contains(line)) {
                if (held.origin >= 0) {
                    stuck.add(line);
                }
                continue;
            }
            letters.messages.remove(held);
            Sent sent = held.sent;
            remember(back.seen, back.definition.dedupMillis(), sent, now);
            add(back, sent, held.origin >= 0 ? held.place : numbers++, now);
            moved++;
        }
        return moved;
    }

    long purge(String name) {
        Queue queue = queues.get(name);
        if (queue != null) {
            long before = queue.messages.size();
            queue.messages.removeIf(held -> !held.taken);
            return before - queue.messages.size();
        }
        Stream stream = streams.get(name);
        long purged = 0;
        for (TreeMap<Long, Kept> partition : stream == null ? List.<TreeMap<Long, Kept>>of() : stream.partitions) {
            purged += partition.size();
            partition.clear();
        }
        return purged;
    }

    int cancel(String name, String id, long now) {
        Queue queue = queues.get(name);
        if (queue == null) {
            return 0;
        }
        int before = queue.messages.size();
        queue.messages.removeIf(
                held -> id.equals(held.sent.id) && held.notBefore > now && held.attempts == 0 && !held.retry);
        return before - queue.messages.size();
    }

    void commit(String group, String stream, int partition, long offset) {
        groups.computeIfAbsent(group, name -> new TreeMap<>()).put(stream + "-" + partition, offset);
    }

    /** What time brings: leases run out, one after the other, messages expire, streams forget. */
    void advanceTo(long now, Runnable afterEach) {
        for (Stream stream : streams.values()) {
            long keep = stream.definition.retentionMillis();
            if (keep > 0) {
                stream.partitions.forEach(kept -> kept.values().removeIf(message -> message.accepted + keep <= now));
            }
        }
        afterEach.run();
        for (Queue queue : List.copyOf(queues.values())) {
            List<Held> due = new ArrayList<>(queue.messages);
            due.removeIf(held -> !held.taken || held.lease == 0 || held.lease > now);
            due.sort((a, b) -> Long.compare(a.lease, b.lease));
            for (Held held : due) {
                release(queue, held, 0, now);
                afterEach.run();
            }
            expire(queue, now);
            afterEach.run();
        }
    }

    private void expire(Queue queue, long now) {
        for (Held held : List.copyOf(queue.messages)) {
            if (held.expiry != 0 && held.expiry <= now && !held.taken) {
                giveUp(queue, held, "expired", now);
            }
        }
    }

    // ── The state as text ────────────────────────────────────────────────────────────────────────────────────────────

    /** The process ended, and another began: nobody holds anything. */
    void restart(long now) {
        for (Queue queue : List.copyOf(queues.values())) {
            for (Held held : queue.messages) {
                held.taken = false;
                held.lease = 0;
            }
        }
        for (Queue queue : List.copyOf(queues.values())) {
            expire(queue, now);
            shorten(queue, now);
        }
    }

    /** What an engine must show that was opened again in this state. */
    String afterRestart(long now) {
        Expectation copy = new Expectation();
        copy.identities = identities;
        copy.numbers = numbers;
        queues.forEach((name, queue) -> {
            Queue twin = new Queue(queue.identity, queue.definition);
            queue.messages.forEach(held -> twin.messages.add(held.copy()));
            twin.seen.putAll(queue.seen);
            copy.queues.put(name, twin);
        });
        copy.restart(now);
        StringBuilder out = new StringBuilder();
        copy.queues.forEach((name, queue) -> {
            out.append("queue ").append(name).append(':');
            queue.messages.forEach(
                    held -> out.append(' ').append(held.text(now)).append(';'));
            out.append('\n');
        });
        streams.forEach((name, stream) -> {
            for (int p = 0; p < stream.next.length; p++) {
                out.append("stream ")
                        .append(name)
                        .append('-')
                        .append(p)
                        .append(" next ")
                        .append(stream.next[p]);
                stream.partitions
                        .get(p)
                        .forEach((offset, kept) -> out.append(' ')
                                .append(offset)
                                .append('=')
                                .append(kept.sent.text())
                                .append('@')
                                .append(kept.accepted)
                                .append(';'));
                out.append('\n');
            }
        });
        topics.forEach((name, channels) -> out.append("topic ")
                .append(name)
                .append(" to ")
                .append(channels)
                .append('\n'));
        groups.forEach((name, offsets) ->
                out.append("group ").append(name).append(' ').append(offsets).append('\n'));
        copy.probes(out, now);
        streams.forEach((name, stream) -> {
            if (stream.definition.dedupMillis() > 0) {
                out.append("seen ").append(name).append(' ');
                out.append(ids(stream.seen, stream.definition.dedupMillis(), now))
                        .append('\n');
            }
            stream.producers.forEach((id, known) -> {
                out.append("producer ")
                        .append(id)
                        .append(" of ")
                        .append(name)
                        .append(" epoch ")
                        .append(known[0]);
                for (int p = 1; p < known.length; p++) {
                    out.append(" next ").append(known[p]);
                }
                out.append('\n');
            });
        });
        return out.append("producers ").append(producers).append('\n').toString();
    }

    /** What is found out by trying. */
    private void probes(StringBuilder out, long now) {
        queues.forEach((name, queue) -> {
            if (queue.definition.dedupMillis() > 0) {
                out.append("seen ").append(name).append(' ');
                out.append(ids(queue.seen, queue.definition.dedupMillis(), now)).append('\n');
            }
            if (Observation.refusesWhenFull(queue.definition)) {
                long room = queue.definition.maxMessages() - queue.messages.size();
                out.append("room ")
                        .append(name)
                        .append(' ')
                        .append(Math.max(0, room))
                        .append('\n');
            }
        });
    }

    private static Set<String> ids(Map<String, Long> seen, long window, long now) {
        Set<String> ids = new TreeSet<>();
        seen.forEach((id, at) -> {
            if (at + window > now) {
                ids.add(id);
            }
        });
        return ids;
    }
}
