package dev.postroad.protocols.amqp091;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Deliveries of a channel that wait for their acknowledgement, by delivery tag. Tags count up and mostly leave in that order:
 * they lie in a ring. One that stays long after its neighbours have left is moved aside, so that the ring does not grow with it.
 *
 * @param <C> who holds them
 */
final class Unacknowledged<C> {
    private static final int SMALLEST = 16;

    /** One of them. */
    interface Visitor<C> {
        void visit(C consumer, long number, long tag);
    }

    private record Straggler<C>(C consumer, long number) {}

    private @Nullable Object[] consumers = new Object[SMALLEST];
    private long[] numbers = new long[SMALLEST];

    /** All tags below are gone or aside. */
    private long first = 1;

    private long next = 1;
    private int inRing;
    private final TreeMap<Long, Straggler<C>> aside = new TreeMap<>();

    @SuppressWarnings("unchecked") // only such are put there
    private @Nullable C at(int slot) {
        return (C) consumers[slot];
    }

    int count() {
        return inRing + aside.size();
    }

    /** Adds a delivery, and returns its tag. */
    long add(C consumer, long number) {
        if (next - first == consumers.length) {
            makeRoom();
        }
        int slot = (int) next & consumers.length - 1;
        consumers[slot] = consumer;
        numbers[slot] = number;
        inRing++;
        return next++;
    }

    /** A tag for a delivery that needs no acknowledgement. */
    long skip() {
        if (inRing == 0) {
            first = next + 1;
        } else if (next - first == consumers.length) {
            makeRoom();
        }
        return next++;
    }

    private void makeRoom() {
        int size = consumers.length;
        if (inRing > size / 2) {
            @Nullable Object[] newConsumers = new Object[2 * size];
            long[] newNumbers = new long[2 * size];
            for (long tag = first; tag < next; tag++) {
                newConsumers[(int) tag & 2 * size - 1] = consumers[(int) tag & size - 1];
                newNumbers[(int) tag & 2 * size - 1] = numbers[(int) tag & size - 1];
            }
            consumers = newConsumers;
            numbers = newNumbers;
            return;
        }
        long until = next - size / 2;
        for (long tag = first; tag < until; tag++) {
            int slot = (int) tag & size - 1;
            C consumer = at(slot);
            if (consumer != null) {
                aside.put(tag, new Straggler<>(consumer, numbers[slot]));
                consumers[slot] = null;
                inRing--;
            }
        }
        first = until;
    }

    /** Puts back what was taken out, under its tag. */
    void restore(C consumer, long number, long tag) {
        if (tag >= first && tag < next) {
            int slot = (int) tag & consumers.length - 1;
            consumers[slot] = consumer;
            numbers[slot] = number;
            inRing++;
        } else {
            aside.put(tag, new Straggler<>(consumer, number));
        }
    }

    /** Takes one out. False if there is none with this tag. */
    boolean take(long tag, Visitor<C> visitor) {
        if (tag >= first && tag < next) {
            int slot = (int) tag & consumers.length - 1;
            C consumer = at(slot);
            if (consumer == null) {
                return false;
            }
            consumers[slot] = null;
            inRing--;
            while (first < next && consumers[(int) first & consumers.length - 1] == null) {
                first++;
            }
            visitor.visit(consumer, numbers[slot], tag);
            return true;
        }
        Straggler<C> straggler = aside.remove(tag);
        if (straggler == null) {
            return false;
        }
        visitor.visit(straggler.consumer(), straggler.number(), tag);
        return true;
    }

    boolean has(long tag) {
        return tag >= first && tag < next
                ? consumers[(int) tag & consumers.length - 1] != null
                : aside.containsKey(tag);
    }

    /** Takes out all up to this tag, in order. */
    void takeUpTo(long tag, Visitor<C> visitor) {
        if (!aside.isEmpty()) {
            Map<Long, Straggler<C>> old = aside.headMap(tag, true);
            old.forEach((oldTag, s) -> visitor.visit(s.consumer(), s.number(), oldTag));
            old.clear();
        }
        long last = Math.min(tag, next - 1);
        for (; first <= last; first++) {
            int slot = (int) first & consumers.length - 1;
            C consumer = at(slot);
            if (consumer != null) {
                consumers[slot] = null;
                inRing--;
                visitor.visit(consumer, numbers[slot], first);
            }
        }
        while (first < next && consumers[(int) first & consumers.length - 1] == null) {
            first++;
        }
    }

    /** Takes out all, in order. */
    void takeAll(Visitor<C> visitor) {
        takeUpTo(next - 1, visitor);
    }
}
