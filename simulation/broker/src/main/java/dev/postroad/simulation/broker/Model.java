package dev.postroad.simulation.broker;

import dev.postroad.engine.Binding;
import dev.postroad.engine.Command;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.Policy;
import dev.postroad.engine.QueueDefinition;
import dev.postroad.engine.QueueDefinition.Overflow;
import dev.postroad.engine.Route;
import dev.postroad.engine.StreamDefinition;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a broker should do, said as plainly as possible: lists of messages, looked through from the beginning each time. It
 * knows no journal, no index and no heap, and shares nothing with the engine but the words of its commands.
 *
 * <p>What time alone brings (the end of a time to live, retention, an idle queue) the model does not foresee: it is told by
 * who has looked, and says whether it may be so.
 */
final class Model {
    final History history = new History();
    final Policies policies = new Policies();
    final Topology topology = new Topology(history, policies);
    final Map<String, ModelQueue> queues = new LinkedHashMap<>();
    final Map<String, ModelStream> streams = new LinkedHashMap<>();
    final Map<String, TreeMap<String, Command.Position>> offsets = new TreeMap<>();
    final Map<Long, ModelConsumer> consumers = new LinkedHashMap<>();
    final Map<Long, StreamReader> readers = new LinkedHashMap<>();

    /** Which messages of the last publish some queue did not take because it was full, and how many queues in all. */
    final Set<Integer> passedOver = new java.util.TreeSet<>();

    int passes;

    /** Time as the broker knows it. */
    long now;

    /** Time by a clock that never jumps: leases go by it. */
    long steady;

    /** The latest time any broker on this disk has known. */
    long latest;

    /** What happens now happens in an order that nobody promises. */
    private boolean anyOrder;

    /** What follows from that are dead letters of one key after another. */
    private boolean restarting;

    /** Dead letters that have come to streams in an order that nobody promises. */
    private int lettersToStreams;

    /** Whose dead letters have come to queues in an order that nobody promises: of a queue, or of a key of it. */
    private final Map<ModelQueue, Set<Object>> cameFrom = new LinkedHashMap<>();

    /** Queues that dead letters came to when leases ran out just now. */
    final Set<ModelQueue> lateTargets = new java.util.HashSet<>();

    private long nextOrder;
    private long nextPlace;
    private final ArrayDeque<DeadKey> newlyDead = new ArrayDeque<>();
    private final ArrayDeque<ModelQueue> overflowing = new ArrayDeque<>();

    private record DeadKey(ModelQueue queue, String key, long place) {}

    /** Several messages come to a stream in an order that nobody promises: what follows the model can't tell. */
    static final class Unforeseen extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** Where one record of a message goes. */
    private static final class Place {
        final List<ModelQueue> queues = new ArrayList<>();

        @Nullable
        ModelStream stream;

        int partition = -1;
    }

    // ── What is there ────────────────────────────────────────────────────────────────────────────────────────────────

    @Nullable
    ModelQueue group(String stream, String group) {
        ModelStream known = streams.get(stream);
        if (known != null) {
            for (ModelQueue queue : known.groups) {
                if (queue.name().equals(group)) {
                    return queue;
                }
            }
        }
        return null;
    }

    /** All queues and shared groups. */
    List<ModelQueue> all() {
        List<ModelQueue> all = new ArrayList<>(queues.values());
        streams.values().forEach(stream -> all.addAll(stream.groups));
        return all;
    }

    boolean hasChannel(String name) {
        return queues.containsKey(name) || streams.containsKey(name);
    }

    void batch() {
        history.batch();
    }

    private static @Nullable String key(EngineMessage message) {
        byte[] key = message.key();
        return key == null ? null : new String(key, StandardCharsets.ISO_8859_1);
    }

    /** Says what there is in it. */
    void tell(List<String> story) {
        story.add("what the model holds, time " + now + ":");
        for (ModelQueue queue : all()) {
            story.add("  " + queue + " " + queue.definition);
            story.add("    consumers: "
                    + queue.consumers.stream()
                            .map(c -> c.id + " with credit " + c.credit)
                            .toList());
            story.add("    dead keys: " + queue.deadKeys);
            queue.all().forEach(copy -> story.add("    " + copy));
        }
        for (ModelStream stream : streams.values()) {
            story.add("  stream " + stream.definition);
            for (int p = 0; p < stream.partitions.length; p++) {
                StringBuilder line = new StringBuilder("    partition " + p + ":");
                for (ModelStream.Entry entry : stream.partitions[p].entries) {
                    line.append(entry.gone ? " (" : " ")
                            .append(entry.offset)
                            .append("=m")
                            .append(entry.body.timestampMillis())
                            .append(entry.letter == null ? "" : " " + entry.letter.cause())
                            .append(entry.gone ? ")" : "");
                }
                story.add(line.toString());
            }
        }
        topology.topics.values().forEach(topic -> story.add("  " + topic));
        topology.bindings.forEach(binding -> story.add("  " + binding));
    }

    // ── Messages come ────────────────────────────────────────────────────────────────────────────────────────────────

    private static long expiry(QueueDefinition definition, long ttl, long from) {
        long own = definition.ttlMillis();
        long most = ttl > 0 && own > 0 ? Math.min(ttl, own) : Math.max(ttl, own);
        return most > 0 ? from + most : 0;
    }

    private Copy append(
            ModelQueue queue,
            EngineMessage body,
            Copy.@Nullable Letter letter,
            @Nullable ModelQueue deadIn,
            long deadPlace,
            long place,
            int partition,
            long offset,
            boolean filling,
            long at) {
        long deliverAt = filling ? 0 : body.deliverAtMillis();
        String key = key(body);
        Copy copy = new Copy(
                queue,
                body,
                letter,
                deadIn,
                deadPlace,
                place,
                expiry(queue.definition, filling ? 0 : body.ttlMillis(), Math.max(at, deliverAt)),
                filling ? 0 : Math.min(body.priority(), queue.definition.priorities() - 1),
                key,
                partition,
                offset);
        copy.notBefore = deliverAt > now ? deliverAt : 0;
        copy.firstDelay = copy.notBefore > 0;
        copy.order = nextOrder++ << 8;
        copy.since = nextPlace;
        queue.delayedKeys |= copy.firstDelay && key != null && queue.definition.keyOrdered();
        link(copy);
        history.changed(() -> unlink(copy));
        String id = body.id();
        if (!filling && id != null) {
            if (queue.dedup != null) {
                queue.dedup.add(id, now);
            }
        }
        noteOverflow(queue);
        return copy;
    }

