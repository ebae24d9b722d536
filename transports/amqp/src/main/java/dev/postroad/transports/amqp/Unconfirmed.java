package dev.postroad.transports.amqp;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What was published on a channel and is not confirmed, by its number. Numbers only grow, and are confirmed about in turn: a ring
 * holds them. Safe for use by many threads.
 */
final class Unconfirmed<T> {
    private static final int FIRST_SIZE = 256;

    /** A power of two of places; that of a number is the number modulo the size. */
    private @Nullable Object[] ring = new @Nullable Object[FIRST_SIZE];

    /** The first number that may be here, and the one behind the last. */
    private long first;

    private long end;

    /** @param number above all before */
    synchronized void add(long number, T sending) {
        if (first == end) {
            first = number;
        }
        while (number - first >= ring.length) {
            grow();
        }
        ring[place(number)] = sending;
        end = number + 1;
    }

    /** Not fewer than there are: from the first to the last, with those between that are confirmed. */
    synchronized long size() {
        return end - first;
    }

    private int place(long number) {
        return (int) number & (ring.length - 1);
    }

    private void grow() {
        @Nullable Object[] former = ring;
        ring = new @Nullable Object[2 * former.length];
        for (long number = first; number < end; number++) {
            ring[place(number)] = former[(int) number & (former.length - 1)];
        }
    }

    /** What has this number; null if it is not here. */
    synchronized @Nullable T remove(long number) {
        if (number < first || number >= end) {
            return null;
        }
        T sending = take(number);
        while (first < end && ring[place(first)] == null) {
            first++;
        }
        return sending;
    }

    @SuppressWarnings("unchecked")
    private @Nullable T take(long number) {
        T sending = (T) ring[place(number)];
        ring[place(number)] = null;
        return sending;
    }

    /** All up to a number, inclusive, in their order. */
    synchronized List<T> removeUpTo(long number) {
        List<T> removed = new ArrayList<>();
        for (; first < end && first <= number; first++) {
            T sending = take(first);
            if (sending != null) {
                removed.add(sending);
            }
        }
        return removed;
    }

    /** From the first on, as long as this holds. */
    synchronized List<T> removeWhile(Predicate<T> condition) {
        List<T> removed = new ArrayList<>();
        for (T sending : all()) {
            if (!condition.test(sending)) {
                break;
            }
            removed.add(sending);
        }
        for (int left = removed.size(); left > 0; first++) {
            left -= take(first) == null ? 0 : 1;
        }
        return removed;
    }

    /** All of them as they are now, in their order. */
    @SuppressWarnings("unchecked")
    synchronized List<T> all() {
        List<T> all = new ArrayList<>();
        for (long number = first; number < end; number++) {
            T sending = (T) ring[place(number)];
            if (sending != null) {
                all.add(sending);
            }
        }
        return all;
    }
}
