package dev.postroad.benchmarks;

import java.io.IOException;

/** A suite of scenarios that can be run, one after the other. */
interface Bench extends AutoCloseable {
    /** What is measured on. */
    Machine machine() throws IOException;

    /**
     * Runs one scenario, in all its rounds.
     *
     * @param name of the scenario
     * @param number of the scenario among those to be run, for the progress
     */
    Results run(String name, int number) throws IOException, InterruptedException;

    /** Ends all processes and deletes all that was written. Also for the hook that runs when the program is interrupted. */
    void abandon() throws IOException, InterruptedException;

    @Override
    void close() throws IOException;
}
