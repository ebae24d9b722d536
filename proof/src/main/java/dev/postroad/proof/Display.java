package dev.postroad.proof;

import dev.postroad.testkit.Experiment;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

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
    private final List<Shown> running = new ArrayList<>();
    private long told;

    /** @param terminal whether lines can be written over */
    Display(PrintStream out, boolean terminal, Duration budget, long begunNanos) {
        this.out = out;
        this.terminal = terminal;
        this.budgetNanos = budget.toNanos();
        this.begun = begunNanos;
    }

    /** Shows an experiment until it ends. */
    Shown begin(int number, int of, String experiment, Duration share) {
        Shown shown = new Shown("[" + number + "/" + of + "] " + experiment);
        synchronized (this) {
            running.add(shown);
            told = System.nanoTime();
            if (!terminal) {
                out.println(shown.title + ": for " + words(share));
            }
        }
        return shown;
    }

    /** An experiment that runs: hears how far it has got. */
    final class Shown implements Experiment.Progress {
        private final String title;
        private double done;
        private String text = "";

        private Shown(String title) {
            this.title = title;
        }

        @Override
        public void at(double fraction, String words) {
            synchronized (Display.this) {
                done = Math.clamp(fraction, 0, 1);
                text = words;
                show();
            }
        }

        void end(Finished finished) {
            synchronized (Display.this) {
                running.remove(this);
                if (terminal) {
                    out.print("\r\033[K");
                }
                out.println(
                        title + ": " + finished.verdict().words() + ", " + words(finished.took()) + summary(finished));
            }
        }
    }

    private void show() {
        long now = System.nanoTime();
        if (now - told < (terminal ? BETWEEN_FRAMES_NANOS : BETWEEN_LINES_NANOS)) {
            return;
        }
        told = now;
        String left = words(Duration.ofNanos(Math.max(0, budgetNanos - (now - begun))));
        if (terminal) {
            String line = running.stream()
                    .map(running.size() == 1 ? Display::bar : Display::percent)
                    .collect(Collectors.joining("; ", "", "  (" + left + " left in all)"));
            out.print("\r\033[K" + (line.length() <= WIDTH ? line : line.substring(0, WIDTH)));
            out.flush();
        } else {
            running.forEach(shown -> out.println(percent(shown) + "; " + left + " left in all"));
        }
    }

    private static String bar(Shown shown) {
        int filled = (int) Math.round(shown.done * BAR);
        return String.format(
                Locale.ROOT,
                "%s %s%s %3.0f %%  %s",
                shown.title,
                "#".repeat(filled),
                ".".repeat(BAR - filled),
                100 * shown.done,
                plain(shown.text));
    }

    private static String percent(Shown shown) {
        return String.format(Locale.ROOT, "%s: %.0f %%, %s", shown.title, 100 * shown.done, plain(shown.text));
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
