package dev.postroad.simulation.broker;

import dev.postroad.engine.Command;
import dev.postroad.engine.DeadLetterHeaders;
import dev.postroad.engine.Durability;
import dev.postroad.engine.EngineMessage;
import dev.postroad.engine.EngineStatus;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Compares everything that a broker shows with everything the model holds. */
final class Comparison {
    private final Model model;
    private final Observed observed;

    /** True after a crash: what was handed over in the last moment nobody has seen. */
    private final boolean lastMoment;

    private final Map<Copy, Long> numbers = new LinkedHashMap<>();
    private final List<Runnable> adoptions = new ArrayList<>();

    /** False where nobody asks what differs, only whether anything does: to put long lists into words takes a while. */
    boolean inWords = true;

    /** What was looked at; null for everything. */
    private final @Nullable Set<ModelQueue> only;

    Comparison(Model model, Observed observed, boolean lastMoment) {
        this(model, observed, lastMoment, null);
    }

    /** Of these queues alone. */
    Comparison(Model model, Observed observed, Set<ModelQueue> only) {
        this(model, observed, false, only);
    }

    private Comparison(Model model, Observed observed, boolean lastMoment, @Nullable Set<ModelQueue> only) {
        this.model = model;
        this.observed = observed;
        this.lastMoment = lastMoment;
        this.only = only;
    }

    /** The queues that were looked at and are there still. */
    private List<ModelQueue> queues() {
        List<ModelQueue> all = model.all();
        if (only != null) {
            all.removeIf(queue -> !only.contains(queue));
        }
        return all;
    }

    /** How they differ; null if they agree. The model follows what time may have brought, by changes that can be undone. */
    @Nullable
    String difference() {
        String names = only == null ? names() : null;
        if (names != null) {
            return names;
        }
        for (boolean changed = true; changed; ) {
            changed = false;
            for (ModelQueue queue : queues()) {
                changed |= letGo(queue);
            }
        }
        for (ModelQueue queue : queues()) {
            String difference = queue(queue, observed.queues().getOrDefault(Observed.name(queue), List.of()));
            if (difference != null) {
                return queue.title() + ": " + difference;
            }
        }
        for (ModelStream stream : only == null ? model.streams.values() : List.<ModelStream>of()) {
            for (int p = 0; p < stream.partitions.length; p++) {
                Command.Fetched fetched = observed.partitions().get(stream.name() + "/" + p);
                String difference = fetched == null ? "was not looked at" : partition(stream, p, fetched, 0);
                if (difference != null) {
                    return "stream " + stream.name() + " partition " + p + ": " + difference;
                }
            }
        }
        return null;
    }

    /** The model takes over what it did not know: numbers, and orders that were open. */
    void adopt() {
        numbers.forEach(model::bind);
        adoptions.forEach(Runnable::run);
    }

    // ── Names ────────────────────────────────────────────────────────────────────────────────────────────────────────

    private @Nullable String names() {
        EngineStatus status = observed.status();
        Map<String, Object> there = new TreeMap<>();
        status.queues().forEach(q -> there.put(q.definition().name(), q.definition()));
        status.streams().forEach(s -> there.put(s.definition().name(), s.definition()));
        status.groups().stream().filter(g -> g.stream() != null).forEach(g -> {
            EngineStatus.Queue shared = g.shared();
            if (shared != null) {
                there.put(g.stream() + "\n" + g.name(), shared.definition());
            }
        });
        for (ModelQueue queue : model.all()) {
            long idle = queue.definition.expiresMillis();
            if (!there.containsKey(Observed.name(queue)) && idle > 0 && queue.idleWas + idle <= model.latest) {
                letGoUnseen(queue);
                model.vanish(queue);
            }
        }
        Map<String, Object> expected = new TreeMap<>();
        model.all().forEach(q -> expected.put(Observed.name(q), q.declared));
        model.streams.values().forEach(s -> expected.put(s.name(), s.declared));
        if (!there.equals(expected)) {
            return "there are the channels " + there.keySet() + " instead of " + expected.keySet()
                    + (there.keySet().equals(expected.keySet()) ? ", with other definitions" : "");
        }
        if (!same(status.topics(), model.topology.topics.values())) {
            return "there are the topics " + status.topics() + " instead of " + model.topology.topics.values();
        }
        if (!same(status.bindings(), model.topology.bindings)
                || status.bindings().size() != model.topology.bindings.size()) {
            return "there are the bindings " + status.bindings() + " instead of " + model.topology.bindings;
        }
        if (!same(status.policies().all(), model.policies.all)) {
            return "there are the policies " + status.policies().all() + " instead of " + model.policies.all;
        }
        for (EngineStatus.Queue queue : status.queues()) {
            ModelQueue known = model.queues.get(queue.definition().name());
            if (known != null && !status.policies().effective(known.declared).equals(known.definition)) {
                return "policies make of queue " + known.name() + " "
                        + status.policies().effective(known.declared) + " instead of " + known.definition;
            }
        }
        return offsets(status);
    }

