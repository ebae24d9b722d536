package dev.postroad.proof.process;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A file with the classes of a program, parsed and checked, so that a JVM of the same class path starts it in half the time.
 * {@link WarmUp} makes them when the book is built; a property says in which folder. Without one all works as well, only later: a JVM
 * archives what comes from jars, and nothing where a folder is on the class path.
 */
enum Archive {
    /** {@code postroad serve}, its clients over HTTP and AMQP. */
    SERVE("serve.jsa"),
    /** {@link EmbeddingProgram}. */
    EMBEDDING("embedding.jsa");

    private static final @Nullable String FOLDER = System.getProperty("postroad.proof.archives");

    private final String file;

    Archive(String file) {
        this.file = file;
    }

    /** Options of a JVM that is to use it; none where it is not there. One that does not fit is passed over by the JVM. */
    List<String> use() {
        if (FOLDER == null || !Files.exists(Path.of(FOLDER, file))) {
            return List.of();
        }
        return List.of("-Xlog:disable", "-Xshare:auto", "-XX:SharedArchiveFile=" + Path.of(FOLDER, file));
    }

    /** Options of a JVM that makes it, in a folder, when it is asked to end. */
    List<String> make(Path folder) {
        return List.of("-Xlog:disable", "-XX:ArchiveClassesAtExit=" + folder.resolve(file));
    }
}
