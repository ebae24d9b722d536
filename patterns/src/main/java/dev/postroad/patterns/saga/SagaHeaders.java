package dev.postroad.patterns.saga;

/**
 * How messages of sagas are marked; the saga's own id is their correlation id.
 *
 * <pre>
 *   command   step, id NAME/ID/TOKEN
 *   answer    step and outcome (done, failed) of the command, id COMMAND/reply
 *   to itself outcome start, timeout (with step and attempt), resume
 * </pre>
 */
final class SagaHeaders {
    /** The token of the step that is asked for or answered: {@code do/NAME} or {@code undo/NAME}. */
    static final String STEP = "postroad-saga-step";

    static final String OUTCOME = "postroad-saga-outcome";
    static final String REASON = "postroad-saga-reason";
    static final String ATTEMPT = "postroad-saga-attempt";

    static final String START = "start";
    static final String DONE = "done";
    static final String FAILED = "failed";
    static final String TIMEOUT = "timeout";
    static final String RESUME = "resume";

    private SagaHeaders() {}
}
