package dev.postroad.proof.history;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * All that clients saw of one channel, and the rules it must keep. Some 20 bytes for each message and group.
 *
 * <p>What is lost, half there or unstable is known at the end, once the channel was drained; all else at once.
 */
public final class History implements Witness {
    private static final int MOST_DETAILS = 20;

    // What became of a message on the producer's side.
    private static final int ATTEMPTED = 1;
    private static final int CONFIRMED = 2;
    private static final int REFUSED = 4;
    private static final int UNKNOWN = 8;
    private static final int RESENT = 16;
    private static final int JOINED = 32; // of one batch with the message before it

    // What became of it in a group: the attempts seen, a bit each, then the highest attempt acknowledged and if that
    // was told.
    private static final long ATTEMPTS = 0xffff_ffffL;
    private static final int ACKNOWLEDGED_SHIFT = 32;
    private static final long ACKNOWLEDGED = 0xffffL << ACKNOWLEDGED_SHIFT;
    private static final int LAST_ATTEMPT = 31;
    private static final long SEEN = 1L << 62;

    private final int run;
    private final Set<Rule> rules;
    private final List<Sent> producers = new ArrayList<>();
    private final Map<Integer, Group> groups = new TreeMap<>();
    private final Map<Integer, Pages> offsets = new HashMap<>();
    private final List<String> details = new ArrayList<>();
    private long attempts;
    private long confirmed;
    private long refused;
    private long recovered;
    private long redelivered;
    private long invented;
    private long altered;
    private long duplicated;
    private long reordered;
    private long unwanted;
    private long returned;
    private long offsetReuse;
    private long delivered;

    /** What a channel promises beyond what every channel does. */
    public enum Rule {
        /** First deliveries of one producer and key are in the order sent, but for what was sent again or is not known. */
        ORDERED,
        /** Sending again what was sent before does not make a second copy. */
        DEDUPLICATED
    }

    private static final class Sent {
        final Pages states = new Pages();
        long next;
    }

    private static final class Group {
        final List<Pages> taken = new ArrayList<>();
        final Map<Long, Long> latest = new HashMap<>();

        Pages of(int producer) {
            while (taken.size() <= producer) {
                taken.add(new Pages());
            }
            return taken.get(producer);
        }
    }

    /**
     * @param run the number that all its payloads carry
     * @param rules what the channel promises
     */
    public History(int run, Rule... rules) {
        this.run = run;
        this.rules = Set.of(rules);
    }

    /** The number that all its payloads carry. */
    public int run() {
        return run;
    }

    /** Messages confirmed so far. */
    public synchronized long confirmedCount() {
        return confirmed;
    }

    /** Deliveries so far. */
    public synchronized long deliveredCount() {
        return delivered;
    }

    /**
     * Messages sent alone by a producer whose outcome nobody was told, to be sent again.
     *
     * @param producer the first producer to look at; those before it are left as they are
     */
    public synchronized List<Unresolved> unresolved(int producer) {
        List<Unresolved> found = new ArrayList<>();
        for (int each = producer; each < producers.size(); each++) {
            Sent sent = producers.get(each);
            for (long sequence = 0; sequence < sent.next; sequence++) {
                boolean batched = ((sent.states.get(sequence) | sent.states.get(sequence + 1)) & JOINED) != 0;
                if (!batched && (sent.states.get(sequence) & (CONFIRMED | REFUSED)) == 0) {
                    found.add(new Unresolved(each, sequence));
                }
            }
        }
        return found;
    }

    /** A message whose outcome is not known. */
    public record Unresolved(int producer, long sequence) {}

