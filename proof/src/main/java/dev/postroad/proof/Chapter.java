package dev.postroad.proof;

import dev.postroad.testkit.Experiment;

/**
 * An experiment in the book.
 *
 * @param weight the seconds that it needs of a quarter of an hour; with more or less time all get more or less; positive
 * @param peers true if it is about other brokers, and runs only when asked for
 */
record Chapter(Experiment experiment, int weight, Kind kind, boolean peers) {
    /** What may run beside it. */
    enum Kind {
        /** Computes on one core, and says nothing that depends on what runs beside it. */
        COMPUTING,
        /** Has processes of its own, waits for them most of the time, and judges what they do, not how fast. */
        JUDGING,
        /** Measures, and so runs alone. */
        MEASURING
    }

    Chapter {
        if (weight < 1) {
            throw new IllegalArgumentException("the weight of " + experiment.name() + " is " + weight);
        }
    }

    /** One that is about Postroad. */
    Chapter(Experiment experiment, int weight, Kind kind) {
        this(experiment, weight, kind, false);
    }

    /** This chapter, run only when other brokers are asked for. */
    Chapter aboutPeers() {
        return new Chapter(experiment, weight, kind, true);
    }

    String name() {
        return experiment.name();
    }
}