    /** True if they hold the same, in any order. As long as nothing was restarted they are the very same objects. */
    private static boolean same(Collection<?> some, Collection<?> others) {
        return identities(some).equals(identities(others)) || new HashSet<>(some).equals(new HashSet<>(others));
    }

    private static Set<Object> identities(Collection<?> of) {
        Set<Object> identities = Collections.newSetFromMap(new IdentityHashMap<>());
        identities.addAll(of);
        return identities;
    }

    private @Nullable String offsets(EngineStatus status) {
        Map<String, Set<String>> there = new TreeMap<>();
        for (EngineStatus.Group group : status.groups()) {
            if (group.stream() == null && !group.positions().isEmpty()) {
                Set<String> of = there.computeIfAbsent(group.name(), g -> new HashSet<>());
                group.positions().forEach(p -> of.add(p.stream() + "/" + p.partition() + "=" + p.offset()));
            }
        }
        Map<String, Set<String>> expected = new TreeMap<>();
        model.offsets.forEach((group, positions) -> {
            if (!positions.isEmpty()) {
                Set<String> of = expected.computeIfAbsent(group, g -> new HashSet<>());
                positions.values().forEach(p -> of.add(p.stream() + "/" + p.partition() + "=" + p.offset()));
            }
        });
        return there.equals(expected) ? null : "groups have stored " + there + " instead of " + expected;
    }

    // ── Queues ───────────────────────────────────────────────────────────────────────────────────────────────────────

    /** Messages that are not there any more and need not be. True if there were any. */
    private boolean letGo(ModelQueue queue) {
        List<Command.Browsed> browsed = observed.queues().getOrDefault(Observed.name(queue), List.of());
        boolean any = lastMoment && queue.maybeTaken;
        for (Copy copy : queue.all()) {
            any |= copy.mayDrop
                    || copy.mayOverflow
                    || (copy.mayExpire > 0 && copy.mayExpire <= model.latest && copy.holder == null);
        }
        if (!any) {
            return false;
        }
        Map<Long, String> known = new HashMap<>();
        Map<String, Integer> unknown = new HashMap<>();
        for (Command.Browsed b : browsed) {
            String name = Contents.name(b.message());
            if (queue.byNumber.containsKey(b.number())) {
                known.put(b.number(), name);
            } else {
                unknown.merge(name, 1, Integer::sum);
            }
        }
        List<Copy> missing = new ArrayList<>();
        for (Copy copy : queue.all()) {
            if (copy.number < 0 || !Contents.name(copy).equals(known.get(copy.number))) {
                missing.add(copy);
            }
        }
        // One message may be there twice: what is found of it is that which had no reason to go, or had it last.
        // Where both had it at once the first has gone.
        Set<Copy> found = new HashSet<>();
        missing.stream()
                .filter(copy -> copy.number < 0)
                .sorted(Comparator.comparingLong(this::goesFrom)
                        .thenComparingLong(copy -> copy.order)
                        .reversed())
                .forEach(copy -> {
                    if (unknown.merge(Contents.name(copy), -1, Integer::sum) >= 0) {
                        found.add(copy);
                    }
                });
        missing.removeAll(found);
        missing.sort(ModelQueue.OLDEST);
        List<Copy> overflowed = new ArrayList<>();
        boolean changed = false;
        for (Copy copy : missing) {
            boolean over = copy.mayExpire > 0 && copy.mayExpire <= model.latest && copy.holder == null;
            // Where it may have gone in more than one way, a dead letter tells which it was.
            boolean taken = copy.mayDrop || (lastMoment && queue.maybeTaken && copy.notBefore <= model.latest);
            boolean otherwise = taken || copy.mayOverflow;
            if (over && (!otherwise || letterThere(copy, "expired") || !model.leavesLetter(copy, "expired"))) {
                model.expired(copy);
                changed = true;
            } else if (copy.mayOverflow && (!taken || letterThere(copy, "overflow"))) {
                overflowed.add(copy);
            } else if (taken) {
                model.batch();
                model.remove(copy);
                changed = true;
            }
        }
        List<Boolean> loose = loose(overflowed);
        for (int i = 0; i < overflowed.size(); i++) {
            changed |= model.overflowed(overflowed.get(i), loose.get(i));
        }
        return changed;
    }

