package dev.postroad.journal;

/**
 * One place where the disk does not hold what was stored there.
 *
 * @param kind what sort of thing is damaged
 * @param file the file's name in the data directory
 * @param offset where the damage begins in the file, in bytes
 * @param bytes how many bytes are affected; 0 if the whole file is missing or that is not known
 * @param fromPosition the first journal position affected; -1 if no position is
 * @param toPosition the first journal position behind the damage; -1 if no position is affected
 * @param lost whether something stored is lost. If not (there was a second copy), opening goes on
 * @param what the finding in a sentence
 */
public record DamageReport(
        Kind kind,
        String file,
        long offset,
        long bytes,
        long fromPosition,
        long toPosition,
        boolean lost,
        String what) {

    /** What sort of thing is damaged. */
    public enum Kind {
        /** A range that should hold batches and holds none that can be read. */
        RANGE,
        /** Records in a batch that is fine otherwise. */
        RECORD,
        /** A batch's header; its records are all readable. */
        BATCH_HEADER,
        /** A segment's header. */
        SEGMENT_HEADER,
        /** A segment file that should be there and is not. */
        MISSING_SEGMENT,
        /** A checkpoint. */
        CHECKPOINT
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append(file).append(" at offset ").append(offset);
        if (bytes > 0) {
            text.append(", ").append(bytes).append(" bytes");
        }
        if (fromPosition >= 0) {
            text.append(" (positions ")
                    .append(fromPosition)
                    .append(" to ")
                    .append(toPosition)
                    .append(')');
        }
        return text.append(": ")
                .append(what)
                .append(lost ? "" : " Nothing is lost.")
                .toString();
    }
}