    private static void link(Copy copy) {
        copy.there = true;
        copy.queue.copies.put(copy.order, copy);
        if (copy.number >= 0) {
            copy.queue.byNumber.put(copy.number, copy);
        }
        if (copy.deadIn != null && copy.key != null) {
            copy.deadIn.deadKeys.merge(copy.key, 1, Integer::sum);
        }
    }

    private static void unlink(Copy copy) {
        copy.there = false;
        copy.queue.copies.remove(copy.order);
        if (copy.number >= 0) {
            copy.queue.byNumber.remove(copy.number);
        }
        if (copy.deadIn != null && copy.key != null) {
            copy.deadIn.deadKeys.compute(copy.key, (k, count) -> count == null || count == 1 ? null : count - 1);
        }
    }

    /** The message goes, and whoever holds it has room for another. */
    void remove(Copy copy) {
        takeFromHolder(copy);
        if (copy.there) {
            unlink(copy);
            history.changed(() -> link(copy));
        }
    }

    void takeFromHolder(Copy copy) {
        ModelConsumer holder = copy.holder;
        if (holder != null) {
            holder.held.remove(copy.number);
            if (holder.settings.restoring()) {
                holder.credit++;
            }
            copy.holder = null;
            copy.lease = 0;
            if (holder.leaving && holder.held.isEmpty()) {
                forget(holder);
            }
        }
    }

    private void forget(ModelConsumer consumer) {
        consumer.gone = true;
        consumers.remove(consumer.id);
    }

    private boolean over(ModelQueue queue) {
        long most = queue.definition.maxMessages();
        return most > 0 && queue.bounded() > most;
    }

    private static boolean mayBeOver(ModelQueue queue) {
        long most = queue.definition.maxBytes();
        return most > 0 && queue.mostBytes() > most;
    }

    private static boolean shortens(ModelQueue queue) {
        return queue.definition.overflow() == Overflow.DROP_OLDEST
                || queue.definition.overflow() == Overflow.DEAD_LETTER_OLDEST;
    }

    private void noteOverflow(ModelQueue queue) {
        if (shortens(queue) && (over(queue) || mayBeOver(queue)) && !overflowing.contains(queue)) {
            overflowing.add(queue);
        }
    }

    ModelStream.Entry append(
            ModelStream stream, int partition, EngineMessage body, Copy.@Nullable Letter letter, long place) {
        ModelStream.Partition to = stream.partitions[partition];
        long lastMillis = to.lastMillis;
        to.lastMillis = Math.max(1, Math.max(lastMillis, now));
        ModelStream.Entry entry = new ModelStream.Entry(body, letter, to.next(), to.lastMillis, place);
        to.entries.add(entry);
        stream.accepted++;
        history.changed(() -> {
            to.entries.removeLast();
            to.lastMillis = lastMillis;
            stream.accepted--;
        });
        String key = key(body);
        if (stream.definition.compacted() && key != null) {
            ModelStream.Entry former = to.last.put(key, entry);
            history.changed(() -> {
                if (former == null) {
                    to.last.remove(key);
                } else {
                    to.last.put(key, former);
                }
            });
            if (former != null) {
                gone(to, former);
            }
        }
        String id = body.id();
        if (stream.dedup != null && id != null) {
            stream.dedup.add(id, now);
        }
        return entry;
    }

    void gone(ModelStream.Partition partition, ModelStream.Entry entry) {
        if (!entry.gone) {
            entry.gone = true;
            int from = partition.from;
            history.changed(() -> {
                entry.gone = false;
                partition.from = Math.min(partition.from, from);
            });
            while (partition.from < partition.entries.size() && partition.entries.get(partition.from).gone) {
                partition.from++;
            }
        }
    }

    /** One record: to a stream with its groups, or to queues. Keys that are dead take another way. Returns the offset, or -1. */
    private long store(EngineMessage body, Copy.@Nullable Letter letter, Place to, long home, boolean follow) {
        if (follow) {
            to.queues.removeIf(queue -> queue.keyDead(key(body)) && letterBehind(queue, body, letter));
        }
        if (to.queues.isEmpty() && to.stream == null) {
            return -1;
        }
        long place = nextPlace++;
        long offset = -1;
        if (to.stream != null) {
            offset = append(to.stream, to.partition, body, letter, place).offset;
        }
        for (ModelQueue queue : to.queues) {
            boolean group = queue.stream != null;
            append(
                    queue,
                    body,
                    letter,
                    null,
                    -1,
                    home >= 0 ? home : place,
                    group ? to.partition : -1,
                    group ? offset : -1,
                    false,
                    now);
        }
        return offset;
    }

    private @Nullable Place place(String channel, EngineMessage message) {
        Place place = new Place();
        resolve(channel, message, place);
        return place.queues.isEmpty() && place.stream == null ? null : place;
    }

    private void resolve(String channel, EngineMessage message, Place place) {
        ModelQueue queue = queues.get(channel);
        ModelStream stream = streams.get(channel);
        if (queue != null && !place.queues.contains(queue)) {
            place.queues.add(queue);
        } else if (stream != null) {
            place.stream = stream;
            place.partition = stream.partitionOf(message);
            place.queues.addAll(stream.groups);
        }
    }

