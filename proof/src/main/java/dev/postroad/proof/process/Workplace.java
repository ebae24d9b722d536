package dev.postroad.proof.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A folder of an experiment's own, gone at its end. */
record Workplace(Path folder) implements AutoCloseable {
    static Workplace make(String name) throws IOException {
        return new Workplace(Files.createTempDirectory("postroad-proof-" + name + "-"));
    }

    Path at(String name) {
        return folder.resolve(name);
    }

    @Override
    public void close() {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(each);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
