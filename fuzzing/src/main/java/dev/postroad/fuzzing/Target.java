package dev.postroad.fuzzing;

import dev.postroad.testkit.Generator;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A decoder under test.
 *
 * @param name short, lower case with hyphens; its corpus has that name
 * @param decoder what is tried
 * @param refusal whether that is how the decoder says no; all else that it throws is a fault
 * @param sample a valid input, or nearly so
 * @param dictionary what to put into inputs
 * @param mostBytes longest input that is tried
 * @param fixedBytes heap that it may take whatever its input is; 64 KiB unless there is a reason
 * @param bytesPerByte heap that it may take for each byte of its input; 4 unless there is a reason
 */
record Target(
        String name,
        Decoder decoder,
        Predicate<Throwable> refusal,
        Function<Generator, byte[]> sample,
        List<byte[]> dictionary,
        int mostBytes,
        long fixedBytes,
        int bytesPerByte) {
    private static final int MOST_BYTES = 4096;
    private static final long FIXED_BYTES = 64 << 10;
    private static final int BYTES_PER_BYTE = 4;
    static final long MOST_NANOS = 10_000_000;

    /** Decodes, checks what it got, and throws. */
    @FunctionalInterface
    interface Decoder {
        void decode(byte[] input) throws Exception;
    }

    /** A decoder of bytes. */
    static Target ofBytes(
            String name, Decoder decoder, Predicate<Throwable> refusal, Function<Generator, byte[]> sample) {
        return new Target(name, decoder, refusal, sample, Mutator.NUMBERS, MOST_BYTES, FIXED_BYTES, BYTES_PER_BYTE);
    }

    /** A decoder of text, which comes as UTF-8; what is none is read with replacement characters. */
    static Target ofText(
            String name,
            Consumer<String> decoder,
            Predicate<Throwable> refusal,
            Function<Generator, String> sample,
            String... dictionary) {
        return new Target(
                name,
                input -> decoder.accept(new String(input, StandardCharsets.UTF_8)),
                refusal,
                gen -> sample.apply(gen).getBytes(StandardCharsets.UTF_8),
                List.of(dictionary).stream()
                        .map(word -> word.getBytes(StandardCharsets.UTF_8))
                        .toList(),
                MOST_BYTES,
                FIXED_BYTES,
                BYTES_PER_BYTE);
    }

    /** This target with another dictionary. */
    Target withDictionary(String... words) {
        return new Target(
                name,
                decoder,
                refusal,
                sample,
                List.of(words).stream()
                        .map(word -> word.getBytes(StandardCharsets.UTF_8))
                        .toList(),
                mostBytes,
                fixedBytes,
                bytesPerByte);
    }

    /** This target with inputs of so many bytes at most. */
    Target withMostBytes(int bytes) {
        return new Target(name, decoder, refusal, sample, dictionary, bytes, fixedBytes, bytesPerByte);
    }

    /** This target, which may take so much heap whatever its input is. */
    Target withFixedBytes(long bytes) {
        return new Target(name, decoder, refusal, sample, dictionary, mostBytes, bytes, bytesPerByte);
    }

    /** This target, which may take so much heap for each byte of its input. */
    Target withBytesPerByte(int bytes) {
        return new Target(name, decoder, refusal, sample, dictionary, mostBytes, fixedBytes, bytes);
    }

    /** The most heap that an input of this length may take. */
    long allowedBytes(int length) {
        return bytesPerByte * (long) length + fixedBytes;
    }
}
