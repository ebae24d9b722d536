package dev.postroad.journal;

import java.util.List;
import java.util.SortedMap;

/**
 * What an inspection of a data directory found.
 *
 * @param location where it is
 * @param segmentBytes the size of its segments
 * @param segments its segments, in order
 * @param checkpoints its checkpoints that can be read, the newest first
 * @param batches how many batches can be read
 * @param recordsByType how many records can be read, by their type
 * @param tailPosition where appending would go on
 * @param closedCleanly whether the last process closed it in good order
 * @param tornBytes bytes behind the tail that can be recognised as batches; they were never durable and would be cut
 * @param damage what is damaged, in order
 * @param foreignFiles files that are not the journal's
 */
public record JournalReport(
        String location,
        long segmentBytes,
        List<Segment> segments,
        List<Checkpoint> checkpoints,
        long batches,
        SortedMap<Byte, Long> recordsByType,
        long tailPosition,
        boolean closedCleanly,
        long tornBytes,
        List<DamageReport> damage,
        List<String> foreignFiles) {

    /**
     * One segment.
     *
     * @param number its number
     * @param file its file's name
     * @param usedBytes bytes to the end of its last batch
     * @param batches how many batches can be read
     * @param records how many records can be read
     */
    public record Segment(long number, String file, long usedBytes, long batches, long records) {}

    /**
     * One checkpoint.
     *
     * @param file its file's name
     * @param position the position it was taken at
     * @param snapshotBytes the size of its snapshot
     * @param timeMillis the time of the last batch before it, in milliseconds since 1970
     */
    public record Checkpoint(String file, long position, long snapshotBytes, long timeMillis) {}

    /** How many records can be read. */
    public long records() {
        return recordsByType.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Whether nothing that was stored is lost. */
    public boolean healthy() {
        return damage.stream().noneMatch(DamageReport::lost);
    }
}
