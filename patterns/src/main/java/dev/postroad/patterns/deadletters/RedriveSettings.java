package dev.postroad.patterns.deadletters;

import org.jspecify.annotations.Nullable;

/**
 * How dead letters are put back.
 *
 * @param filter which
 * @param max at most so many, 1 or more
 * @param perSecond at most so many in a second, 1 or more; null for as fast as it goes
 * @param batch letters put back at once, and named in one entry of the ledger, 1 to 1,000; never more than a second's worth
 * @param by who does it, for the ledger; 1 to 200 characters
 */
public record RedriveSettings(
        LetterFilter filter, long max, @Nullable Integer perSecond, int batch, String by) {

    /** All of them, as fast as it goes, 100 at once, by the user of this process. */
    public static final RedriveSettings DEFAULT = new RedriveSettings(
            LetterFilter.ALL, Long.MAX_VALUE, null, 100, System.getProperty("user.name", "unknown"));

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public RedriveSettings {
        check(max >= 1, "max", max, "1 or more");
        check(perSecond == null || perSecond >= 1, "perSecond", String.valueOf(perSecond), "1 or more");
        check(batch >= 1 && batch <= 1_000, "batch", batch, "1 to 1,000");
        check(!by.isBlank() && by.length() <= 200, "by", by, "1 to 200 characters long");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** These settings for other letters. */
    public RedriveSettings withFilter(LetterFilter newFilter) {
        return new RedriveSettings(newFilter, max, perSecond, batch, by);
    }

    /** These settings with another bound on how many. */
    public RedriveSettings withMax(long newMax) {
        return new RedriveSettings(filter, newMax, perSecond, batch, by);
    }

    /** These settings with another rate, or null for none. */
    public RedriveSettings withPerSecond(@Nullable Integer newPerSecond) {
        return new RedriveSettings(filter, max, newPerSecond, batch, by);
    }

    /** These settings with another number of letters at once. */
    public RedriveSettings withBatch(int newBatch) {
        return new RedriveSettings(filter, max, perSecond, newBatch, by);
    }

    /** These settings in another name. */
    public RedriveSettings withBy(String newBy) {
        return new RedriveSettings(filter, max, perSecond, batch, newBy);
    }

    int atOnce() {
        return perSecond == null ? batch : Math.min(batch, perSecond);
    }
}
