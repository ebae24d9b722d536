package dev.postroad.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Lines as the bytes they are. A line ends with a newline, which is not part of it; the last one may lack it. Tells whether
 * another line can be had without waiting, so that what comes slowly is not held back.
 */
final class Lines {
    private static final int READ = 1 << 18;
    private static final int LEAST_ROOM = 1 << 12;

    private final InputStream in;
    private final String source;
    private final int longest;
    private byte[] buffer = new byte[READ];
    private int from;
    private int to;
    private int scanned;
    private boolean ended;
    private long number;
    private long taken;

    /**
     * @param source named in errors
     * @param longest bytes of a line at most
     */
    Lines(InputStream in, String source, int longest) {
        this.in = in;
        this.source = source;
        this.longest = longest;
    }

    /** The next line; waits for it. Null at the end. */
    byte @Nullable [] next() throws IOException {
        while (true) {
            int end = newline();
            if (end >= 0) {
                return take(end, 1);
            }
            if (ended) {
                return from < to ? take(to, 0) : null;
            }
            fill();
        }
    }

    /** Whether {@link #next} would answer at once. */
    boolean ready() throws IOException {
        while (newline() < 0) {
            if (ended) {
                return true;
            }
            if (in.available() == 0) {
                return false;
            }
            fill();
        }
        return true;
    }

    /** The number of the line that was taken last, from 1. */
    long number() {
        return number;
    }

    /** Bytes of all lines taken, with their newlines. */
    long bytes() {
        return taken;
    }

    private int newline() {
        for (int i = Math.max(from, scanned); i < to; i++) {
            if (buffer[i] == '\n') {
                scanned = i;
                return i;
            }
        }
        scanned = to;
        return -1;
    }

    private byte[] take(int end, int newline) {
        byte[] line = Arrays.copyOfRange(buffer, from, end);
        if (line.length > longest) {
            throw tooLong();
        }
        taken += (end - from) + newline;
        from = end + newline;
        scanned = from;
        number++;
        return line;
    }

    private void fill() throws IOException {
        if (to - from > longest) {
            throw tooLong();
        }
        if (buffer.length - to < LEAST_ROOM) {
            byte[] into = to - from > buffer.length / 2 ? new byte[buffer.length * 2] : buffer;
            System.arraycopy(buffer, from, into, 0, to - from);
            scanned -= from;
            to -= from;
            from = 0;
            buffer = into;
        }
        int read = in.read(buffer, to, buffer.length - to);
        if (read < 0) {
            ended = true;
        } else {
            to += read;
        }
    }

    private CliException tooLong() {
        return new CliException(
                ExitCode.FAILED,
                "line " + Units.count(number + 1) + " of " + source + " is longer than the limit of "
                        + Units.count(longest) + " bytes; what came before it was sent");
    }
}
