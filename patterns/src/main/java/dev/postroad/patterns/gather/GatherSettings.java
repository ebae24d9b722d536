package dev.postroad.patterns.gather;

import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * Whom to ask, and when enough have answered.
 *
 * @param targets the channels to ask, each once; 1 to 1,000
 * @param enough how many replies end it, 1 to the number of targets; or {@link #ALL}
 * @param timeout after this it ends with what has come, 1 ms or more
 * @param maxInFlight questions under way at once, 1 or more; the next one's requests are refused
 */
public record GatherSettings(List<String> targets, int enough, Duration timeout, int maxInFlight) {
    /** Ends when each target has answered or failed. */
    public static final int ALL = 0;

    private static final int MAX_TARGETS = 1_000;

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public GatherSettings {
        targets = List.copyOf(targets);
        check(
                !targets.isEmpty() && targets.size() <= MAX_TARGETS,
                "targets",
                targets.size() + " channels",
                "1 to " + MAX_TARGETS);
        check(Set.copyOf(targets).size() == targets.size(), "targets", targets, "without repetitions");
        check(enough >= ALL && enough <= targets.size(), "enough", enough, "1 to " + targets.size() + ", or ALL");
        check(timeout.toMillis() >= 1, "timeout", timeout, "1 ms or more");
        check(maxInFlight >= 1, "maxInFlight", maxInFlight, "1 or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** All of these, five seconds, at most 1,000 questions under way. */
    public static GatherSettings of(String... targets) {
        return new GatherSettings(List.of(targets), ALL, Duration.ofSeconds(5), 1_000);
    }

    /** These settings, ended by so many replies. */
    public GatherSettings withFirst(int replies) {
        if (replies < 1) {
            throw new IllegalArgumentException("replies is " + replies + "; it must be 1 to " + targets.size());
        }
        return new GatherSettings(targets, replies, timeout, maxInFlight);
    }

    /** These settings, ended by the replies of more than half of the targets. */
    public GatherSettings withQuorum() {
        return withFirst(targets.size() / 2 + 1);
    }

    /** These settings, ended when each target has answered or failed. */
    public GatherSettings withAll() {
        return new GatherSettings(targets, ALL, timeout, maxInFlight);
    }

    /** These settings with another time to answer. */
    public GatherSettings withTimeout(Duration newTimeout) {
        return new GatherSettings(targets, enough, newTimeout, maxInFlight);
    }

    /** These settings with another bound on questions under way. */
    public GatherSettings withMaxInFlight(int newMaxInFlight) {
        return new GatherSettings(targets, enough, timeout, newMaxInFlight);
    }
}
