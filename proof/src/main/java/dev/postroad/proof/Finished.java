package dev.postroad.proof;

import dev.postroad.testkit.Experiment.Figure;
import dev.postroad.testkit.Experiment.NotRun;
import dev.postroad.testkit.Experiment.Outcome;
import dev.postroad.testkit.Experiment.Violation;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A chapter that has been run.
 *
 * @param outcome null if the experiment itself failed
 * @param failure why it failed; null if it did not
 * @param share of the time that it was given
 * @param took the time that it took
 */
record Finished(
        String name,
        String question,
        @Nullable Outcome outcome,
        @Nullable String failure,
        Duration share,
        Duration took) {

    /** One word on how it went, the worst that holds. */
    enum Verdict {
        /** The experiment itself failed: nothing is known. */
        FAILED("failed"),
        /** A promise was found broken. */
        BROKEN("broken"),
        /** No promise was found broken, but not all goals were reached. */
        MISSED("goal missed"),
        /** Nothing was tried. */
        NOT_RUN("not run"),
        /** No promise was found broken, and all goals were reached. */
        HELD("held");

        private final String words;

        Verdict(String words) {
            this.words = words;
        }

        String words() {
            return words;
        }
    }

    Verdict verdict() {
        Outcome known = outcome;
        if (known == null) {
            return Verdict.FAILED;
        }
        if (!known.violations().isEmpty()) {
            return Verdict.BROKEN;
        }
        if (known.figures().isEmpty() && !known.notRun().isEmpty()) {
            return Verdict.NOT_RUN;
        }
        return known.figures().stream().allMatch(Figure::reached) ? Verdict.HELD : Verdict.MISSED;
    }

    List<Figure> figures() {
        Outcome known = outcome;
        return known == null ? List.of() : known.figures();
    }

    List<Violation> violations() {
        Outcome known = outcome;
        return known == null ? List.of() : known.violations();
    }

    List<NotRun> notRun() {
        Outcome known = outcome;
        return known == null ? List.of() : known.notRun();
    }
}
