package dev.postroad.proof.process;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Small libraries that come between a process and the C library, made from their source on the spot. */
final class Preload {
    /** The variable of the environment that names such a library. */
    static final String VARIABLE = "LD_PRELOAD";

    private Preload() {}

    /** Why there can't be any here; null if there can. */
    static @Nullable String missing() {
        if (!System.getProperty("os.name").equals("Linux")) {
            return "it needs Linux";
        }
        return Machine.has("gcc") ? null : "there is no gcc to make the library that comes between";
    }

    /** Makes the library of a source that lies beside this class. */
    static Path make(Workplace place, String name) throws IOException {
        Path source = place.at(name + ".c");
        try (InputStream resource =
                Objects.requireNonNull(Preload.class.getResourceAsStream(name + ".c"), "the source of " + name)) {
            Files.copy(resource, source);
        }
        Path library = place.at(name + ".so");
        Machine.must("gcc", "-shared", "-fPIC", "-O1", "-o", library.toString(), source.toString(), "-ldl");
        return library;
    }
}
