package dev.postroad.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the demo shows while it runs: on a terminal a block of lines that is drawn again in place, elsewhere a line now and
 * then. Events (started, killed, back) are lines that stay.
 */
final class DemoScreen {
    private static final int BAR = 24;

    private final PrintStream out = Terminal.out();
    private final boolean redraws = Terminal.is(Terminal.STDOUT) && !"dumb".equals(System.getenv("TERM"));
    private final boolean colours = Terminal.colours(Terminal.STDOUT);
    private final int columns = redraws ? Terminal.columns() : 200;
    private final long start = System.nanoTime();
    private int drawn;

    /** Whether it redraws in place, and so may be drawn often. */
    boolean redraws() {
        return redraws;
    }

    /** A line that stays. */
    synchronized void event(String text) {
        erase();
        out.println(clock() + "  " + text);
        out.flush();
    }

    /** Text that stays, without a time. */
    synchronized void print(String text) {
        erase();
        out.println(text);
        out.flush();
    }

    /** The block of lines, in place of the one drawn before. */
    synchronized void draw(List<String> lines) {
        if (!redraws) {
            return;
        }
        List<String> all = new ArrayList<>();
        all.add("");
        all.addAll(lines);
        StringBuilder block = new StringBuilder();
        if (drawn > 0) {
            block.append("\033[").append(drawn).append('A');
        }
        for (String line : all) {
            block.append("\033[2K").append(fit(line)).append('\n');
        }
        block.append("\033[J");
        out.print(block);
        out.flush();
        drawn = all.size();
    }

    private String fit(String line) {
        // Colour codes take no columns: lines that have some are made short enough by whoever made them.
        return line.indexOf('\033') >= 0 ? line : Table.cut(line, columns - 1);
    }

    private void erase() {
        if (drawn > 0) {
            out.print("\033[" + drawn + "A\033[J");
            drawn = 0;
        }
    }

    String clock() {
        return String.format(
                Locale.ROOT,
                "%5.1f s",
                Duration.ofNanos(System.nanoTime() - start).toMillis() / 1e3);
    }

    Duration elapsed() {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    String bar(long done, long whole) {
        int full = whole == 0 ? 0 : (int) Math.min(BAR, done * BAR / whole);
        return "█".repeat(full) + "░".repeat(BAR - full);
    }

    String green(String text) {
        return coloured("32", text);
    }

    String red(String text) {
        return coloured("31", text);
    }

    String bold(String text) {
        return coloured("1", text);
    }

    private String coloured(String code, String text) {
        return colours ? "\033[" + code + "m" + text + "\033[0m" : text;
    }
}
