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
    FAILED_SYNC
}
