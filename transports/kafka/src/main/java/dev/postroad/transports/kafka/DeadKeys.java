package dev.postroad.transports.kafka;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The dead keys of one partition of a queue: those of which a message was given up and is not back. Not safe for use by many
 * threads.
 *
 * <p>A dead letter's number is the offset that its message had. What is put back comes to the partition's end and tells that
 * number; between such messages new ones come, and go to the dead letters behind the others. When the letter that was the last
 * one comes back, all that came before it is back too, and the key lives on.
 *
 * <pre>
 *   offset        5     6     7     8         9         10        11
 *   message       a     b     c     a again   b again   d         c again ...
 *   dead letters  a     a b   a b c                     + d       the key stays dead until d is back
 * </pre>
 */
final class DeadKeys {
    /** As many as there may be in a partition. */
    static final int MOST = 100_000;

    /**
     * @param first number of the message that a consumer gave up last: what comes back and is older follows it again
     * @param last number of the key's last dead letter
     */
    record Span(long first, long last) {}

    /** What becomes of a message that came. */
    enum Fate {
        /** Its key lives, or it is a letter that came back and not the last one. */
        DELIVERED,
        /** It is the last letter, and its key lives from here on. */
        REVIVES,
        /** It goes to the dead letters. */
        FOLLOWS
    }

    private final Map<UUID, Span> spans = new HashMap<>();

    /** What stands for a key. Two that share it would die together, which loses nothing. */
    static UUID of(byte[] key) {
        return UUID.nameUUIDFromBytes(key);
    }

    boolean isEmpty() {
        return spans.isEmpty();
    }

    boolean hasRoomFor(UUID key) {
        return spans.size() < MOST || spans.containsKey(key);
    }

    Set<UUID> all() {
        return Set.copyOf(spans.keySet());
    }

    void put(UUID key, Span span) {
        spans.put(key, span);
    }

    /** Null for a key that lives. */
    @Nullable
    Span get(UUID key) {
        return spans.get(key);
    }

    /**
     * A message of the key came.
     *
     * @param back number of the dead letter that it was; -1 if it was none
     */
    Fate arrived(UUID key, long offset, long back) {
        Span span = spans.get(key);
        if (span == null) {
            return Fate.DELIVERED;
        }
        if (back < span.first) {
            spans.put(key, new Span(span.first, Math.max(span.last, offset)));
            return Fate.FOLLOWS;
        }
        return gone(key, back) ? Fate.REVIVES : Fate.DELIVERED;
    }

    /** A dead letter of the key is one no more. @return true if it was the last, and the key lives */
    boolean gone(UUID key, long number) {
        Span span = spans.get(key);
        return span != null && number >= span.last && spans.remove(key) != null;
    }

    /** A consumer gave a message of the key up. */
    void gaveUp(UUID key, long offset) {
        Span before = spans.get(key);
        spans.put(key, new Span(offset, before == null ? offset : Math.max(before.last, offset)));
    }

    /** A message that waited behind the one that was given up follows it. */
    void follows(UUID key, long offset) {
        Span span = spans.get(key);
        spans.put(key, span == null ? new Span(offset, offset) : new Span(span.first, Math.max(span.last, offset)));
    }
}
