package dev.postroad.proof.scale;

import dev.postroad.proof.process.Workplace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A directory of an experiment's own, gone at its end. */
record Folder(Workplace place, Path path) implements AutoCloseable {
    static Folder make() throws IOException {
        Workplace place = Workplace.make("scale");
        return new Folder(place, Files.createDirectory(place.at("data")));
    }

    long usableBytes() throws IOException {
        return Files.getFileStore(path).getUsableSpace();
    }

    @Override
    public void close() {
        place.close();
    }
}
