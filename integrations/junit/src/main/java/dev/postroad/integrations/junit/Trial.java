package dev.postroad.integrations.junit;

import java.util.Optional;

/**
 * A scenario that is tried on many seeds, outside of JUnit's own machinery: to look for a seed that breaks a program, and to
 * break it again with that seed.
 */
@FunctionalInterface
public interface Trial {

    /** Runs the program on a new broker and asserts what must hold. */
    void run(TestBroker broker) throws Exception;

    /**
     * How a trial failed.
     *
     * @param seed that makes it fail again
     * @param error what was found
     * @param story what happened to the messages it is about
     */
    record Failure(long seed, Throwable error, String story) {}

    /** Runs a trial once with these faults; empty if it holds. */
    static Optional<Failure> once(Trial trial, Faults faults) {
        try (TestBroker broker = TestBroker.start(faults)) {
            try {
                trial.run(broker);
                return Optional.empty();
            } catch (Exception | Error e) {
                return Optional.of(new Failure(faults.seed(), e, broker.explain(e)));
            }
        }
    }

    /**
     * Runs a trial with the seeds 1, 2, 3 … until one makes it fail; empty if none does.
     *
     * @param seeds how many to try
     */
    static Optional<Failure> search(Trial trial, int seeds, Fault... faults) {
        for (long seed = 1; seed <= seeds; seed++) {
            Optional<Failure> failure = once(trial, Faults.of(seed, faults));
            if (failure.isPresent()) {
                return failure;
            }
        }
        return Optional.empty();
    }
}
