package dev.postroad.proof;

import dev.postroad.testkit.Experiment;

/**
 * An experiment in the book.
 *
 * @param weight its share of the time, beside those of the others; positive
 * @param sideBySide true if it only computes, on one core, so that others may do so beside it and nothing it says depends
 *     on them; false if it measures, or has processes of its own
 * @param peers true if it is about other brokers, and runs only when asked for
 */
record Chapter(Experiment experiment, int weight, boolean sideBySide, boolean peers) {
    Chapter {
        if (weight < 1) {
            throw new IllegalArgumentException("the weight of " + experiment.name() + " is " + weight);
        }
    }

    /** One that is about Postroad, and runs alone. */
    Chapter(Experiment experiment, int weight) {
        this(experiment, weight, false, false);
    }

    /** This chapter, run beside others. */
    Chapter besideOthers() {
        return new Chapter(experiment, weight, true, peers);
    }

    /** This chapter, run only when other brokers are asked for. */
    Chapter aboutPeers() {
        return new Chapter(experiment, weight, sideBySide, true);
    }

    String name() {
        return experiment.name();
    }
}
