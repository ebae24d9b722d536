package dev.postroad.cli.doctor;

import java.util.List;

/**
 * What was found in a data directory.
 *
 * @param directory where
 * @param healthy whether nothing that had been stored is lost
 * @param closedCleanly whether the last process closed it in good order; no damage if not
 * @param segmentBytes size of the journal's segments
 * @param segments the journal's segments, in order
 * @param checkpoints checkpoints that can be read, the newest first
 * @param batches batches that can be read
 * @param records records that can be read
 * @param tornBytes bytes behind the tail of the last write, which were never confirmed and are cut at the next start
 * @param damage what is damaged, in order
 * @param foreignFiles files that are not the journal's
 */
public record Findings(
        String directory,
        boolean healthy,
        boolean closedCleanly,
        long segmentBytes,
        List<Segment> segments,
        List<Checkpoint> checkpoints,
        long batches,
        long records,
        long tornBytes,
        List<Damage> damage,
        List<String> foreignFiles) {

    /**
     * One segment.
     *
     * @param file its name
     * @param usedBytes bytes to the end of its last batch
     * @param batches batches that can be read
     * @param records records that can be read
     */
    public record Segment(String file, long usedBytes, long batches, long records) {}

    /**
     * One checkpoint.
     *
     * @param file its name
     * @param position journal position it was taken at
     * @param bytes its size
     * @param timeMillis time of the last batch before it, in milliseconds since 1970
     */
    public record Checkpoint(String file, long position, long bytes, long timeMillis) {}

    /**
     * One damaged place.
     *
     * @param kind what sort of thing is damaged
     * @param file which file
     * @param offset where it begins in the file
     * @param bytes how many bytes; 0 where the whole file is missing or it is not known
     * @param lost whether something stored is lost by it
     * @param what the finding in a sentence
     */
    public record Damage(String kind, String file, long offset, long bytes, boolean lost, String what) {}
}
