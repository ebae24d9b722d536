package dev.postroad.proof;

import dev.postroad.testkit.Experiment;

/**
 * An experiment in the book.
 *
 * @param weight its share of the time, beside those of the others; positive
 * @param peers true if it is about other brokers, and runs only when asked for
 */
record Chapter(Experiment experiment, int weight, boolean peers) {
    Chapter {
        if (weight < 1) {
            throw new IllegalArgumentException("the weight of " + experiment.name() + " is " + weight);
        }
    }

    /** One that is about Postroad. */
    Chapter(Experiment experiment, int weight) {
        this(experiment, weight, false);
    }

    /** This chapter, run only when other brokers are asked for. */
    Chapter aboutPeers() {
        return new Chapter(experiment, weight, true);
    }

    String name() {
        return experiment.name();
    }
}
