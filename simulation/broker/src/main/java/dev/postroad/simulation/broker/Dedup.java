package dev.postroad.simulation.broker;

import java.util.HashMap;
import java.util.Map;

/** Message ids that a channel of the model has seen, and when. */
final class Dedup {
    private final long windowMillis;
    private final History history;
    private final Map<String, Long> seen = new HashMap<>();

    /** No id was seen later than this. */
    private long newest;

    Dedup(long windowMillis, History history) {
        this.windowMillis = windowMillis;
        this.history = history;
    }

    boolean knows(String id, long now) {
        Long at = seen.get(id);
        return at != null && at + windowMillis > now;
    }

    /** True if that many ids or more are remembered at this time. */
    boolean remembers(long count, long now) {
        return seen.size() >= count
                && seen.values().stream().filter(at -> at + windowMillis > now).count() >= count;
    }

    /** True if whether the id is a duplicate does not depend on what the clock said in between. */
    boolean certain(String id, long now, long latest) {
        Long at = seen.get(id);
        return at == null || at + windowMillis > latest || at + windowMillis <= now;
    }

    void add(String id, long now) {
        // What came in what is now the future, because the clock was set back, counts from now on.
        if (newest > now) {
            setBack(now);
        }
        newest = now;
        if (knows(id, now)) {
            return;
        }
        Long before = seen.put(id, now);
        history.changed(() -> {
            if (before == null) {
                seen.remove(id);
            } else {
                seen.put(id, before);
            }
        });
    }

    private void setBack(long now) {
        for (Map.Entry<String, Long> each : seen.entrySet()) {
            long time = each.getValue();
            if (time > now) {
                each.setValue(now);
                history.changed(() -> {
                    each.setValue(time);
                    newest = Math.max(newest, time);
                });
            }
        }
    }
}
