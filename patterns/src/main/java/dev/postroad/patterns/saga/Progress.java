package dev.postroad.patterns.saga;

import dev.postroad.patterns.saga.SagaState.Status;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The state machine of a saga: what a state becomes by what came. Changes nothing and knows no time but what it is given.
 *
 * <pre>
 *   RUNNING ──done, last──▶ COMPLETED
 *      │  ▲─done, next step
 *      │ failed, or timed out at the last attempt
 *      ▼
 *   COMPENSATING ──undone, first──▶ COMPENSATED
 *      │  ▲─undone, the step before
 *      │ failed, or timed out at the last attempt
 *      ▼
 *   STUCK ──resume──▶ COMPENSATING
 * </pre>
 *
 * A step that failed says that it did nothing, and the ones before it are undone. One that did not answer may have done its
 * work, and is undone itself, first.
 */
final class Progress<S> {
    private final Saga<S> saga;

    Progress(Saga<S> saga) {
        this.saga = saga;
    }

    /** What came for a saga. */
    sealed interface Input {
        /** A participant did what it was asked. */
        record Done(String token, byte[] reply) implements Input {}

        /** A participant says that it did not, and will not. */
        record Failed(String token, String reason) implements Input {}

        /** No answer in time. */
        record TimedOut(String token, int attempt) implements Input {}

        /** An operator wants a stuck one to be tried again. */
        record Resume() implements Input {}
    }

    SagaState first(String id, byte[] data, Instant now) {
        SagaState state = new SagaState(saga.name(), id, 1, Status.RUNNING, "", 1, data, null, null, now);
        return at(state, Status.RUNNING, 0, now);
    }

    /** The state after this, of the next version; null if it comes too late or changes nothing. */
    @Nullable
    SagaState after(SagaState state, Input input, Instant now) {
        if (state.status().ended()) {
            return null;
        }
        return switch (input) {
            case Input.Resume resume ->
                state.status() == Status.STUCK ? next(at(state, Status.COMPENSATING, index(state), now)) : null;
            case Input.Done done -> current(state, done.token()) ? next(done(state, done.reply(), now)) : null;
            case Input.Failed failed ->
                current(state, failed.token()) ? next(failed(state, failed.reason(), index(state) - 1, now)) : null;
            case Input.TimedOut timedOut ->
                current(state, timedOut.token()) && timedOut.attempt() == state.attempt()
                        ? next(timedOut(state, now))
                        : null;
        };
    }

    private static boolean current(SagaState state, String token) {
        return state.status() != Status.STUCK && state.token().equals(token);
    }

    private SagaState done(SagaState state, byte[] reply, Instant now) {
        int index = index(state);
        if (state.status() == Status.COMPENSATING) {
            return at(state, Status.COMPENSATING, index - 1, now);
        }
        byte[] data = saga.data()
                .serialize(saga.steps().get(index).onReply().apply(saga.data().deserialize(state.data()), reply));
        return at(with(state, data, state.failure()), Status.RUNNING, index + 1, now);
    }

    /** @param from the last step that is to be undone */
    private SagaState failed(SagaState state, String reason, int from, Instant now) {
        String why = "step " + state.step() + ": " + reason;
        if (state.status() == Status.COMPENSATING) {
            return new SagaState(
                    state.saga(),
                    state.id(),
                    state.version(),
                    Status.STUCK,
                    state.step(),
                    state.attempt(),
                    state.data(),
                    state.failure() + "; undoing " + why,
                    null,
                    now);
        }
        return at(with(state, state.data(), why), Status.COMPENSATING, from, now);
    }

    private SagaState timedOut(SagaState state, Instant now) {
        Step<S> step = saga.steps().get(index(state));
        if (state.attempt() >= step.attempts()) {
            return failed(
                    state,
                    "no answer within " + step.timeout() + ", asked " + state.attempt() + " times",
                    index(state),
                    now);
        }
        return new SagaState(
                state.saga(),
                state.id(),
                state.version(),
                state.status(),
                state.step(),
                state.attempt() + 1,
                state.data(),
                state.failure(),
                now.plus(step.timeout()),
                now);
    }

    private static SagaState with(SagaState state, byte[] data, @Nullable String failure) {
        return new SagaState(
                state.saga(),
                state.id(),
                state.version(),
                state.status(),
                state.step(),
                state.attempt(),
                data,
                failure,
                state.deadline(),
                state.updated());
    }

    /** The state at a step, or at the end if there is none left in this direction. */
    private SagaState at(SagaState state, Status status, int index, Instant now) {
        int found = index;
        while (status == Status.COMPENSATING
                && found >= 0
                && saga.steps().get(found).compensation() == null) {
            found--;
        }
        boolean over = found < 0 || found >= saga.steps().size();
        Status then = !over ? status : status == Status.RUNNING ? Status.COMPLETED : Status.COMPENSATED;
        return new SagaState(
                state.saga(),
                state.id(),
                state.version(),
                then,
                over ? "" : saga.steps().get(found).name(),
                1,
                state.data(),
                state.failure(),
                over ? null : now.plus(saga.steps().get(found).timeout()),
                now);
    }

    private static SagaState next(SagaState state) {
        return new SagaState(
                state.saga(),
                state.id(),
                state.version() + 1,
                state.status(),
                state.step(),
                state.attempt(),
                state.data(),
                state.failure(),
                state.deadline(),
                state.updated());
    }

    /** @throws IllegalStateException if the saga has no such step any more */
    int index(SagaState state) {
        for (int i = 0; i < saga.steps().size(); i++) {
            if (saga.steps().get(i).name().equals(state.step())) {
                return i;
            }
        }
        throw new IllegalStateException("saga " + saga.name() + " has no step '" + state.step() + "', where "
                + state.id() + " stands; steps must keep their names while sagas are under way");
    }
}
