package dev.postroad.api;

/** What a channel is for. The kind sets the defaults of {@link Channel}; each can be changed. */
public enum ChannelKind {
    /** "Do this": a queue; each message goes to one consumer; durable, with retries and a dead-letter channel. */
    COMMAND(false),
    /** "This happened": a keyed, retained stream; each group receives every message; replayable. */
    EVENT(true),
    /** "Tell me": a queue of short-lived messages with a deadline and a bound on how many wait. */
    REQUEST(false),
    /** "Here is the whole thing": a keyed, retained stream of large values, compressed. */
    DOCUMENT(true);

    private final boolean stream;

    ChannelKind(boolean stream) {
        this.stream = stream;
    }

    /** True if each group receives every message; false if each message goes to one consumer. */
    public boolean isStream() {
        return stream;
    }
}
