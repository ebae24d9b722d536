package dev.postroad.proof;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;

/**
 * Shows how a run goes on: on a terminal one line that changes, else a line now and then. For any thread.
 */
final class Display {
    private static final long BETWEEN_LINES_NANOS = Duration.ofSeconds(30).toNanos();
    private static final long BETWEEN_FRAMES_NANOS = Duration.ofMillis(200).toNanos();
    private static final int WIDTH = 118;
    private static final int BAR = 20;

    private final PrintStream out;
    private final boolean terminal;
    private final long budgetNanos;
    private final long begun;
    private String name = "";
    private String place = "";
    private long told;

    /** @param terminal whether lines can be written over */
    Display(PrintStream out, boolean terminal, Duration budget, long begunNanos) {
        this.out = out;
        this.terminal = terminal;
        this.budgetNanos = budget.toNanos();
        this.begun = begunNanos;
    }

    synchronized void begin(int number, int of, String experiment, Duration share) {
        name = experiment;
        place = "[" + number + "/" + of + "]";
        told = System.nanoTime();
        if (!terminal) {
            out.println(place + " " + name + ": for " + words(share));
        }
    }

    synchronized void at(double fraction, String text) {
        long now = System.nanoTime();
        if (now - told < (terminal ? BETWEEN_FRAMES_NANOS : BETWEEN_LINES_NANOS)) {
            return;
        }
        told = now;
        double done = Math.clamp(fraction, 0, 1);
        String left = words(Duration.ofNanos(Math.max(0, budgetNanos - (now - begun))));
        if (terminal) {
            int filled = (int) Math.round(done * BAR);
            String line = String.format(
                    Locale.ROOT,
                    "%s %s %s%s %3.0f %%  %s  (%s left in all)",
                    place,
                    name,
                    "#".repeat(filled),
                    ".".repeat(BAR - filled),
                    100 * done,
                    plain(text),
                    left);
            out.print("\r\033[K" + (line.length() <= WIDTH ? line : line.substring(0, WIDTH)));
            out.flush();
        } else {
            out.printf(Locale.ROOT, "%s %s: %.0f %%, %s; %s left in all%n", place, name, 100 * done, plain(text), left);
        }
    }

    synchronized void end(Finished finished) {
        if (terminal) {
            out.print("\r\033[K");
        }
        out.println(place + " " + name + ": " + finished.verdict().words() + ", " + words(finished.took())
                + summary(finished));
    }

    private static String summary(Finished finished) {
        StringBuilder text = new StringBuilder();
        finished.violations()
                .forEach(violation -> text.append("\n    BROKEN ")
                        .append(plain(violation.what()))
                        .append("\n      again: ")
                        .append(plain(violation.replay())));
        finished.figures().stream()
                .filter(figure -> !figure.reached())
                .forEach(figure -> text.append("\n    missed: ")
                        .append(plain(figure.name()))
                        .append(": ")
                        .append(Words.value(figure))
                        .append(" (goal: ")
                        .append(Words.goal(figure))
                        .append(')'));
        finished.notRun()
                .forEach(one -> text.append("\n    not run: ")
                        .append(plain(one.what()))
                        .append(": ")
                        .append(plain(one.why())));
        String failure = finished.failure();
        return failure == null ? text.toString() : text + "\n    " + plain(failure);
    }

    /** Nothing that an experiment says may move the cursor. */
    private static String plain(String text) {
        return text.replaceAll("[\\p{Cntrl}&&[^\n]]", " ").replace("\n", "\n      ");
    }

    private static String words(Duration time) {
        return Words.time(time);
    }
}