    /**
     * A publish, in one batch.
     *
     * @return what the broker should answer; offsets are those of a publish straight to a stream
     */
    Command.Published publish(Command.Publish publish) {
        String topic = publish.topic();
        List<EngineMessage> messages = publish.messages();
        Command.Producer producer = publish.producer();
        java.util.BitSet dropped = new java.util.BitSet();
        long[] offsets = new long[2 * messages.size()];
        int routed = 1;
        passedOver.clear();
        passes = 0;
        for (int i = 0; i < messages.size(); i++) {
            EngineMessage sent = messages.get(i);
            EngineMessage message = topic == null ? sent : sent.withRoute(Route.of(topic, publish.channel()));
            String id = message.id();
            long offset = -1;
            int partition = -1;
            if (topic == null) {
                Place place = place(publish.channel(), message);
                if (place == null) {
                    throw new IllegalStateException("no place");
                }
                if (producer != null) {
                    place.partition = producer.partition();
                }
                partition = place.partition;
                boolean duplicate = producer == null
                        && id != null
                        && (place.stream != null
                                ? place.stream.dedup != null && place.stream.dedup.knows(id, now)
                                : knows(place.queues.getFirst(), id));
                if (duplicate) {
                    dropped.set(i);
                } else {
                    pass(publish, i, message, place);
                    offset = store(message, null, place, -1, true);
                }
            } else {
                Place queuesOnly = new Place();
                boolean any = false;
                routed = 0;
                for (String channel : topology.route(topic, publish.channel(), message)) {
                    routed++;
                    ModelStream stream = streams.get(channel);
                    if (stream == null) {
                        resolve(channel, message, queuesOnly);
                    } else if (id == null || stream.dedup == null || !stream.dedup.knows(id, now)) {
                        Place place = place(channel, message);
                        if (place != null) {
                            store(message, null, place, -1, true);
                            any = true;
                        }
                    }
                }
                int before = queuesOnly.queues.size();
                queuesOnly.queues.removeIf(queue -> id != null && knows(queue, id));
                any |= !queuesOnly.queues.isEmpty();
                if (before > 0 && !any) {
                    dropped.set(i);
                }
                pass(publish, i, message, queuesOnly);
                store(message, null, queuesOnly, -1, true);
            }
            offsets[2 * i] = partition;
            offsets[2 * i + 1] = offset;
        }
        return new Command.Published(dropped.cardinality(), routed, -1, -1, offsets, dropped, passes);
    }

    /** Queues that are full do not get the message; some give it to their dead letters. */
    private void pass(Command.Publish publish, int index, EngineMessage message, Place place) {
        for (ModelQueue queue : List.copyOf(place.queues)) {
            boolean letters = queue.definition.overflow() == Overflow.DEAD_LETTER_NEWEST;
            boolean passes = letters || (publish.passFull() && queue.definition.overflow() == Overflow.REJECT_PUBLISH);
            if (queue.stream == null && passes && full(queue)) {
                place.queues.remove(queue);
                passedOver.add(index);
                this.passes++;
                if (letters) {
                    List<Place> places = letterPlaces(queue, message, null, "overflow");
                    storeLetter(
                            queue,
                            message,
                            places,
                            letter(queue, message, null, "overflow", 0, now, now),
                            false,
                            -1,
                            false);
                }
            }
        }
    }

    private boolean knows(ModelQueue queue, String id) {
        return queue.dedup != null && queue.dedup.knows(id, now);
    }

    void wrote(ModelStream stream, Command.Producer producer, long[] offsets) {
        Short epoch = stream.epochs.put(producer.id(), producer.epoch());
        String name = producer.id() + "/" + producer.epoch() + "/" + producer.partition();
        ModelStream.Written known = stream.producers.computeIfAbsent(name, n -> new ModelStream.Written());
        int expected = known.expected;
        known.expected = producer.sequence() + offsets.length / 2;
        known.batches.add(new long[] {producer.sequence(), offsets.length / 2, offsets[1]});
        history.changed(() -> {
            known.batches.removeLast();
            known.expected = expected;
            if (known.batches.isEmpty()) {
                stream.producers.remove(name);
            }
            if (epoch == null) {
                stream.epochs.remove(producer.id());
            } else {
                stream.epochs.put(producer.id(), epoch);
            }
        });
    }

    // ── Messages are given up ────────────────────────────────────────────────────────────────────────────────────────

    /** Where a message goes that is given up: nowhere it would come round to by itself, over and over. */
    private List<Place> letterPlaces(
            ModelQueue queue, EngineMessage message, Copy.@Nullable Letter before, String cause) {
        List<Place> places = new ArrayList<>(1);
        QueueDefinition.DeadLetterTarget target = queue.definition.deadLetter();
        if (target == null) {
            return places;
        }
        String channel = target.channel();
        String here = home(queue);
        Set<String> names = target.topic() == null
                ? Set.of(String.valueOf(channel))
                : topology.route(target.topic(), letterKey(queue, target, message), message);
        boolean judged = new Copy.Death(cause, here).judged();
        for (String name : names) {
            boolean back = name.equals(here) && (!judged || cause.equals("key-order"));
            if (!back && (judged || !goesRound(before, name))) {
                addPlace(name, message, places);
            }
        }
        return places;
    }

    /** What dead letters are published with: what the target says, else what the message was published with. */
    private static String letterKey(ModelQueue queue, QueueDefinition.DeadLetterTarget target, EngineMessage message) {
        String key = target.channel();
        Route route = message.route();
        return key != null ? key : route != null ? route.key() : home(queue);
    }

    private static @Nullable Route letterRoute(ModelQueue queue, EngineMessage message) {
        QueueDefinition.DeadLetterTarget target = queue.definition.deadLetter();
        String topic = target == null ? null : target.topic();
        return target == null || topic == null ? null : Route.of(topic, letterKey(queue, target, message));
    }

    /** What a queue calls itself as the origin of dead letters. */
    static String home(ModelQueue queue) {
        return queue.stream == null ? queue.name() : queue.stream.name();
    }

    private static boolean goesRound(Copy.@Nullable Letter before, String name) {
        for (Copy.Death death : before == null ? List.<Copy.Death>of() : before.deaths()) {
            if (death.judged()) {
                return false;
            }
            if (death.queue().equals(name)) {
                return true;
            }
        }
        return false;
    }

    private void addPlace(String channel, EngineMessage message, List<Place> places) {
        if (!hasChannel(channel)) {
            return;
        }
        if (places.isEmpty() || (streams.containsKey(channel) && places.getLast().stream != null)) {
            places.add(new Place());
        }
        resolve(channel, message, places.getLast());
    }

