package dev.postroad.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Whether a person looks at the output, and how. Colour, progress and whatever redraws itself is for terminals only, and
 * {@code NO_COLOR} or {@code TERM=dumb} turn colour off.
 */
final class Terminal {
    static final int STDIN = 0;
    static final int STDOUT = 1;
    static final int STDERR = 2;

    private static final PrintStream OUT = utf8(FileDescriptor.out, 1 << 16, false);
    private static final PrintStream ERR = utf8(FileDescriptor.err, 1 << 12, true);
    private static final AtomicReference<Runnable> PROGRESS = new AtomicReference<>(() -> {});

    private Terminal() {}

    private static PrintStream utf8(FileDescriptor descriptor, int buffer, boolean flushAtLine) {
        return new PrintStream(
                new java.io.BufferedOutputStream(new FileOutputStream(descriptor), buffer),
                flushAtLine,
                StandardCharsets.UTF_8);
    }

    /** Stdout in UTF-8, buffered: {@code Main} flushes it at the end. */
    static PrintStream out() {
        return OUT;
    }

    /** Stderr in UTF-8, flushed at every line. */
    static PrintStream err() {
        return ERR;
    }

    /**
     * Whether a descriptor (0, 1, 2) is a terminal. The launcher says so by the property {@code postroad.terminals}, a
     * text of the digits of those that are; without it Linux tells in /proc.
     */
    static boolean is(int descriptor) {
        String told = System.getProperty("postroad.terminals");
        if (told != null) {
            return told.indexOf('0' + descriptor) >= 0;
        }
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd", Integer.toString(descriptor)))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** Whether what is written to a descriptor may have colours. */
    static boolean colours(int descriptor) {
        String off = System.getenv("NO_COLOR");
        return (off == null || off.isEmpty()) && !"dumb".equals(System.getenv("TERM")) && is(descriptor);
    }

    /** Columns of the terminal, 80 where it does not tell. */
    static int columns() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(Path.of("/dev/tty").toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String[] size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                    .strip()
                    .split(" ");
            if (stty.waitFor(1, TimeUnit.SECONDS) && size.length == 2) {
                int columns = Integer.parseInt(size[1]);
                return columns >= 20 ? columns : 80;
            }
        } catch (IOException | NumberFormatException e) {
            return 80;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return 80;
    }

    /** Says what takes a progress line away, before anything else is written to the terminal. */
    static void progressIs(Runnable clear) {
        PROGRESS.set(clear);
    }

    static void clearProgress() {
        PROGRESS.get().run();
    }
}
