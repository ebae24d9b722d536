package dev.postroad.patterns.inbox;

import java.time.Duration;
import java.util.regex.Pattern;

/**
 * How an inbox is kept.
 *
 * @param consumer who handles the messages: each consumer handles each message once. 1 to 100 characters
 * @param table name of the table, with its schema where that is not the default: letters, digits, {@code _} and one {@code .}
 * @param window how long a message is remembered, at least; what comes again later has its effect again
 * @param cleanupInterval how often what is older is deleted, at most 10,000 rows at a time
 */
public record InboxSettings(String consumer, String table, Duration window, Duration cleanupInterval)
        implements InboxStore {
    private static final Pattern NAME = Pattern.compile("([A-Za-z_][A-Za-z0-9_]{0,40}\\.)?[A-Za-z_][A-Za-z0-9_]{0,40}");

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public InboxSettings {
        check(!consumer.isEmpty() && consumer.length() <= 100, "consumer", consumer, "1 to 100 characters long");
        check(
                NAME.matcher(table).matches(),
                "table",
                table,
                "a name of letters, digits and _, with a schema or without");
        check(window.toMillis() >= 1, "window", window, "1 ms or more");
        check(cleanupInterval.toMillis() >= 1, "cleanupInterval", cleanupInterval, "1 ms or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    /** Table {@code postroad_inbox}, seven days, cleaned each minute. */
    public static InboxSettings of(String consumer) {
        return new InboxSettings(consumer, "postroad_inbox", Duration.ofDays(7), Duration.ofMinutes(1));
    }

    /** These settings with another table. */
    public InboxSettings withTable(String newTable) {
        return new InboxSettings(consumer, newTable, window, cleanupInterval);
    }

    /** These settings with another time to remember. */
    public InboxSettings withWindow(Duration newWindow) {
        return new InboxSettings(consumer, table, newWindow, cleanupInterval);
    }

    /** These settings with another interval of cleaning up. */
    public InboxSettings withCleanupInterval(Duration newCleanupInterval) {
        return new InboxSettings(consumer, table, window, newCleanupInterval);
    }
}
