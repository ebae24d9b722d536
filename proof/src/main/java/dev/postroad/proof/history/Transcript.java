package dev.postroad.proof.history;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A history written to a file by a process that is to be killed, an event a line: each is handed to the system before the call
 * returns, so that it outlives the process. The last line may be cut, and does not count then.
 *
 * <pre>
 *   + producer first count key        attempted            p producer sequence partition offset
 *   c producer first count            confirmed            d group attempt partition offset run producer sequence key
 *   r producer first count            refused              x group attempt partition offset       (altered)
 *   u producer first count            unknown              a group producer sequence attempt
 * </pre>
 */
public final class Transcript implements Witness, AutoCloseable {
    private final FileOutputStream out;

    /** Goes on behind what the file holds. */
    public Transcript(Path file) {
        try {
            this.out = new FileOutputStream(file.toFile(), true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void line(char kind, long... numbers) {
        StringBuilder line = new StringBuilder(48).append(kind);
        for (long number : numbers) {
            line.append(' ').append(number);
        }
        byte[] bytes = line.append('\n').toString().getBytes(StandardCharsets.US_ASCII);
        synchronized (out) {
            try {
                out.write(bytes);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void attempted(int producer, long first, int count, int key) {
        line('+', producer, first, count, key);
    }

    @Override
    public void confirmed(int producer, long first, int count) {
        line('c', producer, first, count);
    }

    @Override
    public void placed(int producer, long sequence, int partition, long offset) {
        line('p', producer, sequence, partition, offset);
    }

    @Override
    public void refused(int producer, long first, int count) {
        line('r', producer, first, count);
    }

    @Override
    public void unknown(int producer, long first, int count) {
        line('u', producer, first, count);
    }

    @Override
    public void delivered(int group, int attempt, int partition, long offset, @Nullable Payload payload) {
        if (payload == null) {
            line('x', group, attempt, partition, offset);
        } else {
            line(
                    'd',
                    group,
                    attempt,
                    partition,
                    offset,
                    payload.run(),
                    payload.producer(),
                    payload.sequence(),
                    payload.key());
        }
    }

    @Override
    public void acknowledged(int group, int producer, long sequence, int attempt) {
        line('a', group, producer, sequence, attempt);
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Tells a witness all whole lines behind a place in the file.
     *
     * @return the place behind the last of them, to go on from
     */
    public static long replay(Path file, long from, Witness witness) throws IOException {
        if (!Files.exists(file)) {
            return from;
        }
        long at = from;
        byte[] buffer = new byte[1 << 20];
        try (RandomAccessFile input = new RandomAccessFile(file.toFile(), "r")) {
            while (true) {
                input.seek(at);
                int length = input.read(buffer);
                int begin = 0;
                for (int i = 0; i < length; i++) {
                    if (buffer[i] == '\n') {
                        tell(new String(buffer, begin, i - begin, StandardCharsets.US_ASCII), witness);
                        begin = i + 1;
                    }
                }
                if (begin == 0) {
                    return at;
                }
                at += begin;
            }
        }
    }

    private static void tell(String line, Witness witness) {
        long[] n = new long[8];
        int count = 0;
        int at = 2;
        while (at < line.length()) {
            int space = line.indexOf(' ', at);
            int end = space < 0 ? line.length() : space;
            n[count++] = Long.parseLong(line, at, end, 10);
            at = end + 1;
        }
        switch (line.charAt(0)) {
            case '+' -> witness.attempted((int) n[0], n[1], (int) n[2], (int) n[3]);
            case 'c' -> witness.confirmed((int) n[0], n[1], (int) n[2]);
            case 'p' -> witness.placed((int) n[0], n[1], (int) n[2], n[3]);
            case 'r' -> witness.refused((int) n[0], n[1], (int) n[2]);
            case 'u' -> witness.unknown((int) n[0], n[1], (int) n[2]);
            case 'd' -> {
                Payload payload = new Payload((int) n[4], (int) n[5], n[6], (int) n[7]);
                witness.delivered((int) n[0], (int) n[1], (int) n[2], n[3], payload);
            }
            case 'x' -> witness.delivered((int) n[0], (int) n[1], (int) n[2], n[3], null);
            case 'a' -> witness.acknowledged((int) n[0], (int) n[1], n[2], (int) n[3]);
            default -> throw new IllegalStateException("line of a transcript not understood: " + line);
        }
    }
}
