package dev.postroad.examples.orders;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * What a service has done, in its own records: each order once. A real one is a table whose primary key is the message id,
 * written in the transaction that does the work.
 */
final class Ledger {
    private final Set<String> done = new HashSet<>();
    private final Map<String, Integer> last = new HashMap<>();
    private long duplicates;
    private long outOfOrder;

    /** Whether the order was done before; if so that is counted as a repetition suppressed. */
    synchronized boolean knows(Order order) {
        if (done.contains(order.id())) {
            duplicates++;
            return true;
        }
        return false;
    }

    /** Whether all earlier orders of this customer are done. */
    synchronized boolean isNext(Order order) {
        return last.getOrDefault(order.customer(), 0) == order.number() - 1;
    }

    /**
     * Notes an order as done.
     *
     * @return false if it was noted before, by a repetition that ran at the same time
     */
    synchronized boolean note(Order order) {
        if (!done.add(order.id())) {
            duplicates++;
            return false;
        }
        if (last.getOrDefault(order.customer(), 0) >= order.number()) {
            outOfOrder++;
        }
        last.put(order.customer(), order.number());
        return true;
    }

    /** Orders done. */
    synchronized long size() {
        return done.size();
    }

    /** Repetitions that were recognised and had no effect. */
    synchronized long duplicates() {
        return duplicates;
    }

    /** Orders done after a later one of the same customer. */
    synchronized long outOfOrder() {
        return outOfOrder;
    }

    synchronized Set<String> ids() {
        return Set.copyOf(done);
    }
}
