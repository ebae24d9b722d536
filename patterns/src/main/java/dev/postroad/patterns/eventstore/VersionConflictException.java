package dev.postroad.patterns.eventstore;

/** Somebody else appended to the stream first; nothing was stored. Read again, decide again. */
public final class VersionConflictException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long actual;

    /**
     * @param expected version the append was made for
     * @param actual version the stream has, as far as is known
     */
    public VersionConflictException(String stream, long expected, long actual) {
        super("stream '" + stream + "' is at version " + actual + ", and was expected at " + expected
                + ": somebody appended in between. Read it again, and decide again");
        this.actual = actual;
    }

    /** The version the stream has. */
    public long actual() {
        return actual;
    }
}
