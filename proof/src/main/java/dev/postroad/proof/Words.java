package dev.postroad.proof;

import dev.postroad.testkit.Experiment.Figure;
import dev.postroad.testkit.Experiment.Goal;
import java.time.Duration;
import java.util.Locale;

/** Numbers and times for people. */
final class Words {
    private static final double SMALL = 100;

    private Words() {}

    /** A number with as many digits as help. */
    static String number(double value) {
        if (!Double.isFinite(value)) {
            return "unknown";
        }
        if (value == Math.rint(value)) {
            return String.format(Locale.ROOT, "%,.0f", value);
        }
        return String.format(
                Locale.ROOT, Math.abs(value) < 1 ? "%.3f" : Math.abs(value) < SMALL ? "%.2f" : "%,.0f", value);
    }

    static String value(Figure figure) {
        return number(figure.value()) + (figure.unit().isEmpty() ? "" : " " + figure.unit());
    }

    /** The figure's goal; empty if it has none. */
    static String goal(Figure figure) {
        Goal goal = figure.goal();
        if (goal == null) {
            return "";
        }
        return (goal.atLeast() ? "at least " : "at most ")
                + number(goal.value())
                + (figure.unit().isEmpty() ? "" : " " + figure.unit());
    }

    static String time(Duration time) {
        long seconds = time.toSeconds();
        if (seconds < 10) {
            return String.format(Locale.ROOT, "%.1f s", time.toMillis() / 1000.0);
        }
        return seconds < 120
                ? seconds + " s"
                : seconds < 7200
                        ? String.format(Locale.ROOT, "%d:%02d min", seconds / 60, seconds % 60)
                        : String.format(Locale.ROOT, "%d:%02d h", seconds / 3600, seconds / 60 % 60);
    }
}