    private Copy.Letter letter(
            ModelQueue queue,
            EngineMessage body,
            Copy.@Nullable Letter before,
            String cause,
            int attempts,
            long from,
            long to) {
        List<Copy.Death> deaths = new ArrayList<>();
        deaths.add(new Copy.Death(cause, home(queue)));
        for (Copy.Death death : before == null ? List.<Copy.Death>of() : before.deaths()) {
            if (!death.equals(deaths.getFirst())) {
                deaths.add(death);
            }
        }
        String group = queue.stream == null ? null : queue.name();
        Route first = before == null ? body.route() : before.firstRoute();
        return new Copy.Letter(cause, home(queue), group, attempts, from, to, deaths, first, exception);
    }

    /** What was thrown where a message is given up just now. */
    private @Nullable String exception;

    /** Writes a dead letter wherever it goes; false if there is no place for it. */
    private boolean storeLetter(
            ModelQueue queue,
            EngineMessage body,
            List<Place> places,
            Copy.Letter letter,
            boolean kills,
            long deadPlace,
            boolean loose) {
        if (places.isEmpty()) {
            return false;
        }
        boolean marks = kills && key(body) != null && queue.definition.keyOrdered() && one(queue, places);
        EngineMessage timeless = body.ttlMillis() == 0 && body.deliverAtMillis() == 0
                ? body
                : body.withTtlMillis(0).withDeliverAtMillis(0);
        Route route = letterRoute(queue, body);
        EngineMessage plain = route == null && body.route() == null ? timeless : timeless.withRoute(route);
        for (Place to : places) {
            if (to.stream != null && (loose || anyOrder) && ++lettersToStreams > 1) {
                throw new Unforeseen();
            }
            long place = nextPlace++;
            long offset = to.stream == null ? -1 : append(to.stream, to.partition, plain, letter, place).offset;
            for (ModelQueue target : to.queues) {
                boolean group = target.stream != null;
                Copy copy = append(
                        target,
                        plain,
                        letter,
                        marks ? queue : null,
                        deadPlace >= 0 ? deadPlace : place,
                        place,
                        group ? to.partition : -1,
                        group ? offset : -1,
                        false,
                        letter.to());
                copy.loose = loose;
                target.loose |= loose;
                if (anyOrder) {
                    cameFrom.computeIfAbsent(target, t -> new java.util.HashSet<>())
                            .add(restarting ? queue.title() + "/" + key(body) : queue.title());
                }
            }
        }
        return true;
    }

    private boolean letterBehind(ModelQueue queue, EngineMessage body, Copy.@Nullable Letter before) {
        List<Place> places = letterPlaces(queue, body, before, "key-order");
        boolean stored = storeLetter(
                queue, body, places, letter(queue, body, before, "key-order", 0, now, now), true, -1, false);
        String id = body.id();
        if (stored && id != null && queue.dedup != null) {
            queue.dedup.add(id, now);
        }
        return stored;
    }

    /** A message is given up for this cause, within a batch. */
    private void giveUp(Copy copy, String cause, boolean loose, long from) {
        giveUp(copy, cause, loose, from, now);
    }

    /**
     * The same where its moment is not known.
     *
     * @param from when that was at the earliest
     * @param to and at the latest
     */
    private void giveUp(Copy copy, String cause, boolean loose, long from, long to) {
        ModelQueue queue = copy.queue;
        if (anyOrder && cause.equals("overflow") && queue.maybeHanded) {
            // Where it was handed over in the last moment, which nobody saw, its letter tells of an attempt more.
            throw new Unforeseen();
        }
        boolean kills = !cause.equals("expired") && !cause.equals("overflow");
        List<Place> places = letterPlaces(queue, copy.body, copy.letter, cause);
        Copy.Letter letter = letter(queue, copy.body, copy.letter, cause, copy.attempts, from, to);
        boolean stored = storeLetter(queue, copy.body, places, letter, kills, copy.place, loose || anyOrder);
        String key = copy.key;
        boolean marked = stored && kills && key != null && queue.definition.keyOrdered() && one(queue, places);
        remove(copy);
        if (marked && key != null && !cause.equals("key-order")) {
            newlyDead.add(new DeadKey(queue, key, copy.place));
        }
    }

    /** True if one letter in one queue stands for its key. */
    private static boolean one(ModelQueue queue, List<Place> places) {
        Place first = places.getFirst();
        return places.size() == 1
                && first.stream == null
                && first.queues.size() == 1
                && first.queues.getFirst() != queue;
    }

    /** The time to live of a message was over some time since. In a batch of its own. */
    void expired(Copy copy) {
        copy.queue.marked.remove(copy);
        batch();
        giveUp(copy, "expired", true, copy.mayExpire);
        afterBatch();
    }

    /** What follows from a batch, each in a batch of its own. */
    void afterBatch() {
        List<ModelQueue> shortened = new ArrayList<>();
        while (!newlyDead.isEmpty() || !overflowing.isEmpty()) {
            if (!newlyDead.isEmpty()) {
                DeadKey dead = newlyDead.poll();
                if (!dead.queue().deleted) {
                    clear(dead.queue(), dead.key(), dead.place(), Long.MAX_VALUE);
                }
            } else {
                ModelQueue queue = overflowing.poll();
                boolean letters =
                        queue.definition.overflow() == Overflow.DEAD_LETTER_OLDEST && !shortened.contains(queue);
                while (!queue.deleted && over(queue)) {
                    Copy oldest = queue.oldestWaiting();
                    if (oldest == null) {
                        break;
                    }
                    if (anyOrder && cameFrom.getOrDefault(queue, Set.of()).size() > 1) {
                        // Which of them stay depends on which came last.
                        throw new Unforeseen();
                    }
                    batch();
                    int before = queue.size();
                    if (letters) {
                        giveUp(oldest, "overflow", false, now);
                        letters = queue.size() < before;
                    } else {
                        remove(oldest);
                    }
                }
                shortened.add(queue);
                mark(queue);
            }
        }
    }

