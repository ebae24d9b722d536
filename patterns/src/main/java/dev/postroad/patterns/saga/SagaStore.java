package dev.postroad.patterns.saga;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Where the states of sagas are kept. Safe for use by many threads and processes; a change takes effect only if nobody else was
 * faster, and is durable when the call returns.
 */
public interface SagaStore {

    /** A saga's state. */
    Optional<SagaState> find(String saga, String id);

    /** Stores a first state. @return false if there is one */
    boolean insert(SagaState first);

    /**
     * Stores a state in place of the one before.
     *
     * @param next with a version that is one higher than what it was made from
     * @return false if the stored version is another: somebody was faster, and nothing was changed
     */
    boolean update(SagaState next);

    /**
     * Sagas that are stuck, or have made no progress although their deadline passed before this moment; the one that waits for
     * longest first.
     *
     * @param max at most so many
     */
    List<SagaState> stuck(String saga, Instant overdueSince, int max);

    /**
     * Takes away sagas that ended before this moment.
     *
     * @param max at most so many
     * @return how many
     */
    int forget(String saga, Instant endedBefore, int max);
}
