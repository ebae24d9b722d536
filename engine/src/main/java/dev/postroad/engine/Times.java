package dev.postroad.engine;

/** Sums of times that do not go round: what is later than the last millisecond there is never comes. */
final class Times {
    private Times() {}

    /** The time so many milliseconds, 0 or more, after this one; {@link Long#MAX_VALUE} at the most. */
    static long after(long time, long millis) {
        long sum = time + millis;
        return sum < time ? Long.MAX_VALUE : sum;
    }
}
