package dev.postroad.simulation.broker;

import dev.postroad.engine.EngineException;
import dev.postroad.engine.EngineException.Reason;
import dev.postroad.engine.Reply;
import java.util.Arrays;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a client learns of the outcome of its command: at most once, and nothing at all if the broker dies first. */
final class Answer<R> implements Reply<R> {
    private final Supplier<String> what;
    private @Nullable R result;
    private @Nullable EngineException refusal;
    private boolean come;
    private boolean unknown;
    private boolean mayBeFull;

    Answer(Supplier<String> what) {
        this.what = what;
    }

    @Override
    public void done(R value) {
        once();
        result = value;
    }

    @Override
    public void failed(EngineException cause) {
        once();
        refusal = cause;
    }

    private void once() {
        if (!unknown) {
            Violation.unless(!come, () -> "two replies to: " + what.get());
        }
        come = true;
    }

    /** The broker died: nobody hears what became of it. */
    void lost() {
        unknown = true;
    }

    /** It is asked while the disk has no space: that may be why it is refused. */
    void fullDisk() {
        mayBeFull = true;
    }

    boolean waiting() {
        return !come && !unknown;
    }

    boolean known() {
        return !unknown;
    }

    boolean done() {
        return !unknown && come && refusal == null;
    }

    R result() {
        R known = result;
        if (known == null) {
            throw new IllegalStateException("no result of " + what.get());
        }
        return known;
    }

    /**
     * True if the command was carried out, or would be as far as the model knows.
     *
     * @param must why it has to be refused: any of them; none if it must not
     */
    boolean carriedOut(Reason... must) {
        return carriedOut(must, new Reason[0]);
    }

    boolean carriedOut(Reason[] must, Reason[] may) {
        return carriedOut(must, () -> may);
    }

    /** @param may why it may be refused; asked for only where it is */
    boolean carriedOut(Reason[] must, Supplier<Reason[]> may) {
        if (unknown) {
            return must.length == 0;
        }
        Violation.unless(come, () -> "no reply to: " + what.get());
        EngineException refused = refusal;
        if (refused == null) {
            Violation.unless(
                    must.length == 0,
                    () -> "carried out, although it is to be refused as " + Arrays.toString(must) + ": " + what.get());
            return true;
        }
        boolean expected = (mayBeFull && refused.reason() == Reason.FULL)
                || Arrays.asList(must).contains(refused.reason())
                || Arrays.asList(may.get()).contains(refused.reason());
        Violation.unless(
                expected,
                () -> "refused as " + refused.reason() + " (" + refused.getMessage() + ")"
                        + (must.length == 0 ? "" : " instead of " + Arrays.toString(must)) + ": " + what.get());
        return false;
    }

    /** What was answered must be this. */
    void equalTo(Object expected) {
        if (done()) {
            Violation.unless(
                    expected.equals(result),
                    () -> "the reply is " + result + " instead of " + expected + ": " + what.get());
        }
    }
}
