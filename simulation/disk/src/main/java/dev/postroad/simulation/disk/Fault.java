package dev.postroad.simulation.disk;

/** How a call on a {@link SimulatedDisk} fails. Where a sort of failure makes no sense for a call it is a plain error. */
public enum Fault {
    /** The call fails and does nothing. */
    IO_ERROR,
    /** There is no space, or no more file handles. The call does nothing. */
    NO_SPACE,
    /** A write stores the first half of its bytes and fails. */
    SHORT_WRITE,
    /**
     * A sync fails, and what it should have made durable never will be, although it can still be read: the state that
     * Linux leaves behind. Writing the bytes again is the only cure.
     */
    FAILED_SYNC,
    /** The call does all its work and fails nevertheless, as over a connection that breaks before the answer. */
    DONE_BUT_FAILED,
    /**
     * The call fails and the file it was made on is closed for good, as Java closes a channel whose thread is interrupted.
     * Calls on the directory just fail.
     */
    FILE_CLOSED
}
