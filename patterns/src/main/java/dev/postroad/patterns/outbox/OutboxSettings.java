package dev.postroad.patterns.outbox;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * How an outbox is kept and relayed. The same for all who record and relay on one table.
 *
 * @param table name of the table, with its schema where that is not the default: letters, digits, {@code _} and one {@code
 *     .}; the names of its lanes and indexes begin with it
 * @param lanes into how many lines the keys are spread, 1 to 1,024: as many relays can work at once. Fixed when the table is
 *     made
 * @param lanesAtOnce lanes that one relay takes for one batch, 1 or more
 * @param batch messages that a relay sends before it deletes them, 1 to 10,000
 * @param batchBytes bytes of messages after which a batch is closed, whatever its count
 * @param pollInterval how long a relay that found nothing waits before it looks again, where nothing wakes it
 * @param maxBackoff how long a relay waits at most, while the broker takes nothing, before it tries again
 * @param alarmAge age of the oldest message at which the relay's alarm goes off
 */
public record OutboxSettings(
        String table,
        int lanes,
        int lanesAtOnce,
        int batch,
        int batchBytes,
        Duration pollInterval,
        Duration maxBackoff,
        Duration alarmAge) {
    private static final Pattern NAME = Pattern.compile("([A-Za-z_][A-Za-z0-9_]{0,40}\\.)?[A-Za-z_][A-Za-z0-9_]{0,40}");

    /**
     * Table {@code postroad_outbox}, 16 lanes, 4 at once, batches of 500 messages or 8 MiB, looked at each 500 ms, backoff up
     * to 30 s, alarm at one minute.
     */
    public static final OutboxSettings DEFAULT = new OutboxSettings(
            "postroad_outbox",
            16,
            4,
            500,
            8 << 20,
            Duration.ofMillis(500),
            Duration.ofSeconds(30),
            Duration.ofMinutes(1));

    /** @throws IllegalArgumentException naming the setting that is out of its bounds */
    public OutboxSettings {
        check(
                NAME.matcher(table).matches(),
                "table",
                table,
                "a name of letters, digits and _, with a schema or without");
        check(lanes >= 1 && lanes <= 1_024, "lanes", lanes, "1 to 1,024");
        check(lanesAtOnce >= 1, "lanesAtOnce", lanesAtOnce, "1 or more");
        check(batch >= 1 && batch <= 10_000, "batch", batch, "1 to 10,000");
        check(batchBytes >= 1, "batchBytes", batchBytes, "1 or more");
        check(pollInterval.toMillis() >= 1, "pollInterval", pollInterval, "1 ms or more");
        check(maxBackoff.toMillis() >= 1, "maxBackoff", maxBackoff, "1 ms or more");
        check(alarmAge.toMillis() >= 1, "alarmAge", alarmAge, "1 ms or more");
    }

    private static void check(boolean holds, String name, Object value, String bounds) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is " + value + "; it must be " + bounds);
        }
    }

    String lanesTable() {
        return table + "_lane";
    }

    /** The channel of LISTEN and NOTIFY: the table's name, which for the database is an identifier of its own. */
    String notification() {
        return table.replace('.', '_').toLowerCase(Locale.ROOT);
    }

    /** These settings with another table. */
    public OutboxSettings withTable(String newTable) {
        return new OutboxSettings(newTable, lanes, lanesAtOnce, batch, batchBytes, pollInterval, maxBackoff, alarmAge);
    }

    /** These settings with another number of lanes, and of lanes that a relay takes at once. */
    public OutboxSettings withLanes(int newLanes, int newLanesAtOnce) {
        return new OutboxSettings(
                table, newLanes, newLanesAtOnce, batch, batchBytes, pollInterval, maxBackoff, alarmAge);
    }

    /** These settings with another bound of a batch. */
    public OutboxSettings withBatch(int newBatch, int newBatchBytes) {
        return new OutboxSettings(
                table, lanes, lanesAtOnce, newBatch, newBatchBytes, pollInterval, maxBackoff, alarmAge);
    }

    /** These settings with another wait before a relay looks again. */
    public OutboxSettings withPollInterval(Duration newPollInterval) {
        return new OutboxSettings(table, lanes, lanesAtOnce, batch, batchBytes, newPollInterval, maxBackoff, alarmAge);
    }

    /** These settings with another bound of the wait after failures. */
    public OutboxSettings withMaxBackoff(Duration newMaxBackoff) {
        return new OutboxSettings(table, lanes, lanesAtOnce, batch, batchBytes, pollInterval, newMaxBackoff, alarmAge);
    }

    /** These settings with another age at which the alarm goes off. */
    public OutboxSettings withAlarmAge(Duration newAlarmAge) {
        return new OutboxSettings(table, lanes, lanesAtOnce, batch, batchBytes, pollInterval, maxBackoff, newAlarmAge);
    }
}
