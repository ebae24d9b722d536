package dev.postroad.patterns.eventstore;

import java.util.List;
import java.util.Optional;

/**
 * Streams of events, one for each thing that things happen to. Safe for use by many threads and processes.
 *
 * <p>What was appended is there for all who read by the same instance when {@link #append} returns. Another instance may show it
 * a moment later; but which version a stream has is decided for all of them at once, whatever an instance has read.
 *
 * <p>A stream's name has 1 to 200 characters. A stream that nothing was appended to has version 0.
 */
public interface EventStore {
    /** Appends whatever the stream's version is. */
    long ANY = -1;

    /** Events appended at once at most. */
    int MAX_EVENTS = 1_000;

    /**
     * Appends events, all or none, if the stream is at the expected version; they are durable when this returns.
     *
     * @param stream name of the stream
     * @param expected version the stream must have: 0 for a new one, or {@link #ANY}
     * @param events 1 to {@value #MAX_EVENTS}
     * @return the stream's version with them
     * @throws VersionConflictException if it has another version; nothing was stored
     */
    long append(String stream, long expected, List<Event> events);

    /**
     * Events of a stream, in order.
     *
     * @param from version of the first one, 1 or more
     * @param max at most so many
     */
    List<StoredEvent> read(String stream, long from, int max);

    /**
     * Events of all streams, in the order in which they were appended, the same for all readers. Nothing ever appears before
     * what was read already.
     *
     * @param after position of the last event that is not wanted; 0 for the beginning
     * @param max at most so many
     */
    List<StoredEvent> readAll(long after, int max);

    /** The stream's version, as far as this instance has read; 0 if there is none. */
    long version(String stream);

    /** Keeps what a stream came to, in place of an older snapshot. */
    void saveSnapshot(String stream, Snapshot snapshot);

    /** The newest snapshot of a stream. */
    Optional<Snapshot> snapshot(String stream);
}