    /** Marks those that have to go, from the oldest on, if each has as many bytes as it may have. */
    private void mark(ModelQueue queue) {
        queue.returned = false;
        long bytes = queue.definition.maxBytes() > 0 ? queue.mostBytes() : 0;
        if (bytes <= queue.definition.maxBytes()) {
            return;
        }
        List<Copy> waiting = new ArrayList<>(queue.all());
        waiting.removeIf(copy -> copy.holder != null);
        waiting.sort(ModelQueue.OLDEST);
        queue.markings++;
        queue.marked.clear();
        for (Copy copy : waiting) {
            copy.waited |= 1L << queue.markings;
            if (bytes > queue.definition.maxBytes()) {
                copy.overflowFrom = copy.mayOverflow ? Math.min(copy.overflowFrom, now) : now;
                copy.overflowTo = copy.mayOverflow ? Math.max(copy.overflowTo, now) : now;
                copy.mayOverflow = true;
                queue.marked.add(copy);
                queue.loose = true;
                bytes -= copy.mostBytes();
            }
        }
    }

    /**
     * Its queue held too many bytes, and it was the oldest. True if that may be.
     *
     * @param loose it may have gone before or after others that went
     */
    boolean overflowed(Copy copy, boolean loose) {
        ModelQueue queue = copy.queue;
        if (queue.markings == 1 && (queue.marked.isEmpty() || queue.marked.getFirst() != copy)) {
            return false;
        }
        queue.marked.remove(copy);
        batch();
        if (queue.definition.overflow() == Overflow.DEAD_LETTER_OLDEST) {
            giveUp(copy, "overflow", loose, Math.min(copy.overflowFrom, now), Math.max(copy.overflowTo, now));
        } else {
            remove(copy);
        }
        afterBatch();
        return true;
    }

    /** True if its queue must have let more of them go. */
    static boolean tooMuch(ModelQueue queue) {
        QueueDefinition definition = queue.definition;
        return definition.maxBytes() > 0
                && shortens(queue)
                && queue.markings == 1
                && !queue.returned
                && queue.all().stream().allMatch(copy -> copy.holder == null)
                && queue.leastBytes() > definition.maxBytes();
    }

    // ── Policies ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Puts a policy in the place of the one of its name, in a batch of its own. */
    void set(Policy policy) {
        batch();
        List<Policy> before = List.copyOf(policies.all);
        policies.all.removeIf(
                known -> known.operator() == policy.operator() && known.name().equals(policy.name()));
        policies.all.add(policy);
        follow(before);
    }

    void deletePolicy(Policy policy) {
        batch();
        List<Policy> before = List.copyOf(policies.all);
        policies.all.remove(policy);
        follow(before);
    }

    /** What may go by the policies that are about to change may have gone already. */
    void noteGoing() {
        for (ModelStream stream : streams.values()) {
            for (ModelStream.Partition partition : stream.partitions) {
                for (ModelStream.Entry entry : partition.entries) {
                    entry.mayHaveGone |= stream.mayGo(partition, entry, latest);
                }
            }
        }
    }

    private void follow(List<Policy> before) {
        history.changed(() -> {
            policies.all.clear();
            policies.all.addAll(before);
        });
        for (ModelQueue queue : queues.values()) {
            QueueDefinition was = queue.definition;
            queue.definition = policies.effective(queue.declared);
            history.changed(() -> queue.definition = was);
            if (was.expiresMillis() != queue.definition.expiresMillis()) {
                queue.idleSince = now;
            }
            if (!was.equals(queue.definition)) {
                noteOverflow(queue);
            }
        }
        for (ModelStream stream : streams.values()) {
            StreamDefinition was = stream.definition;
            stream.definition = policies.effective(stream.declared);
            history.changed(() -> stream.definition = was);
        }
        if (overflowing.size() > 1) {
            // Which of them is shortened first nobody promises.
            inAnyOrder();
            lettersToStreams = 0;
        }
        afterBatch();
        anyOrder = false;
    }

    /** Later messages of a key that has died follow it, if they have a place to go to. */
    private void clear(ModelQueue queue, String key, long place, long before) {
        batch();
        for (Copy copy : List.copyOf(queue.all())) {
            if (key.equals(copy.key)
                    && copy.holder == null
                    && copy.place > place
                    && copy.since < before
                    && !letterPlaces(queue, copy.body, copy.letter, "key-order").isEmpty()) {
                giveUp(copy, "key-order", false, now);
            }
        }
    }

    // ── Deliveries ───────────────────────────────────────────────────────────────────────────────────────────────────

    void delivered(Copy copy, ModelConsumer consumer) {
        int attempts = copy.attempts;
        long notBefore = copy.notBefore;
        boolean firstDelay = copy.firstDelay;
        copy.attempts++;
        copy.notBefore = 0;
        copy.firstDelay = false;
        history.changed(() -> {
            copy.attempts = attempts;
            copy.notBefore = notBefore;
            copy.firstDelay = firstDelay;
        });
        consumer.credit--;
        if (consumer.settings.autoAcknowledge()) {
            remove(copy);
        } else {
            copy.holder = consumer;
            long lease = consumer.leaseMillis();
            copy.lease = lease > 0 ? steady + lease : 0;
            consumer.held.put(copy.number, copy);
        }
    }

    void bind(Copy copy, long number) {
        copy.number = number;
        copy.queue.byNumber.put(number, copy);
    }

    /** Settles what this consumer holds, within a batch. */
    void settle(Copy copy, Command.Outcome outcome) {
        switch (outcome) {
            case Command.Outcome.Acknowledge a -> remove(copy);
            case Command.Outcome.DeadLetter d -> {
                String thrown = d.exception();
                exception = thrown == null ? null : thrown.substring(0, Math.min(255, thrown.length()));
                giveUp(copy, "rejected", false, now);
                exception = null;
            }
            case Command.Outcome.Extend e -> copy.lease = steady + e.leaseMillis();
            case Command.Outcome.Release r -> release(copy, r.delayMillis(), r.counts());
        }
    }

