package dev.postroad.api;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Deliveries that wait for a handler: in order of arrival, and, where order per key is kept, no more than one of each key
 * on its way. Later ones of a key that is on its way park in the key's lane. Holds no more than the transport delivers
 * unsettled, which is the consumer's prefetch. Not thread-safe.
 */
final class Lanes {
    private final boolean orderedByKey;
    private final ArrayDeque<Delivery<byte[], byte[]>> ready = new ArrayDeque<>();

    /** Keys on their way, each with what parks behind it; null where nothing does. */
    private final Map<ByteBuffer, @Nullable ArrayDeque<Delivery<byte[], byte[]>>> lanes = new HashMap<>();

    Lanes(boolean orderedByKey) {
        this.orderedByKey = orderedByKey;
    }

    void arrived(Delivery<byte[], byte[]> delivery) {
        byte[] key = orderedByKey ? delivery.message().key() : null;
        if (key == null) {
            ready.add(delivery);
            return;
        }
        ByteBuffer lane = ByteBuffer.wrap(key);
        if (!lanes.containsKey(lane)) {
            lanes.put(lane, null);
            ready.add(delivery);
            return;
        }
        lanes.computeIfAbsent(lane, busy -> new ArrayDeque<>(4)).add(delivery);
    }

    /** The next delivery for a handler, or null. */
    @Nullable
    Delivery<byte[], byte[]> next() {
        return ready.poll();
    }

    /** The handler is through with the delivery, and the next of its key may go. */
    void done(Delivery<byte[], byte[]> delivery) {
        byte[] key = orderedByKey ? delivery.message().key() : null;
        if (key == null) {
            return;
        }
        ByteBuffer lane = ByteBuffer.wrap(key);
        ArrayDeque<Delivery<byte[], byte[]>> parked = lanes.get(lane);
        if (parked == null || parked.isEmpty()) {
            lanes.remove(lane);
        } else {
            ready.add(parked.remove());
        }
    }

    /**
     * Takes out what parks behind the delivery's key, because the delivery itself goes back. If it has come again meanwhile it
     * stays, with what is behind it: nothing is overtaken, and no attempt is wasted.
     */
    List<Delivery<byte[], byte[]>> takeParkedBehind(Delivery<byte[], byte[]> delivery) {
        byte[] key = orderedByKey ? delivery.message().key() : null;
        ArrayDeque<Delivery<byte[], byte[]>> parked = key == null ? null : lanes.get(ByteBuffer.wrap(key));
        if (parked == null) {
            return List.of();
        }
        List<Delivery<byte[], byte[]>> taken = new ArrayList<>();
        for (Delivery<byte[], byte[]> next = parked.peek();
                next != null && !isAgain(delivery, next);
                next = parked.peek()) {
            taken.add(parked.remove());
        }
        return taken;
    }

    private static boolean isAgain(Delivery<byte[], byte[]> former, Delivery<byte[], byte[]> next) {
        String id = former.message().id();
        return id != null && id.equals(next.message().id()) && next.attempt() > former.attempt();
    }

    /** Takes out all that no handler has begun, of each key in its order. */
    List<Delivery<byte[], byte[]>> takeAll() {
        List<Delivery<byte[], byte[]>> taken = new ArrayList<>(ready);
        lanes.values().stream().filter(Objects::nonNull).forEach(taken::addAll);
        ready.clear();
        lanes.clear();
        return taken;
    }
}
