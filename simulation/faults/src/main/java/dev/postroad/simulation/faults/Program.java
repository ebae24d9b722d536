package dev.postroad.simulation.faults;

import java.util.List;
import java.util.Random;

/**
 * A short program: preparations, then the steps that it is about.
 *
 * @param name theme and number, by which it is found again
 */
record Program(String name, List<Step> preparations, List<Step> steps, long seed) {

    /** One thing that a program does. */
    record Step(String text, Action action) {}

    /** Does it, with chance for what it leaves open. */
    @FunctionalInterface
    interface Action {
        void on(EngineTrial trial, Random random);
    }
}
