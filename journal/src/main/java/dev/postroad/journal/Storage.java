package dev.postroad.journal;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/**
 * One flat directory of files: every read and write of the journal and the engine goes through it, so that a test can
 * put a disk there that crashes, tears and fails.
 *
 * <p>Contents and names are durable separately, as on a real disk: bytes after {@link StorageFile#force()}, the
 * creation, renaming and deletion of names after {@link #syncDirectory()}.
 *
 * <p>Names are 1 to 200 characters from {@code a-z 0-9 . -}. Implementations may be used by several threads at once; a
 * failed call has changed nothing that the caller may rely on.
 */
public interface Storage extends Closeable {

    /**
     * Creates an empty file.
     *
     * @throws IOException if the name is taken, or the file cannot be made
     */
    StorageFile create(String name) throws IOException;

    /**
     * Opens an existing file to read and write.
     *
     * @throws IOException if there is no such file, or it cannot be opened
     */
    StorageFile open(String name) throws IOException;

    /** The names of all files, in ascending order. */
    List<String> list() throws IOException;

    boolean exists(String name) throws IOException;

    /** Gives a file another name, replacing a file that has that name already. Open files stay usable. */
    void rename(String from, String to) throws IOException;

    /**
     * Removes a file.
     *
     * @throws IOException if there is no such file, or it cannot be removed
     */
    void delete(String name) throws IOException;

    /** Makes all creations, renamings and deletions so far durable. */
    void syncDirectory() throws IOException;

    /** How many bytes can still be stored. An estimate: others may use the same disk. */
    long usableBytes() throws IOException;

    /** Where this is, for people to read in messages: a path, or a word such as {@code memory}. */
    String location();

    /** Lets go of the directory and its lock. The files that are still open are closed. */
    @Override
    void close() throws IOException;
}
