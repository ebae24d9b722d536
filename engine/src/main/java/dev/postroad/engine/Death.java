package dev.postroad.engine;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * That a message was given up in a queue, and how often for the same cause. A message's deaths are kept with it, the latest
 * first, until it is put back.
 *
 * @param cause why
 * @param queue the queue, or the stream of a shared group, that gave it up
 * @param route how it had come to that queue; null for straight
 * @param count how often this cause met it in this queue; 1 or more
 * @param firstMillis when it did for the first time, in milliseconds since 1970
 * @param lastMillis when it did last
 * @param ttlMillis the time to live that the message itself had when it was given up for the first time; 0 for none
 * @param first true of the death that was the message's first
 */
public record Death(
        Cause cause,
        String queue,
        @Nullable Route route,
        long count,
        long firstMillis,
        long lastMillis,
        long ttlMillis,
        boolean first) {

    /** Why a message is given up. */
    public enum Cause {
        /** A consumer refused it for good. */
        REJECTED,
        /** It came back as often as its queue allows. */
        DELIVERY_LIMIT,
        /** Its time to live was over. */
        EXPIRED,
        /** The queue was full. */
        OVERFLOW,
        /** An earlier message of its key is a dead letter. */
        KEY_ORDER;

        /** True if somebody or something found fault with the message: it may then go where it was before. */
        boolean judged() {
            return this == REJECTED || this == KEY_ORDER;
        }
    }

    /** Bytes that all deaths of a message may take; of more, those between the latest and the first are forgotten. */
    private static final int MOST_BYTES = 16 * 1024;

    /** The names of queue and topic, and numbers, at most: what one more death adds beside the keys. */
    static final int ROOM = 1600;

    private boolean same(Cause otherCause, String otherQueue) {
        return cause == otherCause && queue.equals(otherQueue);
    }

    /** These deaths and one more. */
    static List<Death> after(
            List<Death> deaths, Cause cause, String queue, @Nullable Route route, long ttlMillis, long now) {
        Death latest = new Death(cause, queue, bounded(route), 1, now, now, ttlMillis, deaths.isEmpty());
        List<Death> after = new ArrayList<>(deaths.size() + 1);
        for (Death death : deaths) {
            if (death.same(cause, queue)) {
                latest = new Death(
                        cause,
                        queue,
                        death.route,
                        death.count + 1,
                        death.firstMillis,
                        now,
                        death.ttlMillis,
                        death.first);
            } else {
                after.add(death);
            }
        }
        after.addFirst(latest);
        while (maxBytes(after) > MOST_BYTES && after.size() > 2) {
            after.remove(after.getLast().first ? after.size() - 2 : after.size() - 1);
        }
        return after;
    }

    /** Of very many keys only the first are kept. */
    private static @Nullable Route bounded(@Nullable Route route) {
        if (route == null || Route.maxBytes(route.topic(), route.keys()) <= MOST_BYTES / 4) {
            return route;
        }
        String key = route.key();
        return Route.of(route.topic(), key.length() > 255 ? key.substring(0, 255) : key);
    }

    /**
     * True if the message would come to a queue where it had died before, and nobody has rejected it since: it would go round
     * for ever.
     */
    static boolean goesRound(List<Death> deaths, String queue) {
        for (Death death : deaths) {
            if (death.cause.judged()) {
                return false;
            }
            if (death.queue.equals(queue)) {
                return true;
            }
        }
        return false;
    }

    static long maxBytes(List<Death> deaths) {
        long bytes = 5;
        for (int i = 0; i < deaths.size(); i++) {
            Death death = deaths.get(i);
            Route way = death.route;
            bytes += 45 + Bytes.maxBytes(death.queue) + (way == null ? 0 : Route.maxBytes(way.topic(), way.keys()));
        }
        return bytes;
    }

    static void encode(List<Death> deaths, ByteBuffer out) {
        Bytes.putVarint(out, deaths.size());
        for (Death death : deaths) {
            out.put((byte) death.cause.ordinal());
            out.put((byte) ((death.first ? 1 : 0) | (death.route == null ? 0 : 2)));
            Bytes.putString(out, death.queue);
            if (death.route != null) {
                death.route.encode(out);
            }
            Bytes.putVarint(out, death.count);
            out.putLong(death.firstMillis).putLong(death.lastMillis);
            Bytes.putVarint(out, death.ttlMillis);
        }
    }

    static List<Death> decode(ByteBuffer in) {
        List<Death> deaths = new ArrayList<>();
        for (long count = Bytes.getVarint(in); count > 0; count--) {
            Cause cause = Cause.values()[in.get()];
            int flags = in.get();
            String queue = Bytes.getString(in);
            Route route = (flags & 2) != 0 ? Route.decode(in) : null;
            long times = Bytes.getVarint(in);
            long first = in.getLong();
            long last = in.getLong();
            deaths.add(new Death(cause, queue, route, times, first, last, Bytes.getVarint(in), (flags & 1) != 0));
        }
        return List.copyOf(deaths);
    }
}
