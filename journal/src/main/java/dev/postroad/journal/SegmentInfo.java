package dev.postroad.journal;

/**
 * One segment of the journal.
 *
 * @param number the segment's number; its file is named by it in hexadecimal
 * @param basePosition the position of its first byte
 * @param usedBytes bytes from its beginning to the end of its last batch
 * @param liveBytes bytes retained in it and not yet released
 * @param state what it is used for
 */
public record SegmentInfo(long number, long basePosition, long usedBytes, long liveBytes, State state) {

    /** What a segment is used for. */
    public enum State {
        /** Batches are appended to it. */
        ACTIVE,
        /** Full; its records can be read. */
        SEALED
    }

    /** The share of its used bytes that is live, from 0 to 1. */
    public double liveRatio() {
        return usedBytes <= Format.SEGMENT_HEADER ? 0 : (double) liveBytes / (usedBytes - Format.SEGMENT_HEADER);
    }
}
