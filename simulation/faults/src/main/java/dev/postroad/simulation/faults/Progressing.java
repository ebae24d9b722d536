package dev.postroad.simulation.faults;

import dev.postroad.testkit.Experiment;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** Tells how far an experiment has got, and when its time is up; asked often, it looks at the clock and says little. */
final class Progressing implements BooleanSupplier {
    private static final long EVERY_NANOS = 500_000_000;

    private final Experiment.Progress progress;
    private final Supplier<String> text;
    private final long start = System.nanoTime();
    private final long total;
    private long told;

    Progressing(Experiment.Budget budget, Experiment.Progress progress, Supplier<String> text) {
        this.progress = progress;
        this.text = text;
        this.total = budget.time().toNanos();
    }

    /**
     * How many there are to be at the end: the goal where the time is enough for it, less with less, and with twice the time and
     * more so many times the goal.
     *
     * @param seconds in which the goal is to be reached
     */
    static long due(Experiment.Budget budget, long goal, double seconds) {
        double times = budget.time().toMillis() / 1000.0 / seconds;
        return (long) (goal * (times < 1 ? times : Math.floor(times)));
    }

    /** The share of the time that is over, 0 to 1. */
    double fraction() {
        return Math.min(1.0, (double) (System.nanoTime() - start) / total);
    }

    /** The same experiment's time is over when this share of it is. */
    boolean beyond(double share) {
        return fraction() >= share;
    }

    @Override
    public boolean getAsBoolean() {
        long now = System.nanoTime() - start;
        if (now - told >= EVERY_NANOS) {
            told = now;
            progress.at(fraction(), text.get());
        }
        return now >= total;
    }
}
