package dev.postroad.patterns.claimcheck;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * Keeps bytes under an id until they are deleted. Safe for use by many threads; all calls block. What can't be reached is an
 * {@link IOException}, and worth another try.
 */
public interface BlobStore {

    /**
     * Keeps the bytes, as safely as it can, before it returns.
     *
     * @param id letters, digits and {@code -}, used once
     */
    void put(String id, byte[] bytes) throws IOException;

    /**
     * The bytes of an id; empty if there are none.
     *
     * @param size how many there should be: no more than this, and one, is read
     */
    Optional<byte[]> get(String id, int size) throws IOException;

    /** Deletes what is there; no error if nothing is. */
    void delete(String id) throws IOException;

    /** Deletes what was put longer ago than this, some thousands at most. @return how many */
    int deleteOlderThan(Duration age) throws IOException;
}
