package dev.postroad.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/** A directory of a demo's own, deleted when this process ends, however it does; or kept. */
final class DemoFolder {
    private final Path path;
    private final AtomicBoolean kept;

    private DemoFolder(Path path, boolean kept) {
        this.path = path;
        this.kept = new AtomicBoolean(kept);
    }

    /**
     * Makes one.
     *
     * @param kept whether it is to stay
     * @param before run at the end of the process, before anything is deleted: ends what still writes to it
     */
    static DemoFolder create(boolean kept, Runnable before) throws IOException {
        DemoFolder folder = new DemoFolder(Files.createTempDirectory("postroad-demo-"), kept);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            before.run();
                            folder.sweep();
                        },
                        "sweep"));
        return folder;
    }

    Path path() {
        return path;
    }

    void keep() {
        kept.set(true);
    }

    boolean kept() {
        return kept.get();
    }

    private void sweep() {
        if (kept()) {
            return;
        }
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : (Iterable<Path>) files.sorted(Comparator.reverseOrder())::iterator) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            Terminal.err().println("postroad: could not delete " + path + ": " + e.getMessage());
        }
    }
}