    private void release(Copy copy, long delayMillis, boolean counts) {
        int limit = copy.queue.definition.deliveryLimit();
        if (counts && limit > 0 && copy.attempts >= limit) {
            giveUp(copy, "delivery-limit", false, now);
            return;
        }
        takeFromHolder(copy);
        int attempts = copy.attempts;
        long notBefore = copy.notBefore;
        boolean firstDelay = copy.firstDelay;
        copy.attempts -= counts || attempts == 0 ? 0 : 1;
        copy.notBefore = delayMillis > 0 ? now + delayMillis : 0;
        copy.firstDelay = false;
        history.changed(() -> {
            copy.attempts = attempts;
            copy.notBefore = notBefore;
            copy.firstDelay = firstDelay;
        });
        if (copy.queue.definition.boundsWaiting()) {
            noteOverflow(copy.queue);
        } else {
            copy.queue.returned = true;
        }
    }

    /** A delivery goes back because its consumer ended or its lease ran out. */
    void takeBack(Copy copy) {
        batch();
        release(copy, 0, true);
        afterBatch();
    }

    /** Ends a consumer. Returns how much it held. */
    int end(ModelConsumer consumer) {
        if (consumer.gone) {
            return 0;
        }
        forget(consumer);
        consumer.queue.consumers.remove(consumer);
        List<Copy> held = List.copyOf(consumer.held.values());
        held.forEach(this::takeBack);
        leave(consumer);
        return held.size();
    }

    /** A consumer gets nothing more; true if its queue went with it. */
    void leave(ModelConsumer consumer) {
        if (consumer.holder != null) {
            return;
        }
        ModelQueue queue = consumer.queue;
        queue.consumers.remove(consumer);
        if (!queue.consumers.isEmpty()) {
            queue.active(); // the next one, before another comes
        }
        queue.idleSince = now;
        if (queue.definition.autoDelete() && queue.consumers.isEmpty() && !queue.deleted) {
            delete(queue);
        }
    }

    /**
     * What is due at this moment.
     *
     * @return the messages whose leases ran out, of each queue. Who has something due is woken, and has done all of its own,
     *     in the order of the earliest of it; a crash shows how far that had come, where it was not quite that order
     */
    List<List<Copy>> timers() {
        TreeMap<Long, List<List<Copy>>> byDue = new TreeMap<>();
        for (ModelQueue queue : all()) {
            List<Copy> of = null;
            long due = Long.MAX_VALUE;
            for (Copy copy : queue.all()) {
                if (copy.mayExpire > 0 && copy.holder == null) {
                    due = Math.min(due, copy.mayExpire - now);
                }
                if (copy.notBefore > 0 && copy.notBefore <= now) {
                    due = Math.min(due, copy.notBefore - now);
                    copy.notBefore = 0;
                    copy.firstDelay = false;
                } else if (copy.lease > 0 && copy.lease <= steady) {
                    due = Math.min(due, copy.lease - steady);
                    of = of == null ? new ArrayList<>() : of;
                    of.add(copy);
                }
            }
            if (of != null) {
                of.sort(Comparator.comparingLong((Copy c) -> c.lease).thenComparingLong(c -> c.number));
                byDue.computeIfAbsent(due, d -> new ArrayList<>()).add(of);
            }
        }
        lateTargets.clear();
        if (byDue.isEmpty()) {
            lettersToStreams = 0;
            return List.of();
        }
        List<List<Copy>> back = byDue.values().stream().flatMap(List::stream).toList();
        if (back.size() > 1 && orderMatters(back)) {
            throw new Unforeseen();
        }
        back.forEach(of -> of.forEach(copy -> lastPlaces(copy).forEach(place -> lateTargets.addAll(place.queues))));
        takeBack(back);
        return back;
    }

    /**
     * True if dead letters come to a queue that has to let its oldest go, while some of its own are about to come back: which
     * of them wait by then depends on which queue is looked at first. Or if they come where their key is about to die: those that
     * are there by then go with it, and those that come later stay.
     */
    private boolean orderMatters(List<List<Copy>> queues) {
        for (List<Copy> of : queues) {
            ModelQueue queue = of.getFirst().queue;
            for (Copy copy : of) {
                for (Place to : lastPlaces(copy)) {
                    for (List<Copy> others : queues) {
                        ModelQueue other = others.getFirst().queue;
                        if (other != queue
                                && to.queues.contains(other)
                                && (shortens(other) || killsKey(others, key(copy.body)))) {
                            return true;
                        }
                    }
                }
            }
        }
        return false;
    }

    /** Where a message goes whose lease ran out, if that was its last. */
    private List<Place> lastPlaces(Copy copy) {
        ModelQueue queue = copy.queue;
        int limit = queue.definition.deliveryLimit();
        return limit > 0 && copy.attempts >= limit
                ? letterPlaces(queue, copy.body, copy.letter, "delivery-limit")
                : List.of();
    }

    /** True if one of these, all of one queue, is given up, and its key with it. */
    private static boolean killsKey(List<Copy> copies, @Nullable String key) {
        QueueDefinition definition = copies.getFirst().queue.definition;
        return key != null
                && definition.keyOrdered()
                && definition.deadLetter() != null
                && definition.deliveryLimit() > 0
                && copies.stream()
                        .anyMatch(copy -> key.equals(copy.key) && copy.attempts >= definition.deliveryLimit());
    }

    int lettersToStreams() {
        return lettersToStreams;
    }

    void lettersToStreams(int count) {
        lettersToStreams = count;
    }

    /** True if it becomes a dead letter anywhere if it is given up for this cause. */
    boolean leavesLetter(Copy copy, String cause) {
        return !letterPlaces(copy.queue, copy.body, copy.letter, cause).isEmpty();
    }

    /** True if it goes to this partition if it is given up for this cause. */
    boolean letterGoesTo(Copy copy, String cause, ModelStream stream, int partition) {
        return letterPlaces(copy.queue, copy.body, copy.letter, cause).stream()
                .anyMatch(place -> place.stream == stream && place.partition == partition);
    }

    private void inAnyOrder() {
        anyOrder = true;
        cameFrom.clear();
        overflowing.forEach(queue ->
                cameFrom.computeIfAbsent(queue, q -> new java.util.HashSet<>()).add(queue.title()));
    }

