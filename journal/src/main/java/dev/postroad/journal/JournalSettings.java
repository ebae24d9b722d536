package dev.postroad.journal;

/**
 * How a journal uses its directory. Immutable; start from {@link #defaults()}.
 *
 * @param segmentBytes the size of each segment file: a power of two from 64 KiB to 1 GiB. Fixed when a directory is
 *     first used; later opens go by what the directory says. Default 64 MiB
 * @param maxBatchBytes the largest batch, its headers included. A segment that holds less lowers the limit. Default
 *     16 MiB
 * @param bufferBytes the size of the group buffer, which is allocated once: 4 KiB to 64 MiB. Default 4 MiB
 * @param spareSegments how many used-up segments are kept to be used again instead of deleted: 0 to 64. Default 2
 * @param lowWaterBytes usable bytes of the disk below which no new segment is taken: 0 or more. Default 64 MiB
 * @param compactBelow a sealed segment whose share of live bytes is below this is offered for compaction: 0 to 1.
 *     Default 0.25
 * @param onDamage what opening does when stored data turns out to be damaged. Default {@link OnDamage#REFUSE}
 */
public record JournalSettings(
        long segmentBytes,
        int maxBatchBytes,
        int bufferBytes,
        int spareSegments,
        long lowWaterBytes,
        double compactBelow,
        OnDamage onDamage) {

    /** What opening does with data that had been durable and is damaged now. */
    public enum OnDamage {
        /** Open fails with a {@link DamageException} that lists all damage; nothing is changed. */
        REFUSE,
        /**
         * Damaged ranges are copied aside and reported; all that is readable is served. What is damaged stays as it is, and
         * is reported at each opening until a checkpoint lies behind it.
         */
        SERVE_REST
    }

    private static final JournalSettings DEFAULTS =
            new JournalSettings(64L << 20, 16 << 20, 4 << 20, 2, 64L << 20, 0.25, OnDamage.REFUSE);

    public JournalSettings {
        check(
                segmentBytes >= 64 << 10 && segmentBytes <= 1 << 30 && Long.bitCount(segmentBytes) == 1,
                "segmentBytes",
                segmentBytes,
                "a power of two from 65536 to 1073741824");
        check(maxBatchBytes >= 4096, "maxBatchBytes", maxBatchBytes, "at least 4096");
        check(bufferBytes >= 4 << 10 && bufferBytes <= 64 << 20, "bufferBytes", bufferBytes, "from 4096 to 67108864");
        check(spareSegments >= 0 && spareSegments <= 64, "spareSegments", spareSegments, "from 0 to 64");
        check(lowWaterBytes >= 0, "lowWaterBytes", lowWaterBytes, "0 or more");
        check(compactBelow >= 0 && compactBelow <= 1, "compactBelow", compactBelow, "from 0 to 1");
    }

    public static JournalSettings defaults() {
        return DEFAULTS;
    }

    public JournalSettings withSegmentBytes(long value) {
        return new JournalSettings(
                value, maxBatchBytes, bufferBytes, spareSegments, lowWaterBytes, compactBelow, onDamage);
    }

    public JournalSettings withMaxBatchBytes(int value) {
        return new JournalSettings(
                segmentBytes, value, bufferBytes, spareSegments, lowWaterBytes, compactBelow, onDamage);
    }

    public JournalSettings withBufferBytes(int value) {
        return new JournalSettings(
                segmentBytes, maxBatchBytes, value, spareSegments, lowWaterBytes, compactBelow, onDamage);
    }

    public JournalSettings withSpareSegments(int value) {
        return new JournalSettings(
                segmentBytes, maxBatchBytes, bufferBytes, value, lowWaterBytes, compactBelow, onDamage);
    }

    public JournalSettings withLowWaterBytes(long value) {
        return new JournalSettings(
                segmentBytes, maxBatchBytes, bufferBytes, spareSegments, value, compactBelow, onDamage);
    }

    public JournalSettings withCompactBelow(double value) {
        return new JournalSettings(
                segmentBytes, maxBatchBytes, bufferBytes, spareSegments, lowWaterBytes, value, onDamage);
    }

    public JournalSettings withOnDamage(OnDamage value) {
        return new JournalSettings(
                segmentBytes, maxBatchBytes, bufferBytes, spareSegments, lowWaterBytes, compactBelow, value);
    }

    private static void check(boolean good, String name, Object value, String expected) {
        if (!good) {
            throw new IllegalArgumentException(name + " is " + value + ", must be " + expected);
        }
    }
}
