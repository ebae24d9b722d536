package dev.postroad.simulation.faults;

import dev.postroad.simulation.disk.SimulatedDisk;

/** A short program at work on a disk, and the judge of what a fault leaves of its data. */
interface Trial {

    /** Runs the program to its end, or until the disk fails it. @throws Broken if it sees a promise broken on the way */
    void run();

    /** True once the preparations are done, and what the program is about begins. */
    boolean begun();

    /**
     * Recovers a disk with production code, and judges what is there by what had been promised up to now.
     *
     * @param disk a state that this program's disk may be in after a fault; is changed
     * @param thorough true to also try out what was recovered, which takes longer
     * @param opened called when recovery has ended and nothing has been changed yet
     * @return what is there, the same text for the same contents
     * @throws Broken if a promise is broken
     */
    String recover(SimulatedDisk disk, boolean thorough, Observation.Opened opened);

    /** What the program did so far, for people. */
    String trace();
}
