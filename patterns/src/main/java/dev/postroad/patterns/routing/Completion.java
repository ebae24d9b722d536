package dev.postroad.patterns.routing;

import dev.postroad.api.Message;
import java.util.List;
import java.util.function.Predicate;

/**
 * When a group is complete. Whatever it says, a group also ends at its timeout.
 *
 * @param <K> type of the parts' keys
 * @param <V> type of the parts' values
 */
public sealed interface Completion<K, V> {
    /** So many parts, 1 or more. */
    record Size<K, V>(int parts) implements Completion<K, V> {
        public Size {
            if (parts < 1) {
                throw new IllegalArgumentException("parts is " + parts + "; it must be 1 or more");
            }
        }
    }

    /** As many parts as {@link Splitter#PARTS_HEADER} of the one that has come says. */
    record Sequence<K, V>() implements Completion<K, V> {}

    /** What all the parts so far, in their order, are asked. Each new part reads all of its group: for small groups. */
    record When<K, V>(Predicate<List<Message<K, V>>> complete) implements Completion<K, V> {}
}