    /** Leases ran out, those of one queue after those of another. */
    void takeBack(List<List<Copy>> queues) {
        inAnyOrder();
        lettersToStreams = 0;
        queues.forEach(of -> of.forEach(this::takeBack));
        anyOrder = false;
    }

    /** Power goes and comes back: nobody holds anything, and what does not outlive that is gone. */
    void restart() {
        consumers.clear();
        readers.clear();
        for (ModelQueue queue : all()) {
            queue.consumers.clear();
            queue.idleSince = now;
            for (Copy copy : queue.all()) {
                copy.holder = null;
                copy.lease = 0;
            }
        }
        for (ModelQueue queue : all()) {
            if (queue.definition.exclusive() || queue.definition.temporary()) {
                vanish(queue);
            } else if (queue.definition.durability() == dev.postroad.engine.Durability.TRANSIENT) {
                batch();
                List.copyOf(queue.all()).forEach(this::remove);
            }
            noteOverflow(queue);
        }
        topology.deleteTemporary();
        inAnyOrder();
        restarting = true;
        Map<ModelQueue, Map<String, Copy>> firstDead = new LinkedHashMap<>();
        for (ModelQueue letters : all()) {
            for (Copy copy : letters.all()) {
                if (copy.deadIn != null && !copy.deadIn.deleted && copy.key != null) {
                    firstDead
                            .computeIfAbsent(copy.deadIn, q -> new TreeMap<>())
                            .merge(copy.key, copy, (a, b) -> a.deadPlace <= b.deadPlace ? a : b);
                }
            }
        }
        firstDead.forEach(
                (queue, keys) -> keys.forEach((key, first) -> clear(queue, key, first.deadPlace, first.since)));
        afterBatch();
        restarting = false;
        anyOrder = false;
        for (ModelStream stream : streams.values()) {
            if (stream.definition.durability() == dev.postroad.engine.Durability.TRANSIENT) {
                batch();
                trimAll(stream);
            }
        }
    }

    void trimAll(ModelStream stream) {
        for (ModelStream.Partition partition : stream.partitions) {
            for (int i = partition.from; i < partition.entries.size(); i++) {
                gone(partition, partition.entries.get(i));
            }
        }
    }

    // ── Declaring and deleting ───────────────────────────────────────────────────────────────────────────────────────

    void declare(QueueDefinition definition, @Nullable Object owner) {
        batch();
        ModelQueue queue = new ModelQueue(definition, null, history);
        queue.definition = policies.effective(definition);
        queue.idleSince = now;
        queue.owner = definition.exclusive() ? owner : null;
        queues.put(definition.name(), queue);
        history.changed(() -> {
            queue.deleted = true;
            queues.remove(definition.name());
        });
    }

    void declare(StreamDefinition definition) {
        batch();
        ModelStream stream = new ModelStream(definition, history);
        stream.definition = policies.effective(definition);
        streams.put(definition.name(), stream);
        history.changed(() -> streams.remove(definition.name()));
    }

    void declareGroup(ModelStream stream, QueueDefinition definition, Command.Start start) {
        batch();
        ModelQueue group = new ModelQueue(definition, stream, history);
        group.idleSince = now;
        stream.groups.add(group);
        history.changed(() -> {
            group.deleted = true;
            stream.groups.remove(group);
        });
        List<Object[]> found = new ArrayList<>();
        for (int p = 0; p < stream.partitions.length; p++) {
            for (ModelStream.Entry entry : stream.partitions[p].entries) {
                boolean in = switch (start) {
                    case Command.Start.Earliest e -> true;
                    case Command.Start.Latest l -> false;
                    case Command.Start.Last l -> entry.offset >= stream.partitions[p].next() - 1;
                    case Command.Start.Offset o -> entry.offset >= o.offset();
                    case Command.Start.Offsets o -> entry.offset >= o.offsets().get(p);
                    case Command.Start.Timestamp t -> entry.accepted >= t.millis();
                };
                if (in && !entry.gone) {
                    found.add(new Object[] {entry, p});
                }
            }
        }
        found.sort(Comparator.comparingLong(e -> ((ModelStream.Entry) e[0]).place));
        for (Object[] each : found) {
            ModelStream.Entry entry = (ModelStream.Entry) each[0];
            int number = (int) each[1];
            Copy copy = append(group, entry.body, entry.letter, null, -1, entry.place, number, entry.offset, true, now);
            if (stream.mayGo(stream.partitions[number], entry, latest)) {
                // It may have gone from the stream just before.
                copy.mayDrop = true;
                group.loose = true;
            }
        }
    }

    /** Deletes a queue or shared group, in a batch of its own; topics that lived by it follow. */
    void delete(ModelQueue queue) {
        if (queue.definition.overflow() == Overflow.DEAD_LETTER_OLDEST
                && queue.definition.deadLetter() != null
                && queue.all().stream().anyMatch(copy -> copy.mayOverflow)) {
            // What was too much just before has become dead letters, which nobody has looked at.
            throw new Unforeseen();
        }
        vanish(queue);
    }

    /** The same where dead letters have told what became of its messages. */
    void vanish(ModelQueue queue) {
        batch();
        List<Binding> gone = drop(queue);
        topology.dropUnbound(gone);
    }

    private List<Binding> drop(ModelQueue queue) {
        for (Copy copy : List.copyOf(queue.all())) {
            copy.holder = null;
            remove(copy);
        }
        queue.deleted = true;
        ModelStream stream = queue.stream;
        int at = stream == null ? 0 : stream.groups.indexOf(queue);
        if (stream == null) {
            queues.remove(queue.name());
        } else {
            stream.groups.remove(queue);
        }
        history.changed(() -> {
            queue.deleted = false;
            if (stream == null) {
                queues.put(queue.name(), queue);
            } else {
                stream.groups.add(at, queue);
            }
        });
        queue.consumers.clear();
        consumers.values().removeIf(consumer -> {
            consumer.gone |= consumer.queue == queue;
            return consumer.queue == queue;
        });
        return stream == null ? topology.channelGone(queue.name()) : List.of();
    }