    // ── What producers see ───────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public synchronized void attempted(int producer, long first, int count, int key) {
        while (producers.size() <= producer) {
            producers.add(new Sent());
        }
        Sent sent = producers.get(producer);
        for (long sequence = first; sequence < first + count; sequence++) {
            long state = sent.states.get(sequence);
            if (state == 0) {
                attempts++;
                state = ATTEMPTED | (sequence > first ? JOINED : 0);
            } else {
                state |= RESENT;
            }
            sent.states.set(sequence, state);
            sent.next = Math.max(sent.next, sequence + 1);
        }
    }

    private long state(int producer, long sequence) {
        return producer < 0 || producer >= producers.size() || sequence < 0
                ? 0
                : producers.get(producer).states.get(sequence);
    }

    private void mark(int producer, long first, int count, int outcome) {
        for (long sequence = first; sequence < first + count; sequence++) {
            long state = state(producer, sequence);
            if (state == 0) {
                throw new IllegalStateException(
                        "an outcome of message " + sequence + " of producer " + producer + ", which was not attempted");
            }
            if ((state & outcome) == 0) {
                confirmed += outcome == CONFIRMED ? 1 : 0;
                refused += outcome == REFUSED ? 1 : 0;
                producers.get(producer).states.set(sequence, state | outcome);
            }
        }
    }

    @Override
    public synchronized void confirmed(int producer, long first, int count) {
        mark(producer, first, count, CONFIRMED);
    }

    @Override
    public synchronized void placed(int producer, long sequence, int partition, long offset) {
        place(producer, sequence, partition, offset);
    }

    @Override
    public synchronized void refused(int producer, long first, int count) {
        mark(producer, first, count, REFUSED);
    }

    @Override
    public synchronized void unknown(int producer, long first, int count) {
        mark(producer, first, count, UNKNOWN);
    }

    // ── What consumers see ───────────────────────────────────────────────────────────────────────────────────────────

    @Override
    public synchronized void delivered(int group, int attempt, int partition, long offset, @Nullable Payload payload) {
        delivered++;
        if (payload == null) {
            altered++;
            detail("a message was delivered whose bytes are not as they were sent");
            return;
        }
        int producer = payload.producer();
        long sequence = payload.sequence();
        long state = payload.run() == run ? state(producer, sequence) : 0;
        if (state == 0) {
            invented++;
            detail("message " + sequence + " of producer " + producer + " was delivered and never sent");
            return;
        }
        if ((state & (REFUSED | CONFIRMED | UNKNOWN)) == REFUSED) {
            unwanted++;
            detail(name(producer, sequence) + " was delivered although it had been refused");
        }
        place(producer, sequence, partition, offset);
        Group reader = groups.computeIfAbsent(group, number -> new Group());
        Pages taken = reader.of(producer);
        long before = taken.get(sequence);
        long seen = attempt == 0 ? 0 : 1L << Math.min(attempt - 1, LAST_ATTEMPT);
        if ((before & SEEN) == 0) {
            first(reader, payload, state);
        } else {
            again(before, attempt, seen, producer, sequence, state);
        }
        taken.set(sequence, before | SEEN | seen);
    }

    private void first(Group reader, Payload payload, long state) {
        if (!rules.contains(Rule.ORDERED) || (state & (RESENT | UNKNOWN)) != 0) {
            return;
        }
        long line = ((long) payload.producer() << 32) | (payload.key() & 0xffff_ffffL);
        Long latest = reader.latest.get(line);
        if (latest != null && latest > payload.sequence()) {
            reordered++;
            detail(name(payload.producer(), payload.sequence()) + " was first delivered behind message " + latest
                    + " of its key " + payload.key());
        } else {
            reader.latest.put(line, payload.sequence());
        }
    }

    private void again(long before, int attempt, long seen, int producer, long sequence, long state) {
        long acknowledged = (before & ACKNOWLEDGED) >>> ACKNOWLEDGED_SHIFT;
        boolean once = rules.contains(Rule.DEDUPLICATED) || (state & RESENT) == 0;
        if (acknowledged != 0 && attempt >= acknowledged && once) {
            returned++;
            detail(name(producer, sequence) + " was delivered as attempt " + attempt
                    + " after the acknowledgement of attempt " + (acknowledged - 1) + " had been confirmed");
        } else if ((before & ATTEMPTS & seen) != 0 && attempt <= LAST_ATTEMPT && once) {
            duplicated++;
            detail(name(producer, sequence) + " was delivered as attempt " + attempt + " twice");
        } else {
            redelivered++;
        }
    }

    /** An offset holds one message for ever. */
    private void place(int producer, long sequence, int partition, long offset) {
        if (offset < 0) {
            return;
        }
        Pages places = offsets.computeIfAbsent(partition, number -> new Pages());
        long message = (((long) producer << 40) | sequence) + 1;
        long held = places.get(offset);
        if (held == 0) {
            places.set(offset, message);
        } else if (held != message) {
            offsetReuse++;
            detail("offset " + offset + " of partition " + partition + " holds " + name(producer, sequence)
                    + " and held message " + ((held - 1) & ((1L << 40) - 1)) + " of producer " + ((held - 1) >>> 40));
        }
    }

    @Override
    public synchronized void acknowledged(int group, int producer, long sequence, int attempt) {
        Group reader = groups.get(group);
        if (reader == null || attempt < 0 || attempt > 0xfffe) {
            throw new IllegalStateException("acknowledged attempt " + attempt + " of " + name(producer, sequence)
                    + " in group " + group + ", where nothing was delivered");
        }
        Pages taken = reader.of(producer);
        long before = taken.get(sequence);
        long highest = Math.max((before & ACKNOWLEDGED) >>> ACKNOWLEDGED_SHIFT, attempt + 1L);
        taken.set(sequence, (before & ~ACKNOWLEDGED) | (highest << ACKNOWLEDGED_SHIFT));
    }

    // ── The end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /** To be asked once everything the channel holds has been delivered to every group. */
    public synchronized Verdict finish() {
        long lost = 0;
        long partial = 0;
        long unstable = 0;
        recovered = 0;
        if (groups.isEmpty()) {
            groups.put(0, new Group());
        }
        for (int producer = 0; producer < producers.size(); producer++) {
            Sent sent = producers.get(producer);
            for (Map.Entry<Integer, Group> group : groups.entrySet()) {
                Pages taken = group.getValue().of(producer);
                long there = 0;
                long batch = 0;
                for (long sequence = 0; sequence <= sent.next; sequence++) {
                    long state = sent.states.get(sequence);
                    if ((state & JOINED) == 0) {
                        if (there > 0 && there < batch) {
                            partial++;
                            detail("of the batch of " + batch + " that ends before " + name(producer, sequence) + ", "
                                    + there + " messages are there");
                        }
                        there = 0;
                        batch = 0;
                    }
                    boolean seen = (taken.get(sequence) & SEEN) != 0;
                    batch++;
                    there += seen ? 1 : 0;
                    if (!seen && (state & CONFIRMED) != 0) {
                        lost++;
                        detail(name(producer, sequence) + " was confirmed and is lost"
                                + (groups.size() > 1 ? " for group " + group.getKey() : ""));
                    }
                }
            }
            for (long sequence = 0; sequence < sent.next; sequence++) {
                long state = sent.states.get(sequence);
                if ((state & CONFIRMED) == 0 && (state & (REFUSED | UNKNOWN)) != REFUSED) {
                    int holders = holders(producer, sequence);
                    recovered += holders > 0 ? 1 : 0;
                    if (holders > 0 && holders < groups.size()) {
                        unstable++;
                        detail(name(producer, sequence) + " is there for " + holders + " of " + groups.size()
                                + " groups");
                    }
                }
            }
        }
        return new Verdict(
                attempts,
                confirmed,
                refused,
                recovered,
                redelivered,
                lost,
                invented,
                altered,
                duplicated,
                reordered,
                unwanted,
                returned,
                partial,
                0,
                offsetReuse,
                unstable,
                details);
    }

    /** True if a message that was confirmed has not been delivered yet, to any group. */
    public synchronized boolean misses() {
        for (int producer = 0; producer < producers.size(); producer++) {
            Sent sent = producers.get(producer);
            for (long sequence = 0; sequence < sent.next; sequence++) {
                if ((sent.states.get(sequence) & CONFIRMED) != 0 && holders(producer, sequence) == 0) {
                    return true;
                }
            }
        }
        return false;
    }

    /**
     * Messages that are in one of two channels and not in the other, although they were sent to both at once, in words. To be asked
     * once both have been drained; neither may be in use.
     *
     * @param together whether the producer of that number sent each of its messages to both
     */
    public synchronized List<String> torn(History other, IntPredicate together) {
        List<String> torn = new ArrayList<>();
        for (int producer = 0; producer < Math.max(producers.size(), other.producers.size()); producer++) {
            long next = Math.max(next(producer), other.next(producer));
            for (long sequence = 0; together.test(producer) && sequence < next; sequence++) {
                boolean here = holders(producer, sequence) > 0;
                if (here != other.holders(producer, sequence) > 0) {
                    torn.add(name(producer, sequence) + " was sent to runs " + run + " and " + other.run
                            + " at once, and is only in run " + (here ? run : other.run));
                }
            }
        }
        return torn;
    }

    private long next(int producer) {
        return producer < producers.size() ? producers.get(producer).next : 0;
    }

    private int holders(int producer, long sequence) {
        int holders = 0;
        for (Group group : groups.values()) {
            holders += (group.of(producer).get(sequence) & SEEN) != 0 ? 1 : 0;
        }
        return holders;
    }

    private static String name(int producer, long sequence) {
        return "message " + sequence + " of producer " + producer;
    }

    private void detail(String what) {
        if (details.size() < MOST_DETAILS) {
            details.add(what);
        }
    }
}