    /** What went from a queue that is not there any more before it did, dead letters tell. */
    void letGoUnseen(ModelQueue queue) {
        List<Copy> overflowed = new ArrayList<>();
        for (Copy copy : List.copyOf(queue.all())) {
            boolean over = copy.mayExpire > 0 && copy.mayExpire <= model.latest && copy.holder == null;
            if (over && letterThere(copy, "expired")) {
                model.expired(copy);
            } else if (copy.mayOverflow && letterThere(copy, "overflow")) {
                overflowed.add(copy);
            }
        }
        overflowed.sort(ModelQueue.OLDEST);
        List<Boolean> loose = loose(overflowed);
        for (int i = 0; i < overflowed.size(); i++) {
            model.overflowed(overflowed.get(i), loose.get(i));
        }
    }

    private static List<Boolean> loose(List<Copy> overflowed) {
        return overflowed.stream().map(copy -> loose(copy, overflowed)).toList();
    }

    /** True if it is not known which of those that were too much went before it. */
    private static boolean loose(Copy copy, List<Copy> overflowed) {
        if (copy.queue.markings >= Long.SIZE) {
            return true;
        }
        for (Copy other : overflowed) {
            boolean before = ModelQueue.OLDEST.compare(other, copy) < 0;
            long first = before ? other.waited : copy.waited;
            long second = before ? copy.waited : other.waited;
            // The one behind may have gone first, at a time when the one before it did not wait.
            if ((second & ~first) != 0) {
                return true;
            }
        }
        return false;
    }

    /** From when on a message may have gone by itself; the end of time where it must be there. */
    private long goesFrom(Copy copy) {
        if (copy.mayDrop || copy.mayOverflow) {
            return 0;
        }
        return copy.mayExpire > 0 && copy.mayExpire <= model.latest && copy.holder == null
                ? copy.mayExpire
                : Long.MAX_VALUE;
    }

    /** Which part of these messages of one queue is not there any more, from 0 for none to 1 for all that might go. */
    static double givenUp(Model model, List<Copy> leased, Observed observed) {
        ModelQueue queue = leased.getFirst().queue;
        Set<String> there = new HashSet<>();
        observed.queues()
                .getOrDefault(Observed.name(queue), List.of())
                .forEach(b -> there.add(Contents.name(b.message())));
        int limit = queue.definition.deliveryLimit();
        List<Copy> last = leased.stream()
                .filter(copy -> limit > 0 && copy.attempts >= limit)
                .toList();
        boolean stays = queue.durable() && !queue.definition.exclusive() && !queue.definition.temporary();
        long gone = last.stream()
                .filter(c -> stays
                        ? !there.contains(Contents.name(c))
                        : new Comparison(model, observed, true).letterThere(c, "delivery-limit"))
                .count();
        return last.isEmpty() ? 0 : (double) gone / last.size();
    }

    /** True if a dead letter that the model did not know tells that this message was given up for this cause. */
    boolean letterThere(Copy copy, String cause) {
        for (ModelQueue letters : model.all()) {
            for (Command.Browsed b : observed.queues().getOrDefault(Observed.name(letters), List.of())) {
                if (!letters.byNumber.containsKey(b.number()) && tells(b.message(), copy, cause)) {
                    return true;
                }
            }
        }
        for (ModelStream stream : model.streams.values()) {
            for (int p = 0; p < stream.partitions.length; p++) {
                Command.Fetched fetched = observed.partitions().get(stream.name() + "/" + p);
                if (fetched != null && letterThere(copy, cause, stream, p, fetched)) {
                    return true;
                }
            }
        }
        return false;
    }

    private boolean letterThere(Copy copy, String cause, ModelStream stream, int partition, Command.Fetched fetched) {
        long next = stream.partitions[partition].next();
        if (stream.definition.durability() == Durability.TRANSIENT) {
            // What came there is gone, but for its offset.
            return fetched.next() > next && model.letterGoesTo(copy, cause, stream, partition);
        }
        for (Command.StreamRecord record : fetched.records()) {
            if (record.offset() >= next && tells(record.message(), copy, cause)) {
                return true;
            }
        }
        return false;
    }

