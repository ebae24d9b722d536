package dev.postroad.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.postroad.testkit.Property;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LinesTest {
    /** Gives a few bytes at a time, however many are asked for. */
    private static InputStream dribbling(byte[] bytes, int step) {
        return new ByteArrayInputStream(bytes) {
            @Override
            public synchronized int read(byte[] into, int from, int length) {
                return super.read(into, from, Math.min(step, length));
            }
        };
    }

    @Test
    void linesJoinedAgainAreTheInputHoweverItComes() {
        Property.forAll("lines joined are the input", 300, random -> {
            byte[] input = random.bytes(0, 2_000);
            for (int i = 0; i < input.length; i++) {
                if (random.chance(1, 6)) {
                    input[i] = '\n';
                }
            }
            assertThat(joined(dribbling(input, random.between(1, 700)), input)).isEqualTo(input);
        });
    }

    private static byte[] joined(InputStream in, byte[] input) throws IOException {
        Lines lines = new Lines(in, "test", 10_000);
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (byte[] line = lines.next(); line != null; line = lines.next()) {
            joined.writeBytes(line);
            joined.write('\n');
        }
        boolean unended = input.length > 0 && input[input.length - 1] != '\n';
        byte[] all = joined.toByteArray();
        return unended ? Arrays.copyOf(all, all.length - 1) : all;
    }

    @Test
    void aLineLongerThanTheLimitIsRefusedBeforeItIsHeld() {
        InputStream endless = new InputStream() {
            @Override
            public int read() {
                return 'x';
            }

            @Override
            public int read(byte[] into, int from, int length) {
                Arrays.fill(into, from, from + length, (byte) 'x');
                return length;
            }
        };
        Lines lines = new Lines(endless, "a pipe", 1_000_000);

        assertThatThrownBy(lines::next).isInstanceOf(CliException.class).hasMessageContaining("line 1 of a pipe");
    }
}
