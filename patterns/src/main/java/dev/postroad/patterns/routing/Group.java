package dev.postroad.patterns.routing;

import dev.postroad.api.Message;
import java.util.List;

/**
 * A group that has ended, to be made one message.
 *
 * @param id what its parts have in common
 * @param parts in the order of {@link Splitter#PART_HEADER}, and where they have none in that of their coming; none twice
 * @param ending why it ended
 * @param <K> type of the parts' keys
 * @param <V> type of the parts' values
 */
public record Group<K, V>(String id, List<Message<K, V>> parts, Ending ending) {

    public Group {
        parts = List.copyOf(parts);
    }

    /** Why a group ended. */
    public enum Ending {
        /** It was complete. */
        COMPLETE,
        /** Its time was over. */
        TIMEOUT,
        /** It had as many parts as a group may have, or there were too many groups and it was the oldest. */
        OVERFLOW
    }
}
