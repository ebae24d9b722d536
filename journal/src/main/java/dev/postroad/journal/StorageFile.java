package dev.postroad.journal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * One open file of a {@link Storage}. One thread may write while others read; an interrupt of the calling thread never
 * breaks the file, and stays set.
 */
public interface StorageFile extends Closeable {

    /**
     * Reads from {@code position} into the remaining space of {@code dst}.
     *
     * @return how many bytes were read, at least 1 unless {@code dst} is full; -1 at or behind the end of the file
     */
    int read(ByteBuffer dst, long position) throws IOException;

    /** Writes all remaining bytes of {@code src} at {@code position}; a gap behind the old end reads as zeros. */
    void write(ByteBuffer src, long position) throws IOException;

    /**
     * Makes all bytes written so far, and the length that is needed to read them, durable. When it fails nobody knows
     * which of them are on the disk: do not call it again to find out.
     */
    void force() throws IOException;

    /**
     * Gets on with bringing to the disk what has been written, so that a later {@link #force()} has less to do; it promises
     * nothing and may do nothing. For any thread, also while another one writes or forces.
     *
     * @throws IOException if the disk failed; a {@code force} after it fails as well, or did already
     */
    default void writeBack() throws IOException {}

    long size() throws IOException;

    /** Cuts the file to {@code size} bytes; a shorter file stays as it is. */
    void truncate(long size) throws IOException;

    /**
     * Makes the file at least {@code size} bytes long, new bytes zero, and takes their space now, so that writing there
     * later neither fails for want of space nor changes more than contents. Durable after {@link #force()}.
     */
    void allocate(long size) throws IOException;

    @Override
    void close() throws IOException;
}
