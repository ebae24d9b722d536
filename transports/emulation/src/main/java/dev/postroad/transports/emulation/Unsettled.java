package dev.postroad.transports.emulation;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a receiver holds and has not settled, in order of arrival: a chain through the deliveries themselves. */
final class Unsettled {
    private @Nullable Held first;
    private @Nullable Held last;

    boolean contains(Held held) {
        return held.chained;
    }

    void add(Held held) {
        held.chained = true;
        held.before = last;
        held.after = null;
        if (last == null) {
            first = held;
        } else {
            last.after = held;
        }
        last = held;
    }

    /** @return false if it was not there */
    boolean remove(Held held) {
        if (!held.chained) {
            return false;
        }
        held.chained = false;
        Held before = held.before;
        Held after = held.after;
        if (before == null) {
            first = after;
        } else {
            before.after = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.before = before;
        }
        held.before = null;
        held.after = null;
        return true;
    }

    /** All of them as they are now. */
    List<Held> all() {
        List<Held> all = new ArrayList<>();
        for (Held held = first; held != null; held = held.after) {
            all.add(held);
        }
        return all;
    }

    void clear() {
        all().forEach(this::remove);
    }
}