    /** True for a dead letter that tells of this message and this cause. */
    private static boolean tells(EngineMessage letter, Copy copy, String cause) {
        return letter.timestampMillis() == copy.tag()
                && cause.equals(letter.headers().get(DeadLetterHeaders.CAUSE))
                && Model.home(copy.queue).equals(letter.headers().get(DeadLetterHeaders.ORIGIN))
                && Objects.equals(
                        copy.queue.stream == null ? null : copy.queue.name(),
                        letter.headers().get(DeadLetterHeaders.GROUP));
    }

    private @Nullable String queue(ModelQueue queue, List<Command.Browsed> browsed) {
        List<Copy> expected = Model.inOrder(queue);
        List<Copy> found = new ArrayList<>(browsed.size());
        Map<Long, List<Copy>> unbound = new HashMap<>();
        for (Copy copy : expected) {
            if (copy.number < 0) {
                unbound.computeIfAbsent(copy.tag(), t -> new ArrayList<>(1)).add(copy);
            }
        }
        for (Command.Browsed b : browsed) {
            Copy copy = queue.byNumber.get(b.number());
            if (copy == null) {
                List<Copy> same = unbound.getOrDefault(b.message().timestampMillis(), List.of());
                for (Copy each : same) {
                    if (Contents.difference(each.body, each.letter, b.message()) == null) {
                        copy = each;
                        break;
                    }
                }
                copy = copy == null && !same.isEmpty() ? same.getFirst() : copy;
                if (copy == null) {
                    return "m" + b.message().timestampMillis() + " (number " + b.number() + ", attempts " + b.attempts()
                            + ", " + b.state() + ", " + b.message().headers() + ") is there and should not be; "
                            + told(expected) + " should be";
                }
                same.remove(copy);
                numbers.put(copy, b.number());
            }
            String difference = message(copy, b);
            if (difference != null) {
                return "m" + copy.tag() + " (number " + b.number() + "): " + difference;
            }
            found.add(copy);
        }
        if (found.size() < expected.size()) {
            Set<Copy> missing = new java.util.LinkedHashSet<>(expected);
            found.forEach(missing::remove);
            return "missing: " + told(missing) + " of " + told(expected);
        }
        if (Model.tooMuch(queue)) {
            return "it holds at least " + queue.leastBytes() + " bytes of " + queue.definition.maxBytes() + " at most: "
                    + told(expected);
        }
        return order(queue, expected, found);
    }

    private String told(Collection<Copy> copies) {
        return inWords ? copies.toString() : copies.size() + " messages";
    }

    private @Nullable String message(Copy copy, Command.Browsed b) {
        String difference = Contents.difference(copy.body, copy.letter, b.message());
        if (difference != null) {
            return difference;
        }
        boolean handed = lastMoment
                && copy.queue.maybeHanded
                && copy.notBefore <= model.latest
                && b.attempts() == copy.attempts + 1;
        if (b.attempts() != copy.attempts && !handed) {
            return "it says attempt " + b.attempts() + " instead of " + copy.attempts;
        }
        if ((b.state() == Command.Browsed.State.IN_FLIGHT) != (copy.holder != null)) {
            return "it is " + b.state() + (copy.holder == null ? ", and nobody holds it" : ", and somebody holds it");
        }
        if (b.notBeforeMillis() != copy.notBefore
                && !(b.notBeforeMillis() <= model.latest && copy.notBefore <= model.latest)
                && !(handed && b.notBeforeMillis() == 0)) {
            return "it waits until " + b.notBeforeMillis() + " instead of " + copy.notBefore;
        }
        if (b.notBeforeMillis() != copy.notBefore && !handed) {
            // It had been due once, and the clock went back: whether that is remembered is open.
            adoptions.add(() -> {
                copy.notBefore = b.notBeforeMillis();
                copy.firstDelay = b.attempts() == 0 && copy.body.deliverAtMillis() == copy.notBefore;
            });
        }
        if (copy.queue.stream != null && (b.partition() != copy.partition || b.offset() != copy.offset)) {
            return "it has offset " + b.offset() + " of partition " + b.partition() + " instead of " + copy.offset
                    + " of " + copy.partition;
        }
        if (handed) {
            int attempts = b.attempts();
            adoptions.add(() -> {
                copy.attempts = attempts;
                copy.notBefore = 0;
                copy.firstDelay = false;
            });
        }
        return null;
    }

