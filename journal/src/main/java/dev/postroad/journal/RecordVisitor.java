package dev.postroad.journal;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Receives the records of a segment in order. */
@FunctionalInterface
public interface RecordVisitor {

    /**
     * One record.
     *
     * @param position the record's position
     * @param timeMillis the time of its batch
     * @param type the type it was written with
     * @param payload its bytes, read-only and valid during the call
     */
    void record(long position, long timeMillis, byte type, ByteBuffer payload) throws IOException;
}
