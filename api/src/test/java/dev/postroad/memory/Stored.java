package dev.postroad.memory;

import dev.postroad.api.Channel;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A channel with all that is in it. Guarded by the broker's lock. */
final class Stored {
    final Channel channel;

    /** The one line of a queue. */
    final Line queue;

    /** What a stream keeps, in order, with the lines of its groups and of those who read alone. */
    final List<Item> log = new ArrayList<>();

    final Map<String, Line> groups = new TreeMap<>();
    final List<Line> alone = new ArrayList<>();
    final long[] nextOffsets;
    final LinkedHashMap<String, Instant> recentIds = new LinkedHashMap<>();

    long accepted;
    long acknowledged;
    long redelivered;
    long deadLettered;

    Stored(Channel channel) {
        this.channel = channel;
        this.queue = new Line(this, null);
        this.nextOffsets = new long[channel.partitions()];
    }

    List<Line> lines() {
        if (!channel.kind().isStream()) {
            return List.of(queue);
        }
        List<Line> lines = new ArrayList<>(groups.values());
        lines.addAll(alone);
        return lines;
    }
}
