package dev.postroad.proof;

import dev.postroad.proof.ProveOptions.Left;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A whole run, ready to be written down.
 *
 * @param version of what was tried
 * @param begun when
 * @param took how long
 * @param budget how long it was to take
 */
record Book(
        String version,
        Surroundings machine,
        long seed,
        Instant begun,
        Duration took,
        Duration budget,
        List<Finished> chapters,
        List<Left> left) {

    long violations() {
        return chapters.stream()
                .mapToLong(chapter -> chapter.violations().size())
                .sum();
    }

    long failures() {
        return count(Finished.Verdict.FAILED);
    }

    long missed() {
        return chapters.stream()
                .flatMap(chapter -> chapter.figures().stream())
                .filter(figure -> !figure.reached())
                .count();
    }

    long notRun() {
        return left.size()
                + chapters.stream()
                        .mapToLong(chapter -> chapter.notRun().size())
                        .sum();
    }

    long count(Finished.Verdict verdict) {
        return chapters.stream().filter(chapter -> chapter.verdict() == verdict).count();
    }

    /** Status of the command. */
    int status(boolean strict) {
        return violations() > 0 || failures() > 0 || (strict && missed() > 0) ? 1 : 0;
    }
}
