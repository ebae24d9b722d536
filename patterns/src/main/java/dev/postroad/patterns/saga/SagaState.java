package dev.postroad.patterns.saga;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Where one saga stands.
 *
 * @param saga name of what it is one of
 * @param id its own
 * @param version counts its changes, from 1
 * @param status what goes on
 * @param step name of the step that is being done or undone; empty when it has ended
 * @param attempt how often the present command has been sent, from 1
 * @param data as bytes
 * @param failure why it is, or was, undone; null while all went well
 * @param deadline when the present attempt times out; null when it has ended, or is stuck
 * @param updated its last change
 */
public record SagaState(
        String saga,
        String id,
        long version,
        Status status,
        String step,
        int attempt,
        byte[] data,
        @Nullable String failure,
        @Nullable Instant deadline,
        Instant updated) {

    /** What goes on in a saga. */
    public enum Status {
        /** Its steps are done. */
        RUNNING,
        /** A step has failed, and those before it are undone. */
        COMPENSATING,
        /** All steps are done. */
        COMPLETED,
        /** What had been done is undone. */
        COMPENSATED,
        /** Undoing a step has failed as often as it may: somebody has to look, and resume it. */
        STUCK;

        /** True if nothing more will happen. */
        public boolean ended() {
            return this == COMPLETED || this == COMPENSATED;
        }
    }

    /** What is waited for: an answer or a timeout that does not carry it came too late. */
    String token() {
        return (status == Status.RUNNING ? "do" : "undo") + "/" + step;
    }

    /** A line for people, without the data. */
    @Override
    public String toString() {
        return saga + " " + id + " " + status + (step.isEmpty() ? "" : " at " + step + ", attempt " + attempt)
                + (failure == null ? "" : " because of: " + failure) + ", version " + version + " of " + updated;
    }
}
