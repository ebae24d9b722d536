package dev.postroad.patterns.routing;

import java.time.Duration;
import java.util.regex.Pattern;

/**
 * How groups are kept.
 *
 * @param name of the aggregator, 1 to 100 characters; those of one name share their groups
 * @param table what the names of its two tables begin with, with their schema where that is not the default
 * @param timeout after this, counted from its first part, a group ends as it is; 1 ms or more
 * @param maxParts a group ends when it has so many, 1 to 100,000
 * @param maxGroups past so many open groups the oldest end, at the next sweep; 1 or more
 * @param remembered for how long after its end a group is known, so that a part that comes late, or again, begins no new one;
 *     1 ms or more
 * @param sweepInterval how often timeouts are looked for, 1 ms or more
 */
public record AggregatorSettings(
        String name,
        String table,
        Duration timeout,
        int maxParts,
        int maxGroups,
        Duration remembered,
        Duration sweepInterval) {
    private static final Pattern NAME = Pattern.compile("([A-Za-z_][A-Za-z0-9_]{0,40}\\.)?[A-Za-z_][A-Za-z0-9_]{0,40}");

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public AggregatorSettings {
        check(!name.isEmpty() && name.length() <= 100, "name", name, "1 to 100 characters long");
        check(
                NAME.matcher(table).matches(),
                "table",
                table,
                "a name of letters, digits and _, with a schema or without");
        check(timeout.toMillis() >= 1, "timeout", timeout, "1 ms or more");
        check(maxParts >= 1 && maxParts <= 100_000, "maxParts", maxParts, "1 to 100,000");
        check(maxGroups >= 1, "maxGroups", maxGroups, "1 or more");
        check(remembered.toMillis() >= 1, "remembered", remembered, "1 ms or more");
        check(sweepInterval.toMillis() >= 1, "sweepInterval", sweepInterval, "1 ms or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /**
     * Tables {@code postroad_aggregate_group} and {@code _part}, a timeout of a minute, 10,000 parts, 100,000 groups, remembered
     * for seven days, swept each second.
     */
    public static AggregatorSettings of(String name) {
        return new AggregatorSettings(
                name,
                "postroad_aggregate",
                Duration.ofMinutes(1),
                10_000,
                100_000,
                Duration.ofDays(7),
                Duration.ofSeconds(1));
    }

    String groups() {
        return table + "_group";
    }

    String parts() {
        return table + "_part";
    }

    /** These settings with other tables. */
    public AggregatorSettings withTable(String newTable) {
        return new AggregatorSettings(name, newTable, timeout, maxParts, maxGroups, remembered, sweepInterval);
    }

    /** These settings with another time for a group to become complete. */
    public AggregatorSettings withTimeout(Duration newTimeout) {
        return new AggregatorSettings(name, table, newTimeout, maxParts, maxGroups, remembered, sweepInterval);
    }

    /** These settings with other bounds. */
    public AggregatorSettings withBounds(int newMaxParts, int newMaxGroups) {
        return new AggregatorSettings(name, table, timeout, newMaxParts, newMaxGroups, remembered, sweepInterval);
    }

    /** These settings with another time to remember groups that have ended. */
    public AggregatorSettings withRemembered(Duration newRemembered) {
        return new AggregatorSettings(name, table, timeout, maxParts, maxGroups, newRemembered, sweepInterval);
    }

    /** These settings with another interval of sweeping. */
    public AggregatorSettings withSweepInterval(Duration newSweepInterval) {
        return new AggregatorSettings(name, table, timeout, maxParts, maxGroups, remembered, newSweepInterval);
    }
}
