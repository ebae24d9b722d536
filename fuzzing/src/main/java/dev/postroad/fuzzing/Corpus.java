package dev.postroad.fuzzing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * Inputs worth keeping: those that reach code that others don't, and those that once found something. One file for each
 * target, a line of base64 for each input, shortest first.
 */
final class Corpus {
    private Corpus() {}

    /** The inputs kept for a target; none if it has none yet. */
    static List<byte[]> of(Target target) {
        try (InputStream in = Corpus.class.getResourceAsStream("corpus/" + fileName(target))) {
            return in == null ? List.of() : parse(new String(in.readAllBytes(), StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<byte[]> parse(String lines) {
        List<byte[]> inputs = new ArrayList<>();
        lines.lines()
                .filter(line -> !line.isBlank())
                .forEach(line -> inputs.add(Base64.getDecoder().decode(line)));
        return inputs;
    }

    /** Writes the inputs to the target's file in that folder, without duplicates. Returns how many they are. */
    static int write(Path folder, Target target, List<byte[]> inputs) throws IOException {
        List<String> lines = inputs.stream()
                .map(input -> Base64.getEncoder().encodeToString(input))
                .distinct()
                .sorted(java.util.Comparator.comparingInt(String::length).thenComparing(line -> line))
                .toList();
        Files.createDirectories(folder);
        Files.write(folder.resolve(fileName(target)), lines, StandardCharsets.US_ASCII);
        return lines.size();
    }

    private static String fileName(Target target) {
        return target.name() + ".txt";
    }
}