    private @Nullable String order(ModelQueue queue, List<Copy> expected, List<Copy> found) {
        if (!queue.loose) {
            return expected.equals(found) ? null : "the order is " + told(found) + " instead of " + told(expected);
        }
        List<Copy> fixed = expected.stream().filter(c -> !c.loose).toList();
        List<Copy> fixedFound = found.stream().filter(c -> !c.loose).toList();
        if (!fixed.equals(fixedFound)) {
            return "the order is " + told(fixedFound) + " instead of " + told(fixed);
        }
        adoptions.add(() -> reorder(queue, expected, found));
        return null;
    }

    private void reorder(ModelQueue queue, List<Copy> expected, List<Copy> found) {
        List<Long> orders = expected.stream().map(c -> c.order).toList();
        List<Long> before = found.stream().map(c -> c.order).toList();
        Runnable forth = () -> place(queue, found, orders);
        Runnable back = () -> place(queue, found, before);
        forth.run();
        model.history.changed(back);
        for (Copy copy : found) {
            copy.loose = false;
            copy.mayDrop = false;
            copy.mayOverflow = false;
            copy.waited = 0;
        }
        queue.loose = false;
        queue.marked.clear();
        queue.markings = 0;
    }

    private static void place(ModelQueue queue, List<Copy> copies, List<Long> orders) {
        copies.forEach(c -> queue.copies.remove(c.order));
        for (int i = 0; i < copies.size(); i++) {
            copies.get(i).order = orders.get(i);
            queue.copies.put(orders.get(i), copies.get(i));
        }
    }

    // ── Streams ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** What was fetched from this offset on, as far as it goes. */
    @Nullable
    String partition(ModelStream stream, int number, Command.Fetched fetched, long from) {
        ModelStream.Partition partition = stream.partitions[number];
        if (waited ? fetched.next() > partition.next() : fetched.next() != partition.next()) {
            return "the next offset is " + fetched.next() + " instead of " + partition.next();
        }
        if (fetched.earliest() < partition.earliest) {
            return "the earliest offset is " + fetched.earliest() + " and was " + partition.earliest;
        }
        long at = waited ? from : Math.max(from, partition.from);
        boolean batch = false;
        for (Command.StreamRecord record : fetched.records()) {
            if (record.offset() < at || record.offset() >= partition.next()) {
                return "offset " + record.offset() + " is there, where " + at + " to " + partition.next() + " could be";
            }
            for (; at < record.offset(); at++) {
                ModelStream.Entry skipped = partition.entries.get((int) at);
                if (!skipped.gone) {
                    if (!stream.mayGo(partition, skipped, model.latest)) {
                        return "offset " + at + " is missing";
                    }
                    if (!batch) {
                        model.batch();
                        batch = true;
                    }
                    model.gone(partition, skipped);
                }
            }
            ModelStream.Entry entry = partition.entries.get((int) at);
            if (entry.gone && !waited) {
                return "offset " + at + " had gone and is there again";
            }
            if (record.partition() != number || record.acceptedMillis() != entry.accepted) {
                return "offset " + at + " was accepted at " + record.acceptedMillis() + " instead of " + entry.accepted;
            }
            String difference = Contents.difference(entry.body, entry.letter, record.message());
            if (difference != null) {
                return "offset " + at + ": " + difference;
            }
            at++;
        }
        for (;
                at < fetched.nextFetch()
                        || (from == 0
                                && at < partition.next()
                                && fetched.records().size() < 100_000
                                && full);
                at++) {
            ModelStream.Entry skipped = partition.entries.get((int) at);
            if (!skipped.gone) {
                if (!stream.mayGo(partition, skipped, model.latest)) {
                    return "offset " + at + " is missing";
                }
                if (!batch) {
                    model.batch();
                    batch = true;
                }
                model.gone(partition, skipped);
            }
        }
        long earliest = fetched.earliest();
        adoptions.add(() -> partition.earliest = Math.max(partition.earliest, earliest));
        return null;
    }

    /** True if fetches were of all there is. */
    boolean full = true;

    /** True for a fetch that was answered at some time since it was asked. */
    boolean waited;
}
