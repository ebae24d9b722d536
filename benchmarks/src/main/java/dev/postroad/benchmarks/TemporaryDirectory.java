package dev.postroad.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Everything that is written goes below one directory, which goes at the end, however that comes. */
final class TemporaryDirectory implements AutoCloseable {
    private final Path path;

    TemporaryDirectory(Path parent) throws IOException {
        path = Files.createTempDirectory(parent, "postroad-bench-");
    }

    Path path() {
        return path;
    }

    /** Deletes a tree; what goes by itself meanwhile is fine. */
    static void delete(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> walk = Files.walk(tree)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof NoSuchFileException) {
                delete(tree);
                return;
            }
            throw e.getCause();
        }
        for (Path each : all) {
            Files.deleteIfExists(each);
        }
    }

    @Override
    public void close() throws IOException {
        delete(path);
    }
}
