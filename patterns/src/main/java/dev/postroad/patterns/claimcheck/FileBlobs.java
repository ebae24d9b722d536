package dev.postroad.patterns.claimcheck;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Blobs as files of a folder, one each, in 256 folders by the beginning of their ids. A blob is written aside, forced to disk
 * and renamed, so that it is there whole or not at all. The folder may be a network share, if renaming is atomic there.
 */
public final class FileBlobs implements BlobStore {
    private static final Pattern ID = Pattern.compile("[0-9a-zA-Z-]{2,100}");
    private static final int DELETED_AT_ONCE = 10_000;

    private final Path folder;

    /** @param folder made where it is not there, with the first blob */
    public FileBlobs(Path folder) {
        this.folder = folder;
    }

    private Path directory(String id) {
        if (!ID.matcher(id).matches()) {
            throw new IllegalArgumentException("'" + id + "' is no id of a blob: letters, digits and - make one");
        }
        return folder.resolve(id.substring(0, 2));
    }

    private Path file(String id) {
        return directory(id).resolve(id);
    }

    @Override
    public void put(String id, byte[] bytes) throws IOException {
        Path directory = directory(id);
        Path file = file(id);
        Files.createDirectories(directory);
        Path aside = directory.resolve(id + ".new");
        try (FileChannel channel = FileChannel.open(aside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        } catch (IOException e) {
            Files.deleteIfExists(aside);
            throw e;
        }
        Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
        force(directory);
        force(folder);
    }

    private static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public Optional<byte[]> get(String id, int size) throws IOException {
        try (InputStream in = Files.newInputStream(file(id))) {
            return Optional.of(in.readNBytes(size + 1));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    @Override
    public void delete(String id) throws IOException {
        Files.deleteIfExists(file(id));
    }

    @Override
    public int deleteOlderThan(Duration age) throws IOException {
        if (!Files.isDirectory(folder)) {
            return 0;
        }
        Instant limit = Instant.now().minus(age);
        List<Path> old;
        try (Stream<Path> files = Files.find(
                folder,
                2,
                (file, attributes) -> attributes.isRegularFile()
                        && attributes.lastModifiedTime().toInstant().isBefore(limit))) {
            old = files.limit(DELETED_AT_ONCE).toList();
        }
        int count = 0;
        for (Path file : old) {
            if (Files.deleteIfExists(file)) {
                count++;
            }
        }
        return count;
    }
}
