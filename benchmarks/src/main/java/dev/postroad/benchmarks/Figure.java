package dev.postroad.benchmarks;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * One figure over all rounds.
 *
 * @param median the middle one, or the mean of the two in the middle
 */
record Figure(double median, double min, double max) {

    /** Empty if no round gave this figure. */
    static Optional<Figure> of(List<Measurement> rounds, String name) {
        double[] sorted = rounds.stream()
                .flatMapToDouble(round -> round.get(name).stream())
                .sorted()
                .toArray();
        if (sorted.length == 0) {
            return Optional.empty();
        }
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return Optional.of(new Figure(
                median,
                Arrays.stream(sorted).min().orElse(0),
                Arrays.stream(sorted).max().orElse(0)));
    }
}
