package dev.postroad.cli;

import java.io.PrintStream;
import java.time.Duration;

/**
 * One line on stderr that tells how far a long command is: count, rate, and the time it will take where the whole is known.
 * It appears after a second, only on a terminal, and goes away at the end.
 */
final class Progress implements AutoCloseable {
    private static final long FIRST_NANOS = 1_000_000_000L;
    private static final long EVERY_NANOS = 200_000_000L;
    private static final double SMOOTHING = 0.3;

    private final PrintStream err = Terminal.err();
    private final boolean shown;
    private final String what;
    private final long start = System.nanoTime();
    private long next = start + FIRST_NANOS;
    private long lastNanos = start;
    private long lastCount;
    private double rate;
    private boolean drawn;

    /** @param what is counted, {@code "messages sent"} for example */
    Progress(String what, boolean quiet) {
        this.what = what;
        this.shown = !quiet && Terminal.is(Terminal.STDERR);
        Terminal.progressIs(this::clear);
    }

    /**
     * Tells how far it is. Cheap: call it as often as there is news.
     *
     * @param count done so far
     * @param done part of the whole that is done, in any unit
     * @param whole all of it in that unit, 0 where it is not known
     */
    void at(long count, long done, long whole) {
        if (!shown) {
            return;
        }
        long now = System.nanoTime();
        if (now - next < 0) {
            return;
        }
        double seconds = (now - lastNanos) / 1e9;
        double present = (count - lastCount) / seconds;
        rate = rate == 0 ? (count / ((now - start) / 1e9)) : rate * (1 - SMOOTHING) + present * SMOOTHING;
        lastNanos = now;
        lastCount = count;
        next = now + EVERY_NANOS;
        StringBuilder line = new StringBuilder("\r\033[K")
                .append(Units.count(count))
                .append(' ')
                .append(what)
                .append("  ")
                .append(Units.count(Math.round(rate)))
                .append("/s");
        if (whole > 0 && done > 0) {
            double elapsed = (now - start) / 1e9;
            double left = elapsed * (whole - done) / done;
            line.append("  ")
                    .append(Math.min(100, done * 100 / whole))
                    .append(" %  ")
                    .append(Units.time(Duration.ofMillis(Math.round(left * 1_000))))
                    .append(" left");
        }
        err.print(line);
        err.flush();
        drawn = true;
    }

    /** How long it has taken so far. */
    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private void clear() {
        if (drawn) {
            drawn = false;
            err.print("\r\033[K");
            err.flush();
        }
    }

    /** Takes the line away for good, as closing does. */
    void end() {
        clear();
        Terminal.progressIs(() -> {});
    }

    @Override
    public void close() {
        end();
    }
}
