package dev.postroad.testkit;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One experiment of the proof book: it tries to break something for as long as it is given, and says what it did, what it
 * found and what it could not do. The same experiment runs for seconds within the tests and for hours when asked to.
 */
public interface Experiment {
    /** Short name, lower case with hyphens: {@code crash-images}. */
    String name();

    /** What it asks, in one sentence. */
    String question();

    /**
     * Runs until the budget is used up; a little over is fine, much is not.
     *
     * @param progress told now and then, at least once in two seconds, from the thread that runs
     * @return what was done and found; a violation is a result and not an exception
     * @throws Exception if the experiment itself is broken
     */
    Outcome run(Budget budget, Progress progress) throws Exception;

    /**
     * What an experiment may use.
     *
     * @param time wall-clock time, positive
     * @param seed where all that is random in it comes from
     */
    record Budget(Duration time, long seed) {}

    /** Hears how far an experiment has got. */
    interface Progress {
        /** Hears nothing. */
        Progress NONE = (fraction, text) -> {};

        /**
         * @param fraction done, 0 to 1
         * @param text a few words: counts so far
         */
        void at(double fraction, String text);
    }

    /**
     * What came of it.
     *
     * @param figures in the order in which they are to be shown
     * @param violations promises found broken; empty is the aim
     * @param notRun what could not be tried here, and why; never to be read as passed
     * @param plots a few pictures, or none
     */
    record Outcome(List<Figure> figures, List<Violation> violations, List<NotRun> notRun, List<Plot> plots) {
        /** Figures, and nothing found. */
        public static Outcome of(Figure... figures) {
            return new Outcome(List.of(figures), List.of(), List.of(), List.of());
        }
    }

    /**
     * A number.
     *
     * @param name what was counted or measured
     * @param unit of the value; empty for a count
     * @param goal what it is to reach; null for none
     */
    record Figure(
            String name,
            double value,
            String unit,
            @Nullable Goal goal) {
        /** A count without a goal. */
        public static Figure count(String name, long value) {
            return new Figure(name, value, "", null);
        }

        /** A count that is to reach at least so much. */
        public static Figure count(String name, long value, long atLeast) {
            return new Figure(name, value, "", Goal.atLeast(atLeast));
        }

        /** True if there is no goal, or it is reached. */
        public boolean reached() {
            return goal == null || (goal.atLeast() ? value >= goal.value() : value <= goal.value());
        }
    }

    /**
     * A bound that a figure is to keep.
     *
     * @param atLeast true for a lower bound, false for an upper one
     */
    record Goal(boolean atLeast, double value) {
        /** No less than this. */
        public static Goal atLeast(double value) {
            return new Goal(true, value);
        }

        /** No more than this. */
        public static Goal atMost(double value) {
            return new Goal(false, value);
        }
    }

    /**
     * A promise found broken.
     *
     * @param what which one, and how, for people
     * @param replay the command or the seed that shows it again
     */
    record Violation(String what, String replay) {}

    /** Something that was not tried. */
    record NotRun(String what, String why) {}

    /** A plot of lines over a common axis. */
    record Plot(String title, String xLabel, String yLabel, List<Line> lines) {}

    /** A line of a plot: points from left to right. */
    record Line(String name, List<Point> points) {}

    /** A point of a line. */
    record Point(double x, double y) {}
}
