package dev.postroad.patterns.eventstore;

import java.util.List;

/** What every store asks of its arguments. */
final class Checks {
    private Checks() {}

    static void append(String stream, long expected, List<Event> events) {
        if (stream.isEmpty() || stream.length() > 200) {
            throw new IllegalArgumentException("stream is '" + stream + "'; it must be 1 to 200 characters long");
        }
        if (expected < EventStore.ANY) {
            throw new IllegalArgumentException(
                    "expected is " + expected + "; it must be a version, 0 or more, or EventStore.ANY");
        }
        if (events.isEmpty() || events.size() > EventStore.MAX_EVENTS) {
            throw new IllegalArgumentException("there are " + events.size() + " events to append to stream '" + stream
                    + "'; there must be 1 to " + EventStore.MAX_EVENTS);
        }
    }
}