    void delete(ModelStream stream) {
        batch();
        for (ModelQueue group : List.copyOf(stream.groups)) {
            drop(group);
        }
        streams.remove(stream.name());
        readers.values().removeIf(reader -> reader.stream == stream);
        history.changed(() -> streams.put(stream.name(), stream));
        for (Map.Entry<String, TreeMap<String, Command.Position>> group : offsets.entrySet()) {
            for (Command.Position position : List.copyOf(group.getValue().values())) {
                if (position.stream().equals(stream.name())) {
                    put(group.getKey(), position.stream() + "/" + position.partition(), null);
                }
            }
        }
        topology.dropUnbound(topology.channelGone(stream.name()));
    }

    // ── Offsets of groups ────────────────────────────────────────────────────────────────────────────────────────────

    void commit(String group, List<Command.Position> positions) {
        for (Command.Position position : positions) {
            put(group, position.stream() + "/" + position.partition(), position);
        }
    }

    void deleteOffsets(String group) {
        batch();
        for (String place :
                List.copyOf(offsets.getOrDefault(group, new TreeMap<>()).keySet())) {
            put(group, place, null);
        }
    }

    private void put(String group, String place, Command.@Nullable Position position) {
        TreeMap<String, Command.Position> of = offsets.computeIfAbsent(group, g -> new TreeMap<>());
        Command.Position before = position == null ? of.remove(place) : of.put(place, position);
        history.changed(() -> {
            if (before == null) {
                of.remove(place);
            } else {
                of.put(place, before);
            }
        });
    }

    // ── Looking after queues ─────────────────────────────────────────────────────────────────────────────────────────

    static List<Copy> inOrder(ModelQueue queue) {
        List<Copy> copies = new ArrayList<>(queue.all());
        if (queue.definition.priorities() > 1) {
            copies.sort(Comparator.comparingInt(c -> -c.lane));
        }
        return copies;
    }

    long purge(ModelQueue queue) {
        batch();
        long count = 0;
        for (Copy copy : List.copyOf(queue.all())) {
            if (copy.holder == null) {
                remove(copy);
                count++;
            }
        }
        return count;
    }

    int cancel(ModelQueue queue, String id) {
        int count = 0;
        for (Copy copy : List.copyOf(queue.all())) {
            if (copy.firstDelay && copy.notBefore > 0 && id.equals(copy.body.id())) {
                batch();
                remove(copy);
                count++;
            }
        }
        return count;
    }

    private static boolean full(ModelQueue queue) {
        return queue.definition.maxMessages() > 0 && queue.bounded() >= queue.definition.maxMessages();
    }

    private static List<Copy> line(ModelQueue letters, Copy of) {
        return letters.all().stream()
                .filter(c -> c.deadIn != null && c.deadIn == of.deadIn && c.key != null && c.key.equals(of.key))
                .sorted(Comparator.comparingLong((Copy c) -> c.deadPlace).thenComparingLong(c -> c.order))
                .toList();
    }

    long move(ModelQueue from, String to, @Nullable Filter filter, long max) {
        long moved = 0;
        ModelQueue queue = queues.get(to);
        for (Copy copy : inOrder(from)) {
            if (moved == max || (queue != null && full(queue))) {
                break;
            }
            if (copy.holder != null || !copy.there || (filter != null && !filter.takes(copy.body))) {
                continue;
            }
            boolean home = queue != null && copy.deadIn == queue && !queue.deleted;
            if (home && line(from, copy).getFirst() != copy) {
                continue;
            }
            batch();
            Place place = place(to, copy.body);
            if (place == null) {
                throw new IllegalStateException("no place");
            }
            store(copy.body, copy.letter, place, home ? copy.deadPlace : -1, !home);
            remove(copy);
            moved++;
        }
        afterBatch();
        return moved;
    }

    long redrive(ModelQueue letters, @Nullable Filter filter, long max) {
        return redrive(letters, inOrder(letters), copy -> filter == null || filter.takes(copy.body), max, null);
    }

    /** The same for letters chosen by their numbers, in the order of those. */
    long putBack(ModelQueue letters, Collection<Long> numbers) {
        return putBack(letters, numbers, null);
    }

    /** @param edited goes back in the place of the one letter; null for what was sent */
    long putBack(ModelQueue letters, Collection<Long> numbers, @Nullable EngineMessage edited) {
        List<Copy> chosen = letters.all().stream()
                .filter(copy -> numbers.contains(copy.number))
                .sorted(Comparator.comparingLong(copy -> copy.number))
                .toList();
        return redrive(letters, chosen, chosen::contains, Long.MAX_VALUE, edited);
    }

    private long redrive(
            ModelQueue letters, List<Copy> from, Predicate<Copy> wanted, long max, @Nullable EngineMessage edited) {
        long moved = 0;
        java.util.Set<String> done = new java.util.HashSet<>();
        for (Copy first : from) {
            if (moved == max) {
                break;
            }
            boolean marked = first.deadIn != null;
            if (marked && !done.add(System.identityHashCode(first.deadIn) + "/" + first.key)) {
                continue;
            }
            if (!first.there) {
                continue;
            }
            for (Copy copy : marked ? line(letters, first) : List.of(first)) {
                ModelQueue back = origin(copy);
                if (moved == max
                        || copy.holder != null
                        || back == null
                        || back == letters
                        || !wanted.test(copy)
                        || full(back)
                        || (!marked && back.keyDead(copy.key))) {
                    break;
                }
                batch();
                Place place = new Place();
                place.queues.add(back);
                Copy.Letter letter = copy.letter;
                EngineMessage body = edited == null ? copy.body : edited;
                EngineMessage restored = letter == null || (letter.firstRoute() == null && body.route() == null)
                        ? body
                        : body.withRoute(letter.firstRoute());
                store(restored, null, place, marked ? copy.deadPlace : -1, !marked);
                remove(copy);
                moved++;
            }
        }
        afterBatch();
        return moved;
    }

    private @Nullable ModelQueue origin(Copy copy) {
        Copy.Letter letter = copy.letter;
        if (letter == null) {
            return null;
        }
        String group = letter.group();
        return group == null ? queues.get(letter.origin()) : group(letter.origin(), group);
    }
}
