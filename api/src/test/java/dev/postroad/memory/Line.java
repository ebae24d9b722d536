package dev.postroad.memory;

import dev.postroad.api.Channel;
import dev.postroad.api.ConsumerOptions;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Messages waiting for consumers that share them: a queue, or one group's view of a stream. Guarded by the broker's lock. */
final class Line {
    final Stored stored;
    final @Nullable String group;
    final List<Item> items = new ArrayList<>();
    final List<MemoryReceiver> receivers = new ArrayList<>();

    Line(Stored stored, @Nullable String group) {
        this.stored = stored;
        this.group = group;
    }

    void add(Item item, boolean ahead) {
        items.add(ahead ? 0 : items.size(), item);
    }

    /** The next item for the receiver, in flight now; null if there is none. */
    @Nullable
    Item take(MemoryReceiver receiver, Instant now, Set<Bug> bugs) {
        if (receivers.stream().anyMatch(other -> other.outranks(receiver, this))) {
            return null;
        }
        Set<ByteBuffer> busyKeys = new HashSet<>();
        List<Item> passedOver = new ArrayList<>();
        try {
            return firstDeliverable(receiver, now, bugs, busyKeys, passedOver);
        } finally {
            items.removeAll(passedOver);
        }
    }

    private @Nullable Item firstDeliverable(
            MemoryReceiver receiver, Instant now, Set<Bug> bugs, Set<ByteBuffer> busyKeys, List<Item> passedOver) {
        Channel channel = stored.channel;
        for (Item item : inOrder(bugs)) {
            byte[] keyBytes = item.message.key();
            ByteBuffer key = channel.orderedByKey() && keyBytes != null ? ByteBuffer.wrap(keyBytes) : null;
            if (key != null && busyKeys.contains(key)) {
                continue;
            }
            if (item.inFlight()) {
                if (key != null && !bugs.contains(Bug.DELIVERS_A_KEY_TWICE_AT_ONCE)) {
                    busyKeys.add(key);
                }
                continue;
            }
            if (item.waits(now)) {
                if (key != null && item.retrying && !bugs.contains(Bug.OVERTAKES_A_FAILED_KEY)) {
                    busyKeys.add(key);
                }
                continue;
            }
            if (!bugs.contains(Bug.IGNORES_FILTER) && !receiver.filter.test(item.message)) {
                if (group != null) {
                    passedOver.add(item);
                } else if (key != null) {
                    busyKeys.add(key);
                }
                continue;
            }
            deliver(item, receiver, now);
            return item;
        }
        return null;
    }

    private void deliver(Item item, MemoryReceiver receiver, Instant now) {
        item.attempts++;
        item.holder = receiver;
        Duration lease = receiver.options.lease() != null ? receiver.options.lease() : stored.channel.lease();
        item.leaseEnds = lease == null ? null : now.plus(lease);
        if (item.attempts > 1) {
            stored.redelivered++;
        }
    }

    private List<Item> inOrder(Set<Bug> bugs) {
        if (stored.channel.priorities() == 1 || bugs.contains(Bug.IGNORES_PRIORITY)) {
            return items;
        }
        int highest = stored.channel.priorities() - 1;
        List<Item> ordered = new ArrayList<>(items);
        ordered.sort(Comparator.comparingInt(
                item -> -Math.min(highest, item.message.properties().priority())));
        return ordered;
    }

    /** Takes back what is in flight for longer than its lease; returns what has expired, taken out. */
    List<Item> sweep(Instant now, Set<Bug> bugs) {
        List<Item> expired = new ArrayList<>();
        for (Iterator<Item> each = items.iterator(); each.hasNext(); ) {
            Item item = each.next();
            if (item.leaseEnds != null && !item.leaseEnds.isAfter(now) && !bugs.contains(Bug.IGNORES_LEASE)) {
                item.release(null);
            }
            boolean over = item.expires != null && !item.expires.isAfter(now) && !bugs.contains(Bug.IGNORES_TTL);
            if (over && !item.inFlight()) {
                each.remove();
                expired.add(item);
            }
        }
        return expired;
    }

    /** The next moment at which something changes by itself; null for never. */
    @Nullable
    Instant nextChange(Instant now) {
        Instant next = null;
        for (Item item : items) {
            next = earlier(next, item.leaseEnds, now);
            next = earlier(next, item.due, now);
            next = earlier(next, item.expires, now);
        }
        return next;
    }

    private static @Nullable Instant earlier(@Nullable Instant one, @Nullable Instant other, Instant now) {
        if (other == null || !other.isAfter(now)) {
            return one;
        }
        return one == null || other.isBefore(one) ? other : one;
    }

    int prefetch(ConsumerOptions options) {
        return options.prefetch() != null ? options.prefetch() : stored.channel.prefetch();
    }

    long heldBy(MemoryReceiver receiver) {
        return items.stream().filter(item -> item.holder == receiver).count();
    }
}
